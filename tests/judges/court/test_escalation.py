"""The next hearing: a bigger panel for a close one, the same without the absent for one that failed, and an end to both."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.court.draw import Candidate, Panel, draw
from judges.court.escalation import (
    FRAC,
    Again,
    Ended,
    Stands,
    Void,
    certain_seats,
    coverable,
    following,
    seat_lock,
)

CLOSE, CLEAR = 299, 300


def after(*hearings: Ended, most: int = 2, seats: int = 31) -> Again | Stands | Void:
    return following(hearings, 300, most, lambda wanted: wanted <= seats)


def test_a_clear_winner_stands_and_a_close_one_is_looked_at_again() -> None:
    assert after(Ended(7, CLEAR)) == Stands(0)
    again = after(Ended(7, CLOSE))
    assert isinstance(again, Again)
    assert again.seats == 15


def test_bigger_panels_end() -> None:
    assert after(Ended(7, CLOSE), Ended(15, CLOSE), most=1) == Stands(1)
    again = after(Ended(7, CLOSE), Ended(15, CLOSE))
    assert isinstance(again, Again)
    assert again.seats == 31
    assert after(Ended(7, 0), Ended(15, 0), Ended(31, 0), most=9) == Stands(2)
    assert after(Ended(7, CLOSE), seats=14) == Stands(0), "none bigger can be seated"


def test_a_failed_panel_is_drawn_again_and_once() -> None:
    failed = Ended(5, None)
    again = after(failed)
    assert isinstance(again, Again)
    assert again.seats == 5
    assert isinstance(after(failed, Ended(5, None)), Void)
    assert isinstance(after(failed, seats=4), Void)


def test_where_bigger_panels_fail_the_last_verdict_stands() -> None:
    failed = Ended(15, None)
    again = after(Ended(7, CLOSE), failed)
    assert isinstance(again, Again)
    assert again.seats == 15
    assert after(Ended(7, CLOSE), failed, failed) == Stands(0)


endings = st.one_of(st.none(), st.integers(0, 1_000))


@given(st.lists(endings, min_size=1, max_size=12), st.integers(0, 4), st.integers(1, 31))
def test_there_is_always_an_end(margins: list[int | None], most: int, room: int) -> None:
    hearings: list[Ended] = []
    seats = 5
    for margin in margins * 3:
        hearings.append(Ended(seats, margin))
        then = following(hearings, 300, most, lambda wanted: wanted <= room)
        if not isinstance(then, Again):
            if isinstance(then, Stands):
                assert hearings[then.hearing].margin is not None
            else:
                assert all(each.margin is None for each in hearings)
            return
        assert seats <= then.seats <= 31
        seats = then.seats
    raise AssertionError(f"{len(hearings)} hearings and no end")


pools = st.lists(
    st.builds(
        Candidate,
        judge=st.uuids().map(str),
        operator=st.sampled_from("abcdefghijklmn"),
        family=st.sampled_from(["one", "two", "three", "four"]),
        weight=st.integers(0, 100),
    ),
    max_size=30,
)


@given(pools, st.sampled_from([1, 3, 5, 7]), st.integers(0, 2**32))
def test_a_panel_that_is_certain_is_drawn_whatever_the_chance(
    pool: list[Candidate], seats: int, seed: int
) -> None:
    chance = random.Random(seed)
    if certain_seats(pool, seats) >= seats:
        panel = draw(pool, seats, lambda at: chance.getrandbits(256))
        assert isinstance(panel, Panel)
        assert len(panel.seated) == seats


def test_a_bought_majority_loses_more_than_the_pot() -> None:
    """At the price that is assumed."""
    for pot in (0, 1, 200_000, 50_000_000):
        lock = seat_lock(pot, 7, 20_000, least=FRAC)
        assert lock >= FRAC
        assert 4 * lock * 20_000 >= pot * FRAC
    pool = [Candidate(str(at), str(at), str(at), 10 * FRAC) for at in range(7)]
    assert coverable(pool, 7, 10 * FRAC)
    assert not coverable(pool, 7, 10 * FRAC + 1)
    assert not coverable([], 7, 0)


@pytest.mark.parametrize("seats", [5, 7, 31])
def test_nobody_can_be_seated_where_nobody_is(seats: int) -> None:
    assert certain_seats([], seats) == 0
