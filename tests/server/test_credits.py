from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.credits import Accounts, Credits


def test_a_full_bucket_may_be_spent_at_once_and_fills_again() -> None:
    credits = Credits(10, 5, now=100.0)
    assert [credits.spend(5, 100.0), credits.spend(5, 100.0)] == [0, 0]
    assert credits.spend(5, 100.0) == 1_000
    assert credits.spend(5, 100.5) == 500
    assert credits.spend(5, 101.0) == 0


def test_a_refused_spending_costs_nothing() -> None:
    credits = Credits(10, 1, now=0.0)
    credits.spend(8, 0.0)
    assert credits.spend(5, 0.0) > 0
    assert credits.spend(2, 0.0) == 0


def test_free_is_free_even_when_empty() -> None:
    credits = Credits(1, 1, now=0.0)
    credits.spend(1, 0.0)
    assert credits.spend(0, 0.0) == 0


def test_a_price_above_the_capacity_waits_for_a_full_bucket() -> None:
    credits = Credits(10, 1, now=0.0)
    assert credits.spend(50, 0.0) == 0
    assert credits.spend(50, 1.0) == 9_000
    assert credits.spend(50, 10.0) == 0


def test_a_clock_that_steps_back_gives_nothing_and_takes_nothing() -> None:
    credits = Credits(2, 1, now=100.0)
    credits.spend(2, 100.0)
    assert credits.spend(1, 50.0) == 1_000
    assert credits.spend(1, 101.0) == 0


@pytest.mark.parametrize(("capacity", "per_s"), [(0, 1), (1, 0), (-1, 1)])
def test_a_bucket_needs_room_and_a_rate(capacity: float, per_s: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Credits(capacity, per_s, 0.0)


@given(
    st.integers(1, 100),
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 3), st.integers(0, 20)), max_size=50),
)
def test_no_one_spends_more_than_was_there_and_came_back(
    capacity: int, per_s: int, steps: list[tuple[float, int]]
) -> None:
    credits, now, spent = Credits(capacity, per_s, 0.0), 0.0, 0
    for wait, cost in steps:
        now += wait
        if credits.spend(cost, now) == 0:
            spent += min(cost, capacity)
        assert spent <= capacity + now * per_s + 1e-6


def test_accounts_are_apart_and_remember_what_was_spent() -> None:
    accounts = Accounts(10, 5)
    assert [accounts.spend("a", 10, 0.0), accounts.spend("b", 10, 0.0)] == [0, 0]
    assert accounts.spend("a", 5, 0.0) == accounts.wait("a", 5, 0.0) == 1_000
    assert accounts.wait("c", 10, 0.0) == 0
    assert accounts.spend("a", 5, 1.0) == 0


def test_accounts_are_forgotten_when_they_are_full_again_and_not_before() -> None:
    accounts = Accounts(10, 5)
    accounts.spend("a", 10, 0.0)
    accounts.spend("b", 10, 1.9)
    assert len(accounts) == 2
    accounts.spend("b", 1, 2.1)
    assert len(accounts) == 1
    assert accounts.wait("a", 10, 2.1) == 0


def test_accounts_are_bounded() -> None:
    accounts = Accounts(10, 5, limit=3)
    for name in "abcda":
        accounts.spend(name, 10, 0.0)
    assert len(accounts) == 3
    assert accounts.wait("b", 1, 0.0) == 0
    assert accounts.wait("d", 1, 0.0) > 0


@given(st.integers(1, 100), st.integers(1, 50), st.integers(1, 100))
def test_waiting_as_told_is_enough(capacity: int, per_s: int, cost: int) -> None:
    credits = Credits(capacity, per_s, 0.0)
    credits.spend(capacity, 0.0)
    wait_ms = credits.spend(cost, 0.0)
    assert wait_ms >= 1
    assert credits.spend(cost, wait_ms / 1000) == 0
