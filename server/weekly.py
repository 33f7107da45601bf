"""A weekly schedule in UTC: when something is open, and when it opens next. Pure.

UTC knows no summer time, so every week is alike, and the whole is arithmetic modulo a week.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
WEEK_MS = 7 * DAY_MS
WINDOWS_MAX = 32

_A_MONDAY_MS = 4 * DAY_MS
"""1970-01-05, 00:00 UTC."""


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same hours on some days, in UTC. One that closes no later than it opens closes the day after."""

    days: Annotated[tuple[Day, ...], Meta(min_length=1, max_length=7)]
    opens: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)] = "00:00"
    closes: Annotated[
        str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", max_length=5)
    ] = "24:00"
    """Exclusive. `24:00` is the end of the day."""

    def __post_init__(self) -> None:
        if self.opens == self.closes:
            raise ValueError(
                f"a window opens and closes at {self.opens}; a whole day is 00:00 to 24:00"
            )

    def spans(self) -> list[tuple[int, int]]:
        """(start, length) of each, in ms from the start of the week; the last may run into the next."""
        opens, closes = _of_day_ms(self.opens), _of_day_ms(self.closes)
        length = closes - opens if closes > opens else closes - opens + DAY_MS
        return [(DAYS.index(day) * DAY_MS + opens, length) for day in self.days]


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Open in any of its windows; without windows it is always open."""

    windows: Annotated[tuple[Window, ...], Meta(max_length=WINDOWS_MAX)] = ()

    def open_at(self, now_ms: int) -> bool:
        """Whether it is open at `now_ms` (unix)."""
        at = _of_week_ms(now_ms)
        spans = [span for window in self.windows for span in window.spans()]
        return not spans or any((at - start) % WEEK_MS < length for start, length in spans)

    def next_opening(self, now_ms: int) -> int:
        """The first time from `now_ms` on at which it is open (unix ms): `now_ms` itself if it is open,
        at most a week later."""
        if self.open_at(now_ms):
            return now_ms
        at = _of_week_ms(now_ms)
        starts = [start for window in self.windows for start, _ in window.spans()]
        return now_ms + min((start - at) % WEEK_MS for start in starts)

    def words(self, now_ms: int) -> str:
        """When it opens next, for people: `Mon 08:00 UTC`."""
        opens_ms = _of_week_ms(self.next_opening(now_ms))
        day, minutes = DAYS[opens_ms // DAY_MS], opens_ms % DAY_MS // MINUTE_MS
        return f"{day.capitalize()} {minutes // 60:02}:{minutes % 60:02} UTC"


def _of_week_ms(now_ms: int) -> int:
    return (now_ms - _A_MONDAY_MS) % WEEK_MS


def _of_day_ms(clock: str) -> int:
    hours, minutes = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * MINUTE_MS
