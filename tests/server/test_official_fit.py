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


def doubt(found: Fit, one: int = 0, other: int = 1) -> float:
    v = found.covariance
    return math.sqrt(v[one, one] + v[other, other] - 2 * v[one, other])


def test_a_ranking_is_the_choices_it_is_made_of() -> None:
    two, three = split([([7, 8, 9], [2, 1, 3]), ([7, 8], [1, 1])])
    assert (two.seats, three.seats) == (2, 3)
    assert three.left.tolist() == [[8, 7, 9]]
    assert three.chosen.tolist() == [[True, False, False]]
    assert two.left.tolist() == [[7, 9], [7, 8]]
    assert two.chosen.tolist() == [[True, False], [True, True]]
    assert tie_sizes([two, three]) == (2,)
    assert split([([1], [1]), ([], [])]) == []


def test_two_contestants_have_the_odds_of_half_a_win_more_each() -> None:
    """Jeffreys' prior of a proportion: (wins + 1/2) / (losses + 1/2), the empirical logit."""
    for wins, losses in ((3, 1), (10, 0), (0, 0), (7, 7)):
        found = fitted(2, *[([0, 1], [1, 2])] * wins, *[([0, 1], [2, 1])] * losses)
        if wins + losses:
            assert lead(found) == pytest.approx(
                math.log((wins + 0.5) / (losses + 0.5)), rel=0.03, abs=1e-9
            )
        else:
            assert lead(found) == 0
            assert doubt(found) > 10, "who has never met is as far apart as may be"


def test_many_sessions_tell_the_odds_and_their_doubt() -> None:
    found = fitted(2, *[([0, 1], [1, 2])] * 600, *[([0, 1], [2, 1])] * 200)
    assert lead(found) == pytest.approx(math.log(3), abs=0.01)
    assert doubt(found) == pytest.approx(math.sqrt(1 / 600 + 1 / 200), rel=0.01)


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
    assert 2 < lead(found, 0, 1) < 4
    assert doubt(found, 0, 1) > 1


def test_groups_that_have_never_met_cannot_be_compared() -> None:
    found = fitted(4, *[([0, 1], [1, 2]), ([0, 1], [2, 1])] * 50, *[([2, 3], [1, 2])] * 50)
    assert doubt(found, 0, 1) < 0.3
    assert doubt(found, 0, 2) > 5


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


@settings(max_examples=40, deadline=None)
@given(leagues_of_five(), st.permutations(range(5)), st.data())
def test_neither_names_nor_seats_nor_order_matter(
    rankings: list[Ranking], names: list[int], data: st.DataObject
) -> None:
    found = fitted(5, *rankings)
    assert np.all(np.isfinite(found.theta))
    assert np.all(np.linalg.eigvalsh(found.covariance) > 0)
    shuffled = [
        ([names[who[i]] for i in seats], [ranks[i] for i in seats])
        for who, ranks in data.draw(st.permutations(rankings))
        for seats in [data.draw(st.permutations(range(len(who))))]
    ]
    again = fitted(5, *shuffled)
    for who, name in enumerate(names):
        assert again.theta[name] == pytest.approx(found.theta[who], abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(leagues_of_five(), st.integers(0, 4), st.integers(0, 4))
def test_one_more_win_never_costs(rankings: list[Ranking], one: int, other: int) -> None:
    if one == other:
        return
    before = fitted(5, *rankings, ([one, other], [2, 1]))
    after = fitted(5, *rankings, ([one, other], [1, 2]))
    assert lead(after, one, other) >= lead(before, one, other) - 1e-9
