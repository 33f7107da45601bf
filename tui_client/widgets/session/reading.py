"""Any observation, read for what people can look at: boards, what was said, moves, and plain facts.

Nothing is known of the game. A text of several lines is a board, pairs of a speaker and a text are
moves or talk, and everything else is a fact on one line. Bounded, whatever arrives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from tui_client.text import block_lines, clean

MAX_KEYS = 40
MAX_PAIRS = 400
"""Moves or messages that are looked at, the last ones."""
FACT_CHARS = 400
BLOCK_CHARS = 8_000
BOARDS = frozenset({"position", "board", "observation", "grid", "map"})
"""Keys whose text is a board even on one line."""
BY_SEAT = frozenset({"to_act", "returns_milli", "answers_in", "seats"})
"""Keys that are told beside the names of the seats."""
MAX_SQUARES = 26
"""In a row of a board of one character a square."""
_PLAYER = re.compile(r"player[ _-]?(\d{1,2})", re.IGNORECASE)


class Saying(NamedTuple):
    """A move, or a message to everybody."""

    seat: int | None
    speaker: str
    """Safe; empty where a seat speaks."""
    lines: tuple[str, ...]
    """Safe, blanks kept."""


class Reading(NamedTuple):
    boards: tuple[tuple[str, tuple[str, ...]], ...]
    """Name and lines of each."""
    sayings: tuple[Saying, ...]
    facts: tuple[tuple[str, str], ...]
    to_act: frozenset[int]
    returns: tuple[int, ...]
    """Thousandths, by seat; none while the game goes on."""


def read(state: Mapping[str, Any], seats: int) -> Reading:
    boards: list[tuple[str, tuple[str, ...]]] = []
    sayings: list[Saying] = []
    facts: list[tuple[str, str]] = []
    for key, value in list(state.items())[:MAX_KEYS]:
        name = clean(str(key).replace("_", " "), 20)
        if isinstance(value, str) and (key in BOARDS or len(value.splitlines()) > 1):
            lines = tuple(block_lines(value, BLOCK_CHARS))
            boards += [(name, lines)] if lines else []
        elif _are_pairs(value):
            sayings += [_saying(each, seats) for each in value[-MAX_PAIRS:]]
        elif key not in BY_SEAT and value is not None and value not in ([], (), {}, ""):
            facts.append((name, _fact(value)))
    shown = tuple(boards) or _last_board(sayings)
    acting = state.get("to_act")
    return Reading(
        boards=shown,
        sayings=tuple(sayings),
        facts=tuple(facts),
        to_act=frozenset(each for each in acting if isinstance(each, int))
        if isinstance(acting, list | tuple)
        else frozenset(),
        returns=_returns(state.get("returns_milli"), seats),
    )


def airy(lines: Sequence[str]) -> list[str]:
    """A board that is written one character a square, with a blank between the squares: a terminal's
    cells are twice as high as wide. Everything else stays as it is."""
    squares = (
        len(lines) > 2
        and len({len(each) for each in lines}) == 1
        and len(lines[0]) <= MAX_SQUARES
        and not any(" " in each.strip() or "--" in each for each in lines)
    )
    return [" ".join(each) for each in lines] if squares else list(lines)


def _are_pairs(value: object) -> bool:
    """Whether it lists who said or did what: `[[0, "e2e4"], ["Game", "…"]]`."""
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(
        isinstance(each, list | tuple)
        and len(each) == 2
        and isinstance(each[0], int | str)
        and isinstance(each[1], str)
        for each in value[-MAX_PAIRS:]
    )


def _saying(pair: Sequence[Any], seats: int) -> Saying:
    who, words = pair
    lines = tuple(block_lines(words, BLOCK_CHARS)) or ("",)
    if isinstance(who, str):
        named = _PLAYER.fullmatch(who.strip())
        who = int(named[1]) if named else clean(who, 20)
    if isinstance(who, int) and 0 <= who < seats:
        return Saying(who, "", lines)
    return Saying(None, clean(str(who), 20), lines)


def _last_board(sayings: Sequence[Saying]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Games that only talk show their board in what they say: the last message of several lines."""
    last = next((each for each in reversed(sayings) if len(each.lines) > 1), None)
    return () if last is None else ((last.speaker or "last said", last.lines),)


def _fact(value: object) -> str:
    if isinstance(value, str):
        return clean(value, FACT_CHARS)
    return clean(msgspec.json.encode(value).decode()[: FACT_CHARS * 2], FACT_CHARS)


def _returns(value: object, seats: int) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or len(value) != seats:
        return ()
    return tuple(value) if all(isinstance(each, int) for each in value) else ()
