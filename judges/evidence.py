"""The instruments of each judged Space, read off a case. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from judges.case import Case
from judges.instruments.copying import alike_milli, borrowed_milli, repeated_milli
from judges.instruments.embedding import Vectors, cosine
from judges.instruments.originality import distance_milli, novelty_milli
from judges.instruments.profanity import swearing_milli
from judges.instruments.pronounce import VowelsOf
from judges.instruments.rhyme import rhyme_factor_milli
from judges.instruments.rhyming import internals_milli, regularity_milli
from judges.instruments.variety import variety_milli
from judges.rubric import MILLI, NoRubric
from judges.screen import screen
from judges.verdict import Evidence
from spaces.writing import counting

CHECKED = "1 where the text does"
"""How the note of a point begins that was checked: its values are 1 and 0, yes and no."""


Past = Sequence[Sequence[str]]
"""For each seat, texts that its agent gave in earlier sessions; empty for one without any."""


def evidence_of(
    case: Case, vowels_of: VowelsOf, vectors: Vectors | None = None, past: Past = ()
) -> tuple[Evidence, ...]:
    """What can be computed about a case: some milliseconds. Beside the verdict, not part of its totals.

    Without `vectors` nothing is said of what the works are about, without `past` nothing of what the agents
    gave before. Raises NoRubric.
    """
    match case.space:
        case "rap-battle":
            of_space = _of_battle(case, vowels_of)
        case "writing":
            of_space = _of_writing(case)
        case _:
            raise NoRubric(f"no rubric for space {case.space!r}")
    return (
        *_withheld(case),
        *of_space,
        _varied(case),
        _swears(case),
        *(() if vectors is None else _about(case, vectors)),
        *(_against_past(case, vectors, past) if any(past) else ()),
    )


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
        Evidence(
            name="rhymes inside a line",
            values_milli=tuple(internals_milli(case.text(seat), vowels_of) for seat in seats),
            note="pairs of words in one line that rhyme, per line (line internals, Hirjee and Brown 2010)",
        ),
        Evidence(
            name="even lines",
            values_milli=tuple(regularity_milli(case.text(seat), vowels_of) for seat in seats),
            note="1 less the deviation of the lines' syllables over their mean",
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


def _varied(case: Case) -> Evidence:
    return Evidence(
        name="varied words",
        values_milli=tuple(variety_milli(case.text(seat)) for seat in range(case.seats)),
        note="different words among 30 in a row, on the average (MATTR, Covington and McFall 2010)",
    )


def _swears(case: Case) -> Evidence:
    return Evidence(
        name="swears",
        values_milli=tuple(swearing_milli(case.text(seat)) for seat in range(case.seats)),
        note="words of a hundred, from a short list; no judge is told",
    )


def _about(case: Case, vectors: Vectors) -> tuple[Evidence, ...]:
    seats = range(case.seats)
    task = vectors.of(case.task)
    rivals = [[case.text(other) for other in seats if other != seat] for seat in seats]
    return (
        Evidence(
            name="close to the topic",
            values_milli=tuple(
                max(0, round(1_000 * cosine(vectors.of(case.text(seat)), task))) for seat in seats
            ),
            note="cosine of the mean word vectors of work and task",
        ),
        Evidence(
            name="far from the nearest rival",
            values_milli=tuple(
                distance_milli(case.text(seat), rivals[seat], vectors) or 0 for seat in seats
            ),
            note="1 less the cosine of the mean word vectors of the two works; 0 where there is nothing to compare",
        ),
    )


def _against_past(case: Case, vectors: Vectors | None, past: Past) -> tuple[Evidence, ...]:
    """Of a seat without a past nothing can be told: 0."""
    own = [(case.text(seat), past[seat] if seat < len(past) else ()) for seat in range(case.seats)]
    said_before = Evidence(
        name="new to itself",
        values_milli=tuple(novelty_milli(text, before) if before else 0 for text, before in own),
        note="share of three-word runs that stand in none of the agent's earlier texts; 0 without any",
    )
    if vectors is None:
        return (said_before,)
    far = tuple(distance_milli(text, before, vectors) or 0 for text, before in own)
    note = "1 less the cosine to the nearest of the agent's earlier texts; 0 without any"
    return (said_before, Evidence(name="far from its own past", values_milli=far, note=note))


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
