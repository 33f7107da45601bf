"""The draw: nobody sits twice, caps hold, and stake alone decides how often."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.court.draw import Candidate, TooFew, draw
from judges.court.terms import family_cap, panel_seats, quorum, reserves

candidates = st.lists(
    st.builds(
        Candidate,
        judge=st.uuids().map(str),
        operator=st.sampled_from("abcdefgh"),
        family=st.sampled_from(["one", "two", "three"]),
        weight=st.integers(0, 10**24),
    ),
    max_size=40,
)


def words(seed: int) -> list[int]:
    chance = random.Random(seed)
    return [chance.getrandbits(256) for _ in range(64)]


@given(candidates, st.sampled_from([5, 7, 11]), st.integers(0, 2**32))
def test_no_operator_sits_twice_and_no_family_has_more_than_its_cap(
    pool: list[Candidate], seats: int, seed: int
) -> None:
    try:
        panel = draw(pool, seats, words(seed).__getitem__)
    except TooFew:
        return
    drawn = [pool[at] for at in (*panel.seated, *panel.reserves)]
    assert len(panel.seated) == seats
    assert len(panel.reserves) <= reserves(seats)
    assert all(each.weight for each in drawn)
    assert max(Counter(each.operator for each in drawn).values()) == 1
    assert max(Counter(each.family for each in drawn).values()) <= family_cap(seats)


def test_a_judge_is_drawn_as_often_as_it_has_staked() -> None:
    pool = [Candidate(str(at), str(at), str(at), stake) for at, stake in enumerate((10, 30, 60))]
    first = Counter(draw(pool, 1, words(seed).__getitem__).seated[0] for seed in range(4_000))
    assert [round(first[at] / 4_000, 1) for at in range(3)] == [0.1, 0.3, 0.6]


def test_a_pool_that_is_too_small_says_how_many_it_could_seat() -> None:
    pool = [Candidate(str(at), str(at), "one", 1) for at in range(9)]
    with pytest.raises(TooFew, match="1 of 5 seats"):
        draw(pool, 5, words(1).__getitem__)


@pytest.mark.parametrize("seats", [5, 7, 11, 15, 23, 31])
def test_a_panel_without_a_third_still_has_its_quorum(seats: int) -> None:
    assert seats - reserves(seats) == quorum(seats) > seats // 2


def test_panels_grow_by_appeals() -> None:
    assert [panel_seats(False, appeals) for appeals in range(4)] == [5, 11, 23, 31]
    assert [panel_seats(True, appeals) for appeals in range(4)] == [7, 15, 31, 31]
