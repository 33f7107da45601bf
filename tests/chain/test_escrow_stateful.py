"""Any order of calls, honest and hostile: the contract answers as its model does, and money is conserved after each.

At the end of each run the server is dead and every role hostile, and the owners take out all that is theirs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar

import boa
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chain.ethereum import LocalAccount
from chain.payout_tree import PayoutTree
from tests.chain import escrow_model as model
from tests.chain.contracts import reverts
from tests.chain.escrow_world import (
    DAY_S,
    DOLLAR,
    REFUND_AFTER_S,
    WITHDRAWAL_DELAY_S,
    Session,
    World,
    events,
    later,
)
from tests.chain.wallets import now

SEATS = st.lists(st.integers(0, 4), min_size=1, max_size=3)
ENTRIES = st.sampled_from([1, DOLLAR, 5 * DOLLAR, 25 * DOLLAR])
AMOUNTS = st.one_of(st.integers(1, 200 * DOLLAR), st.sampled_from([1, 100 * DOLLAR]))
WHO = st.integers(0, 4)
PICKS = st.lists(st.integers(0, 30), min_size=1, max_size=3)


@cache
def world() -> World:
    """Deployed once; each run begins from the same state."""
    return World(owners=5)


class EscrowMachine(RuleBasedStateMachine):
    calls: ClassVar[int] = 0
    """Over all runs of this process."""

    def __init__(self) -> None:
        super().__init__()
        self._anchors = contextlib.ExitStack()
        self.world = world()
        self._anchors.enter_context(boa.env.anchor())
        self.escrow, self.usdc = self.world.escrow, self.world.usdc
        self.owners = self.world.owners
        self.model = model.Escrow({owner.address: model.Owner() for owner in self.owners})
        self.sessions: list[Session] = []
        self.blocked: set[str] = set()
        self.tree = PayoutTree({self.world.admin: 0})
        self.nonce = 0

    def teardown(self) -> None:
        try:
            self.everybody_leaves()
        finally:
            self._anchors.close()

    def both(self, expected: Callable[[], Any], act: Callable[[], Any]) -> Any:
        """The contract does what the model does, or refuses with the model's words."""
        type(self).calls += 1
        try:
            answer = expected()
        except model.Refused as refusal:
            with reverts(str(refusal)):
                act()
            return None
        said = act()
        assert said == answer
        return said

    @initialize(rich=st.sets(WHO, min_size=4))
    def begin(self, rich: set[int]) -> None:
        """Some have money and wide limits, so that runs get somewhere."""
        for who in rich:
            self.deposit(who, 300 * DOLLAR)
            self.limit(who, 25 * DOLLAR, 10**12, 100 * DAY_S, False, False)

    # Money in and out

    @rule(who=WHO, micros=AMOUNTS)
    def deposit(self, who: int, micros: int) -> None:
        owner = self.owners[who].address
        if owner in self.blocked:
            return
        self.usdc.mint(owner, micros)
        self.usdc.approve(self.escrow.address, micros, sender=owner)
        self.both(
            lambda: self.model.deposit(owner, micros),
            lambda: self.escrow.deposit(micros, sender=owner),
        )

    @rule(who=WHO, micros=AMOUNTS)
    def request(self, who: int, micros: int) -> None:
        owner = self.owners[who].address
        self.both(
            lambda: self.model.request(owner, micros, now()),
            lambda: self.escrow.request_withdrawal(micros, sender=owner),
        )

    @rule(who=WHO)
    def cancel(self, who: int) -> None:
        owner = self.owners[who].address
        self.both(
            lambda: self.model.cancel(owner), lambda: self.escrow.cancel_withdrawal(sender=owner)
        )

    @rule(who=WHO, patient=st.booleans())
    def withdraw(self, who: int, patient: bool) -> None:
        owner = self.owners[who].address
        if patient:
            later(max(0, self.model.owners[owner].ready_at - now()))
        self.both(
            lambda: self.model.withdraw(owner, now(), owner in self.blocked),
            lambda: self.escrow.withdraw(owner, sender=owner),
        )

    # Limits

    @rule(
        who=WHO,
        entry=st.sampled_from([25 * DOLLAR, 25 * DOLLAR, 5 * DOLLAR, 0]),
        cap=st.sampled_from([10**12, 60 * DOLLAR, 30 * DOLLAR, DOLLAR]),
        for_s=st.sampled_from([100 * DAY_S, 3_600]),
        stale=st.sampled_from([False, False, True]),
        signed=st.booleans(),
    )
    def limit(self, who: int, entry: int, cap: int, for_s: int, stale: bool, signed: bool) -> None:
        owner = self.owners[who]
        self.nonce += 1
        nonce = self.model.owners[owner.address].nonce if stale else self.nonce
        limits = (entry, cap, now() + for_s, nonce)
        if signed:
            arguments = self.world.signed_limits(owner, *limits)
            act = lambda: self.escrow.set_limits_by_signature(*arguments)  # noqa: E731
        else:
            act = lambda: self.escrow.set_limits(*limits, sender=owner.address)  # noqa: E731
        self.both(lambda: self.model.set_limits(owner.address, *limits), act)

    # The settler

    @rule(batch=st.lists(st.tuples(SEATS, ENTRIES), min_size=1, max_size=4), again=st.booleans())
    def open(self, batch: list[tuple[list[int], int]], again: bool) -> None:
        fresh = [
            self.world.session(*(self.owners[seat] for seat in seats), entry=entry)
            for seats, entry in batch
        ]
        sessions = fresh + self.sessions[-1:] if again else fresh
        self.both(lambda: self.model.open(sessions, now()), lambda: self._open(sessions))
        self.sessions += [each for each in fresh if each[0] in self.model.sessions]

    def _open(self, sessions: list[Session]) -> list[int]:
        self.escrow.open_sessions(sessions, sender=self.world.settler)
        return [
            getattr(event, "reason", model.OPENED)
            for event in events(self.escrow, "Opened", "Refused")
        ]

    @rule(
        share_of_open=st.integers(1, 4), shares=st.lists(st.integers(0, 9), min_size=5, max_size=5)
    )
    def settle(self, share_of_open: int, shares: list[int]) -> None:
        """An honest epoch: all that was settled and nobody has claimed goes to owners, less what rounding leaves."""
        chosen = [
            each
            for number, each in enumerate(self.sessions)
            if number % share_of_open == 0 and self._can_be_settled(each)
        ]
        pots = sum(self.model.sessions[name].pot for name, _, _ in chosen)
        left = self.model.settled + pots - self.model.claimed
        leaves = {address: owner.claimed for address, owner in self.model.owners.items()}
        for owner, share in zip(self.owners, shares, strict=True):
            leaves[owner.address] += left * share // (sum(shares) or 1)
        self._close(leaves, max(sum(leaves.values()), self.model.allotted), chosen)

    def _can_be_settled(self, session: Session) -> bool:
        played = self.model.sessions[session[0]]
        return played.state == model.OPEN and now() < played.opened_at + REFUND_AFTER_S

    @rule(
        leaves=st.lists(st.integers(0, 100 * DOLLAR), min_size=5, max_size=5),
        beyond=st.sampled_from([-1, 0, 0, 1]),
        picks=PICKS,
        forge=st.sampled_from(["nothing", "nothing", "entry", "owners"]),
    )
    def steal(self, leaves: list[int], beyond: int, picks: list[int], forge: str) -> None:
        """A hostile epoch: leaves that add up to anything, any sum, any sessions, forged or twice."""
        chosen = self._picked(picks)
        pots = sum(self.model.sessions[name].pot for name, _, _ in chosen)
        if forge == "entry":
            chosen = [(name, entry + 1, owners) for name, entry, owners in chosen]
        elif forge == "owners":
            chosen = [(name, entry, [*owners, owners[0]][:8]) for name, entry, owners in chosen]
        self._close(
            {owner.address: leaf for owner, leaf in zip(self.owners, leaves, strict=True)},
            max(0, self.model.settled + pots + beyond),
            chosen,
        )

    def _picked(self, picks: list[int]) -> list[Session]:
        return [self.sessions[pick % len(self.sessions)] for pick in picks if self.sessions]

    def _close(self, leaves: dict[str, int], allotted: int, sessions: list[Session]) -> None:
        tree = PayoutTree(leaves)
        epoch = self.model.epoch + 1

        def act() -> None:
            self.escrow.close_epoch(
                epoch, b"\1" * 32, tree.root, allotted, sessions, sender=self.world.settler
            )
            self.tree = tree

        self.both(lambda: self.model.close(epoch, leaves, allotted, sessions, now()), act)

    # Claims and refunds

    @precondition(lambda self: self.model.epoch > 0)
    @rule(who=WHO, more=st.sampled_from([0, 0, 0, 1]))
    def claim(self, who: int, more: int) -> None:
        owner = self.owners[who].address
        micros = self.tree.cumulative(owner) + more
        self.both(
            lambda: self.model.claim(owner, micros),
            lambda: self.escrow.claim(owner, micros, self.tree.proof(owner)),
        )

    @precondition(lambda self: self.model.epoch > 0)
    @rule(who=st.sets(WHO, min_size=1))
    def claim_many(self, who: set[int]) -> None:
        chosen = [self.owners[number].address for number in who]
        many = self.tree.claims(chosen)
        self.both(
            lambda: self.model.claim_many(chosen),
            lambda: self.escrow.claim_many(many.allotments, many.proof, many.flags),
        )

    @rule(picks=PICKS, by_settler=st.booleans())
    def refund(self, picks: list[int], by_settler: bool) -> None:
        chosen = self._picked(picks)
        sender = self.world.settler if by_settler else self.owners[0].address
        self.both(
            lambda: self.model.refund(chosen, by_settler, now()),
            lambda: self.escrow.refund(chosen, sender=sender),
        )

    # The world around

    @rule(paused=st.sampled_from([False, False, False, True]))
    def pause(self, paused: bool) -> None:
        self.model.paused = paused
        self.escrow.set_paused(paused, sender=self.world.guardian)

    @rule(seconds=st.sampled_from([1, 3_600, 3_600, DAY_S, REFUND_AFTER_S]))
    def wait(self, seconds: int) -> None:
        later(seconds)

    @rule(micros=st.integers(1, 10))
    def dust(self, micros: int) -> None:
        self.usdc.mint(self.escrow.address, micros)

    @rule(who=WHO)
    def block(self, who: int) -> None:
        owner = self.owners[who].address
        if owner in self.blocked:
            self.usdc.unBlacklist(owner)
            self.blocked.remove(owner)
        else:
            self.usdc.blacklist(owner)
            self.blocked.add(owner)

    @rule(who=WHO)
    def strangers_have_no_say(self, who: int) -> None:
        owner = self.owners[who].address
        with reverts("escrow: caller is not the settler"):
            self.escrow.open_sessions([], sender=owner)
        with reverts("escrow: caller is not the settler"):
            self.escrow.close_epoch(self.model.epoch + 1, b"", self.tree.root, 0, [], sender=owner)
        with reverts("escrow: caller is not the guardian"):
            self.escrow.set_paused(True, sender=owner)

    # What always holds

    @invariant()
    def nothing_is_missing(self) -> None:
        assert self.model.owed == self.model.held == self.escrow.held()
        assert self.usdc.balanceOf(self.escrow.address) >= self.model.held

    @rule()
    def the_contract_stands_where_the_model_stands(self) -> None:
        """Now and then, and at the end: what is read costs as much time as what is done."""
        for address, owner in self.model.owners.items():
            account = self.escrow.account_of(address)
            assert (account.balance, account.claimed) == (owner.balance, owner.claimed)
            assert account.spent == owner.spent.get(account.day, 0)
            withdrawal = tuple(self.escrow.withdrawal_of(address))
            assert withdrawal == (owner.requested, owner.ready_at)
        books = (self.model.settled, self.model.allotted, self.model.claimed, self.model.epoch)
        assert tuple(self.escrow.books()) == books
        for name, played in self.model.sessions.items():
            assert tuple(self.escrow.session_state(name)) == (played.state, played.opened_at)

    def everybody_leaves(self) -> None:
        """The guardian has paused, the admin has taken the roles away, nobody settles: all get what is theirs."""
        self.the_contract_stands_where_the_model_stands()
        self.escrow.set_paused(True, sender=self.world.guardian)
        for role in (self.escrow.SETTLER(), self.escrow.GUARDIAN()):
            self.escrow.revoke_role(role, sender=self.world.admin)
        later(REFUND_AFTER_S)
        stuck = [each for each in self.sessions if self.model.sessions[each[0]].state == model.OPEN]
        self.model.refund(stuck, by_settler=False, now=now())
        self.escrow.refund(stuck, sender=self.owners[0].address)
        for owner in self.owners:
            self._leave(owner)
        left = self.model.settled - self.model.claimed
        assert self.escrow.held() == left, "what epochs settled and nobody claimed, and no more"

    def _leave(self, owner: LocalAccount) -> None:
        one = self.model.owners[owner.address]
        if one.balance:
            self.escrow.request_withdrawal(one.balance, sender=owner.address)
        due = one.balance + one.requested
        if not due:
            return
        later(WITHDRAWAL_DELAY_S)
        elsewhere = boa.env.generate_address()
        self.escrow.withdraw(elsewhere, sender=owner.address)
        assert self.usdc.balanceOf(elsewhere) == due, "to a wallet that nobody has blocked"


def run(machine: type[EscrowMachine], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_order_of_calls() -> None:
    run(EscrowMachine, examples=6, steps=20)


@pytest.mark.slow
def test_twenty_thousand_calls_in_any_order() -> None:
    before = EscrowMachine.calls
    while EscrowMachine.calls - before < 20_000:
        run(EscrowMachine, examples=200, steps=60)
