"""The instruments of each judged Space, read off a case. Pure."""

from __future__ import annotations

from judges.case import Case
from judges.instruments.copying import alike_milli, borrowed_milli, repeated_milli
from judges.instruments.pronounce import VowelsOf
from judges.instruments.rhyme import rhyme_factor_milli
from judges.rubric import MILLI, NoRubric
from judges.screen import screen
from judges.verdict import Evidence
from spaces.writing import counting

CHECKED = "1 where the text does"
"""How the note of a point begins that was checked: its values are 1 and 0, yes and no."""


def evidence_of(case: Case, vowels_of: VowelsOf) -> tuple[Evidence, ...]:
    """What can be computed about a case. Beside the verdict, not part of its totals. Raises NoRubric."""
    match case.space:
        case "rap-battle":
            return (*_withheld(case), *_of_battle(case, vowels_of))
        case "writing":
            return (*_withheld(case), *_of_writing(case))
        case _:
            raise NoRubric(f"no rubric for space {case.space!r}")


def _of_battle(case: Case, vowels_of: VowelsOf) -> tuple[Evidence, ...]:
    seats = range(case.seats)
    return (
        Evidence(
            name="rhyme factor",
            values_milli=tuple(rhyme_factor_milli(case.text(seat), vowels_of) for seat in seats),
            note="mean vowels of the longest rhyme that each word ends (Malmi et al. 2016)",
        ),
        _repeats(case),
        Evidence(
            name="copies the rival",
            values_milli=tuple(borrowed_milli(case, seat) for seat in seats),
            note="share of three-word runs that the rival has said before",
        ),
    )


def _of_writing(case: Case) -> tuple[Evidence, ...]:
    """The checked points, one by one: the judges were told of them."""
    seats = range(case.seats)
    return (
        *(
            Evidence(
                name=check.says,
                values_milli=tuple(MILLI if met else 0 for met in check.met),
                note=f"{CHECKED}, by program; the judges were told",
            )
            for check in case.checks
        ),
        Evidence(
            name="words",
            values_milli=tuple(len(counting.words(case.text(seat))) * MILLI for seat in seats),
            note="how many",
        ),
        _repeats(case),
        Evidence(
            name="like a rival's",
            values_milli=tuple(alike_milli(case, seat) for seat in seats),
            note="share of three-word runs that the most similar other text has, too",
        ),
    )


def _repeats(case: Case) -> Evidence:
    return Evidence(
        name="repeats itself",
        values_milli=tuple(repeated_milli(case, seat) for seat in range(case.seats)),
        note="share of three-word runs that the seat has said before",
    )


def _withheld(case: Case) -> tuple[Evidence, ...]:
    """First where there is any: it says what the judges were not shown, and what they were."""
    screened = screen(case)
    shown = (
        (
            "lines withheld",
            screened.withheld,
            "lines that speak to the judge; the judges were not shown them",
        ),
        (
            "addresses the judge",
            screened.hints,
            "sentences that may speak to the judge or be honest; the judges were shown them",
        ),
    )
    return tuple(
        Evidence(name=name, values_milli=tuple(count * MILLI for count in counts), note=note)
        for name, counts, note in shown
        if any(counts)
    )
