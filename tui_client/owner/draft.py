"""A text that is being written: characters, a cursor, and the rows it takes. Pure.

The text is never changed behind its writer's back: what must not reach a terminal is painted as a dot
(`text.glyph`) and stays in the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec
from rich.cells import get_character_cell_size

from tui_client.text import glyph

MAX_DRAFT = 32_768
"""Characters of the longest text that is taken; what may be saved is the server's business."""
TAB = "    "


class Draft(msgspec.Struct, frozen=True):
    text: str = ""
    at: int = 0
    """The cursor stands before this character."""


class Row(NamedTuple):
    """A row of a wrapped text: the characters from `start` up to `end`."""

    start: int
    end: int


def written(text: str) -> Draft:
    """A text with the cursor at its end."""
    return Draft(text, len(text))


def typed(draft: Draft, characters: str) -> Draft:
    """After characters were typed or pasted at the cursor; line breaks and tabs are made plain."""
    characters = characters.replace("\r\n", "\n").replace("\r", "\n").replace("\t", TAB)
    characters = characters[: max(0, MAX_DRAFT - len(draft.text))]
    text = draft.text[: draft.at] + characters + draft.text[draft.at :]
    return Draft(text, draft.at + len(characters))


def pressed(draft: Draft, key: str, width: int) -> Draft | None:
    """After a key that moves or deletes; None for any other, and where there is nowhere to go.

    `width`: the cells of a row, for going up and down; 0 where the text has one line.
    """
    at = _goal(draft, key, width)
    if at is not None:
        return Draft(draft.text, at)
    match key:
        case "backspace" | "ctrl+h":
            return _cut(draft, _before(draft.text, draft.at), draft.at)
        case "delete" | "ctrl+d":
            return _cut(draft, draft.at, _after(draft.text, draft.at))
        case "ctrl+w" | "alt+backspace":
            return _cut(draft, _word_before(draft.text, draft.at), draft.at)
        case "ctrl+u":
            return _cut(draft, _line_start(draft.text, draft.at), draft.at)
        case "ctrl+k":
            return _cut(draft, draft.at, _line_end(draft.text, draft.at))
        case "up" | "down" if width:
            return _climbed(draft, -1 if key == "up" else 1, width)
        case "pageup" | "pagedown" if width:
            return _climbed(draft, -10 if key == "pageup" else 10, width)
        case _:
            return None


def _goal(draft: Draft, key: str, width: int) -> int | None:
    text, at = draft.text, draft.at
    match key:
        case "left" | "ctrl+b":
            return _before(text, at)
        case "right" | "ctrl+f":
            return _after(text, at)
        case "home" | "ctrl+a":
            return _line_start(text, at)
        case "end" | "ctrl+e":
            return _line_end(text, at)
        case "ctrl+left" | "alt+b":
            return _word_before(text, at)
        case "ctrl+right" | "alt+f":
            return _word_after(text, at)
        case "ctrl+home" if width:
            return 0
        case "ctrl+end" if width:
            return len(text)
        case _:
            return None


def _cut(draft: Draft, start: int, end: int) -> Draft:
    return Draft(draft.text[:start] + draft.text[end:], start)


def _marks(text: str, at: int) -> bool:
    """A combining mark goes with the letter before it."""
    return 0 < at < len(text) and get_character_cell_size(text[at]) == 0 and text[at] != "\n"


def _before(text: str, at: int) -> int:
    at = max(0, at - 1)
    while _marks(text, at):
        at -= 1
    return at


def _after(text: str, at: int) -> int:
    at = min(len(text), at + 1)
    while _marks(text, at):
        at += 1
    return at


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _word_before(text: str, at: int) -> int:
    while at > 0 and text[at - 1].isspace():
        at -= 1
    while at > 0 and not text[at - 1].isspace():
        at -= 1
    return at


def _word_after(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    while at < len(text) and not text[at].isspace():
        at += 1
    return at


def _climbed(draft: Draft, by: int, width: int) -> Draft | None:
    """The cursor some rows up or down, in the same column as far as there is one."""
    laid = rows(draft.text, width)
    here = row_of(laid, draft.at)
    there = min(len(laid) - 1, max(0, here + by))
    if there == here:
        return None
    column = sum(map(_cells, draft.text[laid[here].start : draft.at]))
    goal = laid[there]
    at = goal.start
    # A row that was broken ends where the next begins, and a cursor there stands in the next.
    last = goal.end if there == len(laid) - 1 or laid[there + 1].start > goal.end else goal.end - 1
    while at < last and column > 0:
        column -= _cells(draft.text[at])
        at = _after(draft.text, at)
    return Draft(draft.text, min(at, max(goal.start, last)))


def _cells(character: str) -> int:
    return sum(get_character_cell_size(each) for each in glyph(character))


@lru_cache(maxsize=8)
def rows(text: str, width: int) -> tuple[Row, ...]:
    """Where a text is broken into rows of at most `width` cells, at blanks where there are some. Every
    character but a line break stands in one row; at least one row. Blanks at a row's end may hang over."""
    found: list[Row] = []
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        found += _wrapped(text, start, end, max(2, width))
        start = end + 1
    return tuple(found)


def _wrapped(text: str, start: int, end: int, width: int) -> Iterator[Row]:
    used, blank = 0, start
    for at in range(start, end):
        cells = _cells(text[at])
        if used + cells > width and text[at] != " ":
            broken = blank if blank > start else at
            yield Row(start, broken)
            start, blank = broken, broken
            used = sum(map(_cells, text[start:at]))
        used += cells
        if text[at] == " ":
            blank = at + 1
    yield Row(start, end)


def row_of(laid: Sequence[Row], at: int) -> int:
    """The row in which the cursor stands."""
    return next(n for n in range(len(laid) - 1, -1, -1) if laid[n].start <= at)
