"""Prediction behind the contract of a Space."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from spaces.prediction import answers, made_up, params, prompt, rules, views
from spaces.prediction.answers import Action
from spaces.prediction.params import Params
from spaces.prediction.state import SEATS, State
from spaces.seed import Streams
from spaces.space import (
    Decision,
    Inquiry,
    InvalidParams,
    Note,
    Observation,
    Outcome,
    Space,
)


class Prediction(Space[Params, State, Action]):
    id = "prediction"
    rules = "prediction/1"
    title = "Prediction"
    seats = SEATS
    decided_by = "oracle"
    params_type = Params
    action_type = Action

    def check_params(self, params_: Params) -> None:
        if (fault := params.fault(params_)) is not None:
            raise InvalidParams(f"{self.id}: {fault}")

    def initial(self, params: Params, streams: Streams) -> State:
        return rules.initial(params, streams)

    def decisions(self, state: State) -> tuple[Decision, ...]:
        if state.current is None:
            return ()
        limit_ms = state.params.cutoff_s * 1_000
        not_after_ms = rules.not_after_ms(state.params, state.current)
        return tuple(
            Decision(seat, state.params.kind, limit_ms, sealed=True, not_after_ms=not_after_ms)
            for seat in state.current.owing
        )

    def parse(self, kind: str, text: str) -> Action:
        return answers.parse(kind, text)

    def answer_text(self, action: Action) -> str:
        return answers.text(action)

    def apply(self, state: State, seat: int, action: Action, streams: Streams) -> State:
        return rules.forecast(state, seat, action)

    def forfeit(self, state: State, seat: int, streams: Streams) -> State:
        return rules.forfeit(state, seat)

    def inquiry(self, state: State) -> Inquiry | None:
        return rules.inquiry(state)

    def learn(self, state: State, observation: Observation, streams: Streams) -> State:
        return rules.learn(state, observation)

    def random_observation(self, state: State, rng: random.Random) -> Observation:
        return made_up.observation(state, rng)

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
        return views.decimal(value)

    def random_answer(
        self, kind: str, view: Mapping[str, Any], seat: int, rng: random.Random
    ) -> str:
        if kind == "probability":
            return f"probability: 0.{rng.randint(1, 999):03}"
        drawn = [rng.choice(view["asked"][-1]["history"]) for _ in view["levels"]]
        return f"quantiles: {', '.join(sorted(drawn, key=float))}"

    def check_answer(self, kind: str, text: str, view: Mapping[str, Any], seat: int) -> None:
        answers.check(self.parse(kind, text), view)

    def answer_schema(self, kind: str, view: Mapping[str, Any], seat: int) -> dict[str, Any] | None:
        return answers.schema(kind, view)
