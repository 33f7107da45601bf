"""Trade Wars behind the contract of a Space."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from spaces.plain_text import plain_lines
from spaces.seed import Streams
from spaces.space import Decision, Inquiry, InvalidParams, Note, Observation, Outcome, Space
from spaces.trade_wars import answers, oracle, prompt, rules, views
from spaces.trade_wars.state import SEATS, Order, Params, State

MAX_WINDOW = 1_000
"""Candles that a feed is asked to hold at most."""


class TradeWars(Space[Params, State, Order]):
    id = "trade-wars"
    rules = "trade-wars/1"
    title = "Trade Wars"
    seats = SEATS
    decided_by = "oracle"
    prompt_limit = 3_000  # a plan for every kind of market
    params_type = Params
    action_type = Order

    def check_params(self, params: Params) -> None:
        if params.series and plain_lines(params.series) != [params.series]:
            raise InvalidParams(f"{self.id}: series is one plain line, got {params.series!r}")
        if params.feed == "live" and not params.series:
            raise InvalidParams(f"{self.id}: a live feed needs a series, e.g. 'BTC/USDT'")
        if params.window > MAX_WINDOW:
            raise InvalidParams(
                f"{self.id}: rounds and pauses last {params.window} candles, at most {MAX_WINDOW}; "
                "take fewer rounds, or a shorter decide_ms or oracle_ms"
            )

    def initial(self, params: Params, streams: Streams) -> State:
        return rules.initial(params, streams)

    def decisions(self, state: State) -> tuple[Decision, ...]:
        opens_ms = oracle.entry_ms(state)
        return tuple(
            Decision(seat, "order", state.params.decide_ms, sealed=True, not_after_ms=opens_ms)
            for seat in range(SEATS)
            if rules.owes(state, seat)
        )

    def parse(self, kind: str, text: str) -> Order:
        return answers.parse(kind, text)

    def apply(self, state: State, seat: int, action: Order, streams: Streams) -> State:
        return rules.decide(state, seat, action)

    def forfeit(self, state: State, seat: int, streams: Streams) -> State:
        return rules.forfeit(state, seat)

    def inquiry(self, state: State) -> Inquiry | None:
        return oracle.inquiry(state)

    def learn(self, state: State, observation: Observation, streams: Streams) -> State:
        return rules.learn(state, observation)

    def random_observation(self, state: State, rng: random.Random) -> Observation:
        return oracle.made_up(state, rng)

    def notes(self, state: State) -> tuple[Note, ...]:
        return rules.notes(state)

    def outcome(self, state: State) -> Outcome | None:
        return rules.outcome(state)

    def observe(self, state: State, viewer: int | None) -> dict[str, Any]:
        return views.observe(state, viewer)

    def prompt(self, state: State, seat: int) -> str:
        return prompt.prompt(state, seat)

    def headline(self, state: State, names: Sequence[str] = ()) -> str:
        return views.headline(state, names)

    def render(self, state: State, names: Sequence[str] = ()) -> str:
        return views.render(state, names)

    def return_in_words(self, value: int) -> str:
        return views.change(value)

    def random_answer(
        self, kind: str, view: Mapping[str, Any], seat: int, rng: random.Random
    ) -> str:
        side = rng.choice(("LONG", "SHORT", "FLAT"))
        return "order: FLAT" if side == "FLAT" else f"order: {side} {rng.randint(0, 100)}"

    def answer_schema(self, kind: str, view: Mapping[str, Any], seat: int) -> dict[str, Any] | None:
        return answers.schema()
