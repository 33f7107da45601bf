"""How operators' commands say things: tables for people, JSON for programs, times as ages."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

_UNWRAPPED = 10_000
"""Columns of a pipe."""
CELL_CHARS = 1_000
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def as_json(found: Any) -> None:
    """One document on standard output."""
    print(msgspec.json.format(msgspec.json.encode(found)).decode())


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, nothing: str) -> None:
    """Columns on standard output; `nothing` when there are no rows. What the rows say is made plain, and is never markup.

    Words are never cut, since ids are words that the next command needs: a line that is too long for the terminal is the
    terminal's to wrap, and into a pipe nothing is wrapped at all.
    """
    from bots.journal import plain

    told = [tuple(plain(cell, CELL_CHARS) for cell in row) for row in rows]
    console = Console(highlight=False, markup=False)
    shown = Table(box=None, pad_edge=False, header_style="bold")
    needed = 0
    for place, heading in enumerate(headings):
        longest = max(len(word) for row in (headings, *told) for word in row[place].split() or [""])
        shown.add_column(heading, min_width=longest, overflow="fold")
        needed += longest + 1
    for row in told:
        shown.add_row(*row)
    if told:
        wide = max(console.width, needed) if console.is_terminal else _UNWRAPPED
        console.print(shown, width=wide, crop=False)
    else:
        console.print(nothing)


def ago(since_ms: int, now_ms: int | None = None) -> str:
    """`3 h 20 m ago`, or `now`."""
    since = age(since_ms, now_ms)
    return since if since == "now" else f"{since} ago"


def age(since_ms: int | None, now_ms: int | None = None) -> str:
    """`3 h 20 m`: two units of how long ago; `-` for never, `now` for less than a second."""
    if since_ms is None:
        return "-"
    left = max(0, (int(time.time() * 1_000) if now_ms is None else now_ms) - since_ms) // 1_000
    parts: list[str] = []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "now"
