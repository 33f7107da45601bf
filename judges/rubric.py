"""What is judged in each Space that judges decide: the lines of its rubric, as data.

A change of a line, its words or its weight changes what a score means: it is a new rubric id.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

TOP = 10
"""Scores are whole points, 0 .. TOP; aggregates are in thousandths of a point."""
MILLI = 1_000


class Line(msgspec.Struct, frozen=True):
    """One thing that is scored, for every seat."""

    name: str
    asks: str
    """What a full score means, in words that the judge is given and people can read."""
    better: str
    """What the better seat has, for a judge that is asked to compare."""
    weight: int = 1
    """Its share in the total, relative to the other lines."""


class Rubric(msgspec.Struct, frozen=True):
    id: str
    prompt: str
    """Name of the versioned prompts (`judges/prompts/<prompt>.<style>.txt`)."""
    contestant: str
    """What an anonymous seat is called, before its letter: `Rapper` A."""
    nothing: str
    """What the judge reads where a seat has given nothing."""
    lines: tuple[Line, ...]
    tie_milli: int
    """Totals that are less than this apart are a draw."""

    @property
    def weight(self) -> int:
        return sum(line.weight for line in self.lines)


class NoRubric(LookupError):
    """The Space is not decided by judges, or nobody has written its rubric yet."""


RAP_BATTLE = Rubric(
    id="rap-battle/1",
    prompt="rap-battle-2",
    contestant="Rapper",
    nothing="(no verse)",
    lines=(
        Line(
            name="flow",
            asks="rhythm, rhymes inside and at the end of lines, lines that are easy to rap",
            better="better rhythm and rhymes",
        ),
        Line(
            name="wordplay",
            asks="punchlines, double meanings, images and similes that are fresh",
            better="better punchlines and images",
        ),
        Line(
            name="comeback",
            asks="answers what the rival has just said and turns it against the rival",
            better="the better answer to the rival",
        ),
        Line(
            name="topic",
            asks="stays on the topic of the battle and has something to say about it",
            better="more to say about the topic",
        ),
    ),
    tie_milli=250,
)

WRITING = Rubric(
    id="writing/1",
    prompt="writing-2",
    contestant="Writer",
    nothing="(no text)",
    lines=(
        Line(
            name="brief",
            asks="does what the brief asks, in its form and on its subject; each checked point that was "
            "missed costs",
            better="done more of what the brief asks",
            weight=2,
        ),
        Line(
            name="craft",
            asks="well made: clear, with rhythm, every word in its place, no padding",
            better="the better made text",
        ),
        Line(
            name="freshness",
            asks="a thought, an image or a turn of its own; no stock phrases",
            better="the fresher ideas and words",
        ),
        Line(
            name="effect",
            asks="works on its readers: moves, amuses, convinces or makes clear, as its form wants",
            better="the stronger effect on readers",
        ),
    ),
    tie_milli=250,
)

RUBRICS: Mapping[str, Rubric] = MappingProxyType({"rap-battle": RAP_BATTLE, "writing": WRITING})
"""By the Space's id."""


def rubric_of(space: str) -> Rubric:
    """Raises NoRubric."""
    try:
        return RUBRICS[space]
    except KeyError:
        raise NoRubric(f"no rubric for space {space!r}") from None
