"""A Space of one throw: two seats say a number of 0 to 9 at once, and who alone says seven wins."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from spaces.seed import Streams
from spaces.space import Decision, IllegalAction, InvalidAction, Outcome, Space

SEVEN = 7


class Params(msgspec.Struct, frozen=True):
    pass


class Bid(msgspec.Struct, frozen=True):
    bid: int


class State(msgspec.Struct, frozen=True):
    bids: tuple[int | None, ...] = (None, None)


class Lucky(Space[Params, State, Bid]):
    id = "lucky"
    rules = "lucky/1"
    title = "Lucky"
    seats = 2
    decided_by = "rules"
    params_type = Params
    action_type = Bid

    def initial(self, params: Params, streams: Streams) -> State:
        return State()

    def decisions(self, state: State) -> tuple[Decision, ...]:
        return tuple(
            Decision(seat, "bid", 1_000, sealed=True)
            for seat, bid in enumerate(state.bids)
            if bid is None
        )

    def parse(self, kind: str, text: str) -> Bid:
        try:
            return msgspec.json.decode(text, type=Bid)
        except msgspec.MsgspecError:
            raise InvalidAction("no bid") from None

    def apply(self, state: State, seat: int, action: Bid, streams: Streams) -> State:
        if not 0 <= action.bid <= 9:
            raise IllegalAction("a bid is 0 to 9")
        return State((*state.bids[:seat], action.bid, *state.bids[seat + 1 :]))

    def forfeit(self, state: State, seat: int, streams: Streams) -> State:
        return State((*state.bids[:seat], -1, *state.bids[seat + 1 :]))

    def outcome(self, state: State) -> Outcome | None:
        if None in state.bids:
            return None
        x, o = (bid == SEVEN for bid in state.bids)
        return Outcome("forfeit" if -1 in state.bids else "complete", (x - o, o - x))

    def observe(self, state: State, viewer: int | None) -> dict[str, Any]:
        return {}

    def prompt(self, state: State, seat: int) -> str:
        return "Say a number."

    def headline(self, state: State, names: Sequence[str] = ()) -> str:
        return "a throw"

    def render(self, state: State, names: Sequence[str] = ()) -> str:
        return "a throw"

    def random_answer(
        self, kind: str, view: Mapping[str, Any], seat: int, rng: random.Random
    ) -> str:
        return json.dumps({"bid": rng.randint(0, 9)})

    def answer_schema(self, kind: str, view: Mapping[str, Any], seat: int) -> dict[str, Any]:
        number = {"type": "integer", "minimum": 0, "maximum": 9}
        return {"type": "object", "properties": {"bid": number}, "required": ["bid"]}
