"""What a panel's scores come to: medians, totals, margin; and each judge's skill, pay and slash. Pure, integers alone.

A *sheet* is one judge's scores, thousandths of a point, by line of the rubric and then by contestant (row-major). Division
rounds toward zero, as the EVM's does.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from judges.court.terms import BPS, PPM, TERMS, TOP_MILLI, Terms

Sheet = Sequence[int]


class Question(msgspec.Struct, frozen=True):
    """What a hearing is about, as it was filed."""

    weights: tuple[int, ...]
    """Of each line of the rubric, 1 to 255."""
    contestants: int
    prior: tuple[int, ...]
    """For each line the score that was usual before, thousandths of a point: what a judge that looks at nothing would say."""
    scale: int
    """How far the usual score is from the panel's, usually: mean square, thousandths of a point squared, at least 1."""
    seats: int
    """Of the panel, whether or not all of them reveal: an absent judge's pay is nobody's."""
    fee: int
    """Micro-USDC for the whole panel."""
    lock: int
    """FRAC, in its smallest unit, that each seat can lose by this hearing."""


class Seat(msgspec.Struct, frozen=True):
    """What a hearing means for one judge that has revealed."""

    skill: int
    """Millionths; 0 is what the prior would have had."""
    pay: int
    """Micro-USDC, may be negative: a debt against what the judge earns later, never against its stake."""
    slash: int
    """FRAC, of the lock."""


class Reckoning(msgspec.Struct, frozen=True):
    medians: tuple[int, ...]
    """A sheet."""
    totals: tuple[int, ...]
    """By contestant, thousandths of a point."""
    margin: int
    """The best total less the second best."""
    seats: tuple[Seat, ...]
    """In the order of the sheets."""


def reckon(
    question: Question,
    sheets: Sequence[Sheet],
    reference: Sheet | None = None,
    terms: Terms = TERMS,
) -> Reckoning:
    """Of the sheets that were revealed, in any order. `reference`: the answer of a hidden audit, which judges are held
    against in place of each other. Raises ValueError for a sheet of another shape, and without a sheet."""
    size = len(question.weights) * question.contestants
    if not sheets:
        raise ValueError("no sheet was revealed")
    for sheet in sheets if reference is None else (*sheets, reference):
        if len(sheet) != size or not all(0 <= score <= TOP_MILLI for score in sheet):
            raise ValueError(f"a sheet has {size} scores from 0 to {TOP_MILLI}")
    columns = [sorted(sheet[at] for sheet in sheets) for at in range(size)]
    medians = tuple(column[(len(column) - 1) // 2] for column in columns)
    totals = totals_of(question, medians)
    best, second = sorted(totals, reverse=True)[:2] if len(totals) > 1 else (totals[0], 0)
    references = [
        reference if reference is not None else _without(columns, sheet) for sheet in sheets
    ]
    seats = _seats(question, sheets, references, terms, audit=reference is not None)
    return Reckoning(medians, totals, best - second, seats)


def totals_of(question: Question, sheet: Sheet) -> tuple[int, ...]:
    """By contestant: the weighed mean of a sheet's lines, rounded down. Of one judge's sheet, or of the medians."""
    whole = sum(question.weights)
    return tuple(
        sum(
            weight * sheet[line * question.contestants + seat]
            for line, weight in enumerate(question.weights)
        )
        // whole
        for seat in range(question.contestants)
    )


def _without(columns: Sequence[Sequence[int]], sheet: Sheet) -> Sheet:
    """The lower median of all other sheets; of a judge alone, its own."""
    count = len(columns[0])
    if count == 1:
        return sheet
    middle = (count - 2) // 2
    return tuple(
        column[middle + 1] if own <= column[middle] else column[middle]
        for column, own in zip(columns, sheet, strict=True)
    )


def _seats(
    question: Question,
    sheets: Sequence[Sheet],
    references: Sequence[Sheet],
    terms: Terms,
    *,
    audit: bool,
) -> tuple[Seat, ...]:
    prior = [each for each in question.prior for _ in range(question.contestants)]
    far = [_distance(sheet, to) for sheet, to in zip(sheets, references, strict=True)]
    usual = 0 if audit else sorted(far)[(len(far) - 1) // 2]  # a whole panel may fail an audit
    return tuple(
        _seat(question, distance, _distance(prior, to), usual, terms)
        for distance, to in zip(far, references, strict=True)
    )


def _distance(sheet: Sheet, other: Sheet) -> int:
    """Mean square, thousandths of a point squared."""
    return sum((a - b) ** 2 for a, b in zip(sheet, other, strict=True)) // len(sheet)


def _seat(question: Question, distance: int, prior_distance: int, usual: int, terms: Terms) -> Seat:
    gained = prior_distance - distance
    skill = abs(gained) * PPM // question.scale * (1 if gained >= 0 else -1)
    skill = max(terms.skill_floor, min(terms.skill_top, skill))
    pay = (
        question.fee * abs(skill) // (terms.skill_top * question.seats) * (1 if skill >= 0 else -1)
    )
    return Seat(skill, pay, _outlier(question.lock, distance, usual, terms))


def _outlier(lock: int, distance: int, usual: int, terms: Terms) -> int:
    """Nothing up to the limit; from there on in proportion, all of the lock at twice the mean square."""
    limit = terms.outlier_milli**2
    if distance <= limit or distance <= terms.outlier_spread**2 * usual:
        return 0
    return lock * min(BPS, (distance - limit) * BPS // limit) // BPS
