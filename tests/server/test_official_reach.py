"""Critical values: 1.96 without a bias, and never too short for any distribution that a bias may have."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr  # type: ignore[import-untyped]

from server.official.reach import critical_here, critical_on_average, reach


def missed(critical: float, bias: float) -> float:
    return float(ndtr(-critical - bias) + ndtr(bias - critical))


def on_average(mean_square: float) -> float:
    return float(critical_on_average(np.array([mean_square]))[0])


def test_without_a_bias_it_is_the_usual_interval() -> None:
    assert on_average(0) == pytest.approx(1.959964, abs=1e-6)
    assert critical_here(np.zeros(1))[0] == pytest.approx(1.959964, abs=1e-6)
    assert reach(np.array([2.0]), np.zeros(1), np.zeros(1))[0] == pytest.approx(3.919928, abs=1e-5)


@given(st.floats(0, 30))
def test_a_known_bias_is_missed_in_one_of_twenty_cases(bias: float) -> None:
    critical = float(critical_here(np.array([bias]))[0])
    assert missed(critical, bias) == pytest.approx(0.05, abs=1e-9)


@given(st.floats(0.001, 200), st.floats(0, 1), st.floats(0.001, 1))
def test_no_distribution_of_the_bias_is_missed_more_often(
    mean_square: float, low: float, share: float
) -> None:
    """Two points: the worst distribution has no more."""
    small = low * mean_square
    large = (mean_square - (1 - share) * small) / share
    critical = on_average(mean_square)
    found = (1 - share) * missed(critical, math.sqrt(small)) + share * missed(
        critical, math.sqrt(large)
    )
    assert found <= 0.05 + 1e-4


@given(st.floats(0, 200))
def test_it_reaches_at_least_as_far_as_for_a_normal_bias(mean_square: float) -> None:
    assert on_average(mean_square) >= 1.959964 * math.sqrt(1 + mean_square) - 1e-3


def test_more_bias_reaches_further() -> None:
    squares = np.geomspace(1e-4, 1e5, 500)
    assert np.all(np.diff(critical_on_average(squares)) >= 0)


def test_the_wider_of_the_two_stands() -> None:
    spread = np.ones(2)
    pulled, free = reach(spread, np.array([0.1, 0.1]), np.array([-2.0, 0.0]))
    assert pulled == pytest.approx(critical_here(np.array([2.0]))[0])
    assert free == pytest.approx(on_average(0.1))
