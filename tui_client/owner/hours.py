"""A weekly schedule as people write it: `mon-fri 08:00-20:00; sat 10:00-14:00`, UTC. Pure.

What may stand in one is the server's to say; here is only the reading and the writing.
"""

from __future__ import annotations

import re
from typing import Any

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = "always"
EXAMPLE = "mon-fri 08:00-20:00; sun 10:00-14:00"
_HOURS = re.compile(r"([0-2]?[0-9]):([0-5][0-9])\s*-\s*([0-2]?[0-9]):([0-5][0-9])")


class NoSchedule(ValueError):
    """What cannot be read; the message says which part and what is expected."""


def schedule_of(text: str) -> dict[str, Any]:
    """The schedule that a person wrote; empty or `always` has no windows. Raises NoSchedule."""
    text = text.strip().lower()
    if text in ("", ALWAYS):
        return {"windows": []}
    return {"windows": [_window(part) for part in text.split(";") if part.strip()]}


def _window(part: str) -> dict[str, Any]:
    match = _HOURS.search(part)
    named = (part[: match.start()] if match else part).replace(",", " ").split()
    rest = part[match.end() :].strip() if match else ""
    if rest:
        raise NoSchedule(f"{rest!r} is too much: put `;` between windows, as in {EXAMPLE}")
    days = [day for name in named for day in _days(name)]
    found = {"days": sorted(set(days or DAYS), key=DAYS.index)}
    if match is None:
        return found
    opens, closes = f"{match[1]:0>2}:{match[2]}", f"{match[3]:0>2}:{match[4]}"
    return {**found, "opens": opens, "closes": closes}


def _days(name: str) -> list[str]:
    first, dash, last = name.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise NoSchedule(f"{name!r} is no day: write e.g. {EXAMPLE}")
    if not dash:
        return [first]
    start, end = DAYS.index(first), DAYS.index(last)
    return [DAYS[at % 7] for at in range(start, end + 1 if end >= start else end + 8)]


def text_of(schedule: Any) -> str:
    """As it would be written; what is no schedule is `always`."""
    windows = schedule.get("windows") if isinstance(schedule, dict) else None
    told = [_told(window) for window in windows or () if isinstance(window, dict)]
    return "; ".join(told) or ALWAYS


def _told(window: dict[str, Any]) -> str:
    given = window.get("days")
    days = [day for day in DAYS if isinstance(given, list | tuple) and day in given]
    hours = f"{window.get('opens', '00:00')}-{window.get('closes', '24:00')}"
    named = " ".join(_spans([DAYS.index(day) for day in days]))
    return hours if len(days) in (0, 7) else f"{named} {hours}"


def _spans(days: list[int]) -> list[str]:
    """`mon-fri sun`: three in a row and more are joined."""
    found: list[list[int]] = []
    for day in days:
        if found and found[-1][-1] == day - 1:
            found[-1].append(day)
        else:
            found.append([day])
    return [
        f"{DAYS[span[0]]}-{DAYS[span[-1]]}" if len(span) > 2 else " ".join(DAYS[d] for d in span)
        for span in found
    ]
