"""What a judge is shown: the task and what each seat made of it, without any name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from judges.rubric import NoRubric


class Piece(msgspec.Struct, frozen=True):
    """One piece of work, in the order in which they were given."""

    seat: int
    round: int
    text: str | None
    """None: the seat gave nothing in time."""


class Case(msgspec.Struct, frozen=True):
    space: str
    task: str
    """The topic or brief, the same for every seat."""
    seats: int
    pieces: tuple[Piece, ...]

    def of(self, seat: int) -> tuple[Piece, ...]:
        return tuple(piece for piece in self.pieces if piece.seat == seat)

    def text(self, seat: int) -> str:
        """All that a seat has given, as lines."""
        return "\n".join(piece.text for piece in self.of(seat) if piece.text is not None)


class _Battle(msgspec.Struct):
    """The part of a rap battle's public observation that is judged."""

    topic: str
    verses: list[Piece]


def case_of(space: str, observation: Mapping[str, Any]) -> Case:
    """The case in a finished session's public observation (`Space.observe(state, None)`).

    Raises NoRubric for a Space that judges do not decide, msgspec.ValidationError for an observation
    of another shape.
    """
    match space:
        case "rap-battle":
            battle = msgspec.convert(observation, _Battle)
            return Case(space=space, task=battle.topic, seats=2, pieces=tuple(battle.verses))
        case _:
            raise NoRubric(f"no rubric for space {space!r}")
