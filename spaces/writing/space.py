"""Writing behind the contract of a Space."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from spaces.plain_text import plain_lines
from spaces.seed import Streams
from spaces.space import Decision, InvalidParams, Outcome, Space
from spaces.writing import rules, views
from spaces.writing.forms import FORMS
from spaces.writing.plainly import plainly, satisfiable
from spaces.writing.rules import SEATS, Params, State, Text


class Writing(Space[Params, State, Text]):
    id = "writing"
    rules = "writing/1"
    title = "Writing"
    seats = SEATS
    decided_by = "judges"
    params_type = Params
    action_type = Text
    returns_sum = 0
    prompt_limit = 3_000  # a style takes more words than a strategy

    def check_params(self, params: Params) -> None:
        subject = params.subject
        if subject is not None and plain_lines(subject) != [subject]:
            raise InvalidParams(f"{self.id}: subject is one line of plain text, got {subject!r}")
        if params.constraints:
            limit = params.char_limit or min(
                form.char_limit for form in FORMS if params.form in (None, form.id)
            )
            if not satisfiable(params.constraints, limit):
                told = "; ".join(each.says for each in params.constraints)
                raise InvalidParams(
                    f"{self.id}: constraints that no plain text of {limit} characters meets "
                    f"together: {told}"
                )

    def initial(self, params: Params, streams: Streams) -> State:
        return rules.initial(params, streams)

    def decisions(self, state: State) -> tuple[Decision, ...]:
        limit_ms = state.params.time_limit_ms
        return tuple(Decision(seat, "text", limit_ms, sealed=True) for seat in state.waiting)

    def parse(self, kind: str, text: str) -> Text:
        return rules.parse(kind, text)

    def answer_text(self, action: Text) -> str:
        return action.text

    def apply(self, state: State, seat: int, action: Text, streams: Streams) -> State:
        return rules.add_text(state, seat, action)

    def forfeit(self, state: State, seat: int, streams: Streams) -> State:
        return rules.forfeit(state, seat)

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

    def random_answer(
        self, kind: str, view: Mapping[str, Any], seat: int, rng: random.Random
    ) -> str:
        """A plain text that meets every constraint."""
        text = plainly(views.constraints_of(view), view["char_limit"], rng.choice)
        assert text is not None, "briefs are satisfiable by construction"
        return text

    def check_answer(self, kind: str, text: str, view: Mapping[str, Any], seat: int) -> None:
        rules.check_text(self.parse(kind, text), view["char_limit"])
