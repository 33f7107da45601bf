"""From a judge's opinion to the sheet that it commits to: integers by line and contestant, and reasons beside them. Pure."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from judges.court.terms import TOP_MILLI
from judges.panel import FORFEITED
from judges.verdict import Opinion
from spaces.plain_text import plain_lines

MAX_REASON = 400
"""Characters."""


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
    return Scored(
        tuple(lines),
        tuple(
            tuple(
                FORFEITED if seat in forfeited else _one_line(reason)
                for seat, reason in enumerate(line)
            )
            for line in opinion.reasons
        ),
    )


def _one_line(text: str) -> str:
    """A model's words, which everybody is shown."""
    return " ".join(plain_lines(text))[:MAX_REASON].strip()
