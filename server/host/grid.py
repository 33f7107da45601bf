"""The time grid of a host's ticks. Pure: times are seconds of the event loop's clock."""

from __future__ import annotations


class Grid:
    """Ticks lie on multiples of `tick_s` from `start`; an early tick does not move them."""

    def __init__(self, start_s: float, tick_s: float, min_s: float) -> None:
        self._tick_s = tick_s
        self._min_s = min_s
        self.next_s = start_s + tick_s
        """Time of the next tick on the grid."""
        self._last_s = start_s
        self._work_s = 0.0

    def early_s(self, now_s: float) -> float:
        """When a tick for something that has just arrived may start: soon after the last one, but
        never so soon that ticks take more than half of the time."""
        return min(self.next_s, max(now_s, self._last_s + max(self._min_s, 2 * self._work_s)))

    def begin(self, now_s: float) -> float:
        """A tick starts. Returns how late it is, 0.0 when it is early; skips grid times missed."""
        self._last_s = now_s
        late_s = now_s - self.next_s
        if late_s < 0:
            return 0.0
        self.next_s += self._tick_s * (late_s // self._tick_s + 1)
        return late_s

    def done(self, now_s: float) -> float:
        """The tick that began last is done. Returns how long it took."""
        self._work_s = now_s - self._last_s
        return self._work_s
