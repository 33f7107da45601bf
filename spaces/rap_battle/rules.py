"""Verses in turn: seat 0 opens every round, seat 1 answers, each has read all that came before.

A forfeited verse is null and the battle goes on. A seat whose verses are all null has not battled:
it loses by the rules (both: a draw). Otherwise the judges decide.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from spaces.plain_text import plain_lines
from spaces.rap_battle.topics import TOPICS
from spaces.seed import Streams
from spaces.space import IllegalAction, InvalidAction, Outcome

SEATS = 2
MAX_REPLY = 4_000
"""Characters of a raw reply. Twice the largest char_limit, and 16 such replies of nothing but escapes
still fit into a transcript, which keeps them."""


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rounds: Annotated[int, Meta(ge=1, le=8)] = 3
    bars: Annotated[int, Meta(ge=1, le=16)] = 4
    """Lines a verse may have at most."""
    char_limit: Annotated[int, Meta(ge=40, le=2_000)] = 600
    """Characters a verse may have at most, newlines included."""
    topic: Annotated[str, Meta(min_length=1, max_length=120)] | None = None
    """None: drawn from `TOPICS` by the seed's stream `topic`."""


class Verse(msgspec.Struct, frozen=True, tag="verse", tag_field="kind", forbid_unknown_fields=True):
    text: str
    """Plain lines (`spaces.plain_text`) joined by newlines; at least one."""


class State(msgspec.Struct, frozen=True):
    params: Params
    topic: str
    verses: tuple[str | None, ...] = ()
    """In order of play: verse i is of seat i % 2 in round i // 2 + 1; None was forfeited."""

    @property
    def to_act(self) -> int | None:
        if len(self.verses) == SEATS * self.params.rounds:
            return None
        return len(self.verses) % SEATS

    @property
    def round(self) -> int:
        """1 .. rounds; stays at the last one when all verses are in."""
        return min(len(self.verses) // SEATS + 1, self.params.rounds)


def initial(params: Params, streams: Streams) -> State:
    topic = params.topic or TOPICS[streams.below("topic", len(TOPICS))]
    return State(params=params, topic=topic)


def parse(kind: str, text: str) -> Verse:
    """The whole text is the verse. Raises InvalidAction."""
    if kind != "verse":
        raise InvalidAction(f"rap-battle asks for a verse, not for {kind!r}")
    if len(text) > MAX_REPLY:
        raise InvalidAction(f"a reply has at most {MAX_REPLY} characters, got {len(text)}")
    lines = plain_lines(text)
    if not lines:
        raise InvalidAction("the verse is empty; answer with the lines of your verse")
    return Verse("\n".join(lines))


def add_verse(state: State, seat: int, verse: Verse) -> State:
    """Raises IllegalAction; the reason says what the limit is and by how much it was missed."""
    if state.to_act != seat:
        raise IllegalAction(f"seat {seat} has no verse to give now")
    check_verse(verse, state.params.bars, state.params.char_limit)
    return _next(state, verse.text)


def check_verse(verse: Verse, bars: int, char_limit: int) -> None:
    """Raise IllegalAction for a verse of too many lines or characters."""
    lines = plain_lines(verse.text)
    if not lines or verse.text != "\n".join(lines):
        raise IllegalAction("the verse is not plain text")  # only a forged transcript gets here
    if len(lines) > bars:
        raise IllegalAction(f"a verse has at most {bars} lines, got {len(lines)}")
    if (size := len(verse.text)) > char_limit:
        raise IllegalAction(f"a verse has at most {char_limit} characters, got {size}")


def forfeit(state: State, seat: int) -> State:
    """The verse is null, the battle goes on. Raises ValueError when the seat owed nothing."""
    if state.to_act != seat:
        raise ValueError(f"seat {seat} owes no decision")
    return _next(state, None)


def _next(state: State, verse: str | None) -> State:
    return msgspec.structs.replace(state, verses=(*state.verses, verse))


def outcome(state: State) -> Outcome | None:
    if state.to_act is not None:
        return None
    silent = tuple(all(verse is None for verse in state.verses[seat::SEATS]) for seat in (0, 1))
    match silent:
        case (True, True):
            return Outcome("forfeit", (0, 0))
        case (True, False):
            return Outcome("forfeit", (-1, 1))
        case (False, True):
            return Outcome("forfeit", (1, -1))
        case _:
            return Outcome("complete", None)
