"""How sure a rate is. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

Z_95 = 1.959964
"""The normal distribution's two-sided 95 %."""


class Rate(msgspec.Struct, frozen=True):
    """A share with its 95 % interval, all of 0 to 1."""

    value: float
    low: float
    high: float
    count: int
    """What was counted: pairs of matches, or answers."""


def wilson(successes: float, count: int, effective: float | None = None) -> Rate:
    """Wilson's interval (1927) of a share: right for few and for rare ones, never outside 0 to 1. `effective` stands
    for the count where the counted are not independent. Of nothing at all everything is possible."""
    n = count if effective is None else effective
    if count == 0 or n <= 0:
        return Rate(0.0, 0.0, 1.0, count)
    share, z2 = successes / count, Z_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Rate(
        share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)), count
    )


def of_pairs(scores: Sequence[float]) -> Rate:
    """The mean of pairs' scores, each the mean of two matches of 0 to 1.

    Wilson's interval for as many matches as would scatter as the pairs do (a design effect): the two matches of
    a pair share their seed, so they are no two independent ones; more than were played they never count for.
    """
    pairs = len(scores)
    if pairs < 2:
        return wilson(sum(scores), pairs)
    mean = sum(scores) / pairs
    variance = sum((each - mean) ** 2 for each in scores) / (pairs - 1) / pairs
    spread = mean * (1 - mean)
    matches = 2.0 * pairs
    effective = min(matches, spread / variance) if variance > 0 else matches
    # All won, or all lost: the spread says nothing, and each pair counts once.
    return wilson(sum(scores), pairs, pairs if spread == 0 else effective)
