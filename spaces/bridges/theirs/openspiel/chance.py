"""Chance of a game, drawn from the session's seed instead of a generator of the library's.

OpenSpiel gives the probabilities of a chance node as IEEE doubles, in a fixed order of the outcomes.
Each becomes the whole number floor(p * 2^53), at least 1; all are divided by their greatest common
divisor, so that a fair die of six sides has the weights 1, 1, 1, 1, 1, 1; then one uniform integer
below their sum is drawn from the label, and the outcome is the one whose interval of the running sum
holds it. Scaling a double by a power of two is exact, so every machine draws the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from spaces.seed import Streams

_SCALE_BITS = 53
"""The significand of a double."""


def weights(probabilities: Sequence[float]) -> list[int]:
    """Whole numbers in the ratio of the probabilities; zero stays zero."""
    scaled = [max(1, int(math.ldexp(p, _SCALE_BITS))) if p > 0 else 0 for p in probabilities]
    divisor = math.gcd(*scaled) or 1
    return [each // divisor for each in scaled]


def draw(outcomes: Sequence[tuple[int, float]], streams: Streams, label: str) -> int:
    """One of the outcomes, each `(action, probability)`."""
    sums = list(accumulate(weights([p for _, p in outcomes])))
    drawn = streams.below(label, sums[-1])
    return next(action for (action, _), upper in zip(outcomes, sums, strict=True) if drawn < upper)
