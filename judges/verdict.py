"""What judging yields. Integers only; scores and totals are thousandths of a point out of ten."""

from __future__ import annotations

import msgspec


class Opinion(msgspec.Struct, frozen=True):
    """What one judge found, over all the orders it was asked."""

    judge: str
    scores_milli: tuple[tuple[int, ...], ...]
    """For each rubric line and seat."""
    reasons: tuple[tuple[str, ...], ...]
    """For each rubric line and seat; empty where the judge gave none."""


class LineVerdict(msgspec.Struct, frozen=True):
    name: str
    scores_milli: tuple[int, ...]
    reasons: tuple[str, ...]


class Evidence(msgspec.Struct, frozen=True):
    """A computed instrument: shown beside the opinions, not weighed in the total."""

    name: str
    values_milli: tuple[int, ...]
    """For each seat."""
    note: str = ""


class Verdict(msgspec.Struct, frozen=True):
    rubric: str
    lines: tuple[LineVerdict, ...]
    totals_milli: tuple[int, ...]
    ranks: tuple[int, ...]
    """For each seat; 1 is best, equal ranks are a draw."""
    evidence: tuple[Evidence, ...] = ()
    judges: tuple[str, ...] = ()
    note: str = ""
