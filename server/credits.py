"""Rate limits by credits: a bucket that fills at a steady rate up to a bound. Pure."""

from __future__ import annotations

import math

_ROUNDING = 1e-9
"""Of floats: who has waited as long as told must not be told to wait again."""


class Credits:
    """A full bucket of `capacity` credits that regains `per_s` of them each second.

    `now` is any steady clock in seconds; it may stand still, and a step back is taken for no time
    passed.
    """

    __slots__ = ("_at", "_left", "capacity", "per_s")

    def __init__(self, capacity: float, per_s: float, now: float) -> None:
        if capacity <= 0 or per_s <= 0:
            raise ValueError(f"credits need a positive capacity and rate, got {capacity}, {per_s}")
        self.capacity = capacity
        self.per_s = per_s
        self._left = float(capacity)
        self._at = now

    def spend(self, cost: float, now: float) -> int:
        """Pay `cost` and return 0, or pay nothing and return the wait in milliseconds, at least 1.

        A cost above the capacity is charged as the capacity: it waits for a full bucket, not forever.
        """
        if now > self._at:
            self._left = min(self.capacity, self._left + (now - self._at) * self.per_s)
            self._at = now
        due = min(cost, self.capacity)
        if self._left >= due - _ROUNDING:
            self._left = max(0.0, self._left - due)
            return 0
        return max(1, math.ceil((due - self._left) / self.per_s * 1000))
