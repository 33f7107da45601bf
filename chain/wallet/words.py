"""Times, as people say them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_LAST_S = 253_402_300_799
"""The end of the year 9999."""


def span(seconds: int) -> str:
    """`23 h 59 m`: two units, rounded down."""
    left = max(0, seconds)
    parts: list[tuple[int, str]] = []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, unit))
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count) or "0 s"


def instant(unix_s: int) -> str:
    """`2026-11-28 12:00:00 UTC`; `never` where no calendar reaches."""
    if unix_s > _LAST_S:
        return "never"
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def due(unix_s: int, now_s: int) -> str:
    """`now`, or when and in how long."""
    if unix_s <= now_s:
        return "now"
    return f"{instant(unix_s)} (in {span(unix_s - now_s)})"
