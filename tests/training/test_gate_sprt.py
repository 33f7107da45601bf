"""The sequential test of a candidate: what it computes, and how often it is wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.gate import sprt
from training.gate.sprt import Bounds, Sprt

COUNTS = st.tuples(*[st.integers(0, 60)] * 5).filter(any)
SCORES = st.lists(st.integers(0, 4), max_size=120)


def test_the_bounds_are_walds() -> None:
    assert Bounds().upper == pytest.approx(math.log(19))
    assert Bounds().lower == pytest.approx(-math.log(19))


def test_a_sweep_of_every_pair_needs_sixteen_of_them() -> None:
    tests = sprt.after([4] * 30)
    assert [each.state for each in tests].index("passed") == 15
    assert tests[-1].pairs == 16, "what has ended takes no more"


def test_pairs_that_are_always_shared_fail() -> None:
    assert sprt.after([2] * 30)[-1].state == "failed"


def test_a_test_that_does_not_decide_ends_at_its_most() -> None:
    tests = sprt.after([4, 0, 4, 0, 4], Bounds(most=5))
    assert [each.state for each in tests] == ["running"] * 4 + ["undecided"]


@given(COUNTS, st.floats(0.05, 0.9), st.floats(0.02, 0.09))
def test_the_ratio_changes_its_sign_with_the_hypotheses(
    counts: sprt.Counts, p0: float, more: float
) -> None:
    forth, back = sprt.llr(counts, p0, p0 + more), sprt.llr(counts, p0 + more, p0)
    assert forth == pytest.approx(-back, abs=1e-6)


@given(COUNTS)
def test_what_a_candidate_wins_another_loses(counts: sprt.Counts) -> None:
    a, b, c, d, e = counts
    assert sprt.llr(counts, 0.5, 0.6) == pytest.approx(
        sprt.llr((e, d, c, b, a), 0.5, 0.4), abs=1e-6
    )
    low, high = sprt.interval(counts)
    turned_low, turned_high = sprt.interval((e, d, c, b, a))
    assert (low, high) == pytest.approx((1 - turned_high, 1 - turned_low), abs=1e-9)
    assert 0 <= low <= sprt.mean(counts) <= high <= 1


@given(COUNTS)
def test_the_best_distribution_has_the_mean_that_is_asked_for(counts: sprt.Counts) -> None:
    seen = [max(each, sprt.UNSEEN) for each in counts]
    shares = [each / sum(seen) for each in seen]
    for p in (0.5, 0.6):
        tilt = sprt._tilt(shares, p)
        fits = [s / (1 + tilt * (x / 4 - p)) for x, s in enumerate(shares)]
        assert min(fits) > 0
        assert sum(fits) == pytest.approx(1, abs=1e-6)
        assert sum(x / 4 * fit for x, fit in enumerate(fits)) == pytest.approx(p, abs=1e-6)


@given(SCORES)
def test_the_states_follow_each_other_as_they_are_drawn(scores: list[int]) -> None:
    tests = [Sprt(), *sprt.after(scores)]
    for before, after in pairwise(tests):
        if before.state != "running":
            assert after == before
        else:
            assert after.pairs == before.pairs + 1
            inside = after.bounds.lower < after.llr < after.bounds.upper
            assert inside == (after.state in ("running", "undecided"))


@pytest.mark.parametrize("wrong", [-1, 5])
def test_no_pair_scores_so(wrong: int) -> None:
    with pytest.raises(ValueError, match="0 to 4 half points"):
        Sprt().take(wrong)


def test_p0_is_the_smaller_one() -> None:
    with pytest.raises(ValueError, match="smaller"):
        Bounds(p0=0.6, p1=0.5)


# ---------------------------------------------------------------------- error rates, by simulation

Pair = Callable[[random.Random], int]


def coins(p: float, draws: float = 0.0) -> Pair:
    """Two independent matches of the mean score p, of which a share is drawn."""

    def pair(rng: random.Random) -> int:
        return sum(
            1 if rng.random() < draws else 2 * (rng.random() < (p - draws / 2) / (1 - draws))
            for _ in range(2)
        )

    return pair


def seats(p: float) -> Pair:
    """The seat decides most matches, so that most pairs are shared."""

    def pair(rng: random.Random) -> int:
        drawn = rng.random()
        return 4 if drawn < p - 0.35 else 0 if drawn < 0.3 else 2

    return pair


def ended(pair: Pair, runs: int, seed: int) -> tuple[dict[str, float], float]:
    """How often a test ended how, and its mean number of pairs."""
    rng, states, pairs = (
        random.Random(seed),
        dict.fromkeys(("passed", "failed", "undecided"), 0.0),
        0,
    )
    for _ in range(runs):
        test = Sprt()
        while test.state == "running":
            test = test.take(pair(rng))
        states[test.state] += 1 / runs
        pairs += test.pairs
    return states, pairs / runs


RUNS = 400
"""A rate of 0.05 is then told to within 0.022, twice its standard error."""


@pytest.mark.parametrize(
    ("equal", "pairs"), [(coins(0.5), 69), (coins(0.5, 0.5), 37), (seats(0.5), 44)]
)
def test_who_is_not_better_is_seldom_promoted(equal: Pair, pairs: int) -> None:
    states, took = ended(equal, RUNS, seed=1)
    assert states["passed"] < 0.05 + 0.033
    assert took == pytest.approx(pairs, rel=0.15)


@pytest.mark.parametrize(
    ("better", "pairs"), [(coins(0.6), 68), (coins(0.6, 0.5), 38), (seats(0.6), 39)]
)
def test_who_is_better_is_seldom_turned_away(better: Pair, pairs: int) -> None:
    states, took = ended(better, RUNS, seed=2)
    assert states["passed"] > 0.95 - 0.035
    assert took == pytest.approx(pairs, rel=0.15)


def test_the_interval_covers_what_it_says() -> None:
    rng, covered, runs = random.Random(3), 0, 1_500
    for _ in range(runs):
        counts = [0] * 5
        for _ in range(50):
            counts[coins(0.6, 0.3)(rng)] += 1
        low, high = sprt.interval(counts)
        covered += low <= 0.6 <= high
    assert 0.93 < covered / runs < 0.985
