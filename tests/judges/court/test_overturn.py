"""A winner that fell costs those who clearly made it, and nobody else."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.court.overturn import overturn_slash, overturned
from judges.court.reckoning import Question, reckon, totals_of

MARGIN = 500
QUESTION = Question(
    weights=(1, 1),
    contestants=2,
    prior=(5_000, 5_000),
    scale=1_000_000,
    seats=7,
    fee=7_000,
    lock=10**18,
)


@pytest.mark.parametrize(
    ("was", "last", "fell"),
    [
        ((6_000, 5_000), (5_000, 6_000), (0, 1)),
        ((6_000, 5_000), (6_500, 6_000), None),  # the same winner
        ((6_000, 5_501), (5_000, 6_000), None),  # was not clear: escalated
        ((6_000, 5_000), (5_000, 5_499), None),  # is not clear
        ((6_000, 5_000, 5_900), (5_000, 4_000, 6_000), None),
        ((6_000, 5_000, 5_500), (5_000, 4_000, 6_000), (0, 2)),
    ],
)
def test_a_hearing_is_overturned_only_where_both_were_clear(
    was: tuple[int, ...], last: tuple[int, ...], fell: tuple[int, int] | None
) -> None:
    assert overturned(was, last, MARGIN) == fell


def test_who_made_the_fallen_winner_loses_the_lock_and_who_saw_it_right_does_not() -> None:
    bought = (6_000, 5_000, 6_000, 5_000)  # near to everybody: no outlier
    honest = (5_200, 5_800, 5_200, 5_800)
    unsure = (5_300, 5_000, 5_300, 5_000)
    was = reckon(QUESTION, [bought] * 4 + [honest, honest, unsure])
    last = reckon(msgspec.structs.replace(QUESTION, seats=15), [honest] * 15)
    assert all(seat.slash == 0 for seat in was.seats)
    slashes = [
        overturn_slash(QUESTION, sheet, was.totals, last.totals, MARGIN)
        for sheet in (bought, honest, unsure)
    ]
    assert slashes == [QUESTION.lock, 0, 0]


scores = st.lists(st.integers(0, 10_000), min_size=4, max_size=4)


@given(st.lists(scores, min_size=1, max_size=7), st.lists(scores, min_size=1, max_size=9))
def test_nobody_loses_who_ranks_as_the_last_hearing_does(
    first: list[list[int]], second: list[list[int]]
) -> None:
    was, last = reckon(QUESTION, first), reckon(QUESTION, second)
    for sheet in first:
        slash = overturn_slash(QUESTION, sheet, was.totals, last.totals, MARGIN)
        own = totals_of(QUESTION, sheet)
        assert slash in (0, QUESTION.lock)
        if slash:
            assert (own[0] > own[1]) != (last.totals[0] > last.totals[1])
            assert (own[0] > own[1]) == (was.totals[0] > was.totals[1])
