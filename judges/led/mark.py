"""What a reading of one seat's work comes to: a grade and the words for it. Pure.

A reading looks at the case as the judges are shown it (`judges.screen`). Its grade is a share, 0 to 1: 0.5
is what passable work gets, so that points of different families mean about the same. Words quote the work
and name the figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec

from judges.case import Case, Piece
from judges.instruments.embedding import Vectors
from judges.instruments.pronounce import VowelsOf
from judges.prompt import neutralise

QUOTED = 32
"""Characters of the work in one quotation."""


class Work(msgspec.Struct, frozen=True):
    """One seat's work in its case, and what the readings need to look at it."""

    case: Case
    """Screened: lines that speak to the judge are out of it."""
    seat: int
    vowels_of: VowelsOf
    vectors: Vectors | None = None
    """None where no reading of the family asks for it."""

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return self.case.of(self.seat)

    @property
    def text(self) -> str:
        return self.case.text(self.seat)

    def fresh_lines(self) -> list[str]:
        """Its lines in order without those that repeat an earlier one, and without empty ones."""
        return list(dict.fromkeys(line for line in self.text.split("\n") if line.strip()))


class Mark(msgspec.Struct, frozen=True):
    grade: float
    """0 .. 1."""
    says: str
    """A clause without a full stop."""


Reading = Callable[[Work], Mark | None]
"""None: it has nothing to say of this work."""
Table = Mapping[str, tuple[tuple[float, Reading], ...]]
"""For each line of a rubric, the readings that a family scores it by, with their weights; a line without
any is one of which the family can tell nothing."""


def grade(value: float, *, at: float, step: float) -> float:
    """A figure as a grade: 0.5 at `at`, 0.73 a step above it, 0.88 two steps; `step` < 0: less is better."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, (value - at) / step))))


def faint(reading: Reading) -> Reading:
    """A reading that is not a family's own: it counts half as far from even."""

    def read(work: Work) -> Mark | None:
        mark = reading(work)
        return mark and Mark(0.5 + (mark.grade - 0.5) / 2, mark.says)

    return read


def quote(text: str) -> str:
    """Some words of the work, as they may stand in a reason."""
    return f'"{neutralise(text, QUOTED)}"'
