"""The instruments of each judged Space, read off a case. Pure."""

from __future__ import annotations

from judges.case import Case
from judges.instruments.copying import borrowed_milli, repeated_milli
from judges.instruments.pronounce import VowelsOf
from judges.instruments.rhyme import rhyme_factor_milli
from judges.rubric import MILLI
from judges.screen import screen
from judges.verdict import Evidence


def evidence_of(case: Case, vowels_of: VowelsOf) -> tuple[Evidence, ...]:
    """What can be computed about a rap battle. Beside the verdict, not part of its totals."""
    seats = range(case.seats)
    return (
        *_withheld(case),
        Evidence(
            name="rhyme factor",
            values_milli=tuple(rhyme_factor_milli(case.text(seat), vowels_of) for seat in seats),
            note="mean vowels of the longest rhyme that each word ends (Malmi et al. 2016)",
        ),
        Evidence(
            name="repeats itself",
            values_milli=tuple(repeated_milli(case, seat) for seat in seats),
            note="share of three-word runs that the seat has said before",
        ),
        Evidence(
            name="copies the rival",
            values_milli=tuple(borrowed_milli(case, seat) for seat in seats),
            note="share of three-word runs that the rival has said before",
        ),
    )


def _withheld(case: Case) -> tuple[Evidence, ...]:
    """First where there is any: it says what the judges were not shown."""
    counts = screen(case).withheld
    if not any(counts):
        return ()
    return (
        Evidence(
            name="lines withheld",
            values_milli=tuple(count * MILLI for count in counts),
            note="lines that speak to the judge; the judges were not shown them",
        ),
    )
