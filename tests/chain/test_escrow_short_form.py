"""The short form of the limits in an account's slot: it spares an opening a slot, and means nothing of its own.

What an opening says is what the limits say, at each of their borders and at each of the short form's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boa
import pytest

from chain.artifacts import load
from chain.ethereum import LocalAccount
from chain.payout_tree import PayoutTree
from tests.chain.contracts import reverts
from tests.chain.escrow_model import HOLDS, TOO_MUCH
from tests.chain.escrow_world import DAY_S, DOLLAR, FOREVER, WITHDRAWAL_DELAY_S, World, later
from tests.chain.wallets import now

OPENED, ENTRY, EXPIRED, DAY, BALANCE = 0, 2, 3, 4, 5
CENT = 10_000
HIGHEST_ENTRY = (2**20 - 1) * CENT
"""The most that the short form can say of one session, micros: 10,485 dollars."""
HIGHEST_CAP = (2**23 - 1) * CENT
"""And of a day: 83,886 dollars."""
WIDE = 2**64 - 1


@pytest.fixture
def world() -> Iterator[World]:
    """At the first second of a UTC day; everybody has a million dollars, and nobody has limits."""
    with boa.env.anchor():
        world = World()
        later(DAY_S - now() % DAY_S)
        for owner in world.owners:
            world.fund(owner, 1_000_000 * DOLLAR)
        yield world


@pytest.fixture
def ann(world: World) -> LocalAccount:
    return world.owners[0]


def opening(world: World, *owners: LocalAccount, entry: int = DOLLAR) -> int:
    """What comes of it: OPENED, or why it was refused."""
    (said,) = world.open(world.session(*owners, entry=entry))
    reason: int = getattr(said, "reason", OPENED)
    return reason


def asks_the_limits(world: World, owner: LocalAccount, entry: int = DOLLAR) -> bool:
    """Whether an opening, which must succeed, looked at the slot of the limits: 2,100 gas more."""
    boa.env.sha3_trace.clear()
    assert opening(world, owner, entry=entry) == OPENED
    looked_up = boa.env.sha3_trace.values()
    assert _place("accounts._accounts", owner) in looked_up
    return _place("accounts._limits", owner) in looked_up


def _place(mapping: str, owner: LocalAccount) -> bytes:
    """What is hashed to find an owner's slot."""
    number = load("escrow").storage[mapping]
    return number.to_bytes(32, "big") + bytes.fromhex(owner.address[2:]).rjust(32, b"\0")


class TestTheHighestEntry:
    @pytest.mark.parametrize(
        "max_entry",
        [1, CENT - 1, CENT, CENT + 1, 5 * DOLLAR, HIGHEST_ENTRY, HIGHEST_ENTRY + CENT, 10**10 + 10],
    )
    def test_to_the_micro(self, world: World, ann: LocalAccount, max_entry: int) -> None:
        world.allow(ann, max_entry=max_entry, daily_cap=WIDE)
        assert opening(world, ann, entry=max_entry + 1) == ENTRY
        assert opening(world, ann, entry=max_entry) == OPENED

    def test_beyond_what_the_short_form_holds(self, world: World, ann: LocalAccount) -> None:
        world.allow(ann, max_entry=WIDE, daily_cap=WIDE)
        assert not asks_the_limits(world, ann, HIGHEST_ENTRY)
        assert asks_the_limits(world, ann, HIGHEST_ENTRY + 1)
        assert opening(world, ann, entry=900_000 * DOLLAR) == OPENED

    def test_a_part_of_a_cent_is_the_limits_to_tell(self, world: World, ann: LocalAccount) -> None:
        world.allow(ann, max_entry=DOLLAR + 1, daily_cap=WIDE)
        assert not asks_the_limits(world, ann, DOLLAR)
        assert asks_the_limits(world, ann, DOLLAR + 1)


class TestTheDaysCap:
    @pytest.mark.parametrize(
        "cap", [1, CENT - 1, CENT, CENT + 1, 7 * DOLLAR, HIGHEST_CAP, HIGHEST_CAP + CENT + 1]
    )
    def test_to_the_micro(self, world: World, ann: LocalAccount, cap: int) -> None:
        world.allow(ann, max_entry=WIDE, daily_cap=cap)
        assert opening(world, ann, entry=cap + 1) == DAY
        for entry in (cap // 2, cap - cap // 2):
            assert entry == 0 or opening(world, ann, entry=entry) == OPENED
        assert opening(world, ann, entry=1) == DAY
        later(DAY_S)
        assert opening(world, ann, entry=cap) == OPENED

    def test_beyond_what_the_short_form_holds(self, world: World, ann: LocalAccount) -> None:
        world.allow(ann, max_entry=WIDE, daily_cap=WIDE)
        for _ in range(7):
            assert opening(world, ann, entry=HIGHEST_CAP // 7) == OPENED
        left = HIGHEST_CAP - HIGHEST_CAP // 7 * 7
        assert not asks_the_limits(world, ann, left)
        assert asks_the_limits(world, ann, left + 1)
        assert opening(world, ann, entry=900_000 * DOLLAR) == OPENED

    def test_two_seats_count_twice(self, world: World, ann: LocalAccount) -> None:
        world.allow(ann, daily_cap=2 * DOLLAR - 1)
        assert opening(world, ann, ann) == DAY
        assert world.balance(ann) == 1_000_000 * DOLLAR
        world.allow(ann, daily_cap=2 * DOLLAR)
        assert opening(world, ann, ann) == OPENED


class TestTheExpiry:
    def test_on_its_day_to_the_second(self, world: World, ann: LocalAccount) -> None:
        world.allow(ann, expires=now() + DAY_S + 10)
        assert not asks_the_limits(world, ann)
        later(DAY_S - 1)
        assert not asks_the_limits(world, ann)
        later(1)  # the day on which it expires has begun
        assert asks_the_limits(world, ann)
        later(10)
        assert opening(world, ann) == OPENED
        later(1)
        assert opening(world, ann) == EXPIRED

    @pytest.mark.parametrize("of_the_day", [0, DAY_S - 1])
    def test_at_the_first_and_the_last_second_of_a_day(
        self, world: World, ann: LocalAccount, of_the_day: int
    ) -> None:
        world.allow(ann, expires=now() + of_the_day)
        later(of_the_day)
        assert opening(world, ann) == OPENED
        later(1)
        assert opening(world, ann) == EXPIRED

    def test_after_the_last_day_that_the_short_form_holds(
        self, world: World, ann: LocalAccount
    ) -> None:
        last = (2**16 - 1) * DAY_S  # in the year 2149
        world.allow(ann, expires=WIDE)
        later(last - 1 - now())
        assert not asks_the_limits(world, ann)
        later(1)
        assert asks_the_limits(world, ann)
        later(100 * 365 * DAY_S)
        assert opening(world, ann) == OPENED
        assert world.escrow.account_of(ann.address).day == now() // DAY_S

    def test_in_the_past_is_none(self, world: World, ann: LocalAccount) -> None:
        for expires in (0, 1, now() - 1):
            world.allow(ann, expires=expires)
            assert opening(world, ann) == EXPIRED


class TestNewLimits:
    def test_count_what_the_day_has_spent(self, world: World, ann: LocalAccount) -> None:
        world.allow(ann, daily_cap=10 * DOLLAR)
        assert opening(world, ann, entry=6 * DOLLAR) == OPENED
        world.allow(ann, daily_cap=6 * DOLLAR)
        assert opening(world, ann, entry=1) == DAY
        world.allow(ann, daily_cap=7 * DOLLAR)
        assert opening(world, ann, entry=DOLLAR + 1) == DAY
        assert opening(world, ann, entry=DOLLAR) == OPENED
        world.allow(ann, daily_cap=5 * DOLLAR)  # below what is spent
        assert opening(world, ann, entry=1) == DAY
        assert world.escrow.account_of(ann.address).spent == 7 * DOLLAR

    def test_leave_the_account_as_it_was(self, world: World, ann: LocalAccount) -> None:
        world.allow(ann)
        session = world.session(ann, entry=3 * DOLLAR)
        world.open(session)
        tree = world.close(session, allot={ann: 2 * DOLLAR})
        world.claim(tree, ann)
        before = tuple(world.escrow.account_of(ann.address))
        for limits in ((WIDE, WIDE, WIDE), (0, 0, 0), (1, 1, 1), (HIGHEST_ENTRY, HIGHEST_CAP, 0)):
            world.allow(ann, *limits)
            assert tuple(world.escrow.account_of(ann.address)) == before
            assert tuple(world.escrow.limits_of(ann.address))[:3] == limits

    @pytest.mark.parametrize(
        ("limits", "reason"),
        [((0, WIDE, WIDE), ENTRY), ((WIDE, 0, WIDE), DAY), ((WIDE, WIDE, 0), EXPIRED)],
    )
    def test_revoke_at_once(
        self, world: World, ann: LocalAccount, limits: tuple[int, int, int], reason: int
    ) -> None:
        world.allow(ann, WIDE, WIDE, WIDE)
        assert opening(world, ann) == OPENED
        world.allow(ann, *limits)
        assert opening(world, ann, entry=1) == reason

    def test_before_any_deposit(self, world: World) -> None:
        with boa.env.anchor():
            eve = World(owners=4).owners[3]
            world.allow(eve)
            assert opening(world, eve) == BALANCE
            world.fund(eve, DOLLAR)
            assert opening(world, eve) == OPENED
            assert world.balance(eve) == 0

    def test_reasons_come_in_their_order(self, world: World, ann: LocalAccount) -> None:
        """Where several hold: the entry, the expiry, the day, the balance."""
        much = 2_000_000 * DOLLAR
        for limits, reason in (
            ((DOLLAR, DOLLAR, 1), ENTRY),
            ((WIDE, DOLLAR, 1), EXPIRED),
            ((WIDE, DOLLAR, FOREVER), DAY),
            ((WIDE, WIDE, FOREVER), BALANCE),
        ):
            world.allow(ann, *limits)
            assert opening(world, ann, entry=much) == reason


class TestTheMostThatAnAccountHolds:
    """A million million dollars: what does not fit is refused, and nothing runs over into the next field."""

    @pytest.fixture
    def rich(self, world: World) -> LocalAccount:
        """One cent less than an account can hold."""
        rich = world.owners[1]
        world.allow(rich, WIDE, WIDE, WIDE)
        world.fund(rich, HOLDS - CENT - world.balance(rich))
        return rich

    def deposit(self, world: World, owner: LocalAccount, micros: int) -> None:
        world.usdc.mint(owner.address, micros)
        world.usdc.approve(world.escrow.address, micros, sender=owner.address)
        world.escrow.deposit(micros, sender=owner.address)

    def test_of_a_deposit(self, world: World, rich: LocalAccount) -> None:
        for micros in (CENT + 1, 2**60, WIDE):
            with reverts(TOO_MUCH):
                self.deposit(world, rich, micros)
        self.deposit(world, rich, CENT)
        assert tuple(world.escrow.account_of(rich.address)) == (HOLDS, 0, 0, 0)
        with reverts(TOO_MUCH):
            self.deposit(world, rich, 1)
        assert opening(world, rich, entry=HOLDS) == OPENED
        assert tuple(world.escrow.account_of(rich.address)) == (0, 0, HOLDS, now() // DAY_S)

    def test_of_a_days_spending(self, world: World, rich: LocalAccount) -> None:
        session = world.session(rich, entry=HOLDS - CENT)
        world.open(session)
        world.escrow.refund([session], sender=world.settler)
        before = tuple(world.escrow.account_of(rich.address))
        assert before[2] == HOLDS - CENT
        assert opening(world, rich, entry=CENT + 1) == DAY
        assert opening(world, rich, entry=WIDE) == DAY
        assert tuple(world.escrow.account_of(rich.address)) == before
        assert opening(world, rich, entry=CENT) == OPENED
        assert opening(world, rich, entry=1) == DAY
        later(DAY_S)
        assert opening(world, rich, entry=1) == OPENED

    def test_of_a_claim(self, world: World, rich: LocalAccount, ann: LocalAccount) -> None:
        """What one owner cannot claim for the moment it claims later, and others at once."""
        world.allow(ann)
        session = world.session(ann, entry=20 * DOLLAR)
        world.open(session)
        tree = world.close(session, allot={rich: CENT + 1, ann: DOLLAR})
        with reverts(TOO_MUCH):
            world.claim(tree, rich)
        assert world.claim(tree, ann) == DOLLAR
        world.escrow.request_withdrawal(1, sender=rich.address)
        assert world.claim(tree, rich) == CENT + 1
        assert world.balance(rich) == HOLDS

    def test_of_all_claims(self, world: World, rich: LocalAccount, ann: LocalAccount) -> None:
        """An owner who wins the same million million again and again: claimed is what they add up to."""
        first = world.session(rich, entry=HOLDS - CENT)
        world.open(first)
        tree = world.close(first, allot={rich: HOLDS - CENT})
        world.claim(tree, rich)
        second = world.session(rich, entry=2 * CENT)
        later(DAY_S)
        world.open(second)
        tree = world.close(second, allot={rich: CENT})
        assert world.claim(tree, rich) == CENT
        account = world.escrow.account_of(rich.address)
        assert (account.claimed, account.balance) == (HOLDS, HOLDS - 2 * CENT)
        tree = world.close(allot={rich: 1})
        with reverts(TOO_MUCH):
            world.claim(tree, rich)
        many = tree.claims([rich.address])
        with reverts(TOO_MUCH):
            world.escrow.claim_many(many.allotments, many.proof, many.flags)

    def test_of_what_comes_back(self, world: World, rich: LocalAccount) -> None:
        """A withdrawal that no longer fits is not cancelled but taken."""
        world.escrow.request_withdrawal(CENT, sender=rich.address)
        self.deposit(world, rich, 2 * CENT)
        with reverts(TOO_MUCH):
            world.escrow.cancel_withdrawal(sender=rich.address)
        later(WITHDRAWAL_DELAY_S)
        assert world.escrow.withdraw(rich.address, sender=rich.address) == CENT

    def test_of_a_leaf_that_a_hostile_settler_made(self, world: World, ann: LocalAccount) -> None:
        """Nobody has to bring it along: a batch without it goes through."""
        world.allow(ann)
        session = world.session(ann, entry=20 * DOLLAR)
        world.open(session)
        others: dict[str, Any] = {ann.address: DOLLAR, world.owners[2].address: 2**60}
        tree = PayoutTree(others)
        world.escrow.close_epoch(1, b"\1" * 32, tree.root, DOLLAR, [session], sender=world.settler)
        many = tree.claims(list(others))
        with reverts(TOO_MUCH):
            world.escrow.claim_many(many.allotments, many.proof, many.flags)
        many = tree.claims([ann.address])
        assert world.escrow.claim_many(many.allotments, many.proof, many.flags) == DOLLAR
