"""What judges may claim: whatever they are paid and docked, no sum falls and none is more than was earned."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from judges.court.earnings import Account, after, claimable, total

Pays = Sequence[tuple[str, int]]
pays = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-5_000, 1_500)), max_size=12)
epochs = st.lists(pays, max_size=6)


def run(told: Sequence[Pays]) -> list[dict[str, Account]]:
    accounts: dict[str, Account] = {}
    return [accounts := after(accounts, each) for each in told]


@given(epochs)
def test_what_one_may_claim_is_the_highest_that_its_pays_ever_came_to(told: list[Pays]) -> None:
    states = run(told)
    for judge in "abc":
        sums = itertools.accumulate(
            sum(pay for who, pay in epoch if who == judge) for epoch in told
        )
        highest = 0
        for so_far, accounts in zip(sums, states, strict=True):
            highest = max(highest, so_far)
            account = accounts.get(judge, Account())
            assert account == Account(so_far, highest)


@given(epochs)
def test_nobody_ever_has_less_to_claim(told: list[Pays]) -> None:
    for before, now in itertools.pairwise([{}, *run(told)]):
        assert all(now[who].earned >= had.earned for who, had in before.items())
        assert total(now) >= total(before)
        assert total(now) == sum(claimable(now).values())
        assert all(claimable(now).values())


@given(pays, st.randoms())
def test_the_order_within_an_epoch_is_nobodys_advantage(told: Pays, rng: random.Random) -> None:
    other = list(told)
    rng.shuffle(other)
    assert after({}, told) == after({}, other)


@given(epochs)
def test_all_together_never_claim_more_than_was_ever_paid(told: list[Pays]) -> None:
    paid = sum(max(0, pay) for epoch in told for _, pay in epoch)
    states = run(told)
    assert not states or total(states[-1]) <= paid


def test_a_loss_is_worked_off_before_anything_is_earned_again() -> None:
    states = run([[("a", 100)], [("a", -70)], [("a", 50)], [("a", 50)]])
    assert [each["a"].earned for each in states] == [100, 100, 100, 130]
    assert [each["a"].balance for each in states] == [100, 30, 80, 130]
