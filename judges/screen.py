"""What of a case the judges are shown. Pure, and the same for every judge of a panel.

Lines that speak to the judge (`judges.instruments.addressed`) count as unwritten: a mark stands in
their place, and spectators are told how many there were. A seat that has written nothing else, or less
than it tried to tell the judge, has forfeited: `judges.panel` ranks it behind every seat that has not.
A model that small words can sway must not be asked whether they swayed it.
"""

from __future__ import annotations

import msgspec

from judges.case import Case, Piece
from judges.instruments.addressed import withheld
from spaces.plain_text import plain_lines

MARK = "(line withheld: addressed to the judge)"
"""In place of one or several such lines in a row. Speaks to the judge itself: nobody may write it."""


class Screened(msgspec.Struct, frozen=True):
    case: Case
    """With marks for the lines that were withheld; a piece of nothing else is None."""
    withheld: tuple[int, ...]
    """Lines, for each seat."""
    forfeited: tuple[int, ...]
    """The seats that have."""


def screen(case: Case) -> Screened:
    """Screening what was screened changes its case no more."""
    pieces = list(case.pieces)
    counts: list[int] = []
    forfeited: list[int] = []
    for seat in range(case.seats):
        own = [at for at, piece in enumerate(pieces) if piece.seat == seat]
        lines = {at: plain_lines(pieces[at].text or "") for at in own}
        found = iter(withheld([line for at in own for line in lines[at]]))  # across pieces, too
        taken = {at: [next(found) for _ in lines[at]] for at in own}
        for at in own:
            pieces[at] = _screened(pieces[at], lines[at], taken[at])
        out = sum(map(sum, taken.values()))
        left = sum(map(len, lines.values())) - out
        counts.append(out)
        if left == 0 or out > left:
            forfeited.append(seat)
    return Screened(
        msgspec.structs.replace(case, pieces=tuple(pieces)), tuple(counts), tuple(forfeited)
    )


def _screened(piece: Piece, lines: list[str], taken: list[bool]) -> Piece:
    if not any(taken):
        return piece
    if all(taken):
        return msgspec.structs.replace(piece, text=None)
    shown: list[str] = []
    for line, out in zip(lines, taken, strict=True):
        if not out:
            shown.append(line)
        elif shown[-1:] != [MARK]:
            shown.append(MARK)
    return msgspec.structs.replace(piece, text="\n".join(shown))
