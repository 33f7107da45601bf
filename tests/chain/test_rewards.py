"""Rewards: what was earned can be claimed by anybody, once, and no publisher gets at more than was funded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import boa
import pytest
from eth_utils.crypto import keccak

from chain.payout_tree import PayoutTree
from tests.chain.contracts import deploy, reverts
from tests.chain.roles import give_role
from tests.chain.wallets import wallet

ADMIN, PUBLISHER, GUARDIAN, TREASURY, ANN, BOB, EVE = (wallet(n).address for n in range(1, 8))
DAY = 86_400


class Stage(NamedTuple):
    frac: Any
    rewards: Any

    def post(self, epoch: int, cumulative: dict[str, int], total: int | None = None) -> PayoutTree:
        tree = PayoutTree(cumulative)
        total = tree.total if total is None else total
        self.rewards.post(epoch, tree.root, total, sender=PUBLISHER)
        return tree

    def claim(self, epoch: int, tree: PayoutTree, account: str) -> int:
        paid: int = self.rewards.claim(
            epoch, account, tree.cumulative(account), tree.proof(account), sender=EVE
        )
        return paid


@pytest.fixture
def stage() -> Iterator[Stage]:
    with boa.env.anchor():
        frac = deploy("frac", TREASURY)
        rewards = deploy("rewards", str(frac.address), sender=ADMIN)
        give_role(rewards, "publisher", PUBLISHER, ADMIN)
        give_role(rewards, "guardian", GUARDIAN, ADMIN)
        frac.approve(str(rewards.address), 2**255, sender=TREASURY)
        rewards.fund(1_000, sender=TREASURY)
        yield Stage(frac, rewards)


def test_anybody_brings_an_account_what_it_earned_and_no_more(stage: Stage) -> None:
    tree = stage.post(1, {ANN: 300, BOB: 200})
    boa.env.time_travel(seconds=DAY)
    assert stage.claim(1, tree, ANN) == 300
    assert stage.frac.balanceOf(ANN) == 300
    assert stage.claim(1, tree, ANN) == 0
    with reverts("rewards: the proof does not lead to the epoch's root"):
        stage.rewards.claim(1, BOB, 201, tree.proof(BOB))
    with reverts("rewards: the proof does not lead to the epoch's root"):
        stage.rewards.claim(1, EVE, 200, tree.proof(BOB))


def test_whoever_misses_epochs_misses_nothing(stage: Stage) -> None:
    stage.post(1, {ANN: 10, BOB: 5})
    boa.env.time_travel(seconds=DAY)
    tree = stage.post(2, {ANN: 30, BOB: 5})
    boa.env.time_travel(seconds=DAY)
    assert stage.claim(2, tree, ANN) == 30
    assert stage.claim(2, tree, BOB) == 5


def test_a_root_counts_after_a_day_and_the_guardian_may_veto_it_until_then(stage: Stage) -> None:
    tree = stage.post(1, {ANN: 10})
    with reverts("rewards: the epoch does not count yet"):
        stage.claim(1, tree, ANN)
    with reverts("rewards: the epoch before does not count yet"):
        stage.post(2, {ANN: 20})
    with reverts("rewards: caller is not the guardian"):
        stage.rewards.veto(1, sender=PUBLISHER)
    stage.rewards.veto(1, sender=GUARDIAN)
    with reverts("rewards: there is no such epoch"):
        stage.claim(1, tree, ANN)
    tree = stage.post(1, {ANN: 11})
    boa.env.time_travel(seconds=DAY)
    with reverts("rewards: that epoch is not waiting"):
        stage.rewards.veto(1, sender=GUARDIAN)
    assert stage.claim(1, tree, ANN) == 11


def test_a_total_never_falls_and_is_never_more_than_was_funded(stage: Stage) -> None:
    with reverts("rewards: the total is more than was funded"):
        stage.post(1, {ANN: 1_001})
    stage.post(1, {ANN: 400})
    boa.env.time_travel(seconds=DAY)
    with reverts("rewards: the total is less than before"):
        stage.post(2, {ANN: 399})
    with reverts("rewards: that is not the next epoch"):
        stage.post(3, {ANN: 500})
    # What was merely sent here is no funding.
    stage.frac.transfer(str(stage.rewards.address), 5_000, sender=TREASURY)
    with reverts("rewards: the total is more than was funded"):
        stage.post(2, {ANN: 1_001})


def test_a_root_that_lies_about_its_total_pays_no_more_than_the_total(stage: Stage) -> None:
    tree = stage.post(1, {ANN: 700, EVE: 900}, total=800)
    boa.env.time_travel(seconds=DAY)
    assert stage.rewards.claimable(EVE, 900) == 800
    assert stage.claim(1, tree, EVE) == 800
    assert stage.claim(1, tree, ANN) == 0
    assert stage.rewards.claimable(ANN, 700) == 0


def test_what_a_claim_was_short_of_is_paid_when_a_later_total_has_room(stage: Stage) -> None:
    tree = stage.post(1, {ANN: 700}, total=600)
    boa.env.time_travel(seconds=DAY)
    assert stage.claim(1, tree, ANN) == 600
    stage.post(2, {ANN: 700}, total=700)
    assert stage.claim(1, tree, ANN) == 0  # a total that does not count yet gives no room
    assert stage.rewards.claimable(ANN, 700) == 0
    boa.env.time_travel(seconds=DAY)
    assert stage.claim(1, tree, ANN) == 100
    assert stage.frac.balanceOf(ANN) == stage.rewards.claimed(ANN) == 700


def test_what_was_earned_is_claimed_for_all_before_a_hostile_root_counts(stage: Stage) -> None:
    honest = stage.post(1, {ANN: 300, BOB: 200})
    boa.env.time_travel(seconds=DAY)
    hostile = stage.post(2, {EVE: 500})
    # A watchman claims by the root before: in the whole day nothing of the new one can be claimed.
    with reverts("rewards: the epoch does not count yet"):
        stage.claim(2, hostile, EVE)
    assert stage.claim(1, honest, ANN) + stage.claim(1, honest, BOB) == 500
    boa.env.time_travel(seconds=DAY)
    assert stage.claim(2, hostile, EVE) == 0


def test_an_account_left_out_of_a_new_root_claims_by_the_old_one(stage: Stage) -> None:
    old = stage.post(1, {ANN: 300, BOB: 200})
    boa.env.time_travel(seconds=DAY)
    new = stage.post(2, {BOB: 400}, total=700)
    boa.env.time_travel(seconds=DAY)
    assert stage.claim(2, new, BOB) == 400
    assert stage.claim(1, old, ANN) == 300


def test_roles_are_offered_and_taken(stage: Stage) -> None:
    role = keccak(text="publisher")
    with reverts("ownable: caller is not the owner"):
        stage.rewards.offer_role(role, EVE, sender=EVE)
    stage.rewards.offer_role(role, BOB, sender=ADMIN)
    with reverts("roles: the role is not offered to the caller"):
        stage.rewards.take_role(role, sender=EVE)
    assert stage.rewards.role_holder(role) == PUBLISHER  # until it is taken
    stage.rewards.take_role(role, sender=BOB)
    with reverts("rewards: caller is not the publisher"):
        stage.post(1, {ANN: 1})
    with reverts("roles: the role is not offered to the caller"):
        stage.rewards.take_role(role, sender=BOB)
    stage.rewards.revoke_role(role, sender=ADMIN)
    with reverts("rewards: caller is not the publisher"):
        stage.rewards.post(1, b"\1" * 32, 1, sender=BOB)
    stage.rewards.transfer_ownership(BOB, sender=ADMIN)
    with reverts("ownable: caller is not the owner"):
        stage.rewards.offer_role(role, BOB, sender=BOB)
    stage.rewards.accept_ownership(sender=BOB)
    stage.rewards.offer_role(role, BOB, sender=BOB)
