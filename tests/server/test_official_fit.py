"""The fit: known cases, what must not matter, and what exists where likelihood alone has no maximum."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.official.fit import Fit, fit
from server.official.stages import Ranking, split, tie_sizes


def fitted(field: int, *rankings: Ranking) -> Fit:
    return fit(field, split(rankings))


def lead(found: Fit, one: int = 0, other: int = 1) -> float:
    return float(found.theta[one] - found.theta[other])


def doubt(field: int, *rankings: Ranking, one: int = 0, other: int = 1) -> float:
    """Of the distance between the two."""
    against = np.eye(field)[other]
    return float(fit(field, split(rankings), against).doubt[one])


def test_a_ranking_is_the_choices_it_is_made_of() -> None:
    two, three = split([([7, 8, 9], [2, 1, 3]), ([7, 8], [1, 1])])
    assert (two.seats, three.seats) == (2, 3)
    assert three.left.tolist() == [[8, 7, 9]]
    assert three.chosen.tolist() == [[True, False, False]]
    assert two.left.tolist() == [[7, 9], [7, 8]]
    assert two.chosen.tolist() == [[True, False], [True, True]]
    assert tie_sizes([two, three]) == (2,)
    assert split([([1], [1]), ([], [])]) == []


def test_many_sessions_tell_the_odds_and_their_doubt() -> None:
    games = [([0, 1], [1, 2])] * 600 + [([0, 1], [2, 1])] * 200
    assert lead(fitted(2, *games)) == pytest.approx(math.log(3), abs=0.02)
    assert doubt(2, *games) == pytest.approx(math.sqrt(1 / 600 + 1 / 200), rel=0.03)


def test_few_sessions_say_little_and_none_say_nothing() -> None:
    three = [([0, 1], [1, 2])] * 3
    assert 0.2 < lead(fitted(2, *three)) < 1.5 * doubt(2, *three), "that may have been luck"
    assert lead(fitted(2)) == 0
    assert doubt(2) > 1.5 > doubt(2, *[([0, 1], [1, 2]), ([0, 1], [2, 1])] * 3)


def test_strengths_are_told_against_the_mean_under_the_weights() -> None:
    games = split([([0, 1, 2], [1, 2, 3]), ([2, 0, 1], [1, 2, 3])] * 9)
    for weights in (np.ones(3), np.array([5.0, 1.0, 0.0])):
        found = fit(3, games, weights)
        assert weights @ found.theta == pytest.approx(0, abs=1e-9)
    alone = fit(3, games, np.array([0.0, 1.0, 0.0]))
    assert (alone.theta[1], alone.doubt[1]) == (0, pytest.approx(0, abs=1e-6))


def test_draws_have_a_strength_of_their_own() -> None:
    """Davidson's model: win, draw and loss in proportion to 1 : delta : 1 between equals."""
    games = [([0, 1], [1, 2])] * 100 + [([0, 1], [2, 1])] * 100 + [([0, 1], [1, 1])] * 50
    found = fitted(2, *games)
    assert lead(found) == pytest.approx(0, abs=1e-9)
    assert found.tie[2] == pytest.approx(math.log(0.5), abs=0.02)


def test_a_draw_speaks_for_the_weaker() -> None:
    chain = [([0, 1], [1, 2])] * 8 + [([0, 1], [2, 1])] * 2
    drawn = fitted(2, *chain, *[([0, 1], [1, 1])] * 10)
    assert 0 < lead(drawn) < lead(fitted(2, *chain))


def test_who_has_only_won_is_not_infinitely_strong() -> None:
    found = fitted(3, *[([0, 1], [1, 2])] * 5, *[([1, 2], [1, 2])] * 5)
    assert np.all(np.isfinite(found.theta))
    assert 0.5 < lead(found, 0, 1) < 4
    assert found.theta[0] > found.theta[1] > found.theta[2]


def test_groups_that_have_never_met_are_as_far_apart_as_anybody() -> None:
    games = [([0, 1], [1, 2]), ([0, 1], [2, 1]), ([2, 3], [1, 2]), ([2, 3], [2, 1])] * 50
    assert doubt(4, *games, one=0, other=1) < 0.25
    assert doubt(4, *games, one=0, other=2) > doubt(4, *games, ([0, 2], [1, 2]), one=0, other=2)


def test_all_that_share_a_place_are_one_choice() -> None:
    everybody = fitted(5, *[([0, 1, 2, 3, 4], [1, 1, 1, 1, 1])] * 3)
    assert np.ptp(everybody.theta) == pytest.approx(0, abs=1e-9)
    podium = fitted(5, *[([0, 1, 2, 3, 4], [1, 1, 3, 4, 4])] * 6)
    assert lead(podium, 0, 1) == pytest.approx(0, abs=1e-9)
    assert lead(podium, 3, 4) == pytest.approx(0, abs=1e-9)
    assert podium.theta[0] > podium.theta[2] > podium.theta[3]


@st.composite
def leagues_of_five(draw: st.DrawFn) -> list[Ranking]:
    sessions = draw(st.integers(1, 12))
    found: list[Ranking] = []
    for _ in range(sessions):
        seats = draw(st.integers(2, 4))
        who = draw(st.permutations(range(5)))[:seats]
        found.append((who, draw(st.lists(st.integers(1, seats), min_size=seats, max_size=seats))))
    return found


@settings(max_examples=15, deadline=None)
@given(leagues_of_five(), st.permutations(range(5)), st.data())
def test_neither_names_nor_seats_nor_order_matter(
    rankings: list[Ranking], names: list[int], data: st.DataObject
) -> None:
    found = fitted(5, *rankings)
    assert np.all(np.isfinite(found.theta))
    assert np.all(found.reach >= 1.95 * found.doubt)
    assert np.all(found.doubt > 0)
    shuffled = [
        ([names[who[i]] for i in seats], [ranks[i] for i in seats])
        for who, ranks in data.draw(st.permutations(rankings))
        for seats in [data.draw(st.permutations(range(len(who))))]
    ]
    again = fitted(5, *shuffled)
    for who, name in enumerate(names):
        assert again.theta[name] == pytest.approx(found.theta[who], abs=1e-6)
        assert again.doubt[name] == pytest.approx(found.doubt[who], abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(leagues_of_five(), st.integers(0, 4), st.integers(0, 4))
def test_one_more_win_never_costs(rankings: list[Ranking], one: int, other: int) -> None:
    if one == other:
        return
    before = fitted(5, *rankings, ([one, other], [2, 1]))
    after = fitted(5, *rankings, ([one, other], [1, 2]))
    assert lead(after, one, other) >= lead(before, one, other) - 1e-9
