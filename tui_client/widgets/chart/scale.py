"""Which row a value stands in, and how the values beside the rows are written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

HALVES = 2
"""Half cells in a row."""
MAX_PLACES = 9
NEAR = 1e-12
"""Values that differ by less, or by less of themselves, are one value."""
LABEL_CHARS = 11
"""Of a value beside a row, at most."""


class Scale(NamedTuple):
    """`low` is in the lowest row, `high` in the highest; everything beyond is clamped to them."""

    low: float
    high: float
    rows: int

    def step(self, value: float, steps: int) -> int:
        """Which of `steps` equal parts of the height holds a value; 0 is the uppermost."""
        share = (self.high - value) / (self.high - self.low)
        return round(max(0.0, min(1.0, share)) * (steps - 1))

    def half(self, value: float) -> int:
        """The half cell of a value, from the top."""
        return self.step(value, self.rows * HALVES)

    def row(self, value: float) -> int:
        return self.half(value) // HALVES

    def at(self, row: int) -> float:
        """The value in the middle of a row."""
        share = (row * HALVES + 0.5) / max(1, self.rows * HALVES - 1)
        return self.high - min(1.0, share) * (self.high - self.low)

    def label(self, value: float) -> str:
        """With as many places as tell two rows apart, at most LABEL_CHARS characters."""
        return _written(value, (self.high - self.low) / max(1, self.rows))


def over(values: Iterable[float], rows: int) -> Scale:
    """The scale on which all of some values are in sight; of one value, or of none, a wider one."""
    found = list(values) or [0.0]
    low, high = min(found), max(found)
    if high - low <= max(NEAR, NEAR * abs(high)):
        margin = abs(high) * 0.01 if abs(high) > NEAR else 1.0
        low, high = low - margin, high + margin
    return Scale(low, high, max(1, rows))


def _written(value: float, apart: float) -> str:
    places = max(0, min(MAX_PLACES, math.ceil(-math.log10(apart)))) if apart > 0 else 0
    text = f"{value:,.{places}f}"
    return text if len(text) <= LABEL_CHARS else f"{value:.4g}"


def short(value: float) -> str:
    """A number in few characters: five digits that count, thousands grouped."""
    size = abs(value)
    if size >= 1e9:
        return f"{value:.3g}"
    if size >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.5g}" if size >= 1e-4 or value == 0 else f"{value:.2g}"
