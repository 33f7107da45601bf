"""A judge that scores each line of a rubric by readings, as its family's table says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from judges.case import Case
from judges.instruments.embedding import Vectors
from judges.instruments.pronounce import VowelsOf
from judges.led.mark import Mark, Reading, Table, Work
from judges.led.whole import whole
from judges.panel import FORFEITED
from judges.prompt import MAX_REASON, neutralise
from judges.rubric import MILLI, TOP, NoRubric, Rubric
from judges.screen import MARK, screen
from judges.verdict import Opinion

if TYPE_CHECKING:
    from judges.llm import Call

EVEN = 0.5
"""The grade on a line of which a family can tell nothing."""


class Family(msgspec.Struct, frozen=True):
    name: str
    version: int
    """Raised when the same work would get other points."""
    about: str
    """What it goes by, in a clause, for people."""
    tables: Mapping[str, Table]
    """By the Space's id."""
    embeds: bool = False
    """Whether its readings need vectors."""


class LedJudge:
    """The opinion of one family. Nothing is asked of anybody: no call, no cost."""

    def __init__(self, family: Family, vowels_of: VowelsOf, vectors: Vectors | None = None) -> None:
        if family.embeds and vectors is None:
            raise ValueError(f"the family {family.name} needs vectors")
        self.model = f"{family.name}/{family.version}"
        self.how = f"{family.name}: {family.about}"
        self._family = family
        self._vowels_of = vowels_of
        self._vectors = vectors

    async def aclose(self) -> None:
        """Nothing is open."""

    async def opinion(
        self, rubric: Rubric, case: Case, nonce: str
    ) -> tuple[Opinion, tuple[Call, ...]]:
        """Raises NoRubric for a Space of which the family has no table. `nonce` makes no difference."""
        return await asyncio.to_thread(self.read, rubric, case), ()

    def read(self, rubric: Rubric, case: Case) -> Opinion:
        """The same, at once: some milliseconds of work."""
        table = self._family.tables.get(case.space)
        if table is None:
            raise NoRubric(f"judges of the family {self._family.name} know no {case.space!r}")
        screened = screen(case)
        shown = _unmarked(screened.case)
        marks = [
            self._marks(rubric, table, shown, seat, out=seat in screened.forfeited)
            for seat in range(case.seats)
        ]
        lines = range(len(rubric.lines))
        return Opinion(
            judge=self.model,
            scores_milli=tuple(tuple(_points(seat[line]) for seat in marks) for line in lines),
            reasons=tuple(
                tuple(neutralise(seat[line].says, MAX_REASON) for seat in marks) for line in lines
            ),
        )

    def _marks(
        self, rubric: Rubric, table: Table, case: Case, seat: int, *, out: bool
    ) -> list[Mark]:
        """For each line of the rubric."""
        if out:
            return [Mark(0.0, FORFEITED)] * len(rubric.lines)
        work = Work(case, seat, self._vowels_of, self._vectors)
        there = whole(work)
        return [_weighed(work, table.get(line.name, ()), there) for line in rubric.lines]


def _weighed(work: Work, readings: tuple[tuple[float, Reading], ...], there: Mark) -> Mark:
    """The weighed mean, less what is not there; in the words of what decided it most."""
    read = [(weight, reading(work)) for weight, reading in readings]
    marks = [(weight, mark) for weight, mark in read if mark is not None]
    if not marks:
        says = there.says if there.grade < 1 else "not what this judge can tell"
        return Mark(EVEN * there.grade, says)
    mean = sum(weight * mark.grade for weight, mark in marks) / sum(weight for weight, _ in marks)
    loudest = max(marks, key=lambda each: each[0] * abs(each[1].grade - EVEN))[1]
    return Mark(mean * there.grade, there.says if there.grade < EVEN else loudest.says)


def _unmarked(case: Case) -> Case:
    """Without the marks that stand where lines were withheld: they are nobody's words."""
    pieces = tuple(
        piece
        if piece.text is None or MARK not in piece.text
        else msgspec.structs.replace(
            piece, text="\n".join(line for line in piece.text.split("\n") if line != MARK) or None
        )
        for piece in case.pieces
    )
    return msgspec.structs.replace(case, pieces=pieces)


def _points(mark: Mark) -> int:
    return max(0, min(TOP * MILLI, round(mark.grade * TOP * MILLI)))
