"""Storms over the court: clerk, guardian and judges hostile, everybody in a hurry, and each coin accounted for after every call.

AGON_COURT_STORM=1 makes the long one: 20,000 calls and more.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chain.client.plans import FRAC
from chain.court.anchor import AnchorTree, CaseLeaf, Leaf, SeatLeaf
from chain.payout_tree import PayoutTree
from judges.court.draw import TooFew
from judges.court.terms import quorum
from tests.chain.blocks import pass_time
from tests.chain.court.hall import (
    ADMIN,
    BOB,
    CLERK,
    DOCUMENT,
    EVE,
    GUARDIAN,
    JUDGES_TERMS,
    REASONS,
    SALT,
    USDC,
    Filed,
    Hall,
    fields,
    sheet_of,
)
from tests.chain.storm import REFUSED, Storm, run
from tests.chain.wallets import now

PICK = st.integers(0, 10**6)
ANYBODY = st.sampled_from([EVE, BOB, CLERK, GUARDIAN, ADMIN])
COMMITTING, RECOMMITTING, REVEALING, DECIDED, FAILED, UNSEATED = range(2, 8)


class Held:
    """A hearing on the chain, and what was done in it."""

    def __init__(self, filed: Filed) -> None:
        self.filed = filed
        self.judges: list[str] = []
        self.sheets: dict[int, list[int]] = {}
        self.shown: set[int] = set()


class Court(Storm):
    @initialize(seed=PICK)
    def begin(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.hall = Hall(funds=50 * USDC).staffed(9)
        self.staked = sum((1_000 + 100 * number) * FRAC for number in range(9))
        self.supply = self.hall.frac.totalSupply()
        self.filed: list[Filed] = []
        self.held: list[Held] = []
        self.anchored: list[tuple[AnchorTree, list[Leaf], PayoutTree | None]] = []
        self.panels: dict[tuple[bytes, int], tuple[bytes, bytes]] = {}
        self.signed: dict[tuple[str, bytes, int], tuple[object, bytes]] = {}
        self.out_usdc = self.steps = 0
        self.focus: Held | None = None
        self.file_some(2)

    def file_some(self, count: int) -> None:
        pass_time(seconds=JUDGES_TERMS.snapshot_gap_s)
        hall = self.hall
        snapshot = hall.snapshot()
        pass_time()
        terms = {"seats": self.rng.choice([3, 5]), "margin": self.rng.choice([0, 500, 3_000])}
        try:
            self.filed += hall.file(*(hall.filing(snapshot, **terms) for _ in range(count)))
        except Exception:
            assert hall.court.clerk_bond() < hall.terms.clerk_bond
            hall.court.bond_clerk(hall.terms.clerk_bond, sender=EVE)

    def some(self, pick: int) -> Held:
        """One that is open, most of the time."""
        if self.focus is not None:
            return self.focus
        among = [each for each in self.held if self.hall.state(each.filed) < DECIDED] or self.held
        if pick % 10 == 0:
            among = self.held
        return among[pick % len(among)]

    @rule(count=st.integers(1, 3))
    def file(self, count: int) -> None:
        self.file_some(count)

    @rule(by=ANYBODY, pick=PICK)
    def file_by_anybody(self, by: str, pick: int) -> None:
        root = pick.to_bytes(32, "big") if pick else b"\x01" * 32
        newest = self.hall.registry.snapshot_count()
        done = self.call(self.hall.court, "file", root, 1, newest, sender=by)
        assert done is REFUSED or by == CLERK

    @rule(pick=PICK, opened=st.booleans())
    def hear(self, pick: int, opened: bool) -> None:
        """A hearing from its filing to its end, with whoever stays away, hides or changes its mind in between."""
        self.file_some(1)
        before = len(self.held)
        self.force(len(self.filed) - 1)
        if len(self.held) == before:
            return
        self.focus = self.held[-1]
        self.draw(pick, False)
        self.commit(pick, "all")
        if pick % 4 == 0:
            self.commit(pick, self.rng.choice(["one", "other", "forged"]))
        for _ in range(2):
            if self.hall.state(self.focus.filed) in (COMMITTING, RECOMMITTING):
                pass_time(seconds=self.hall.terms.step_s + 1)
                self.go_on(pick)
                self.commit(pick, "all")
        self.reveal(pick, self.rng.choice(["all", "all", "all", "one", "changed"]))
        if pick % 3:
            pass_time(seconds=self.hall.terms.step_s * (1 if opened else 2) + 2)
        self.finalize(pick, opened)
        self.focus = None

    @precondition(lambda self: self.filed)
    @rule(pick=PICK)
    def force(self, pick: int) -> None:
        filed = self.filed[pick % len(self.filed)]
        known = any(each.filed.key == filed.key for each in self.held)
        done = self.call(self.hall.hearings, "force", *filed.arguments, sender=EVE)
        if done is not REFUSED:
            assert not known
            self.held.append(Held(filed))

    @precondition(lambda self: self.held)
    @rule(pick=PICK, lie=st.booleans())
    def draw(self, pick: int, lie: bool) -> None:
        held = self.some(pick)
        rows = held.filed.snapshot.judges
        lists = (
            [each.judge for each in rows],
            [each.operator for each in rows],
            [each.family for each in rows],
            [each.weight + (lie and pick % 3 == 0) for each in rows],
        )
        if self.call(self.hall.hearings, "draw", held.filed.words, *lists, sender=BOB) is REFUSED:
            return
        try:
            held.judges = self.hall.judges(held.filed)
        except TooFew:
            assert self.hall.state(held.filed) == UNSEATED
            return
        found = [str(self.hall.seat(held.filed, n)[0]) for n in range(len(held.judges))]
        assert found == held.judges  # whatever has been staked, filed or said since the filing

    @precondition(lambda self: self.held)
    @rule(pick=PICK, how=st.sampled_from(["all", "one", "one", "other", "forged"]))
    def commit(self, pick: int, how: str) -> None:
        held = self.some(pick)
        if not held.judges:
            return
        numbers = range(len(held.judges)) if how == "all" else [pick % len(held.judges)]
        for number in numbers:
            if how == "all" and self.rng.random() < 0.15:
                continue
            judge = held.judges[number]
            sheet = sheet_of(self.rng, self.rng.choice([-1_500, 0, 1_500]), 600)
            if self.rng.random() < 0.1:
                sheet = [0, 10_000] * 4
            before = self.hall.ordinals.get(judge, -1)
            commit, signature = self.hall.signed(held.filed, judge, sheet, self.hall.ordinal(judge))
            if how == "forged":
                _, signature = self.hall.signed(held.filed, held.judges[number - 1], sheet, 0)
            done = self.call(
                self.hall.hearings, "commit", number, fields(commit), signature, sender=BOB
            )
            if done is REFUSED:
                self.hall.ordinals[judge] = before
                continue
            assert how != "forged" or len(held.judges) == 1
            assert number not in held.sheets  # one commitment a seat
            held.sheets[number] = sheet
            self.signed[(judge, *held.filed.key)] = (commit, signature)

    @precondition(lambda self: self.held)
    @rule(pick=PICK)
    def go_on(self, pick: int) -> None:
        held = self.some(pick)
        self.call(self.hall.hearings, "call", *held.filed.key, sender=EVE)

    @precondition(lambda self: self.held)
    @rule(pick=PICK, how=st.sampled_from(["all", "all", "one", "changed"]))
    def reveal(self, pick: int, how: str) -> None:
        held = self.some(pick)
        for number in sorted(held.sheets):
            if number in held.shown or (how == "one" and number != pick % 5):
                continue
            sheet = list(held.sheets[number])
            if how == "changed":
                sheet[0] = 10_000 - sheet[0] // 2
            shown = (*held.filed.key, number, sheet, REASONS, SALT)
            if self.call(self.hall.hearings, "reveal", *shown, sender=BOB) is REFUSED:
                continue
            assert sheet == held.sheets[number]  # no late choice
            held.shown.add(number)

    @precondition(lambda self: self.held)
    @rule(pick=PICK, opened=st.booleans())
    def finalize(self, pick: int, opened: bool) -> None:
        held = self.some(pick)
        words: tuple[object, ...] = (held.filed.words, opened, SALT, [])
        if self.call(self.hall.hearings, "finalize", *words, sender=BOB) is REFUSED:
            return
        enough = len(held.shown) >= quorum(held.filed.filing.seats)
        assert self.hall.state(held.filed) == (DECIDED if enough else FAILED)
        if enough:
            hidden = frozenset(set(held.sheets) - held.shown)
            found, leaves = self.hall.expected(held.filed, held.sheets, hidden)
            assert self.hall.hearings.hearing_of(*held.filed.key)[0][8] >> 128 == found.margin
            for leaf in leaves:
                told = (leaf.judge, leaf.skill, leaf.pay, leaf.slash)
                number = held.judges.index(leaf.judge)
                ordinal = self.hall.seat(held.filed, number)[2] & (2**53 - 1)
                right = SeatLeaf(*held.filed.key, leaf.judge, ordinal, *told[1:])
                assert number not in held.sheets or self.hall.hearings.has_said(right.leaf())

    @precondition(lambda self: self.held)
    @rule(pick=PICK)
    def follow(self, pick: int) -> None:
        held = self.held[pick % len(self.held)]
        pass_time(seconds=JUDGES_TERMS.snapshot_gap_s)
        snapshot = self.hall.snapshot()
        pass_time()
        failed = self.hall.state(held.filed) == FAILED
        batch = self.call(self.hall.hearings, "follow", held.filed.words, sender=BOB)
        if batch is not REFUSED:
            seats = held.filed.filing.seats
            self.put(held.filed.next(batch, snapshot, seats if failed else 2 * seats + 1))

    @precondition(lambda self: self.filed)
    @rule(pick=PICK)
    def appeal(self, pick: int) -> None:
        filed = self.filed[pick % len(self.filed)]
        pass_time(seconds=JUDGES_TERMS.snapshot_gap_s)
        snapshot = self.hall.snapshot()
        pass_time()
        bond = pick % 20 * USDC
        batch = self.call(self.hall.hearings, "appeal", *filed.arguments, bond, sender=BOB)
        if batch is not REFUSED:
            assert bond >= 2 * filed.filing.fee
            self.put(filed.next(batch, snapshot, 2 * filed.filing.seats + 1))

    def put(self, filed: Filed) -> None:
        self.hall.seed(filed.batch)
        self.held.append(Held(filed))
        self.filed.append(filed)

    @rule(pick=PICK, lie=st.booleans())
    def anchor(self, pick: int, lie: bool) -> None:
        """Of filings, most of them never heard: the clerk is hostile."""
        hall = self.hall
        leaves: list[Leaf] = []
        for filed in self.filed[-3:]:
            leaves.append(CaseLeaf(*filed.key, pick.to_bytes(32, "big"), DOCUMENT))
            judge = filed.snapshot.judges[pick % len(filed.snapshot.judges)].judge
            slash = filed.filing.lock * (1 + (lie and pick % 4 == 0))
            leaves.append(SeatLeaf(*filed.key, judge, pick % 50, -5_000_000, 0, slash))
        judges = {f"0x{each + 1:040x}": pick % 10 * USDC for each in range(3)}
        total = sum(judges.values()) // (2 if lie else 1)
        tree, earned = AnchorTree(leaves), PayoutTree(judges)
        words = (hall.court.epoch_count() + 1, tree.root, earned.root, total)
        if self.call(hall.court, "anchor", *words, sender=CLERK) is not REFUSED:
            self.anchored.append((tree, leaves, earned))

    @precondition(lambda self: self.anchored)
    @rule(by=ANYBODY)
    def veto(self, by: str) -> None:
        count = self.hall.court.epoch_count()
        if self.call(self.hall.court, "veto", count, sender=by) is not REFUSED:
            assert by == GUARDIAN
            self.anchored.pop()

    @precondition(lambda self: self.anchored)
    @rule(pick=PICK)
    def slash(self, pick: int) -> None:
        epoch = pick % len(self.anchored) + 1
        tree, leaves, _ = self.anchored[epoch - 1]
        leaf = leaves[pick % len(leaves)]
        if not isinstance(leaf, SeatLeaf):
            return
        filed = next(each for each in self.filed if each.key == (leaf.case, leaf.hearing))
        before = self.hall.stake_of(leaf.judge)
        heard = self.hall.heard_of(filed, epoch, leaf, tree)
        if self.call(self.hall.court, "slash", heard, sender=EVE) is not REFUSED:
            assert before - self.hall.stake_of(leaf.judge) == min(before, leaf.slash)
            assert leaf.slash <= filed.filing.lock
            assert self.hall.state(filed) == 0

    @precondition(lambda self: self.anchored)
    @rule(pick=PICK)
    def claim(self, pick: int) -> None:
        epoch = pick % len(self.anchored) + 1
        tree = self.anchored[epoch - 1][2]
        assert tree is not None
        account = tree.accounts[pick % 3]
        claim = (epoch, account, tree.cumulative(account), tree.proof(account))
        paid = self.call(self.hall.court, "claim", *claim, sender=EVE)
        if paid is not REFUSED:
            self.out_usdc += paid

    @precondition(lambda self: self.held)
    @rule(pick=PICK)
    def claim_by_force(self, pick: int) -> None:
        judge = list(self.hall.keys)[pick % len(self.hall.keys)]
        before = self.hall.court.claimed(judge)
        paid = self.call(self.hall.court, "claim", 0, judge, 0, [], sender=EVE)
        assert before + paid <= max(before, self.hall.court.forced_pay(judge))
        self.out_usdc += paid

    @precondition(lambda self: self.signed)
    @rule(pick=PICK, same=st.booleans())
    def prove_double(self, pick: int, same: bool) -> None:
        judge, case, hearing = list(self.signed)[pick % len(self.signed)]
        commit, signature = self.signed[(judge, case, hearing)]
        filed = next(each.filed for each in self.held if each.filed.key == (case, hearing))
        other, other_signature = commit, signature
        if not same and pick % 7 == 0:
            other, other_signature = self.hall.signed(filed, judge, [1] * 8, 5)
        elif not same:
            stranger = list(self.hall.keys)[pick % len(self.hall.keys)]
            other, other_signature = self.hall.signed(filed, stranger, [1] * 8, 5)
        words = (fields(commit), signature, fields(other), other_signature)  # type: ignore[arg-type]
        done = self.call(self.hall.court, "prove_double", *words, sender=EVE)
        if done is not REFUSED:
            assert not same  # an honest judge has signed once
            assert self.hall.stake_of(judge) == 0

    @precondition(lambda self: self.held)
    @rule(pick=PICK)
    def settle(self, pick: int) -> None:
        held = self.held[pick % len(self.held)]
        self.call(self.hall.hearings, "settle", *held.filed.key, sender=EVE)

    @precondition(lambda self: self.held)
    @rule(pick=PICK, number=st.integers(0, 4))
    def overturn(self, pick: int, number: int) -> None:
        held = self.held[pick % len(self.held)]
        self.call(self.hall.hearings, "overturn", held.filed.words, number, sender=EVE)

    @rule(pick=PICK, share=st.sampled_from([10, 100]))
    def unbond(self, pick: int, share: int) -> None:
        judge = list(self.hall.keys)[pick % len(self.hall.keys)]
        amount = self.hall.registry.judges(judge)[3] * share // 100
        self.call(self.hall.registry, "unbond", amount, sender=judge)

    @rule(pick=PICK)
    def release(self, pick: int) -> None:
        judge = list(self.hall.keys)[pick % len(self.hall.keys)]
        before = self.hall.frac.balanceOf(judge)
        if self.call(self.hall.registry, "release", judge, sender=judge) is not REFUSED:
            self.staked -= self.hall.frac.balanceOf(judge) - before

    @rule(pick=PICK, amount=st.integers(0, 2_000))
    def stake(self, pick: int, amount: int) -> None:
        judge = list(self.hall.keys)[pick % len(self.hall.keys)]
        amount = min(amount * FRAC, self.hall.frac.balanceOf(judge))
        if self.call(self.hall.registry, "stake", amount, sender=judge) is not REFUSED:
            self.staked += amount

    @rule(by=ANYBODY, pick=PICK)
    def take_what_is_others(self, by: str, pick: int) -> None:
        judge = list(self.hall.keys)[pick % len(self.hall.keys)]
        court, registry = self.hall.court, self.hall.registry
        for contract, name, *arguments in (
            (registry, "slash", judge, 1),
            (registry, "jail", judge, 2**60),
            (registry, "bind"),
            (court, "credit", b"\x01" * 32, 0, judge, 10**9),
            (court, "burn_clerk", b"\x01" * 32, 0),
            (court, "file_made", b"\x01" * 32, 1),
            (court, "bind"),
        )[pick % 7 : pick % 7 + 1]:
            assert self.call(contract, name, *arguments, sender=by) is REFUSED

    @rule(seconds=st.sampled_from([12, 60, 60, 3_601, 7_300]))
    def wait(self, seconds: int) -> None:
        pass_time(seconds=seconds)

    @invariant()
    def every_coin_is_accounted_for(self) -> None:
        if not hasattr(self, "out_usdc"):
            return
        self.steps += 1
        if self.steps % 4 == 0:  # some fifty questions
            self.account_for_every_coin()

    def account_for_every_coin(self) -> None:
        hall = self.hall
        stakes = sum(hall.stake_of(judge) for judge in hall.keys)
        assert hall.frac_at(hall.registry) == stakes
        bonds = usdc_bonds = 0
        for each in self.held:
            it, course = hall.hearings.hearing_of(*each.filed.key)
            if not course[12]:
                bonds, usdc_bonds = bonds + it[4], usdc_bonds + it[5]
        everybody = [EVE, BOB, *hall.keys]
        owed = sum(hall.hearings.frac_owed(each) for each in everybody)
        assert hall.frac_at(hall.hearings) == bonds + owed
        assert hall.frac_at(hall.court) == hall.court.clerk_bond()
        assert self.supply - hall.frac.totalSupply() >= self.staked - stakes >= 0
        usdc_owed = sum(hall.hearings.usdc_owed(each) for each in everybody)
        assert hall.usdc_at(hall.hearings) == usdc_bonds + usdc_owed
        claimed = hall.court.roots_claimed() + hall.court.forced_claimed()
        assert claimed == self.out_usdc
        assert hall.usdc_at(hall.court) == hall.court.funded() - claimed
        assert hall.court.forced_claimed() <= hall.court.forced_total()

    def at_the_end(self) -> None:
        """The clerk is dead: what is on the chain comes to an end all the same, and every bond and stake comes out."""
        if not hasattr(self, "out_usdc"):
            return
        hall = self.hall
        self.account_for_every_coin()
        for held in self.held:
            for _ in range(4):
                pass_time(seconds=2 * hall.terms.step_s + 2)
                if hall.state(held.filed) == 1:
                    hall.draw(held.filed)
                elif hall.state(held.filed) in (COMMITTING, RECOMMITTING):
                    hall.hearings.call(*held.filed.key, sender=EVE)
                elif hall.state(held.filed) == REVEALING:
                    hall.hearings.finalize(held.filed.words, False, SALT, [], sender=EVE)
            assert hall.state(held.filed) >= DECIDED
        pass_time(seconds=hall.terms.window_s + 1)
        for held in self.held:
            self.call(hall.hearings, "settle", *held.filed.key, sender=EVE)
        for who in (EVE, BOB, *hall.keys):
            hall.hearings.collect(who, sender=EVE)
        assert hall.frac_at(hall.hearings) == hall.usdc_at(hall.hearings) == 0
        for judge in hall.keys:
            if bonded := hall.registry.judges(judge)[3]:
                hall.registry.unbond(bonded, sender=judge)
        pass_time(seconds=JUDGES_TERMS.unbonding_s)
        for judge in hall.keys:
            if hall.stake_of(judge):
                assert now() >= hall.registry.judges(judge)[5]
                hall.registry.release(judge, sender=judge)
        assert hall.frac_at(hall.registry) == 0
        assert hall.court.unbond_clerk(EVE, sender=ADMIN) is None or hall.court.clerk_bond() == 0


@pytest.mark.slow
def test_a_storm() -> None:
    long = bool(os.environ.get("AGON_COURT_STORM"))
    seen = run(Court, examples=290 if long else 16, steps=80 if long else 40)
    print(seen.total(), dict(seen))  # with -s
    assert seen.total() >= (20_000 if long else 400)
    for name in ("force", "draw", "commit", "reveal", "finalize"):
        assert seen[name] > 3, (name, seen)
