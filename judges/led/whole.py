"""How much of a work is there: what every family takes off before it looks at how good it is. Pure.

Longer is not better. A work counts as whole from ENOUGH of the words of the median other one on, a rap
verse by verse; padding gains nothing, and what was cut short, left out or said twice is missing.
"""

from __future__ import annotations

from collections.abc import Sequence

from judges.case import Piece
from judges.instruments.words import words
from judges.led.mark import Mark, Work, quote

ENOUGH = 0.6
"""Of the words of the median other work."""
CUT_OFF = 0.8
"""What is left to a work whose last word hangs in the air."""
_WORDS = (
    "a an the and or but of to in on at for with from by as my your his her its our their this that is "
    "are was were be i'm you're"
)
_OPEN = frozenset(_WORDS.split())
"""No sentence and no bar ends on these, but for a few that mean to."""


def whole(work: Work) -> Mark:
    """The grade is a factor: 1 is all there."""
    rounds = sorted({piece.round for piece in work.case.pieces}) or [1]
    said: set[str] = set()
    shares: list[float] = []
    for number in rounds:
        own = _fresh(_of(work.pieces, number), said)
        rivals = [
            _fresh(_of(work.case.of(seat), number), set())
            for seat in range(work.case.seats)
            if seat != work.seat
        ]
        wanted = ENOUGH * _middle([each for each in rivals if each])
        shares.append(min(1.0, own / wanted) if wanted else float(own > 0))
    share = sum(shares) / len(shares)
    if share < 1:
        return Mark(share * _closing(work), f"{share:.0%} of what the work needs to be whole")
    cut = _closing(work)
    return Mark(cut, f"breaks off: {quote(_tail(work.text))}" if cut < 1 else "whole")


def _of(pieces: Sequence[Piece], number: int) -> str:
    return "\n".join(piece.text or "" for piece in pieces if piece.round == number)


def _fresh(text: str, said: set[str]) -> int:
    """Words of the lines, or of a paragraph's sentences, that were not said before; `said` learns them."""
    count = 0
    for line in text.replace(". ", ".\n").split("\n"):
        spoken = words(line)
        key = " ".join(spoken)
        if key not in said:
            said.add(key)
            count += len(spoken)
    return count


def _middle(counts: Sequence[int]) -> float:
    return sorted(counts)[(len(counts) - 1) // 2] if counts else 0.0


def _closing(work: Work) -> float:
    """Whether each piece comes to an end, as a factor."""
    given = [piece.text for piece in work.pieces if piece.text]
    ends = [words(text)[-1:] for text in given]
    hanging = sum(not end or end[0] in _OPEN for end in ends)
    return 1 - (1 - CUT_OFF) * hanging / len(given) if given else 1.0


def _tail(text: str) -> str:
    return " ".join(text.split()[-5:])
