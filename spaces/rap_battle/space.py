"""Rap Battle behind the contract of a Space."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from spaces.plain_text import plain_lines
from spaces.rap_battle import rules, views
from spaces.rap_battle.rules import SEATS, Params, State, Verse
from spaces.seed import Streams
from spaces.space import Decision, InvalidParams, Outcome, Space

VERSE_MS = 60_000

_WORDS = ("mic", "flow", "crown", "street", "beat", "rhyme", "night", "fire", "gold", "line")


class RapBattle(Space[Params, State, Verse]):
    id = "rap-battle"
    rules = "rap-battle/1"
    title = "Rap Battle"
    seats = SEATS
    decided_by = "judges"
    params_type = Params
    action_type = Verse
    returns_sum = 0

    def check_params(self, params: Params) -> None:
        if params.topic is not None and plain_lines(params.topic) != [params.topic]:
            raise InvalidParams(f"{self.id}: topic is one line of plain text, got {params.topic!r}")

    def initial(self, params: Params, streams: Streams) -> State:
        return rules.initial(params, streams)

    def decisions(self, state: State) -> tuple[Decision, ...]:
        seat = state.to_act
        return () if seat is None else (Decision(seat, "verse", VERSE_MS),)

    def parse(self, kind: str, text: str) -> Verse:
        return rules.parse(kind, text)

    def answer_text(self, action: Verse) -> str:
        return action.text

    def apply(self, state: State, seat: int, action: Verse, streams: Streams) -> State:
        return rules.add_verse(state, seat, action)

    def forfeit(self, state: State, seat: int, streams: Streams) -> State:
        return rules.forfeit(state, seat)

    def outcome(self, state: State) -> Outcome | None:
        return rules.outcome(state)

    def observe(self, state: State, viewer: int | None) -> dict[str, Any]:
        return views.observe(state, viewer)

    def prompt(self, state: State, seat: int) -> str:
        return views.prompt(state, seat)

    def headline(self, state: State, names: Sequence[str] = ()) -> str:
        return views.headline(state, names)

    def render(self, state: State, names: Sequence[str] = ()) -> str:
        return views.render(state, names)

    def random_answer(
        self, kind: str, view: Mapping[str, Any], seat: int, rng: random.Random
    ) -> str:
        lines: list[str] = []
        for _ in range(view["bars"]):
            line = " ".join(rng.choices(_WORDS, k=5))
            if len("\n".join([*lines, line])) > view["char_limit"]:
                break
            lines.append(line)
        return "\n".join(lines)

    def check_answer(self, kind: str, text: str, view: Mapping[str, Any], seat: int) -> None:
        rules.check_verse(self.parse(kind, text), view["bars"], view["char_limit"])
