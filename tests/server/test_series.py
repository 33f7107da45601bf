from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.career import Bucket, Tally
from server.series import POINTS, WIDTH_HOURS, Bucketing, Cut, cut, points


def nothing(session: str) -> None:
    return None


@pytest.mark.parametrize(
    ("hours", "days", "weeks", "expected"),
    [
        (0, 0, 0, Cut("hour", 1, 1)),
        (500, 60, 9, Cut("hour", 1, 1)),
        (501, 60, 9, Cut("day", 24, 1)),
        (9_000, 501, 90, Cut("week", 168, 1)),
        (90_000, 9_000, 1_001, Cut("week", 168, 3)),
    ],
)
def test_auto_is_the_finest_that_fits(hours: int, days: int, weeks: int, expected: Cut) -> None:
    assert cut("auto", {"hour": hours, "day": days, "week": weeks}) == expected


@given(st.sampled_from(list(WIDTH_HOURS)), st.integers(0, 10**6))
def test_what_is_asked_for_is_cut_to_few_enough(bucketing: Bucketing, spans: int) -> None:
    found = cut(bucketing, dict.fromkeys(WIDTH_HOURS, spans))
    assert found.bucket == bucketing
    assert -(-spans // found.each) <= POINTS
    assert found.each == 1 or -(-spans // (found.each - 1)) > POINTS


def test_returns_add_up_from_the_first_point_on() -> None:
    tallies = [Tally(wins=1, paid_micros=100, won_micros=190), Tally(losses=2, paid_micros=100)]
    found = points([Bucket(i, t, f"s{i}") for i, t in enumerate(tallies)], nothing, with_score=True)
    assert [point.roi_milli for point in found] == [900, -50]
    assert [(point.sessions, point.wins, point.score_milli) for point in found] == [
        (1, 1, None),
        (2, 0, None),
    ]


def test_a_rating_stands_where_one_is_known() -> None:
    buckets = [Bucket(1, Tally(wins=1), "a"), Bucket(2, Tally(wins=1), "b")]
    found = points(buckets, {"b": (25_500, 8_000)}.get, with_score=False)
    assert [(point.mu_milli, point.sigma_milli) for point in found] == [
        (None, None),
        (25_500, 8_000),
    ]
