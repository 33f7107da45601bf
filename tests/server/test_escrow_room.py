"""Whether an escrow has room for an entry: for any purse, what is let in stays within balance, cap and the most for one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.days import DAY_MS
from server.escrow_room import (
    AWAITING,
    DAY,
    EXPIRES_IN_S,
    Limits,
    Purse,
    hours_left,
    next_day_ms,
    refused,
)

NOW_MS = 1_800_000_000_000
WALLET = "0x" + "1" * 40
micros = st.integers(0, 30)
limits = st.none() | st.builds(
    Limits,
    micros,
    micros,
    st.integers(NOW_MS // 1_000 - 5, NOW_MS // 1_000 + 2 * EXPIRES_IN_S),
)
purses = st.builds(Purse, st.just(WALLET), st.booleans(), micros, limits, micros, micros)


@given(purses, st.lists(st.integers(1, 8), max_size=8))
def test_what_is_let_in_can_be_paid(purse: Purse, entries: list[int]) -> None:
    let_in = 0
    for entry in entries:
        if refused(purse, entry, NOW_MS) is None:
            assert purse.limits is not None
            assert entry <= purse.limits.max_entry_micros
            assert purse.limits.expires_s >= NOW_MS // 1_000
            purse = purse.taking(entry)
            let_in += entry
    if let_in:
        assert purse.limits is not None
        assert purse.unopened_micros <= purse.balance_micros
        assert purse.unopened_micros + purse.today_micros <= purse.limits.daily_cap_micros


@given(purses, st.integers(1, 8))
def test_what_is_refused_could_not_be_paid(purse: Purse, entry: int) -> None:
    error = refused(purse, entry, NOW_MS)
    if error is None:
        return
    asked, own = purse.unopened_micros + entry, purse.limits
    assert (
        own is None
        or entry > own.max_entry_micros
        or asked + purse.today_micros > own.daily_cap_micros
        or own.expires_s < NOW_MS // 1_000 + EXPIRES_IN_S
        or asked > purse.balance_micros
    )
    assert (error.code == AWAITING) <= (asked > purse.balance_micros)
    assert len(str(error)) <= 280, "it is an automation's reason"


def test_the_day_is_the_chains() -> None:
    purse = Purse(WALLET, True, 100, Limits(9, 10, 2**40), 0, 10)
    error = refused(purse, 1, NOW_MS)
    assert error is not None
    assert error.code == DAY
    assert next_day_ms(NOW_MS) % DAY_MS == 0
    assert 0 < next_day_ms(NOW_MS) - NOW_MS <= DAY_MS
    assert hours_left(next_day_ms(NOW_MS) - 1) == "1 min"
    assert hours_left(next_day_ms(NOW_MS) - DAY_MS) == "24 h 0 min"


def test_the_largest_amounts_fit_into_a_reason() -> None:
    most = 10**12
    purse = Purse(WALLET, True, most, Limits(most, most, 2**40), most, most)
    assert len(str(refused(purse, most, NOW_MS))) <= 280
