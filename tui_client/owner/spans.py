"""Spans of time as people read and write them: `45s`, `1h30m`, `7d`. Pure."""

from __future__ import annotations

import re

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_SPAN = re.compile(r"(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,7})s)?")


def span(seconds: int) -> str:
    """The two largest units that say something: 5400 is `1h30m`, 86461 is `1d`."""
    left = max(0, seconds)
    for at, (sign, size) in enumerate(_UNITS):
        if left >= size:
            smaller, unit = _UNITS[min(at + 1, len(_UNITS) - 1)]
            below = left % size // unit
            return f"{left // size}{sign}" + (f"{below}{smaller}" if below else "")
    return "0s"


def seconds_of(text: str) -> int | None:
    """The seconds of what a person wrote: `90m`, `1h 30m`, `2d`; None for anything else, also for a bare number."""
    match = _SPAN.fullmatch("".join(text.lower().split()))
    if match is None or not any(match.groups()):
        return None
    parts = zip(match.groups(), _UNITS, strict=True)
    return sum(int(count) * size for count, (_, size) in parts if count)
