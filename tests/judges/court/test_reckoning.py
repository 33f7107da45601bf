"""Medians, pay and slashes: what holds for any scores, and the same sums done by hand."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.court.reckoning import Question, reckon
from judges.court.terms import TERMS, TOP_MILLI

QUESTION = Question(
    weights=(2, 1),
    contestants=2,
    prior=(5_000, 5_000),
    scale=1_000_000,
    seats=7,
    fee=7_000,
    lock=1_000,
)
sheets = st.lists(
    st.lists(st.integers(0, TOP_MILLI), min_size=4, max_size=4), min_size=1, max_size=9
)


@given(sheets)
def test_each_judge_is_held_against_the_median_of_the_others(drawn: list[list[int]]) -> None:
    found = reckon(QUESTION, drawn)
    for at in range(4):
        assert found.medians[at] == statistics.median_low([sheet[at] for sheet in drawn])
    for own, (sheet, seat) in enumerate(zip(drawn, found.seats, strict=True)):
        others = drawn[:own] + drawn[own + 1 :] or [sheet]
        to = [statistics.median_low([each[at] for each in others]) for at in range(4)]
        gained = (
            sum((5_000 - b) ** 2 for b in to) // 4
            - sum((a - b) ** 2 for a, b in zip(sheet, to, strict=True)) // 4
        )
        assert seat.skill == max(TERMS.skill_floor, min(TERMS.skill_top, gained))


@given(sheets)
def test_judges_never_earn_more_than_the_fee_nor_lose_more_than_the_lock(
    drawn: list[list[int]],
) -> None:
    seats = reckon(QUESTION, drawn).seats
    assert sum(max(0, seat.pay) for seat in seats) <= QUESTION.fee * max(1, len(drawn) / 7)
    assert all(0 <= seat.slash <= QUESTION.lock for seat in seats)


def test_who_says_what_is_usual_earns_nothing() -> None:
    usual = [5_000] * 4
    told = [[8_000, 2_000, 7_000, 4_000]] * 4
    found = reckon(QUESTION, [usual, *told])
    assert found.seats[0].skill == found.seats[0].pay == 0
    assert all(seat.skill == TERMS.skill_top for seat in found.seats[1:])
    assert found.totals == (7_666, 2_666)
    assert found.margin == 5_000


def test_who_is_far_from_a_panel_that_agrees_loses_its_lock() -> None:
    told = [[9_000, 1_000, 9_000, 1_000]] * 4
    found = reckon(QUESTION, [[1_000, 9_000, 1_000, 9_000], *told])
    assert found.seats[0].slash == QUESTION.lock
    assert found.seats[0].skill == TERMS.skill_floor
    assert not any(seat.slash for seat in found.seats[1:])


def test_an_audit_holds_a_whole_panel_against_its_answer() -> None:
    wrong = [[1_000, 9_000, 1_000, 9_000]] * 5
    found = reckon(QUESTION, wrong, reference=[9_000, 1_000, 9_000, 1_000])
    assert {seat.slash for seat in found.seats} == {QUESTION.lock}
    among_themselves = reckon(QUESTION, wrong)
    assert {seat.slash for seat in among_themselves.seats} == {0}
    assert {seat.skill for seat in found.seats} == {TERMS.skill_floor}


@pytest.mark.parametrize("sheet", [[1, 2, 3], [1, 2, 3, 10_001], [1, 2, 3, -1]])
def test_a_sheet_of_another_shape_is_refused(sheet: list[int]) -> None:
    with pytest.raises(ValueError, match="4 scores from 0 to 10000"):
        reckon(QUESTION, [sheet])
