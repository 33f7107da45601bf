"""From a judge's opinion to the sheet that it commits to: integers by line and contestant, and reasons beside them. Pure."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from judges.court.terms import TOP_MILLI
from judges.panel import FORFEITED
from judges.verdict import Opinion
from spaces import canonical
from spaces.plain_text import plain_lines

MAX_REASON = 400
"""Characters of one reason."""
MAX_REASONS_BYTES = 6_144
"""Of all together, as canonical JSON: what a case's document takes (`chain.documents.case`)."""


class Scored(msgspec.Struct, frozen=True):
    """What one judge says of a case."""

    scores_milli: tuple[tuple[int, ...], ...]
    """For each line of the rubric and each contestant."""
    reasons: tuple[tuple[str, ...], ...]
    """The same shape; empty where there is none."""

    @property
    def flat(self) -> tuple[int, ...]:
        """As `judges.court.reckoning` has it: row-major."""
        return tuple(score for line in self.scores_milli for score in line)


def scored(opinion: Opinion, forfeited: Collection[int] = ()) -> Scored:
    """A seat that has forfeited (`judges.screen`) has no points: that is no opinion, every judge finds the same. Raises ValueError
    for points that there are not."""
    lines = []
    for line in opinion.scores_milli:
        if not all(0 <= score <= TOP_MILLI for score in line):
            raise ValueError(f"a score is 0 to {TOP_MILLI}, got {list(line)}")
        lines.append(tuple(0 if seat in forfeited else score for seat, score in enumerate(line)))
    reasons = tuple(
        tuple(
            FORFEITED if seat in forfeited else " ".join(plain_lines(reason))
            for seat, reason in enumerate(line)
        )
        for line in opinion.reasons
    )
    return Scored(tuple(lines), _bounded(reasons))


def _bounded(reasons: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Each cut to the same length, which is as long as all together may be."""
    longest = MAX_REASON
    while True:
        cut = tuple(tuple(text[:longest].strip() for text in line) for line in reasons)
        if len(canonical.encode([list(line) for line in cut])) <= MAX_REASONS_BYTES:
            return cut
        longest = longest * 3 // 4
