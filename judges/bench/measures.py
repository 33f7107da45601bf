"""Published measures of accuracy and agreement, on plain numbers. Pure.

- `wilson`: the score interval of E. B. Wilson (1927) for a share; right for small counts and near 0 and 1.
- `alpha`: Krippendorff's alpha for interval data, K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011):
  1 less observed over expected disagreement, both squared differences; 1 is full agreement, 0 what chance gives.
- `tau`: M. G. Kendall's tau-b (1945), which corrects for ties.
- `mean_interval`: mean and its 95 % interval by Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

Z95 = 1.959963984540054


class Share(msgspec.Struct, frozen=True):
    count: int
    of: int

    @property
    def value(self) -> float:
        return self.count / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.count, self.of)


class Mean(msgspec.Struct, frozen=True):
    value: float
    low: float
    high: float
    of: int


def wilson(count: int, of: int, z: float = Z95) -> tuple[float, float]:
    """Of `count` out of `of`; (0, 1) for none."""
    if not of:
        return (0.0, 1.0)
    share = count / of
    middle = share + z * z / (2 * of)
    reach = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    whole = 1 + z * z / of
    return (max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole))


def alpha(units: Sequence[Sequence[float]]) -> float:
    """`units` have each the values that the coders gave it; a unit of fewer than two says nothing.

    nan where all values are the same: there is nothing to agree on.
    """
    paired = [unit for unit in units if len(unit) > 1]
    values = [value for unit in paired for value in unit]
    n = len(values)
    if n < 2:
        return math.nan
    observed = math.fsum(_squares(unit) / (len(unit) - 1) for unit in paired) / n
    expected = _squares(values) / (n * (n - 1))
    return 1 - observed / expected if expected else math.nan


def _squares(values: Sequence[float]) -> float:
    """The sum of squared differences over all ordered pairs."""
    n = len(values)
    total = math.fsum(values)
    return 2 * (n * math.fsum(value * value for value in values) - total * total)


def tau(a: Sequence[float], b: Sequence[float]) -> float:
    """Between two rankings of the same things; nan where one of them ranks nothing."""
    balance = ties_a = ties_b = pairs = 0
    for i in range(len(a)):
        for j in range(i):
            x, y = _sign(a[i] - a[j]), _sign(b[i] - b[j])
            pairs += 1
            balance += x * y
            ties_a += not x
            ties_b += not y
    whole = math.sqrt((pairs - ties_a) * (pairs - ties_b))
    return balance / whole if whole else math.nan


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def mean_interval(values: Sequence[float]) -> Mean:
    """nan without values, and for the interval of a single one."""
    n = len(values)
    if not n:
        return Mean(math.nan, math.nan, math.nan, 0)
    mean = math.fsum(values) / n
    if n < 2:
        return Mean(mean, math.nan, math.nan, n)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    reach = _t95(n - 1) * spread / math.sqrt(n)
    return Mean(mean, mean - reach, mean + reach, n)


def _t95(freedom: int) -> float:
    """Student's t for 95 %, by the expansion of Fisher and Cornish; within 1 % from 3 degrees of freedom."""
    z = Z95
    first = (z**3 + z) / (4 * freedom)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    return z + first + second + third
