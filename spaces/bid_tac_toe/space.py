"""Bid Tac Toe behind the contract of a Space."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from spaces.bid_tac_toe import answers, prompt, rules, views
from spaces.bid_tac_toe.answers import Action, Bid, Mark
from spaces.bid_tac_toe.state import State
from spaces.bid_tac_toe.variants import Params
from spaces.seed import Streams
from spaces.space import Decision, IllegalAction, Outcome, Space

BID_MS = 30_000
MARK_MS = 30_000


class BidTacToe(Space[Params, State, Action]):
    id = "bid-tac-toe"
    rules = "bid-tac-toe/1"
    title = "Bid Tac Toe"
    seats = 2
    decided_by = "rules"
    params_type = Params
    action_type = Action
    returns_sum = 0

    def initial(self, params: Params, streams: Streams) -> State:
        return rules.initial(params, streams)

    def decisions(self, state: State) -> tuple[Decision, ...]:
        if rules.outcome(state) is not None:
            return ()
        if state.bid_winner is not None:
            return (Decision(state.bid_winner, "mark", MARK_MS),)
        return tuple(
            Decision(seat, "bid", BID_MS, sealed=True)
            for seat, bid in enumerate(state.bids)
            if bid is None
        )

    def parse(self, kind: str, text: str) -> Action:
        return answers.parse(kind, text)

    def apply(self, state: State, seat: int, action: Action, streams: Streams) -> State:
        if rules.outcome(state) is not None:
            raise IllegalAction("the session is over")
        match action:
            case Bid(bid):
                return rules.place_bid(state, seat, bid, streams)
            case Mark(cell):
                return rules.place_mark(state, seat, cell)

    def forfeit(self, state: State, seat: int, streams: Streams) -> State:
        return rules.forfeit(state, seat)

    def outcome(self, state: State) -> Outcome | None:
        return rules.outcome(state)

    def observe(self, state: State, viewer: int | None) -> dict[str, Any]:
        return views.observe(state, viewer)

    def prompt(self, state: State, seat: int) -> str:
        return prompt.prompt(state, seat)

    def headline(self, state: State, names: Sequence[str] = ()) -> str:
        return views.headline(state)

    def render(self, state: State, names: Sequence[str] = ()) -> str:
        return views.render(state, names)

    def random_answer(
        self, kind: str, view: Mapping[str, Any], seat: int, rng: random.Random
    ) -> str:
        if kind == "bid":
            return f"bid: {rng.randint(0, view['chips'][seat])}"
        return f"cell: {rng.choice(views.free_cells(view))}"

    def check_answer(self, kind: str, text: str, view: Mapping[str, Any], seat: int) -> None:
        answers.check(self.parse(kind, text), view, seat)

    def answer_schema(self, kind: str, view: Mapping[str, Any], seat: int) -> dict[str, Any] | None:
        return answers.schema(kind, view, seat)
