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


class Check(msgspec.Struct, frozen=True):
    """A point of the task that the rules have checked by code."""

    says: str
    """Completes "the text …"."""
    met: tuple[bool | None, ...]
    """For each seat; None: it gave nothing."""


class Case(msgspec.Struct, frozen=True):
    space: str
    task: str
    """The topic or brief, the same for every seat."""
    seats: int
    pieces: tuple[Piece, ...]
    checks: tuple[Check, ...] = ()

    def of(self, seat: int) -> tuple[Piece, ...]:
        return tuple(piece for piece in self.pieces if piece.seat == seat)

    def text(self, seat: int) -> str:
        """All that a seat has given, as lines."""
        return "\n".join(piece.text for piece in self.of(seat) if piece.text is not None)

    def missed(self, seat: int) -> tuple[str, ...]:
        """What of the checked points the seat has missed."""
        return tuple(check.says for check in self.checks if check.met[seat] is False)


class _Battle(msgspec.Struct):
    """The part of a rap battle's public observation that is judged."""

    topic: str
    verses: list[Piece]


class _Point(msgspec.Struct):
    says: str


class _Text(msgspec.Struct):
    seat: int
    text: str | None
    met: list[bool] | None


class _Brief(msgspec.Struct):
    """The part of a writing session's public observation that is judged."""

    task: str
    constraints: list[_Point]
    texts: list[_Text]


def case_of(space: str, observation: Mapping[str, Any]) -> Case:
    """The case in a finished session's public observation (`Space.observe(state, None)`).

    Raises NoRubric for a Space that judges do not decide, msgspec.ValidationError for an observation
    of another shape.
    """
    match space:
        case "rap-battle":
            battle = msgspec.convert(observation, _Battle)
            return Case(space=space, task=battle.topic, seats=2, pieces=tuple(battle.verses))
        case "writing":
            return _written(space, msgspec.convert(observation, _Brief))
        case _:
            raise NoRubric(f"no rubric for space {space!r}")


def _written(space: str, brief: _Brief) -> Case:
    demands = "".join(f" The text {point.says}." for point in brief.constraints)
    return Case(
        space=space,
        task=f"{brief.task}.{demands}",
        seats=len(brief.texts),
        pieces=tuple(Piece(seat=each.seat, round=1, text=each.text) for each in brief.texts),
        checks=tuple(
            Check(
                point.says,
                tuple(None if text.met is None else text.met[at] for text in brief.texts),
            )
            for at, point in enumerate(brief.constraints)
        ),
    )
