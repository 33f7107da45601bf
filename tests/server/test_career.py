from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.career import (
    Tally,
    average_milli,
    of_seat,
    roi_milli,
    win_rate,
)


def test_a_first_place_is_won_alone_or_shared() -> None:
    ranks = (1, 3, 1)
    assert [of_seat(ranks, seat, 5, 10, 0).draws for seat in range(3)] == [1, 0, 1]
    assert of_seat((2, 1), 1, 700, 10, 19) == Tally(
        wins=1, score_milli=700, scored=1, paid_micros=10, won_micros=19
    )
    assert of_seat((2, 1), 0, None, 10, 0) == Tally(losses=1, paid_micros=10)


def test_a_void_session_counts_as_void_and_nothing_else() -> None:
    assert of_seat(None, 0, None, 10, 10) == Tally(voids=1)


def test_nothing_played_has_no_rate_no_average_and_no_return() -> None:
    tally = Tally(voids=3)
    assert (win_rate(tally), average_milli(tally), roi_milli(tally)) == (None, None, None)


def test_wilson_s_interval_at_known_points() -> None:
    # Agresti & Coull 1998 and any statistics package: 0 of 10, 5 of 10, 81 of 263.
    none = win_rate(Tally(losses=10))
    half = win_rate(Tally(wins=5, losses=5))
    some = win_rate(Tally(wins=81, losses=182))
    assert none is not None
    assert half is not None
    assert some is not None
    assert (none.milli, none.low_milli, none.high_milli) == (0, 0, 278)
    assert (half.milli, half.low_milli, half.high_milli) == (500, 237, 763)
    assert (some.milli, some.low_milli, some.high_milli) == (308, 255, 366)


def test_returns_are_of_what_was_paid() -> None:
    assert roi_milli(Tally(paid_micros=200_000, won_micros=190_000)) == -50
    assert roi_milli(Tally(paid_micros=100, won_micros=250)) == 1_500
    assert average_milli(Tally(score_milli=10, scored=4)) == 2  # half to even, as Python rounds


tallies = st.builds(Tally, *[st.integers(0, 1_000)] * 8)


@given(tallies)
def test_the_interval_holds_the_rate(tally: Tally) -> None:
    rate = win_rate(tally)
    if rate is not None:
        assert 0 <= rate.low_milli <= rate.milli <= rate.high_milli <= 1_000
