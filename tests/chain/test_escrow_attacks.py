"""Known attacks on escrows, each by name. What a hostile role can still do is in docs/threat-model.md, and tested here, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boa
import pytest

from chain.ethereum import LocalAccount
from chain.payout_tree import PayoutTree
from tests.chain.contracts import deploy, reverts
from tests.chain.escrow_world import (
    DAY_S,
    DOLLAR,
    FOREVER,
    REFUND_AFTER_S,
    WITHDRAWAL_DELAY_S,
    Session,
    World,
    later,
)
from tests.chain.roles import give_role
from tests.chain.wallets import mirrored, now, sign


@pytest.fixture
def world() -> Iterator[World]:
    """Two owners with a hundred dollars each and limits, and a third with nothing: the attacker."""
    with boa.env.anchor():
        world = World()
        for owner in world.owners[:2]:
            world.fund(owner, 100 * DOLLAR)
            world.allow(owner)
        yield world


class TestFrontRunning:
    def test_whoever_is_first_with_an_authorization_credits_its_signer(self, world: World) -> None:
        ann, _, eve = world.owners
        world.usdc.mint(ann.address, DOLLAR)
        deposit = world.authorization(ann, DOLLAR)
        world.escrow.deposit_with_authorization(*deposit, sender=eve.address)
        assert world.balance(ann) == 101 * DOLLAR
        with reverts("usdc_dev: the authorization is used or cancelled"):
            world.escrow.deposit_with_authorization(*deposit, sender=ann.address)

    def test_an_authorization_cannot_be_taken_to_the_token_past_the_escrow(
        self, world: World
    ) -> None:
        """A deposit by `transferWithAuthorization` would leave money in the escrow that nobody is credited with."""
        ann, _, eve = world.owners
        world.usdc.mint(ann.address, DOLLAR)
        owner, micros, after, before, nonce, *signature = world.authorization(ann, DOLLAR)
        message = (owner, world.escrow.address, micros, after, before, nonce, *signature)
        with reverts("usdc_dev: caller is not the payee"):
            world.usdc.receiveWithAuthorization(*message, sender=eve.address)
        with reverts("usdc_dev: invalid signature"):
            world.usdc.transferWithAuthorization(*message, sender=eve.address)

    def test_an_authorization_credits_nobody_else_and_no_other_amount(self, world: World) -> None:
        ann, _, eve = world.owners
        world.usdc.mint(ann.address, 2 * DOLLAR)
        owner, micros, *rest = world.authorization(ann, DOLLAR)
        with reverts("usdc_dev: invalid signature"):
            world.escrow.deposit_with_authorization(eve.address, micros, *rest)
        with reverts("usdc_dev: invalid signature"):
            world.escrow.deposit_with_authorization(owner, 2 * micros, *rest)

    def test_a_permit_that_was_brought_before_does_not_spoil_the_deposit(
        self, world: World
    ) -> None:
        ann, _, eve = world.owners
        world.usdc.mint(ann.address, DOLLAR)
        deadline = now() + 60
        permit = (ann.address, str(world.escrow.address), DOLLAR, 0, deadline)
        signature = sign(ann, world.usdc, "Permit", *permit)
        world.usdc.permit(*permit[:3], deadline, *signature, sender=eve.address)
        world.escrow.deposit_with_permit(DOLLAR, deadline, *signature, sender=ann.address)
        assert world.balance(ann) == 101 * DOLLAR

    def test_nobody_moves_what_another_has_approved(self, world: World) -> None:
        ann, _, eve = world.owners
        world.usdc.mint(ann.address, DOLLAR)
        world.usdc.approve(world.escrow.address, DOLLAR, sender=ann.address)
        with reverts("erc20: insufficient allowance"):
            world.escrow.deposit_with_permit(
                DOLLAR, FOREVER, 27, b"\1" * 32, b"\1" * 32, sender=eve.address
            )

    def test_claims_for_an_owner_are_the_owners(self, world: World) -> None:
        ann, bob, eve = world.owners
        session = world.session(ann, bob)
        world.open(session)
        tree = world.close(session, allot={ann: 9 * DOLLAR})
        world.claim(tree, ann, sender=eve.address)
        assert (world.balance(ann), world.balance(eve)) == (104 * DOLLAR, 0)


class TestReplay:
    @pytest.mark.parametrize(
        "elsewhere", [{"chainId": 8453}, {"verifyingContract": "0x" + "11" * 20}]
    )
    def test_limits_are_for_one_escrow_on_one_chain(
        self, world: World, elsewhere: dict[str, Any]
    ) -> None:
        signed = world.signed_limits(world.owners[2], 5, 50, FOREVER, 7, **elsewhere)
        with reverts("escrow: the owner has not signed these limits"):
            world.escrow.set_limits_by_signature(*signed)

    def test_limits_signed_for_one_deployment_are_no_good_for_the_next(self, world: World) -> None:
        signed = world.signed_limits(world.owners[2], 5, 50, FOREVER, 7)
        with reverts("escrow: the owner has not signed these limits"):
            world.new_escrow().set_limits_by_signature(*signed)

    def test_a_deposit_authorized_for_one_deployment_is_no_good_for_the_next(
        self, world: World
    ) -> None:
        ann = world.owners[0]
        world.usdc.mint(ann.address, DOLLAR)
        with reverts("usdc_dev: invalid signature"):
            world.new_escrow().deposit_with_authorization(*world.authorization(ann, DOLLAR))

    def test_a_fork_of_the_chain_has_a_domain_of_its_own(self, world: World) -> None:
        signed = world.signed_limits(world.owners[2], 5, 50, FOREVER, 7)
        before = boa.env.evm.patch.chain_id
        boa.env.evm.patch.chain_id = before + 1
        try:
            with reverts("escrow: the owner has not signed these limits"):
                world.escrow.set_limits_by_signature(*signed)
        finally:
            boa.env.evm.patch.chain_id = before
        world.escrow.set_limits_by_signature(*signed)

    def test_limits_that_were_replaced_cannot_come_back(self, world: World) -> None:
        ann, _, eve = world.owners
        wide = world.signed_limits(ann, 25 * DOLLAR, 10**12, FOREVER, 2_000)
        world.escrow.set_limits_by_signature(*wide)
        world.escrow.set_limits(0, 0, 0, 2_001, sender=ann.address)
        with reverts("escrow: limits of this nonce or a higher one are set"):
            world.escrow.set_limits_by_signature(*wide, sender=eve.address)

    def test_limits_are_signed_whole(self, world: World) -> None:
        signed = world.signed_limits(world.owners[2], 5, 50, FOREVER, 7)
        for place in range(1, 5):
            forged = [*signed]
            forged[place] += 1
            with reverts("escrow: the owner has not signed these limits"):
                world.escrow.set_limits_by_signature(*forged)

    def test_sessions_with_the_same_players_are_not_each_other(self, world: World) -> None:
        ann, bob, _ = world.owners
        first, second = world.session(ann, bob), world.session(ann, bob)
        world.open(first)
        with reverts("escrow: the session is not open"):
            world.close(second)

    def test_limits_of_nobody(self, world: World) -> None:
        """`ecrecover` gives the zero address for nonsense, and nobody owns that."""
        zero = "0x" + "00" * 20
        with reverts("ecdsa: invalid signature"):
            world.escrow.set_limits_by_signature(
                zero, 5, 50, FOREVER, 7, 27, b"\0" * 32, b"\0" * 32
            )


class TestMalleableSignatures:
    def test_the_mirrored_signature_is_refused(self, world: World) -> None:
        *limits, v, r, s = world.signed_limits(world.owners[2], 5, 50, FOREVER, 7)
        with reverts("ecdsa: invalid signature `s` value"):
            world.escrow.set_limits_by_signature(*limits, *mirrored((v, r, s)))

    def test_so_it_is_for_deposits(self, world: World) -> None:
        ann = world.owners[0]
        world.usdc.mint(ann.address, DOLLAR)
        *deposit, v, r, s = world.authorization(ann, DOLLAR)
        with reverts("ecdsa: invalid signature `s` value"):
            world.escrow.deposit_with_authorization(*deposit, *mirrored((v, r, s)))


class TestBlockedWallets:
    def test_a_blocked_owner_names_another_wallet(self, world: World) -> None:
        ann = world.owners[0]
        world.escrow.request_withdrawal(100 * DOLLAR, sender=ann.address)
        later(WITHDRAWAL_DELAY_S)
        world.usdc.blacklist(ann.address)
        with reverts("usdc_dev: account is blacklisted"):
            world.escrow.withdraw(ann.address, sender=ann.address)
        elsewhere = boa.env.generate_address()
        world.escrow.withdraw(elsewhere, sender=ann.address)
        assert world.usdc.balanceOf(elsewhere) == 100 * DOLLAR

    def test_one_blocked_owner_is_in_nobodys_way(self, world: World) -> None:
        ann, bob, _ = world.owners
        world.usdc.blacklist(ann.address)
        played, stuck = world.session(ann, bob), world.session(ann, bob)
        world.open(played, stuck)
        tree = world.close(played, allot={ann: 4 * DOLLAR, bob: 5 * DOLLAR})
        many = tree.claims([ann.address, bob.address])
        world.escrow.claim_many(many.allotments, many.proof, many.flags)
        later(REFUND_AFTER_S)
        world.escrow.refund([stuck])
        world.escrow.request_withdrawal(100 * DOLLAR, sender=bob.address)
        later(WITHDRAWAL_DELAY_S)
        assert world.escrow.withdraw(bob.address, sender=bob.address) == 100 * DOLLAR


class TestReentrancy:
    """USDC calls nobody back. If a later version did, this is what it would meet."""

    @pytest.fixture
    def token(self) -> Any:
        return boa.load(str(Path(__file__).with_name("reentrant_usdc.vy")))

    @pytest.fixture
    def escrow(self, world: World, token: Any) -> Any:
        escrow = deploy(
            "escrow", token.address, WITHDRAWAL_DELAY_S, REFUND_AFTER_S, sender=world.admin
        )
        give_role(escrow, "settler", world.settler, world.admin)
        token.mint(token.address, 200)
        escrow.deposit(100, sender=token.address)
        return escrow

    @pytest.mark.parametrize(
        ("function", "arguments"),
        [
            ("withdraw", ["0x" + "11" * 20]),
            ("request_withdrawal", [1]),
            ("cancel_withdrawal", []),
            ("deposit", [1]),
            ("set_limits", [1, 1, 1, 1]),
            ("refund", [[]]),
            ("account_of", ["0x" + "11" * 20]),
            ("held", []),
        ],
    )
    def test_nothing_can_be_called_in_the_middle_of_a_movement(
        self, token: Any, escrow: Any, function: str, arguments: list[Any]
    ) -> None:
        escrow.request_withdrawal(60, sender=token.address)
        later(WITHDRAWAL_DELAY_S)
        call = getattr(escrow, function).prepare_calldata(*arguments)
        token.set_callback(escrow.address, call)
        wallet = boa.env.generate_address()
        with pytest.raises(boa.BoaError):
            escrow.withdraw(wallet, sender=token.address)
        with pytest.raises(boa.BoaError):
            escrow.deposit(1, sender=token.address)
        token.set_callback("0x" + "00" * 20, b"")
        assert escrow.withdraw(wallet, sender=token.address) == 60
        escrow.deposit(1, sender=token.address)
        assert escrow.held() == token.balanceOf(escrow.address) == 41

    def test_a_token_that_keeps_a_fee_is_refused(self, token: Any, escrow: Any) -> None:
        token.set_fee(1)
        token.mint(token.address, 10)
        with reverts("escrow: another amount came"):
            escrow.deposit(10, sender=token.address)


class TestGriefing:
    def test_dust_on_the_contract_is_in_no_account(self, world: World) -> None:
        eve = world.owners[2]
        world.usdc.mint(eve.address, 1)
        world.usdc.transfer(world.escrow.address, 1, sender=eve.address)
        assert world.usdc.balanceOf(world.escrow.address) == world.escrow.held() + 1
        world.fund(world.owners[0], DOLLAR)

    def test_deposits_of_dust_delay_nobodys_withdrawal(self, world: World) -> None:
        ann, _, eve = world.owners
        world.escrow.request_withdrawal(DOLLAR, sender=ann.address)
        before = tuple(world.escrow.withdrawal_of(ann.address))
        world.fund(eve, 1)
        assert tuple(world.escrow.withdrawal_of(ann.address)) == before

    def test_an_owner_who_leaves_just_before_a_batch_spoils_only_its_own_session(
        self, world: World
    ) -> None:
        ann, bob, eve = world.owners
        world.fund(eve, 5 * DOLLAR)
        world.allow(eve)
        batch = [world.session(ann, bob), world.session(ann, eve), world.session(bob, ann)]
        world.escrow.request_withdrawal(1, sender=eve.address)
        said = [getattr(event, "reason", 0) for event in world.open(*batch)]
        assert said == [0, 5, 0]

    def test_whoever_claims_first_spoils_no_batch_of_claims(self, world: World) -> None:
        ann, bob, eve = world.owners
        session = world.session(ann, bob)
        world.open(session)
        tree = world.close(session, allot={ann: DOLLAR, bob: DOLLAR})
        many = tree.claims([ann.address, bob.address])
        world.claim(tree, ann, sender=eve.address)
        assert world.escrow.claim_many(many.allotments, many.proof, many.flags) == DOLLAR

    def test_whoever_refunds_first_spoils_no_batch_of_refunds(self, world: World) -> None:
        ann, bob, eve = world.owners
        first, second = world.session(ann, bob), world.session(ann, bob)
        world.open(first, second)
        later(REFUND_AFTER_S)
        world.escrow.refund([first], sender=eve.address)
        world.escrow.refund([first, second])
        assert world.balance(ann) == 100 * DOLLAR

    def test_one_leaf_named_twice_is_no_proof(self, world: World) -> None:
        ann, bob, _ = world.owners
        session = world.session(ann, bob)
        world.open(session)
        world.close(session, allot={ann: 9 * DOLLAR})
        with reverts("escrow: not in the last epoch's root"):
            world.escrow.claim_many([(ann.address, 9 * DOLLAR)] * 2, [], [True])


class TestStaleRoots:
    def test_only_the_last_epochs_root_counts(self, world: World) -> None:
        ann, bob, _ = world.owners
        first, second = world.session(ann, bob), world.session(ann, bob)
        world.open(first, second)
        old = world.close(first, allot={ann: 9 * DOLLAR})
        new = world.close(second, allot={ann: 9 * DOLLAR})
        with reverts("escrow: not in the last epoch's root"):
            world.claim(old, ann)
        assert world.claim(new, ann) == 18 * DOLLAR

    def test_an_inner_node_is_no_leaf(self, world: World) -> None:
        ann, bob, _ = world.owners
        session = world.session(ann, bob)
        world.open(session)
        tree = world.close(session, allot={ann: 4 * DOLLAR, bob: 5 * DOLLAR})
        with reverts("escrow: not in the last epoch's root"):
            world.escrow.claim(ann.address, 4 * DOLLAR, [])
        with reverts("escrow: not in the last epoch's root"):
            world.escrow.claim(bob.address, 4 * DOLLAR, tree.proof(ann.address))

    def test_before_the_first_epoch_there_is_nothing_to_claim(self, world: World) -> None:
        with reverts("escrow: not in the last epoch's root"):
            world.escrow.claim(world.owners[0].address, 0, [])


class TestAHostileSettler:
    def test_allots_no_more_than_it_settles(self, world: World) -> None:
        ann, bob, eve = world.owners
        session = world.session(ann, bob)
        world.open(session)
        with reverts("escrow: more allotted than settled"):
            world.close(session, allot={eve: 10 * DOLLAR + 1})

    def test_leaves_that_add_up_to_more_pay_out_no_more(self, world: World) -> None:
        """The root is a lie: its leaves hold a hundred times what the epoch says."""
        ann, bob, eve = world.owners
        session = world.session(ann, bob)
        world.open(session)
        tree = PayoutTree({eve.address: 10 * DOLLAR, ann.address: 990 * DOLLAR})
        world.escrow.close_epoch(
            1, b"\1" * 32, tree.root, 10 * DOLLAR, [session], sender=world.settler
        )
        with reverts("escrow: more claimed than allotted"):
            world.claim(tree, ann)
        assert world.claim(tree, eve) == 10 * DOLLAR
        with reverts("escrow: more claimed than allotted"):
            world.escrow.claim_many(*_many(tree, ann, eve))

    def test_takes_nothing_back_that_was_allotted(self, world: World) -> None:
        ann, bob, _ = world.owners
        session = world.session(ann, bob)
        world.open(session)
        tree = world.close(session, allot={ann: 9 * DOLLAR})
        world.claim(tree, ann)
        world.cumulative.clear()
        with reverts("escrow: an allotment cannot be taken back"):
            world.close()

    def test_settles_nothing_twice(self, world: World) -> None:
        ann, bob, _ = world.owners
        session = world.session(ann, bob)
        world.open(session)
        with reverts("escrow: the session is not open"):
            world.close(session, session)
        world.close(session)
        with reverts("escrow: the session is not open"):
            world.close(session)

    def test_settles_nothing_that_was_refunded(self, world: World) -> None:
        ann, bob, _ = world.owners
        session = world.session(ann, bob)
        world.open(session)
        world.escrow.refund([session], sender=world.settler)
        with reverts("escrow: the session is not open"):
            world.close(session)

    def test_refunds_nothing_that_was_settled(self, world: World) -> None:
        ann, bob, _ = world.owners
        session = world.session(ann, bob)
        world.open(session)
        world.close(session)
        later(REFUND_AFTER_S)
        world.escrow.refund([session], sender=world.settler)
        assert world.balance(ann) == 95 * DOLLAR

    def test_settles_with_the_entries_that_were_opened(self, world: World) -> None:
        ann, bob, eve = world.owners
        name, entry, owners = session = world.session(ann, bob)
        world.open(session)
        lies: list[Session] = [
            (name, entry * 20, owners),
            (name, entry, [*owners, eve.address]),
            (name, entry, owners[:1]),
            (name, entry, [ann.address, eve.address]),
        ]
        for lie in lies:
            with reverts("escrow: not as it was opened"):
                world.close(lie)

    def test_cannot_hold_a_session_for_ever(self, world: World) -> None:
        ann, bob, eve = world.owners
        session = world.session(ann, bob)
        world.open(session)
        later(REFUND_AFTER_S)
        with reverts("escrow: the session's time is over"):
            world.close(session)
        world.escrow.refund([session], sender=eve.address)
        assert world.balance(ann) == 100 * DOLLAR

    def test_takes_at_most_what_limits_allow_in_a_day(self, world: World) -> None:
        """The worst it can do to an owner who has signed limits: play it, lose it, until the cap."""
        ann, _, eve = world.owners
        world.fund(eve, 100 * DOLLAR)
        world.allow(eve)
        later(DAY_S - now() % DAY_S)
        world.allow(ann, max_entry=5 * DOLLAR, daily_cap=20 * DOLLAR)
        sessions = [world.session(ann, eve) for _ in range(10)]
        world.open(*sessions)
        stolen = [each for each in sessions if world.state(each) == 1]
        tree = world.close(*stolen, allot={eve: 40 * DOLLAR})
        world.claim(tree, eve)
        assert world.balance(ann) == 80 * DOLLAR

    def test_has_no_hold_on_an_owner_who_has_asked_for_everything(self, world: World) -> None:
        ann, bob, _ = world.owners
        world.escrow.request_withdrawal(100 * DOLLAR, sender=ann.address)
        world.open(world.session(ann, bob, entry=1))
        assert world.escrow.withdrawal_of(ann.address).amount == 100 * DOLLAR


class TestHostileRoles:
    def test_an_admin_moves_no_money_and_stops_no_way_out(self, world: World) -> None:
        ann, bob, eve = world.owners
        session = world.session(ann, bob)
        world.open(session)
        give_role(world.escrow, "settler", eve.address, world.admin)
        give_role(world.escrow, "guardian", eve.address, world.admin)
        world.escrow.set_paused(True, sender=eve.address)
        world.escrow.transfer_ownership(eve.address, sender=world.admin)
        world.escrow.accept_ownership(sender=eve.address)
        later(REFUND_AFTER_S)
        world.escrow.refund([session], sender=bob.address)
        for owner in (ann, bob):
            world.escrow.request_withdrawal(100 * DOLLAR, sender=owner.address)
        later(WITHDRAWAL_DELAY_S)
        for owner in (ann, bob):
            assert world.escrow.withdraw(owner.address, sender=owner.address) == 100 * DOLLAR

    def test_there_is_no_function_that_nobody_has_thought_of(self, world: World) -> None:
        """Whoever adds a function that changes something says here who may call it."""
        changing = {
            entry["name"]
            for entry in world.escrow.abi
            if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
        }
        owners = {"set_limits", "request_withdrawal", "cancel_withdrawal", "withdraw", "deposit"}
        anybody = {"set_limits_by_signature", "deposit_with_authorization", "claim", "claim_many"}
        settler, guardian = {"open_sessions", "close_epoch"}, {"set_paused"}
        admin = {"offer_role", "revoke_role", "transfer_ownership"}
        named = {"take_role", "accept_ownership"}
        assert changing == (
            owners
            | anybody
            | settler
            | guardian
            | admin
            | named
            | {"deposit_with_permit", "refund"}
        )


def _many(tree: PayoutTree, *owners: LocalAccount) -> Any:
    many = tree.claims([owner.address for owner in owners])
    return many.allotments, many.proof, many.flags
