"""The published measures, on their published examples."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.bench.measures import Share, alpha, mean_interval, tau, wilson

KRIPPENDORFF = (
    # Krippendorff 2011, the example of four observers and twelve units; missing values left out
    (1, 1, 1), (2, 2, 3, 2), (3, 3, 3, 3), (3, 3, 3, 3), (2, 2, 2, 2), (1, 2, 3, 4),
    (4, 4, 4, 4), (1, 1, 2, 1), (2, 2, 2, 2), (5, 5, 5), (1, 1), (3,),
)  # fmt: skip


def test_alpha_of_the_published_example() -> None:
    assert alpha(KRIPPENDORFF) == pytest.approx(0.849, abs=0.0005)
    assert alpha([(1, 1), (5, 5)]) == 1
    assert math.isnan(alpha([(3, 3), (3, 3)]))
    assert math.isnan(alpha([(3,)]))


def test_wilson() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_lies_around_its_share(counted: tuple[int, int]) -> None:
    share = Share(*counted)
    low, high = share.interval
    assert 0 <= low <= share.value + 1e-12
    assert share.value - 1e-12 <= high <= 1


def test_tau_b() -> None:
    assert tau([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(2 / 3)
    assert tau([1, 2, 3], [3, 2, 1]) == -1
    # 2 of 6 pairs are tied in the first, 1 in the second: (4 - 0) / sqrt(4 * 5)
    assert tau([1, 1, 2, 2], [1, 2, 3, 3]) == pytest.approx(4 / math.sqrt(20))
    assert math.isnan(tau([1, 1], [1, 2]))


def test_mean_and_its_interval() -> None:
    found = mean_interval([1, 2, 3, 4, 5])
    assert found.value == 3
    # t(4) = 2.776, deviation 1.5811
    assert (found.low, found.high) == pytest.approx((1.0368, 4.9632), abs=0.02)
    assert math.isnan(mean_interval([1]).low)
    assert mean_interval([]).of == 0
