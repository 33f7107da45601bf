"""Whether a candidate still answers as it is asked to. Pure.

An answer is *valid* when the first attempt at a decision is read and is legal: no retry was needed. Answers of one match are
not quite independent, which no test of two proportions knows; with hundreds of turns of many matches it matters little.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

ALPHA = 0.05


class Answers(msgspec.Struct, frozen=True):
    """First attempts of one player."""

    turns: int = 0
    valid: int = 0

    def plus(self, turns: int, valid: int) -> Answers:
        return Answers(self.turns + turns, self.valid + valid)

    @property
    def share(self) -> float:
        """1 of no turns: nothing has been wrong."""
        return self.valid / self.turns if self.turns else 1.0


def worse(candidate: Answers, current: Answers) -> float:
    """The one-sided p-value of Fisher's exact test: how likely so few valid answers of the candidate's are, or fewer, if both
    answer equally well. 1 where one of them has not answered."""
    valid = candidate.valid + current.valid
    turns = candidate.turns + current.turns
    if not candidate.turns or not current.turns:
        return 1.0
    lowest = max(0, valid - current.turns)
    whole = _ln_choose(turns, valid)
    return min(
        1.0,
        math.fsum(
            math.exp(
                _ln_choose(candidate.turns, found)
                + _ln_choose(current.turns, valid - found)
                - whole
            )
            for found in range(lowest, candidate.valid + 1)
        ),
    )


def regressed(candidate: Answers, current: Answers, alpha: float = ALPHA) -> bool:
    return candidate.share < current.share and worse(candidate, current) < alpha


def _ln_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def of_seat(entries: Iterable[Mapping[str, Any]], seat: int) -> Answers:
    """The first attempts of a seat in a transcript's entries (PROOFS): each decision was answered, or forfeited; one whose
    first attempt was unreadable, illegal or late was not answered validly."""
    turns = failed = 0
    for entry in entries:
        body = entry["body"]
        match entry["type"]:
            case "action" if entry["by"] == f"seat:{seat}":
                turns += 1
            case "forfeit" if body["seat"] == seat:
                turns += 1
            case "fault" if entry["by"] == f"seat:{seat}" and body["attempt"] == 1:
                failed += 1
            case _:
                pass
    return Answers(turns, max(0, turns - failed))
