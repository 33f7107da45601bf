"""The arithmetic of ratings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import ratings
from server.ratings import Rating

_ratings = st.builds(Rating, st.integers(-10_000, 60_000), st.integers(500, 8_333))


def test_a_first_win() -> None:
    """openskill's own numbers for a first game: 27.63526 / 22.36474, sigma 8.06559."""
    winner, loser = ratings.update((1, 2), (Rating(), Rating()))
    assert (winner.mu_milli, loser.mu_milli) == (27_635, 22_365)
    assert winner.sigma_milli == loser.sigma_milli == 8_066


def test_a_draw_of_equals_moves_only_the_doubt() -> None:
    one, other = ratings.update((1, 1), (Rating(), Rating()))
    assert one == other
    assert one.mu_milli == ratings.START_MU_MILLI
    assert one.sigma_milli < ratings.START_SIGMA_MILLI


@given(_ratings, _ratings)
def test_winning_never_costs(one: Rating, other: Rating) -> None:
    won, lost = ratings.update((1, 2), (one, other))
    assert won.mu_milli >= one.mu_milli
    assert lost.mu_milli <= other.mu_milli


@given(st.lists(_ratings, min_size=2, max_size=5), st.data())
def test_seats_do_not_matter(before: list[Rating], data: st.DataObject) -> None:
    ranks = data.draw(st.permutations(range(1, len(before) + 1)))
    places = data.draw(st.permutations(range(len(before))))
    after = ratings.update(ranks, before)
    moved = ratings.update([ranks[i] for i in places], [before[i] for i in places])
    for at, place in enumerate(places):
        assert abs(moved[at].mu_milli - after[place].mu_milli) <= 1
        assert abs(moved[at].sigma_milli - after[place].sigma_milli) <= 1


def test_the_better_agent_rises() -> None:
    strong, weak = Rating(), Rating()
    for session in range(40):
        ranks = (2, 1) if session % 5 == 4 else (1, 2)
        strong, weak = ratings.update(ranks, (strong, weak))
    assert strong.mu_milli > weak.mu_milli + 3_000
    assert strong.sigma_milli < 5_000


@pytest.mark.parametrize(
    ("returns", "ranks", "won"),
    [
        ((1, -1), (1, 2), (True, False)),
        ((-1, 1), (2, 1), (False, True)),
        ((0, 0), (1, 1), (False, False)),
        ((5, 9, 5, 1, 9), (3, 1, 3, 5, 1), (False, False, False, False, False)),
        ((3, 9, 3), (2, 1, 2), (False, True, False)),
    ],
)
def test_ranks_of_returns(
    returns: tuple[int, ...], ranks: tuple[int, ...], won: tuple[bool, ...]
) -> None:
    assert ratings.ranks_of(returns) == ranks
    assert ratings.winners(ranks) == won


@pytest.mark.parametrize("ranks", [(1,), (1, 2, 3)])
def test_every_seat_has_a_rank(ranks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ranks for"):
        ratings.update(ranks, (Rating(), Rating())[: max(1, len(ranks) - 1)])


@given(_ratings)
def test_a_new_version_keeps_its_mu_and_is_doubted_more(before: Rating) -> None:
    after = ratings.promoted(before)
    assert after.mu_milli == before.mu_milli
    assert before.sigma_milli <= after.sigma_milli <= ratings.START_SIGMA_MILLI
    assert after.sigma_milli >= ratings.PROMOTION_SIGMA_MILLI


@given(_ratings, _ratings)
def test_a_season_begins_closer_together_in_the_same_order(one: Rating, other: Rating) -> None:
    first, second = ratings.season_start(one), ratings.season_start(other)
    assert abs(first.mu_milli - 25_000) <= abs(one.mu_milli - 25_000)
    assert abs(first.mu_milli - second.mu_milli) <= abs(one.mu_milli - other.mu_milli)
    assert one.sigma_milli <= first.sigma_milli <= ratings.START_SIGMA_MILLI
    if one.mu_milli > other.mu_milli:
        assert first.mu_milli >= second.mu_milli


def test_a_season_changes_nothing_for_who_has_not_played() -> None:
    assert ratings.season_start(Rating()) == Rating()
    assert ratings.season_start(Rating(33_000, 2_000)) == Rating(31_000, 6_059)
    assert ratings.season_start(Rating(17_000, 2_000)) == Rating(19_000, 6_059)


@pytest.mark.parametrize(
    ("versions", "owners", "why"),
    [
        (["a@1", "b@1"], ["x", "y"], ""),
        (["a@1", "a@1"], ["x", "x"], "one version had several seats"),
        (["a@1", "b@1"], ["x", "x"], "one account had several seats"),
        (["a@1", "b@1", "c@1"], ["x", "house", "x"], "one account had several seats"),
        (["a@1", "b@1"], ["house", "house"], ""),
    ],
)
def test_who_seats_several_moves_no_rating(
    versions: list[str], owners: list[str], why: str
) -> None:
    assert ratings.unrated(versions, owners) == why
