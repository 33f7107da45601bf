"""Twenty hearings in a row: what they cost, and that none is charged twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.court.rolling import Heard, NotARow, rolling_slash, rows_below
from judges.court.terms import BPS, TERMS, WINDOW

STAKE = 10_000 * 10**18


def heard(*skills: int, start: int = 0) -> list[Heard]:
    return [Heard(start + at, skill) for at, skill in enumerate(skills)]


def test_a_row_at_the_floor_costs_nothing_and_one_below_it_does() -> None:
    at_floor = [TERMS.rolling_floor] * WINDOW
    assert rolling_slash(heard(*at_floor), STAKE) == 0
    below = [*at_floor[1:], TERMS.rolling_floor - 1]
    assert rolling_slash(heard(*below), STAKE) == STAKE * TERMS.rolling_bps // BPS


def test_what_is_not_a_row_says_why() -> None:
    bad = [-1_500_000] * WINDOW
    with pytest.raises(NotARow, match="19 hearings"):
        rolling_slash(heard(*bad[1:]), STAKE)
    with pytest.raises(NotARow, match="hearing 5 has been counted: rows begin at 6"):
        rolling_slash(heard(*bad, start=5), STAKE, first=6)
    with pytest.raises(NotARow, match="hearing 12 stands where 11 would"):
        rolling_slash([*heard(*bad[:11]), *heard(*bad[11:], start=12)], STAKE)


@given(
    st.lists(st.integers(TERMS.skill_floor, TERMS.skill_top), max_size=90),
    st.sets(st.integers(0, 89), max_size=3),
    st.integers(0, 90),
)
def test_every_row_that_is_found_can_be_charged_and_no_hearing_is_in_two(
    skills: list[int], missing: set[int], first: int
) -> None:
    history = [each for each in heard(*skills) if each.ordinal not in missing]
    for row in rows_below(history, first):
        assert rolling_slash(row, STAKE, first) > 0
        first = row[-1].ordinal + 1


def test_a_judge_that_is_always_bad_is_charged_for_each_twenty() -> None:
    assert len(rows_below(heard(*[-1_500_000] * 99))) == 4
    assert rows_below(heard(*[0] * 99)) == []
