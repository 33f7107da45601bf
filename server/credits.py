"""Rate limits by credits: a bucket that fills at a steady rate up to a bound. Pure."""

from __future__ import annotations

import math
from collections import OrderedDict

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
        wait_ms = self.wait(cost, now)
        if wait_ms == 0:
            self._left = max(0.0, self._left - min(cost, self.capacity))
        return wait_ms

    def wait(self, cost: float, now: float) -> int:
        """Milliseconds until `cost` can be paid; 0 when it can be now."""
        if now > self._at:
            self._left = min(self.capacity, self._left + (now - self._at) * self.per_s)
            self._at = now
        due = min(cost, self.capacity)
        if self._left >= due - _ROUNDING:
            return 0
        return max(1, math.ceil((due - self._left) / self.per_s * 1000))

    def full(self, now: float) -> bool:
        """Nothing is owed: a new bucket would be the same."""
        return self.wait(self.capacity, now) == 0


class Accounts:
    """Buckets by name, which outlive whoever spends from them: coming back brings no new credits.

    A bucket is forgotten once it is full again. At most `limit` are kept; past them the one that was
    used longest ago is forgotten early.
    """

    __slots__ = ("_buckets", "_capacity", "_limit", "_per_s")

    def __init__(self, capacity: float, per_s: float, *, limit: int = 65_536) -> None:
        self._capacity = capacity
        self._per_s = per_s
        self._limit = limit
        self._buckets: OrderedDict[str, Credits] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait(self, name: str, cost: float, now: float) -> int:
        """Milliseconds until `name` can pay `cost`; 0 when it can now."""
        bucket = self._buckets.get(name)
        return 0 if bucket is None else bucket.wait(cost, now)

    def spend(self, name: str, cost: float, now: float) -> int:
        """As `Credits.spend`, from the bucket of `name`."""
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Credits(self._capacity, self._per_s, now)
        self._buckets.move_to_end(name)
        wait_ms = bucket.spend(cost, now)
        self._forget(now)
        return wait_ms

    def _forget(self, now: float) -> None:
        # The first was used longest ago. Full ones behind it are found once it has gone: soon, since
        # every bucket is full again capacity / per_s seconds after its last use.
        while self._buckets:
            first = next(iter(self._buckets.values()))
            if len(self._buckets) <= self._limit and not first.full(now):
                return
            self._buckets.popitem(last=False)
