"""The escrow does what its page says, and refuses the rest with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boa
import pytest

from chain.ethereum import LocalAccount
from tests.chain.contracts import deploy, reverts
from tests.chain.escrow_world import (
    DAY_S,
    DOLLAR,
    FOREVER,
    REFUND_AFTER_S,
    WITHDRAWAL_DELAY_S,
    World,
    events,
    later,
)
from tests.chain.wallets import now, sign, wallet

KNOWN, ENTRY, EXPIRED, DAY, BALANCE = 1, 2, 3, 4, 5
OPEN, SETTLED, REFUNDED = 1, 2, 3


@pytest.fixture
def world() -> Iterator[World]:
    with boa.env.anchor():
        yield World()


@pytest.fixture
def pair(world: World) -> tuple[LocalAccount, LocalAccount]:
    """Two owners with a hundred dollars each, and limits."""
    ann, bob, _ = world.owners
    for owner in (ann, bob):
        world.fund(owner, 100 * DOLLAR)
        world.allow(owner)
    return ann, bob


class TestDeposits:
    def test_by_approval(self, world: World) -> None:
        ann = world.owners[0]
        world.fund(ann, 3 * DOLLAR)
        (said,) = events(world.escrow, "Deposited")
        assert (said.owner, said.amount) == (ann.address, 3 * DOLLAR)
        assert world.balance(ann) == world.escrow.held() == 3 * DOLLAR

    def test_by_permit_in_one_call(self, world: World) -> None:
        ann = world.owners[0]
        world.usdc.mint(ann.address, DOLLAR)
        permit = (ann.address, str(world.escrow.address), DOLLAR, 0, now() + 60)
        signature = sign(ann, world.usdc, "Permit", *permit)
        world.escrow.deposit_with_permit(DOLLAR, now() + 60, *signature, sender=ann.address)
        assert world.balance(ann) == DOLLAR

    def test_by_an_authorization_that_anybody_brings(self, world: World) -> None:
        ann, bob, _ = world.owners
        world.usdc.mint(ann.address, DOLLAR)
        world.escrow.deposit_with_authorization(
            *world.authorization(ann, DOLLAR), sender=bob.address
        )
        assert world.balance(ann) == DOLLAR
        assert world.balance(bob) == 0

    def test_not_while_it_is_paused(self, world: World) -> None:
        ann = world.owners[0]
        world.usdc.mint(ann.address, DOLLAR)
        world.usdc.approve(world.escrow.address, DOLLAR, sender=ann.address)
        world.escrow.set_paused(True, sender=world.guardian)
        with reverts("escrow: paused"):
            world.escrow.deposit(DOLLAR, sender=ann.address)
        with reverts("escrow: paused"):
            world.escrow.deposit_with_authorization(*world.authorization(ann, DOLLAR))
        world.escrow.set_paused(False, sender=world.guardian)
        world.escrow.deposit(DOLLAR, sender=ann.address)

    def test_what_is_sent_by_mistake_belongs_to_nobody(self, world: World) -> None:
        ann = world.owners[0]
        world.usdc.mint(ann.address, DOLLAR)
        world.usdc.transfer(world.escrow.address, DOLLAR, sender=ann.address)
        assert world.escrow.held() == world.balance(ann) == 0


class TestLimits:
    def test_the_owner_sets_them(self, world: World) -> None:
        ann = world.owners[0]
        world.escrow.set_limits(5, 50, FOREVER, 7, sender=ann.address)
        assert tuple(world.escrow.limits_of(ann.address)) == (5, 50, FOREVER, 7)

    def test_anybody_brings_a_signature(self, world: World) -> None:
        ann, bob, _ = world.owners
        world.escrow.set_limits_by_signature(
            *world.signed_limits(ann, 5, 50, FOREVER, 7), sender=bob.address
        )
        assert tuple(world.escrow.limits_of(ann.address)) == (5, 50, FOREVER, 7)

    def test_a_nonce_is_good_once(self, world: World) -> None:
        ann = world.owners[0]
        world.escrow.set_limits(5, 50, FOREVER, 7, sender=ann.address)
        with reverts("escrow: limits of this nonce or a higher one are set"):
            world.escrow.set_limits(6, 60, FOREVER, 7, sender=ann.address)

    def test_without_limits_nothing_is_taken(self, world: World) -> None:
        ann, bob, _ = world.owners
        for owner in (ann, bob):
            world.fund(owner, 100 * DOLLAR)
        (said,) = world.open(world.session(ann, bob, entry=1))
        assert (said.owner, said.reason) == (ann.address, ENTRY)

    def test_the_highest_entry(self, world: World, pair: tuple[LocalAccount, LocalAccount]) -> None:
        world.allow(pair[1], max_entry=5 * DOLLAR)
        above, within = (world.session(*pair, entry=5 * DOLLAR + over) for over in (1, 0))
        refused, opened = world.open(above, within)
        assert (refused.owner, refused.reason) == (pair[1].address, ENTRY)
        assert (type(opened).__name__, opened.session) == ("Opened", within[0])
        assert [world.balance(owner) for owner in pair] == [95 * DOLLAR, 95 * DOLLAR]

    def test_the_last_second(self, world: World, pair: tuple[LocalAccount, LocalAccount]) -> None:
        world.allow(pair[0], expires=now() + 10)
        later(10)
        first, second = world.session(*pair), world.session(*pair)
        (said,) = world.open(first)
        assert type(said).__name__ == "Opened"
        later(1)
        (said,) = world.open(second)
        assert (said.owner, said.reason) == (pair[0].address, EXPIRED)

    def test_the_days_cap_and_the_next_day(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        later(DAY_S - now() % DAY_S)  # the first second of a UTC day
        world.allow(pair[1], daily_cap=12 * DOLLAR)
        said = world.open(*(world.session(*pair) for _ in range(3)))
        assert [getattr(event, "reason", 0) for event in said] == [0, 0, DAY]
        assert world.balance(pair[0]) == 90 * DOLLAR, "what the third took was given back"
        account = world.escrow.account_of(pair[0].address)
        assert account.spent == 10 * DOLLAR
        later(DAY_S - 1)
        (said,) = world.open(world.session(*pair))
        assert said.reason == DAY
        later(1)
        (said,) = world.open(world.session(*pair))
        assert not hasattr(said, "reason")
        assert world.escrow.account_of(pair[1].address).spent == 5 * DOLLAR

    def test_zero_caps_revoke(self, world: World, pair: tuple[LocalAccount, LocalAccount]) -> None:
        world.allow(pair[0], max_entry=0, daily_cap=0)
        (said,) = world.open(world.session(*pair))
        assert (said.owner, said.reason) == (pair[0].address, ENTRY)


class TestOpening:
    def test_takes_the_entries(self, world: World, pair: tuple[LocalAccount, LocalAccount]) -> None:
        session = world.session(*pair)
        (said,) = world.open(session)
        assert (said.entry, said.owners) == (5 * DOLLAR, session[2])
        assert [world.balance(owner) for owner in pair] == [95 * DOLLAR] * 2
        assert tuple(world.escrow.session_state(session[0])) == (OPEN, now())

    def test_an_owner_may_spend_its_last_cent(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        world.allow(pair[0], max_entry=100 * DOLLAR, daily_cap=100 * DOLLAR)
        world.open(world.session(pair[0], entry=100 * DOLLAR))
        assert world.balance(pair[0]) == 0

    def test_a_poor_owner_holds_up_nobody(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        poor = world.owners[2]
        world.allow(poor)
        bad, good = world.session(*pair, poor), world.session(*pair)
        refused, opened = world.open(bad, good)
        assert (refused.session, refused.owner, refused.reason) == (bad[0], poor.address, BALANCE)
        assert (type(opened).__name__, opened.session) == ("Opened", good[0])
        assert world.state(bad) == 0
        assert [world.balance(owner) for owner in pair] == [95 * DOLLAR] * 2

    def test_an_owner_may_have_two_seats_and_pays_twice(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        ann = pair[0]
        world.open(world.session(ann, ann, entry=20 * DOLLAR))
        assert world.balance(ann) == 60 * DOLLAR
        world.allow(ann, daily_cap=59 * DOLLAR)
        (said,) = world.open(world.session(ann, ann, entry=10 * DOLLAR))
        assert said.reason == DAY
        assert world.balance(ann) == 60 * DOLLAR

    def test_a_session_opens_once(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        session = world.session(*pair)
        said = world.open(session, session)
        assert [type(event).__name__ for event in said] == ["Opened", "Refused"]
        assert said[1].reason == KNOWN
        world.close(session)
        (said,) = world.open(session)
        assert said.reason == KNOWN
        assert world.state(session) == SETTLED
        assert world.balance(pair[0]) == 95 * DOLLAR

    def test_is_the_settlers_alone(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        for stranger in (world.admin, world.guardian, pair[0].address):
            with reverts("escrow: caller is not the settler"):
                world.escrow.open_sessions([world.session(*pair)], sender=stranger)

    def test_needs_an_entry_and_owners(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        for empty in (world.session(*pair, entry=0), world.session()):
            with reverts("escrow: a session has an entry and owners"):
                world.open(empty)


class TestEpochs:
    def test_settle_pots_and_publish_roots(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        first, second = world.session(*pair), world.session(*pair, entry=DOLLAR)
        world.open(first, second)
        tree = world.close(first, second, allot={pair[0]: 11 * DOLLAR})
        (said,) = events(world.escrow, "EpochClosed")
        assert (said.epoch, said.payout_root, said.sessions) == (
            1,
            tree.root,
            [first[0], second[0]],
        )
        assert (said.settled, said.allotted) == (12 * DOLLAR, 11 * DOLLAR)
        assert world.escrow.payout_root() == tree.root
        assert world.escrow.result_root(1) == b"\1" * 32
        assert tuple(world.escrow.books()) == (12 * DOLLAR, 11 * DOLLAR, 0, 1)

    def test_one_after_the_other(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        arguments: Any = (b"\1" * 32, b"\2" * 32, 0, [])
        for wrong in (0, 2):
            with reverts("escrow: not the next epoch"):
                world.escrow.close_epoch(wrong, *arguments, sender=world.settler)
        world.escrow.close_epoch(1, *arguments, sender=world.settler)
        with reverts("escrow: not the next epoch"):
            world.escrow.close_epoch(1, *arguments, sender=world.settler)

    def test_settle_to_the_last_second_before_the_refund(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        first, second = world.session(*pair), world.session(*pair)
        world.open(first, second)
        later(REFUND_AFTER_S - 1)
        world.close(first)
        later(1)
        with reverts("escrow: the session's time is over"):
            world.close(second)

    def test_are_all_or_nothing(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        opened, unknown = world.session(*pair), world.session(*pair)
        world.open(opened)
        with reverts("escrow: the session is not open"):
            world.close(opened, unknown)
        assert world.state(opened) == OPEN
        assert world.escrow.books().epoch == 0

    def test_stop_while_it_is_paused(self, world: World) -> None:
        world.escrow.set_paused(True, sender=world.guardian)
        with reverts("escrow: paused"):
            world.close()
        with reverts("escrow: paused"):
            world.open()


class TestClaims:
    def test_by_anybody_into_the_owners_balance(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        ann, bob = pair
        session = world.session(*pair)
        world.open(session)
        tree = world.close(session, allot={ann: 9 * DOLLAR})
        assert world.claim(tree, ann, sender=bob.address) == 9 * DOLLAR
        (said,) = events(world.escrow, "Claimed")
        assert (said.owner, said.amount, said.cumulative) == (ann.address, 9 * DOLLAR, 9 * DOLLAR)
        assert world.balance(ann) == 104 * DOLLAR
        with reverts("escrow: nothing to claim"):
            world.claim(tree, ann)

    def test_one_proof_brings_what_many_epochs_allotted(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        for _ in range(3):
            session = world.session(*pair)
            world.open(session)
            tree = world.close(session, allot={pair[0]: 9 * DOLLAR, pair[1]: DOLLAR})
        assert world.claim(tree, pair[0]) == 27 * DOLLAR

    def test_what_has_been_claimed_is_not_claimed_again(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        for micros in (9 * DOLLAR, 4 * DOLLAR):
            session = world.session(*pair)
            world.open(session)
            tree = world.close(session, allot={pair[0]: micros})
            assert world.claim(tree, pair[0]) == micros
        assert world.balance(pair[0]) == 103 * DOLLAR
        assert world.escrow.books().claimed == 13 * DOLLAR

    def test_many_owners_by_one_proof(self, world: World) -> None:
        owners = [wallet(200 + number) for number in range(11)]
        for owner in owners:
            world.fund(owner, 10 * DOLLAR)
            world.allow(owner)
        sessions = [world.session(owner, entry=10 * DOLLAR) for owner in owners]
        world.open(*sessions)
        tree = world.close(
            *sessions, allot={owner: number + 1 for number, owner in enumerate(owners)}
        )
        world.claim(tree, owners[4])
        chosen = [owner.address for owner in owners[2:9]]
        many = tree.claims(chosen)
        added = world.escrow.claim_many(many.allotments, many.proof, many.flags)
        assert added == sum(range(3, 10)) - 5, "who was faster is passed over"
        assert [world.balance(owner) for owner in owners] == [0, 0, 3, 4, 5, 6, 7, 8, 9, 0, 0]
        forged = [(account, micros + 1) for account, micros in many.allotments]
        with reverts("escrow: not in the last epoch's root"):
            world.escrow.claim_many(forged, many.proof, many.flags)


class TestRefunds:
    def test_by_anybody_when_the_time_is_over(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        session = world.session(*pair)
        world.open(session)
        later(REFUND_AFTER_S - 1)
        stranger = world.owners[2].address
        with reverts("escrow: too early for a refund"):
            world.escrow.refund([session], sender=stranger)
        later(1)
        world.escrow.refund([session], sender=stranger)
        assert world.state(session) == REFUNDED
        assert [world.balance(owner) for owner in pair] == [100 * DOLLAR] * 2

    def test_by_the_settler_at_once_when_a_session_is_void(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        session = world.session(*pair)
        world.open(session)
        world.escrow.refund([session], sender=world.settler)
        assert world.state(session) == REFUNDED

    def test_once(self, world: World, pair: tuple[LocalAccount, LocalAccount]) -> None:
        first, second = world.session(*pair), world.session(*pair)
        world.open(first, second)
        later(REFUND_AFTER_S)
        world.escrow.refund([first, first])
        world.escrow.refund([first, second])
        assert [world.balance(owner) for owner in pair] == [100 * DOLLAR] * 2

    def test_with_the_entries_that_were_opened(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        session = world.session(*pair)
        world.open(session)
        later(REFUND_AFTER_S)
        name, entry, owners = session
        for lie in (
            (name, entry + 1, owners),
            (name, entry, owners[::-1]),
            (name, entry, owners[:1]),
        ):
            with reverts("escrow: not as it was opened"):
                world.escrow.refund([lie])


class TestWithdrawals:
    def test_are_asked_for_and_taken_a_day_later(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        ann = pair[0]
        world.escrow.request_withdrawal(60 * DOLLAR, sender=ann.address)
        assert world.balance(ann) == 40 * DOLLAR
        later(WITHDRAWAL_DELAY_S - 1)
        with reverts("escrow: the delay is not over"):
            world.escrow.withdraw(ann.address, sender=ann.address)
        later(1)
        assert world.escrow.withdraw(ann.address, sender=ann.address) == 60 * DOLLAR
        assert world.usdc.balanceOf(ann.address) == 60 * DOLLAR
        assert world.escrow.held() == 140 * DOLLAR
        with reverts("escrow: nothing to withdraw"):
            world.escrow.withdraw(ann.address, sender=ann.address)

    def test_what_is_asked_for_pays_no_entry(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        world.escrow.request_withdrawal(96 * DOLLAR, sender=pair[0].address)
        (said,) = world.open(world.session(*pair))
        assert (said.owner, said.reason) == (pair[0].address, BALANCE)

    def test_a_second_request_waits_with_the_first(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        ann = pair[0]
        world.escrow.request_withdrawal(DOLLAR, sender=ann.address)
        later(WITHDRAWAL_DELAY_S)
        world.escrow.request_withdrawal(DOLLAR, sender=ann.address)
        with reverts("escrow: the delay is not over"):
            world.escrow.withdraw(ann.address, sender=ann.address)
        later(WITHDRAWAL_DELAY_S)
        assert world.escrow.withdraw(ann.address, sender=ann.address) == 2 * DOLLAR

    def test_can_be_cancelled(self, world: World, pair: tuple[LocalAccount, LocalAccount]) -> None:
        ann = pair[0]
        world.escrow.request_withdrawal(DOLLAR, sender=ann.address)
        world.escrow.cancel_withdrawal(sender=ann.address)
        assert world.balance(ann) == 100 * DOLLAR
        with reverts("escrow: nothing to withdraw"):
            world.escrow.cancel_withdrawal(sender=ann.address)

    def test_no_more_than_there_is(
        self, world: World, pair: tuple[LocalAccount, LocalAccount]
    ) -> None:
        with reverts("escrow: the balance is too low"):
            world.escrow.request_withdrawal(100 * DOLLAR + 1, sender=pair[0].address)
        with reverts("escrow: nothing to withdraw"):
            world.escrow.request_withdrawal(0, sender=pair[0].address)

    def test_to_a_wallet(self, world: World, pair: tuple[LocalAccount, LocalAccount]) -> None:
        world.escrow.request_withdrawal(DOLLAR, sender=pair[0].address)
        later(WITHDRAWAL_DELAY_S)
        for nowhere in ("0x" + "00" * 20, world.escrow.address):
            with reverts("escrow: not a wallet"):
                world.escrow.withdraw(nowhere, sender=pair[0].address)


class TestThePause:
    def test_stops_no_way_out(self, world: World, pair: tuple[LocalAccount, LocalAccount]) -> None:
        ann, bob = pair
        won, stuck = world.session(*pair), world.session(*pair)
        world.open(won, stuck)
        tree = world.close(won, allot={ann: 9 * DOLLAR})
        world.escrow.set_paused(True, sender=world.guardian)
        world.claim(tree, ann)
        later(REFUND_AFTER_S)
        world.escrow.refund([stuck])
        for owner, micros in ((ann, 104 * DOLLAR), (bob, 95 * DOLLAR)):
            world.escrow.request_withdrawal(micros, sender=owner.address)
        later(WITHDRAWAL_DELAY_S)
        for owner, micros in ((ann, 104 * DOLLAR), (bob, 95 * DOLLAR)):
            assert world.escrow.withdraw(owner.address, sender=owner.address) == micros

    def test_is_the_guardians_alone(self, world: World) -> None:
        for stranger in (world.admin, world.settler, world.owners[0].address):
            with reverts("escrow: caller is not the guardian"):
                world.escrow.set_paused(True, sender=stranger)


@pytest.mark.parametrize(
    ("delay", "refund", "reason"),
    [
        (0, 1, "escrow: a delay of 1 s to 30 days"),
        (30 * DAY_S + 1, 1, "escrow: a delay of 1 s to 30 days"),
        (1, 0, "escrow: a time-out of 1 s to 30 days"),
        (1, 30 * DAY_S + 1, "escrow: a time-out of 1 s to 30 days"),
    ],
)
def test_no_deployment_makes_owners_wait_for_ever(
    world: World, delay: int, refund: int, reason: str
) -> None:
    with pytest.raises(Exception, match=reason):
        deploy("escrow", world.usdc.address, delay, refund)


def test_its_token_is_a_contract(world: World) -> None:
    with pytest.raises(Exception, match="escrow: the token is not a contract"):
        deploy("escrow", world.admin, 1, 1)


def test_its_roles_pass_in_two_steps(world: World) -> None:
    role: Any = world.escrow.SETTLER()
    new = world.owners[0].address
    with reverts("ownable: caller is not the owner"):
        world.escrow.offer_role(role, new, sender=world.settler)
    world.escrow.offer_role(role, new, sender=world.admin)
    world.escrow.open_sessions([], sender=world.settler)
    with reverts("roles: the role is not offered to the caller"):
        world.escrow.take_role(role, sender=world.settler)
    world.escrow.take_role(role, sender=new)
    with reverts("escrow: caller is not the settler"):
        world.escrow.open_sessions([], sender=world.settler)
