"""Five seats write on one brief at the same time; nobody sees another's text before all are in.

A text that is empty or over the limit is refused; a text that breaks a constraint is not: that is for the
judges, who are told. A forfeited seat has no text. Without any text the session is a draw by the rules,
with only one it is won by the rules; otherwise the judges decide, and seats without a text are last.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from spaces.plain_text import plain_lines
from spaces.seed import Streams
from spaces.space import IllegalAction, InvalidAction, Outcome
from spaces.writing import brief as briefs
from spaces.writing.brief import Brief
from spaces.writing.constraints import Constraint
from spaces.writing.forms import FormId

SEATS = 5
MAX_REPLY = 4_000
"""Characters of a raw reply: twice the largest char_limit."""


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    form: FormId | None = None
    """None: drawn by the seed's stream `form`."""
    subject: Annotated[str, Meta(min_length=1, max_length=120)] | None = None
    """Completes "about …". None: drawn by the stream `subject`."""
    constraints: Annotated[tuple[Constraint, ...], Meta(max_length=6)] | None = None
    """None: two to four are drawn (`spaces.writing.brief`)."""
    char_limit: Annotated[int, Meta(ge=80, le=2_000)] | None = None
    """Characters a text may have at most, newlines included. None: the form's own limit."""
    time_limit_ms: Annotated[int, Meta(ge=5_000, le=600_000)] = 120_000


class Text(msgspec.Struct, frozen=True, tag="text", tag_field="kind", forbid_unknown_fields=True):
    text: str
    """Plain lines (`spaces.plain_text`) joined by newlines; at least one."""


class State(msgspec.Struct, frozen=True):
    params: Params
    brief: Brief
    texts: tuple[str | None, ...] = (None,) * SEATS
    """By seat; None is not written yet, or forfeited."""
    forfeited: tuple[int, ...] = ()
    """Seats, in order."""

    @property
    def waiting(self) -> tuple[int, ...]:
        """The seats that owe a text."""
        return tuple(
            seat
            for seat, text in enumerate(self.texts)
            if text is None and seat not in self.forfeited
        )


def initial(params: Params, streams: Streams) -> State:
    brief = briefs.draw(streams, params.form, params.subject, params.constraints, params.char_limit)
    return State(params=params, brief=brief)


def parse(kind: str, text: str) -> Text:
    """The whole text is the answer. Raises InvalidAction."""
    if kind != "text":
        raise InvalidAction(f"writing asks for a text, not for {kind!r}")
    if len(text) > MAX_REPLY:
        raise InvalidAction(f"a reply has at most {MAX_REPLY} characters, got {len(text)}")
    lines = plain_lines(text)
    if not lines:
        raise InvalidAction("the text is empty; answer with your text")
    return Text("\n".join(lines))


def add_text(state: State, seat: int, text: Text) -> State:
    """Raises IllegalAction; the reason says what the limit is and by how much it was missed."""
    if seat not in state.waiting:
        raise IllegalAction(f"seat {seat} has no text to give now")
    check_text(text, state.brief.char_limit)
    texts = tuple(text.text if at == seat else old for at, old in enumerate(state.texts))
    return msgspec.structs.replace(state, texts=texts)


def check_text(text: Text, char_limit: int) -> None:
    """Raise IllegalAction for a text of too many characters."""
    lines = plain_lines(text.text)
    if not lines or text.text != "\n".join(lines):
        raise IllegalAction("the text is not plain text")  # only a forged transcript gets here
    if (size := len(text.text)) > char_limit:
        raise IllegalAction(f"a text has at most {char_limit} characters, got {size}")


def forfeit(state: State, seat: int) -> State:
    """The seat has no text. Raises ValueError when the seat owed nothing."""
    if seat not in state.waiting:
        raise ValueError(f"seat {seat} owes no decision")
    return msgspec.structs.replace(state, forfeited=tuple(sorted((*state.forfeited, seat))))


def outcome(state: State) -> Outcome | None:
    if state.waiting:
        return None
    given = [seat for seat, text in enumerate(state.texts) if text is not None]
    if not given:
        return Outcome("forfeit", (0,) * SEATS)
    if len(given) == 1:
        return Outcome(
            "forfeit", tuple(SEATS - 1 if seat in given else -1 for seat in range(SEATS))
        )
    return Outcome("complete", None)
