"""How much of a text was said before, by the same seat or by a rival: shares of word trigrams. Pure.

Where works are written at the same time nobody can copy: there it is told how alike two of them are.
"""

from __future__ import annotations

from collections.abc import Iterable

from judges.case import Case
from judges.instruments.words import words

_Trigram = tuple[str, str, str]


def repeated_milli(case: Case, seat: int) -> int:
    """The share of a seat's trigrams that it has said before, in thousandths."""
    seen: set[_Trigram] = set()
    total = again = 0
    for piece in case.of(seat):
        for trigram in _trigrams(piece.text or ""):
            total += 1
            again += trigram in seen
            seen.add(trigram)
    return again * 1_000 // total if total else 0


def borrowed_milli(case: Case, seat: int) -> int:
    """The share of a seat's trigrams that a rival had said in an earlier piece, in thousandths."""
    heard: set[_Trigram] = set()
    total = taken = 0
    for piece in case.pieces:
        trigrams = list(_trigrams(piece.text or ""))
        if piece.seat == seat:
            total += len(trigrams)
            taken += sum(trigram in heard for trigram in trigrams)
        else:
            heard.update(trigrams)
    return taken * 1_000 // total if total else 0


def alike_milli(case: Case, seat: int) -> int:
    """The share of a seat's trigrams that one other seat has, too, in thousandths; of the others the most
    alike."""
    own = list(_trigrams(case.text(seat)))
    others = [set(_trigrams(case.text(each))) for each in range(case.seats) if each != seat]
    shared = max((sum(each in other for each in own) for other in others), default=0)
    return shared * 1_000 // len(own) if own else 0


def _trigrams(text: str) -> Iterable[_Trigram]:
    spoken = words(text)
    return zip(spoken, spoken[1:], spoken[2:], strict=False)
