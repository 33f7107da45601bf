"""What the seats are called in text for people: by their agents' names where those are known, else by
number, as in transcripts, which name nobody."""

from __future__ import annotations

from collections.abc import Sequence

from spaces.plain_text import plain_lines

NAME_CHARS = 24
"""Of a name; a longer one is cut, so that a headline has room for the rest."""


def seat_name(names: Sequence[str], seat: int, word: str = "seat") -> str:
    """`names[seat]` as one plain line, or `seat 2` where there is no such name or nothing to read in it."""
    told = " ".join(plain_lines(names[seat])) if seat < len(names) else ""
    cut = told if len(told) <= NAME_CHARS else f"{told[: NAME_CHARS - 1].rstrip()}…"
    return cut or f"{word} {seat}"


def listed(names: Sequence[str]) -> str:
    """`Ann`, `Ann and Bob`, `Ann, Bob and Cid`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
