"""From ballots to an opinion, from opinions to a verdict. Pure, and the same for one judge or many.

A judge's opinion is the mean over the orders in which it was asked. The panel's score is the median
over its seats, line by line, each judge counting once whatever its stake: the draw of the panel has
weighed stake already, and weighing it twice would let one whale decide. A seat that has forfeited
(`judges.screen`: it wrote nothing, or mostly to the judge) has no points, whatever the judges found, and
ranks behind every seat that has not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

from judges.parse import Ballot
from judges.rubric import MILLI, Rubric
from judges.verdict import Evidence, LineVerdict, Opinion, Verdict

T = TypeVar("T")

FORFEITED = "forfeited: too little is left to judge"
"""The reason for no points."""


def opinion(judge: str, ballots: Sequence[Ballot], seats: int) -> Opinion:
    """The mean of one judge's ballots, one for each order (`prompt.orders`); a seat that was not asked
    about has no points."""
    if not ballots:
        raise ValueError("an opinion needs a ballot for every order")
    lines, asked = len(ballots[0].scores), set(ballots[0].order)
    first = {ballot.order[0]: ballot for ballot in ballots}
    return Opinion(
        judge=judge,
        scores_milli=tuple(
            tuple(
                sum(ballot.score(line, seat) for ballot in ballots) * MILLI // len(ballots)
                if seat in asked
                else 0
                for seat in range(seats)
            )
            for line in range(lines)
        ),
        reasons=tuple(
            tuple(first[seat].reasons[line] if seat in first else "" for seat in range(seats))
            for line in range(lines)
        ),
    )


def without(opinion: Opinion, forfeited: Collection[int]) -> Opinion:
    """The same opinion with no points for the seats that have forfeited."""
    if not forfeited:
        return opinion

    def struck(values: Sequence[tuple[T, ...]], nothing: T) -> tuple[tuple[T, ...], ...]:
        return tuple(
            tuple(nothing if seat in forfeited else each for seat, each in enumerate(line))
            for line in values
        )

    return Opinion(
        opinion.judge, struck(opinion.scores_milli, 0), struck(opinion.reasons, FORFEITED)
    )


def aggregate(
    rubric: Rubric,
    opinions: Sequence[Opinion],
    evidence: Sequence[Evidence] = (),
    note: str = "",
    forfeited: Collection[int] = (),
) -> Verdict:
    """The panel's verdict; `forfeited` are seats. Raises ValueError without a single opinion: no opinion is no zero."""
    if not opinions:
        raise ValueError("a verdict needs at least one opinion")
    seats = len(opinions[0].scores_milli[0])
    lines = tuple(
        _line(line.name, i, opinions, seats, forfeited) for i, line in enumerate(rubric.lines)
    )
    totals = tuple(_total(rubric, lines, seat) for seat in range(seats))
    return Verdict(
        rubric=rubric.id,
        lines=lines,
        totals_milli=totals,
        ranks=ranks(totals, rubric.tie_milli, forfeited),
        evidence=tuple(evidence),
        judges=tuple(each.judge for each in opinions),
        note=note,
    )


def _line(
    name: str, index: int, opinions: Sequence[Opinion], seats: int, forfeited: Collection[int]
) -> LineVerdict:
    scores: list[int] = []
    reasons: list[str] = []
    for seat in range(seats):
        if seat in forfeited:
            scores.append(0)
            reasons.append(FORFEITED)
            continue
        median = lower_median([each.scores_milli[index][seat] for each in opinions])
        scores.append(median)
        closest = min(opinions, key=lambda each: abs(each.scores_milli[index][seat] - median))
        reasons.append(closest.reasons[index][seat])
    return LineVerdict(name, tuple(scores), tuple(reasons))


def lower_median(values: Sequence[int]) -> int:
    """The middle value; of two middle values the lower, so that it is some judge's own number."""
    return sorted(values)[(len(values) - 1) // 2]


def _total(rubric: Rubric, lines: Sequence[LineVerdict], seat: int) -> int:
    weighed = sum(
        line.weight * verdict.scores_milli[seat]
        for line, verdict in zip(rubric.lines, lines, strict=True)
    )
    return weighed // rubric.weight


def ranks(
    totals_milli: Sequence[int], tie_milli: int, forfeited: Collection[int] = ()
) -> tuple[int, ...]:
    """Competition ranks (1, 1, 3): a seat shares the rank of the best seat it is within the tie of.

    Seats that have forfeited share the last rank.
    """
    best_first = sorted(
        range(len(totals_milli)), key=lambda seat: (seat in forfeited, -totals_milli[seat])
    )
    found = [0] * len(totals_milli)
    leader, rank = best_first[0], 1
    for place, seat in enumerate(best_first, 1):
        out, leader_out = seat in forfeited, leader in forfeited
        apart = totals_milli[leader] - totals_milli[seat] >= max(1, tie_milli)
        if out != leader_out or (apart and not out):
            leader, rank = seat, place
        found[seat] = rank
    return tuple(found)
