"""The scoring rules are proper as they are computed, and they are scoringrules' own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.brains.naive import quantile, walked
from spaces.prediction.params import Score
from spaces.prediction.score import (
    FORFEIT_SCALES,
    LOG_LEAST,
    MICROS,
    brier,
    by_scoringrules,
    crps,
    forfeited_crps,
    forfeited_probability,
    log,
    micros,
    probability_loss,
    reach,
    scale,
)

LEVELS = (5, 25, 50, 75, 95)
Rule = Callable[[Fraction, bool], Fraction]

values = st.integers(-10_000, 10_000).map(lambda n: Fraction(n, 10))
probabilities = st.integers(0, 1_000).map(lambda n: Fraction(n, 1_000))
inner_probabilities = st.integers(1, 999).map(lambda n: Fraction(n, 1_000))
level_sets = st.sets(st.integers(1, 99), min_size=1, max_size=7).map(lambda s: tuple(sorted(s)))
histories = st.lists(values, min_size=8, max_size=24)


@st.composite
def forecasts(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[Fraction, ...]]:
    levels = draw(level_sets)
    many = len(levels)
    return levels, tuple(sorted(draw(st.lists(values, min_size=many, max_size=many))))


@st.composite
def beliefs(draw: st.DrawFn) -> list[tuple[Fraction, Fraction]]:
    """(value, probability), finitely many, exact."""
    support = draw(st.lists(values, min_size=1, max_size=6, unique=True))
    weights = draw(st.lists(st.integers(1, 50), min_size=len(support), max_size=len(support)))
    return sorted((v, Fraction(w, sum(weights))) for v, w in zip(support, weights, strict=True))


def true_quantile(belief: Sequence[tuple[Fraction, Fraction]], level: int) -> Fraction:
    below = Fraction(0)
    for value, weight in belief:
        below += weight
        if below >= Fraction(level, 100):
            return value
    return belief[-1][0]


@given(beliefs(), forecasts(), st.integers(1, 10**6))
def test_crps_is_proper_with_scale_and_rounding(
    belief: list[tuple[Fraction, Fraction]],
    other: tuple[tuple[int, ...], tuple[Fraction, ...]],
    size: int,
) -> None:
    levels, said = other
    unit = Fraction(size, 1_000)
    honest = [true_quantile(belief, level) for level in levels]

    def expected(forecast: Sequence[Fraction]) -> Fraction:
        return sum((p * crps(forecast, levels, v) / unit for v, p in belief), Fraction(0))

    def as_scored(forecast: Sequence[Fraction]) -> Fraction:
        return sum((p * micros(crps(forecast, levels, v) / unit) for v, p in belief), Fraction(0))

    assert expected(honest) <= expected(said)
    assert as_scored(honest) <= as_scored(said) + 1, "rounding moves each by half a millionth"


@pytest.mark.parametrize("rule", [brier, log])
@given(truth=inner_probabilities, said=inner_probabilities)
def test_brier_and_log_are_strictly_proper(rule: Rule, truth: Fraction, said: Fraction) -> None:
    def expected(forecast: Fraction) -> Fraction:
        return truth * rule(forecast, True) + (1 - truth) * rule(forecast, False)

    def as_scored(forecast: Fraction) -> Fraction:
        return truth * micros(rule(forecast, True)) + (1 - truth) * micros(rule(forecast, False))

    assert expected(truth) <= expected(said)
    assert (expected(truth) == expected(said)) == (truth == said)
    assert as_scored(truth) <= as_scored(said) + 1


@given(truth=st.fractions(0, 1), said=inner_probabilities)
def test_within_the_bound_of_the_log_score_the_nearest_to_the_truth_is_best(
    truth: Fraction, said: Fraction
) -> None:
    def expected(forecast: Fraction) -> Fraction:
        return truth * log(forecast, True) + (1 - truth) * log(forecast, False)

    nearest = min(max(truth, LOG_LEAST), 1 - LOG_LEAST)
    # 40 digits of a logarithm: two beliefs that differ less cannot be told apart
    assert expected(nearest) <= expected(said) + Fraction(1, 10**35)


@given(truth=probabilities, said=probabilities)
def test_brier_is_proper_to_the_ends(truth: Fraction, said: Fraction) -> None:
    def expected(forecast: Fraction) -> Fraction:
        return truth * brier(forecast, True) + (1 - truth) * brier(forecast, False)

    assert expected(said) - expected(truth) == (said - truth) ** 2


def close(ours: Fraction, theirs: float) -> bool:
    return math.isclose(float(ours), theirs, rel_tol=1e-9, abs_tol=1e-9)


@settings(deadline=None, max_examples=50)  # the first example imports the library
@given(forecasts(), values)
def test_crps_is_that_of_scoringrules(
    forecast: tuple[tuple[int, ...], tuple[Fraction, ...]], value: Fraction
) -> None:
    levels, said = forecast
    assert close(crps(said, levels, value), by_scoringrules("crps", said, levels, value))


@pytest.mark.parametrize("rule", ["brier", "log"])
@settings(deadline=None)
@given(p=inner_probabilities, happened=st.booleans())
def test_probability_losses_are_those_of_scoringrules(
    rule: Score, p: Fraction, happened: bool
) -> None:
    theirs = by_scoringrules(rule, [p], (), Fraction(happened))
    assert close(probability_loss(rule, p, happened), theirs)


@given(st.fractions(0, 1), st.booleans())
def test_a_forfeit_costs_at_least_what_any_answer_does(p: Fraction, happened: bool) -> None:
    assert brier(p, happened) <= forfeited_probability("brier")
    bounded = min(max(p, LOG_LEAST), 1 - LOG_LEAST)
    assert log(bounded, happened) <= forfeited_probability("log")


@given(histories, st.integers(1, 4), level_sets, values)
def test_a_forfeit_is_never_better_than_the_naive_forecast(
    history: list[Fraction], horizon: int, levels: tuple[int, ...], value: Fraction
) -> None:
    unit = scale(history, horizon)
    if unit == 0:
        return
    futures = sorted(walked(history, horizon))
    naive = [quantile(futures, level) for level in levels]
    assert crps(naive, levels, value) / unit <= forfeited_crps(history[-1], levels, value, unit)


@given(histories, st.integers(1, 4))
def test_every_value_shown_is_within_reach(history: list[Fraction], horizon: int) -> None:
    low, high = reach(history[-1], scale(history, horizon))
    assert all(low <= value <= high for value in history)


@given(histories, st.integers(1, 4), st.integers(1, 1_000), values, forecasts(), values)
def test_the_unit_of_a_series_changes_no_score(
    history: list[Fraction],
    horizon: int,
    factor: int,
    shift: Fraction,
    forecast: tuple[tuple[int, ...], tuple[Fraction, ...]],
    value: Fraction,
) -> None:
    unit = scale(history, horizon)
    if unit == 0:
        return
    levels, said = forecast
    moved = [one * factor + shift for one in said]
    assert scale([one * factor + shift for one in history], horizon) == unit * factor
    assert crps(moved, levels, value * factor + shift) / (unit * factor) == (
        crps(said, levels, value) / unit
    )


def test_by_hand() -> None:
    assert scale([Fraction(n) for n in (1, 2, 4, 4)], 2) == Fraction(5, 2)
    quantiles = [Fraction(n) for n in (1, 2, 3, 4, 5)]
    assert crps(quantiles, LEVELS, Fraction(3)) == Fraction(28, 100)
    assert forfeited_crps(Fraction(3), LEVELS, Fraction(5), Fraction(1)) == 2 + FORFEIT_SCALES
    assert brier(Fraction(1, 5), True) == Fraction(16, 25)
    assert micros(log(Fraction(1, 2), True)) == 693_147
    assert micros(log(LOG_LEAST, True)) == 6_907_755
    assert log(Fraction(1), True) == 0
    assert [micros(Fraction(n, 2 * MICROS)) for n in (1, 3, -1, -3)] == [0, 2, 0, -2]
