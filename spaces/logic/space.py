"""Logic behind the contract of a Space."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from spaces.logic import answers, catalogue, puzzles, rules, views
from spaces.logic.answers import Answer
from spaces.logic.rules import SEATS, Params, State
from spaces.plain_text import plain_lines
from spaces.seed import Streams
from spaces.space import Decision, InvalidParams, Note, Outcome, Space


class Logic(Space[Params, State, Answer]):
    """`logic/1` is defined by one version of reasoning-gym: with another one the parameters of a
    session are refused, so neither a host nor a replay plays other puzzles unnoticed. A puzzle earns
    1000 points where the generator's own scorer gives its full mark, and none below it; the marks stand
    in the transcript, and `python -m spaces.logic.rescore TRANSCRIPT` computes both again."""

    id = "logic"
    rules = "logic/1"
    title = "Logic"
    seats = SEATS
    decided_by = "rules"
    params_type = Params
    action_type = Answer

    def load(self) -> None:
        puzzles.check_library()
        puzzles.load()

    def check_params(self, params: Params) -> None:
        try:
            puzzles.check_library()
            catalogue.pool(params.topics)
        except puzzles.OtherLibrary as error:
            raise InvalidParams(str(error)) from None
        except KeyError as error:
            known = ", ".join((*catalogue.TOPICS, *catalogue.GENERATORS))
            raise InvalidParams(f"{self.id}: no topic {error}; there are {known}") from None

    def initial(self, params: Params, streams: Streams) -> State:
        return rules.initial(params, streams)

    def decisions(self, state: State) -> tuple[Decision, ...]:
        return tuple(
            Decision(seat, "answer", state.params.limit_ms, sealed=True)
            for seat in range(SEATS)
            if rules.owes(state, seat)
        )

    def parse(self, kind: str, text: str) -> Answer:
        return answers.parse(kind, text)

    def answer_text(self, action: Answer) -> str:
        return answers.text(action)

    def apply(self, state: State, seat: int, action: Answer, streams: Streams) -> State:
        return rules.answer(state, seat, action, streams)

    def forfeit(self, state: State, seat: int, streams: Streams) -> State:
        return rules.forfeit(state, seat, streams)

    def stamp(self, action: Answer, elapsed_ms: int) -> Answer:
        return answers.stamp(action, elapsed_ms)

    def notes(self, state: State) -> tuple[Note, ...]:
        return views.notes(state)

    def outcome(self, state: State) -> Outcome | None:
        return rules.outcome(state)

    def observe(self, state: State, viewer: int | None) -> dict[str, Any]:
        return views.observe(state, viewer)

    def prompt(self, state: State, seat: int) -> str:
        return views.prompt(state, seat)

    def headline(self, state: State, names: Sequence[str] = ()) -> str:
        return views.headline(state)

    def render(self, state: State, names: Sequence[str] = ()) -> str:
        return views.render(state, names)

    def return_in_words(self, value: int) -> str:
        return views.return_in_words(value)

    def random_answer(
        self, kind: str, view: Mapping[str, Any], seat: int, rng: random.Random
    ) -> str:
        """A small number or a word of the question: now and then it is right."""
        if rng.random() < 0.5:
            return f"answer: {rng.randint(0, 20)}"
        words = " ".join(plain_lines(view["puzzle"]["question"])).split()
        return f"answer: {rng.choice(words).strip('*`') or '0'}"

    def answer_schema(self, kind: str, view: Mapping[str, Any], seat: int) -> dict[str, Any] | None:
        return answers.schema()
