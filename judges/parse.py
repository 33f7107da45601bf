"""A model's answer, read strictly: exactly the form that was asked for, or JudgeUnreadable. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from judges.faults import JudgeUnreadable
from judges.prompt import MAX_REASON, letter, neutralise
from judges.rubric import TOP, Rubric

MAX_ANSWER = 16 * 1024
"""Characters; a longer answer is not looked at."""

_Score = Annotated[int, Meta(ge=0, le=TOP)]


class Ballot(msgspec.Struct, frozen=True):
    """One answer to one order, back in seat order."""

    order: tuple[int, ...]
    scores: tuple[tuple[int, ...], ...]
    """Whole points, for each rubric line and each of the order's seats, lowest seat first."""
    reasons: tuple[str, ...]
    """For each rubric line, words on the seat that stood first."""

    def score(self, line: int, seat: int) -> int:
        return self.scores[line][sorted(self.order).index(seat)]


def read_ballot(rubric: Rubric, order: tuple[int, ...], answer: str) -> Ballot:
    """An answer with scores. Raises JudgeUnreadable; the reason can be told to the model."""
    scores: list[Any] = [(f"place_{i}", _Score) for i in range(len(order))]
    line = msgspec.defstruct(
        "Line",
        [("reason", str), *scores],
        forbid_unknown_fields=True,
        rename={f"place_{i}": letter(i) for i in range(len(order))},
    )
    lines = _read_lines(rubric, answer, line)
    return Ballot(
        order=order,
        scores=tuple(_by_seat(each, order) for each in lines),
        reasons=tuple(_reason(rubric, each.reason, order) for each in lines),
    )


def read_choices(rubric: Rubric, seats: int, answer: str) -> list[str]:
    """An answer that names the better seat's letter on each line. Raises JudgeUnreadable."""
    return _read_lines(rubric, answer, Literal[tuple(letter(place) for place in range(seats))])


def _read_lines(rubric: Rubric, answer: str, line: Any) -> list[Any]:
    """The value of each rubric line, each of type `line`, and nothing besides."""
    if not answer.strip():
        raise JudgeUnreadable("the answer is empty")
    if len(answer) > MAX_ANSWER:
        raise JudgeUnreadable(f"the answer has more than {MAX_ANSWER} characters")
    form = msgspec.defstruct(
        "Answer",
        [(f"line_{i}", line) for i in range(len(rubric.lines))],
        forbid_unknown_fields=True,
        rename={f"line_{i}": each.name for i, each in enumerate(rubric.lines)},
    )
    try:
        decoded = msgspec.json.decode(answer, type=form)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise JudgeUnreadable(f"the answer is not the JSON that was asked for: {error}") from None
    return [getattr(decoded, f"line_{i}") for i in range(len(rubric.lines))]


def _by_seat(line: Any, order: tuple[int, ...]) -> tuple[int, ...]:
    places = {seat: place for place, seat in enumerate(order)}
    return tuple(getattr(line, f"place_{places[seat]}") for seat in sorted(order))


def _reason(rubric: Rubric, text: str, order: tuple[int, ...]) -> str:
    """One plain line in which the letters of this order have become seats."""

    def seat(match: re.Match[str]) -> str:
        place = ord(match[1].upper()) - ord("A")
        return f"seat {order[place]}" if place < len(order) else match[0]

    plain = " ".join(neutralise(text, MAX_REASON).split())
    return re.sub(rf"\b{rubric.contestant} ([A-Z])\b", seat, plain, flags=re.IGNORECASE)
