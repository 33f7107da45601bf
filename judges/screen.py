"""What of a case the judges are shown. Pure, and the same for every judge of a panel.

Lines that speak to the judge (`judges.instruments.addressed`), or sentences where a line is a whole
paragraph, count as unwritten: a mark stands in their place, and spectators are told how many there were.
A model that small words can sway must not be asked whether they swayed it.

A battle's seat that has written nothing else, or less than it tried to tell the judge, has forfeited:
`judges.panel` ranks it behind every seat that has not. Of prose, where a form of address may be an honest
line, a seat has forfeited only when it speaks to the judge in two sentences or more and hardly a word
stands beside them. Soft forms of prose are withheld beside a hard one and are shown to the judge
otherwise; spectators are told of them.

The forms are English: an order to the judge in another language is neither withheld nor counted.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from judges.case import Case, Piece
from judges.instruments.address_forms import BATTLE, PROSE, Dialect
from judges.instruments.addressed import hinting, withheld
from spaces.plain_text import plain_lines

MARK = "(line withheld: addressed to the judge)"
"""In place of one or several such lines in a row. Speaks to the judge itself: nobody may write it."""


_DIALECTS: Mapping[str, Dialect] = MappingProxyType({"rap-battle": BATTLE, "writing": PROSE})
_REST = 4
"""Of prose that has forfeited, at most one word in so many does not speak to the judge."""
_HARD = 2
"""Sentences of prose that must speak to the judge before its seat can forfeit."""
_SENTENCE = re.compile(r"(?<=[.!?\u2026]) +")


class Screened(msgspec.Struct, frozen=True):
    case: Case
    """With marks for the lines that were withheld; a battle's piece of nothing else is None, and of
    prose one whose seat has forfeited."""
    withheld: tuple[int, ...]
    """Lines (of prose: sentences), for each seat."""
    forfeited: tuple[int, ...]
    """The seats that have."""
    hints: tuple[int, ...]
    """Sentences of prose in a soft form that were left where they are, for each seat."""


@functools.lru_cache(maxsize=256)
def screen(case: Case) -> Screened:
    """Screening what was screened changes its case no more.

    Some ten milliseconds a battle, and each judge, prompt and verdict on a case asks: the last are kept.
    """
    dialect = _DIALECTS.get(case.space, BATTLE)
    pieces = list(case.pieces)
    counts: list[int] = []
    forfeited: list[int] = []
    hints: list[int] = []
    for seat in range(case.seats):
        own = [at for at, piece in enumerate(pieces) if piece.seat == seat]
        parts = {at: _parts(pieces[at].text or "", dialect) for at in own}
        spoken = [part for at in own for line in parts[at] for part in line]
        hard = withheld(spoken, dialect)  # across pieces, too
        soft = [not at and hinting(part, dialect) for part, at in zip(spoken, hard, strict=True)]
        outs = [a or b for a, b in zip(hard, soft, strict=True)] if any(hard) else list(hard)
        out = _forfeits(spoken, hard, outs, dialect)
        found = iter(outs)
        taken = {at: [[next(found) for _ in line] for line in parts[at]] for at in own}
        for at in own:
            pieces[at] = _screened(
                pieces[at], parts[at], taken[at], none=out or not dialect.careful
            )
        counts.append(sum(outs))
        hints.append(0 if any(hard) else sum(soft))
        if out:
            forfeited.append(seat)
    return Screened(
        msgspec.structs.replace(case, pieces=tuple(pieces)),
        tuple(counts),
        tuple(forfeited),
        tuple(hints),
    )


def _forfeits(
    parts: Sequence[str], hard: Sequence[bool], outs: Sequence[bool], dialect: Dialect
) -> bool:
    if not parts:
        return True
    if not dialect.careful:
        return 2 * sum(outs) > len(parts)
    words = sum(len(part.split()) for part in parts)
    rest = sum(len(part.split()) for part, out in zip(parts, outs, strict=True) if not out)
    return sum(hard) >= _HARD and _REST * rest <= words


def _parts(text: str, dialect: Dialect) -> list[list[str]]:
    """Of each line what is taken out or left as a whole: itself, or its sentences."""
    lines = plain_lines(text)
    return [_SENTENCE.split(line) if dialect.careful else [line] for line in lines]


def _screened(
    piece: Piece, parts: Sequence[list[str]], taken: Sequence[list[bool]], *, none: bool
) -> Piece:
    if not any(map(any, taken)):
        return piece
    if none and all(map(all, taken)):
        return msgspec.structs.replace(piece, text=None)
    shown: list[str] = []
    for line, outs in zip(parts, taken, strict=True):
        begun = False  # whether a sentence of this line stands in the row before
        for part, out in zip(line, outs, strict=True):
            if out:
                begun = False
                if shown[-1:] != [MARK]:
                    shown.append(MARK)
            elif begun:
                shown[-1] += f" {part}"
            else:
                begun = True
                shown.append(part)
    return msgspec.structs.replace(piece, text="\n".join(shown))
