"""Leagues as a rule: what flaps, what is unfair and what has no name would fail here."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import leagues
from server.leagues import DEMOTE_AFTER, DIVISIONS, MARGIN_MILLI, STEP_MILLI, Standing

_ordinals = st.integers(-30_000, 70_000)
_histories = st.lists(_ordinals, max_size=60)


def played(ordinals: list[int], start: Standing | None = None) -> list[Standing]:
    standings = [start or leagues.placed(0)]
    for ordinal in ordinals:
        standings.append(leagues.after(standings[-1], ordinal))
    return standings


def floor(division: int) -> int:
    found = leagues.floor_milli(division)
    assert found is not None
    return found


def test_every_division_has_a_name_and_a_floor_of_its_own() -> None:
    names = [leagues.name(division) for division in range(DIVISIONS)]
    assert names[0] == "Bronze III"
    assert names[4] == "Silver II"
    assert names[-1] == "Master I"
    assert len(set(names)) == DIVISIONS == 18
    assert leagues.floor_milli(0) is None
    for division in range(1, DIVISIONS):
        assert leagues.division_of(floor(division)) == division
        assert leagues.division_of(floor(division) - 1) == division - 1
    for division in (-1, DIVISIONS):
        with pytest.raises(ValueError, match="no division"):
            leagues.name(division)


@given(_histories)
def test_reaching_a_floor_promotes_at_once(ordinals: list[int]) -> None:
    for standing, ordinal in zip(played(ordinals)[1:], ordinals, strict=True):
        assert standing.division >= leagues.division_of(ordinal)
        assert standing.best >= standing.division
        assert 0 <= standing.below < DEMOTE_AFTER


@given(_histories)
def test_only_results_in_a_row_below_floor_and_margin_demote_by_one(ordinals: list[int]) -> None:
    standings = played(ordinals)
    for at in range(1, len(standings)):
        was, now = standings[at - 1], standings[at]
        if now.division < was.division:
            assert now.division == was.division - 1
            row = ordinals[at - DEMOTE_AFTER : at]
            assert len(row) == DEMOTE_AFTER
            assert all(each < floor(was.division) - MARGIN_MILLI for each in row)
            assert now.best == was.best


@given(st.integers(1, DIVISIONS - 1), st.lists(st.integers(-MARGIN_MILLI, 0), max_size=60))
def test_who_trembles_around_a_floor_does_not_flap(division: int, tremor: list[int]) -> None:
    start = leagues.placed(floor(division))
    standings = played([floor(division) + by for by in tremor], start)
    assert {each.division for each in standings} == {division}


@given(
    st.integers(1, DIVISIONS - 1),
    st.lists(st.integers(-3 * STEP_MILLI, 3 * STEP_MILLI), max_size=200),
)
def test_each_change_of_direction_takes_more_than_the_margin(
    division: int, tremor: list[int]
) -> None:
    ordinals = [floor(division) + by for by in tremor]
    standings = played(ordinals, leagues.placed(floor(division)))
    fell_at: dict[int, int] = {}
    for at in range(1, len(standings)):
        was, now = standings[at - 1].division, standings[at].division
        if now < was:
            fell_at[was] = ordinals[at - 1]
        for risen in range(was + 1, now + 1):
            if risen in fell_at:
                assert ordinals[at - 1] > fell_at.pop(risen) + MARGIN_MILLI


@given(st.lists(st.tuples(_ordinals, st.integers(0, 20_000)), max_size=60), _ordinals)
def test_who_was_at_least_as_good_all_the_time_is_never_lower(
    pairs: list[tuple[int, int]], start: int
) -> None:
    weaker = played([low for low, _ in pairs], leagues.placed(start))
    stronger = played([low + more for low, more in pairs], leagues.placed(start))
    for low, high in zip(weaker, stronger, strict=True):
        assert high.division >= low.division
        assert high.best >= low.best


def test_the_best_and_the_worst_go_no_further() -> None:
    top, bottom = leagues.placed(10**6), leagues.placed(-(10**6))
    assert leagues.after(top, 10**6) == top == Standing(DIVISIONS - 1, 0, DIVISIONS - 1)
    assert leagues.after(bottom, -(10**6)) == bottom == Standing()


@pytest.mark.parametrize(
    ("sessions", "sigma_milli", "provisional"),
    [
        (0, 8_333, True),
        (9, 2_000, True),
        (10, 7_000, False),
        (10, 7_001, True),
        (500, 1_000, False),
    ],
)
def test_what_is_known_too_little_is_provisional(
    sessions: int, sigma_milli: int, provisional: bool
) -> None:
    assert leagues.provisional(sessions, sigma_milli) is provisional
