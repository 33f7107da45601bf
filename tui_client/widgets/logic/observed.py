"""`observe(state, None)` of `logic`, read from a SessionView."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from server.protocol import SessionView
from tui_client.words import PUZZLE_SOLVED

LOGIC = "logic"
SOLVED = PUZZLE_SOLVED


Count = Annotated[int, Meta(ge=0, le=10**9)]


class Puzzle(msgspec.Struct, frozen=True):
    round: Count
    generator: str
    question: str
    topic: str = ""


class Past(msgspec.Struct, frozen=True):
    """A round that is over; tuples by seat."""

    round: Count
    generator: str
    question: str
    solution: str
    answers: tuple[str | None, ...]
    """None where the puzzle was forfeited."""
    scores: tuple[Count, ...]
    times_ms: tuple[Count, ...]


class Logic(msgspec.Struct, frozen=True):
    phase: str
    round: Count
    rounds: Count
    level: str
    answers_in: tuple[bool, ...]
    points: tuple[Count, ...]
    times_ms: tuple[Count, ...]
    ranks: tuple[Count, ...]
    puzzle: Puzzle | None = None
    """None when all rounds are over."""
    log: tuple[Past, ...] = ()


def logic(view: SessionView | None) -> Logic | None:
    """The session, or None when the view holds no readable one."""
    if view is None or view.space != LOGIC or not view.seats:
        return None
    try:
        seen = msgspec.convert(view.state, Logic)
    except msgspec.ValidationError:
        return None
    by_seat: list[Sequence[object]] = [seen.answers_in, seen.points, seen.times_ms, seen.ranks]
    by_seat += [each for past in seen.log for each in (past.answers, past.scores, past.times_ms)]
    seats = len(view.seats)
    in_order = all(card.seat == at for at, card in enumerate(view.seats))
    return seen if in_order and all(len(each) == seats for each in by_seat) else None
