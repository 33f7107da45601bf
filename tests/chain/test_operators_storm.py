"""Storms over the operators' contract: every role hostile, challenges without end, and who answers keeps every unit of stake."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chain import attestation
from chain.attestation import ANY_LEAF
from spaces import merkle
from tests.chain.blocks import block_number, pass_time
from tests.chain.operators_stage import (
    ANSWER_BLOCKS,
    ANSWER_S,
    BOND,
    CHALLENGER,
    DAY,
    EVE,
    GUARDIAN,
    MIN_STAKE,
    OPERATOR,
    OTHER,
    SEED_BLOCKS,
    UNBONDING_S,
    Batch,
    Stage,
)
from tests.chain.storm import REFUSED, Storm, run
from tests.chain.wallets import now

HONEST, SLOPPY = OPERATOR, OTHER
PARTY = st.sampled_from([HONEST, SLOPPY])
ANYBODY = st.sampled_from([EVE, CHALLENGER, GUARDIAN, HONEST, SLOPPY])
PICK = st.integers(0, 10**6)


@dataclass
class Challenge:
    number: int
    operator: str
    bond: int
    batch: Batch
    opened_at: int
    opened_block: int
    drawn_at: int = 0
    drawn_block: int = 0
    open: bool = True


class Operators(Storm):
    @initialize()
    def begin(self) -> None:
        self.stage = Stage()
        self.contract = self.stage.operators
        self.paid_in: dict[str, int] = {HONEST: 0, SLOPPY: 0}
        self.lost: dict[str, int] = {HONEST: 0, SLOPPY: 0}
        self.lies: set[int] = set()
        self.batches: dict[str, list[Batch]] = {HONEST: [], SLOPPY: []}
        self.challenges: list[Challenge] = []
        for operator in (HONEST, SLOPPY):
            self.stage.join(operator, 2 * MIN_STAKE)
            self.paid_in[operator] += 2 * MIN_STAKE
            self.batches[operator].append(self.stage.attest([3_000, 10], operator))
            self.challenge_and_draw(EVE, operator, 0, any_leaf=True)

    @rule(operator=PARTY, amount=st.integers(0, 3 * MIN_STAKE))
    def stake(self, operator: str, amount: int) -> None:
        if self.call(self.contract, "stake", amount, sender=operator) is REFUSED:
            self.call(self.contract, "unpause", sender=GUARDIAN)
        else:
            self.paid_in[operator] += amount

    @rule(operator=PARTY, share=st.sampled_from([1, 10, 30, 50, 100, 110]))
    def unbond(self, operator: str, share: int) -> None:
        amount = self.bonded(operator) * share // 100
        done = self.call(self.contract, "unbond", amount, sender=operator)
        assert (done is REFUSED) == (amount == 0 or share > 100)

    def bonded(self, operator: str) -> int:
        return self.stage.bonded(operator)

    @rule(operator=PARTY)
    def release(self, operator: str) -> None:
        amount, at = self.stage.unbonding(operator), self.contract.operators(operator)[2]
        done = self.call(self.contract, "release", operator, sender=operator)
        assert (done is REFUSED) == (amount == 0 or now() < at)
        if done is not REFUSED:
            self.paid_in[operator] -= amount

    @rule(operator=PARTY, sizes=st.lists(st.integers(1, 4_000), min_size=1, max_size=5))
    def attest(self, operator: str, sizes: list[int]) -> None:
        if self.contract.paused() or self.bonded(operator) < MIN_STAKE:
            return
        self.batches[operator].append(self.stage.attest(sizes, operator))

    @rule(sizes=st.lists(st.integers(1, 4_000), min_size=1, max_size=3), told=st.booleans())
    def attest_a_lie(self, sizes: list[int], told: bool) -> None:
        if self.contract.paused() or self.bonded(SLOPPY) < MIN_STAKE:
            return
        batch = self.stage.attest(sizes, SLOPPY, lie=0)
        self.batches[SLOPPY].append(batch)
        self.lies.add(batch.number)
        if told:
            self.expose(SLOPPY, 0, last=True)

    @rule(operator=PARTY, pick=PICK, last=st.booleans())
    def expose(self, operator: str, pick: int, last: bool) -> None:
        batch = self.batches[operator][-1 if last else pick % len(self.batches[operator])]
        stake = sum(self.contract.operators(operator)[:2])
        exposure = self.stage.exposure(batch, pick % len(batch.leaves), operator)
        if self.call(self.contract, "expose", *exposure, sender=EVE) is not REFUSED:
            assert operator == SLOPPY
            assert batch.number in self.lies
            assert exposure[2] == 0
            self.lies.remove(batch.number)
            self.lost[operator] += stake - sum(self.contract.operators(operator)[:2])

    @rule(who=ANYBODY, operator=PARTY, pick=PICK, any_leaf=st.booleans())
    def challenge(self, who: str, operator: str, pick: int, any_leaf: bool) -> None:
        batch = self.batches[operator][pick % len(self.batches[operator])]
        leaf = ANY_LEAF if any_leaf else pick % (len(batch.leaves) + 1)
        number = self.call(self.contract, "challenge", operator, batch.number, leaf, sender=who)
        if number is not REFUSED:
            bond = 0 if who == CHALLENGER else BOND
            assert leaf == ANY_LEAF or leaf < len(batch.leaves)
            self.challenges.append(Challenge(number, operator, bond, batch, now(), block_number()))

    @rule(who=ANYBODY, operator=PARTY, pick=PICK, any_leaf=st.booleans())
    def challenge_and_draw(self, who: str, operator: str, pick: int, any_leaf: bool) -> None:
        """What a challenger's node does: it draws as soon as it can."""
        before = len(self.challenges)
        self.challenge(who, operator, pick, any_leaf)
        if len(self.challenges) > before:
            pass_time(blocks=SEED_BLOCKS + 1, seconds=60)
            self.draw_it(self.challenges[-1])

    def some(self, pick: int) -> Challenge:
        """One that is open, most of the time."""
        among = [each for each in self.challenges if each.open] or self.challenges
        if pick % 10 == 0:
            among = self.challenges
        return among[pick % len(among)]

    @precondition(lambda self: self.challenges)
    @rule(pick=PICK)
    def draw(self, pick: int) -> None:
        self.draw_it(self.some(pick))

    def draw_it(self, it: Challenge) -> None:
        if self.call(self.contract, "draw", it.number, sender=EVE) is not REFUSED:
            assert it.open
            assert not it.drawn_at
            assert block_number() > it.opened_block + SEED_BLOCKS
            assert now() <= it.opened_at + 3_600
            it.drawn_at, it.drawn_block = now(), block_number()

    @precondition(lambda self: self.challenges)
    @rule(pick=PICK, by=ANYBODY, lie=st.sampled_from([0, 0, 1, 2]))
    def answer(self, pick: int, by: str, lie: int) -> None:
        it = self.some(pick)
        if not it.drawn_at:
            return
        answer = self.stage.answer(it.number, it.batch)
        if (
            it.operator == SLOPPY
            and merkle.root(attestation.pieces(it.batch.content[self.stage.leaf(it.number)]))
            != answer.leaf[4]
        ):
            lie = 3  # its own `pieces_root` stands in the way of an answer
        if lie == 1:
            answer = answer._replace(piece=bytes([answer.piece[0] ^ 1]) + answer.piece[1:])
        elif lie == 2:
            answer = answer._replace(leaf=(*answer.leaf[:2], answer.leaf[2] + 1, *answer.leaf[3:]))
        done = self.call(self.contract, "answer", it.number, *answer, sender=by)
        assert (done is REFUSED) == (not it.open or lie in (1, 2, 3))
        it.open = it.open and done is REFUSED

    @precondition(lambda self: self.challenges)
    @rule(pick=PICK, by=ANYBODY)
    def record_miss(self, pick: int, by: str) -> None:
        it = self.some(pick)
        stake = sum(self.contract.operators(it.operator)[:2])
        supply = self.stage.frac.totalSupply()
        done = self.call(self.contract, "record_miss", it.number, sender=by)
        late = now() > it.drawn_at + ANSWER_S and block_number() > it.drawn_block + ANSWER_BLOCKS
        assert (done is not REFUSED) == bool(it.open and it.drawn_at and late)
        if done is REFUSED:
            return
        it.open = False
        lost = stake - sum(self.contract.operators(it.operator)[:2])
        assert 0 <= lost <= stake // 5
        assert supply - self.stage.frac.totalSupply() == lost - min(lost // 2, it.bond)
        self.lost[it.operator] += lost

    @precondition(lambda self: self.challenges)
    @rule(pick=PICK, by=ANYBODY)
    def lapse(self, pick: int, by: str) -> None:
        it = self.some(pick)
        if self.call(self.contract, "lapse", it.number, sender=by) is not REFUSED:
            assert it.open
            assert not it.drawn_at
            assert now() > it.opened_at + 3_600
            it.open = False

    @rule(
        blocks=st.sampled_from([1, SEED_BLOCKS + 1, SEED_BLOCKS + 1, ANSWER_BLOCKS + 1, 300]),
        seconds=st.sampled_from([12, 12, 60, 60, 600, ANSWER_S + 1, DAY, UNBONDING_S // 2]),
    )
    def wait(self, blocks: int, seconds: int) -> None:
        self.honest_answers()
        pass_time(blocks=blocks, seconds=seconds)

    @rule(by=st.sampled_from([GUARDIAN, EVE]), again=st.booleans())
    def pause(self, by: str, again: bool) -> None:
        """Now and then, for a while; `stake` ends it."""
        done = self.call(self.contract, "pause", sender=by) if again else REFUSED
        assert done is REFUSED or by == GUARDIAN

    def honest_answers(self) -> None:
        """What an honest operator's node does before time goes by: it answers whatever was drawn."""
        for it in self.challenges:
            if it.open and it.drawn_at and it.operator == HONEST:
                answer = self.stage.answer(it.number, it.batch)
                assert self.call(self.contract, "answer", it.number, *answer, sender=HONEST) is None
                it.open = False

    @invariant()
    def all_frac_is_accounted_for(self) -> None:
        if not hasattr(self, "stage"):
            return
        stakes = 0
        for operator in (HONEST, SLOPPY):
            bonded, unbonding, *_ = self.contract.operators(operator)
            stake = bonded + unbonding
            assert stake == self.paid_in[operator] - self.lost[operator]
            stakes += stake
        bonds = sum(each.bond for each in self.challenges if each.open)
        assert self.stage.held() == stakes + bonds
        assert self.lost[HONEST] == 0

    def at_the_end(self) -> None:
        """The server is dead, and every role is hostile: both take out what they did not lose."""
        if not hasattr(self, "stage"):
            return
        self.call(self.contract, "pause", sender=GUARDIAN)
        self.honest_answers()
        for operator in (HONEST, SLOPPY):
            if self.bonded(operator):
                done = self.call(self.contract, "unbond", self.bonded(operator), sender=operator)
                assert done is None
        pass_time(seconds=UNBONDING_S)
        for operator in (HONEST, SLOPPY):
            before = self.stage.frac.balanceOf(operator)
            amount = self.paid_in[operator] - self.lost[operator]
            if amount:
                assert self.call(self.contract, "release", operator, sender=operator) is None
            assert self.stage.frac.balanceOf(operator) == before + amount
        for it in self.challenges:  # every bond comes out, too
            if not it.open:
                continue
            if it.drawn_at:
                pass_time(blocks=ANSWER_BLOCKS + 1, seconds=0)
            name = "record_miss" if it.drawn_at else "lapse"
            assert self.call(self.contract, name, it.number, sender=EVE) is None
        assert self.stage.held() == 0
        assert self.stage.frac.balanceOf(CHALLENGER) == self.stage.frac.balanceOf(GUARDIAN) == 0


def test_a_small_storm() -> None:
    seen = run(Operators, examples=5, steps=30, always_the_same=True)
    assert seen["challenge"]
    assert seen["draw"]


@pytest.mark.slow
def test_a_storm() -> None:
    seen = run(Operators, examples=80, steps=50)
    assert seen.total() >= 2_300
    assert min(seen[name] for name in ("challenge", "unbond", "stake", "release")) > 50
    assert min(seen[name] for name in ("draw", "answer", "record_miss", "lapse", "expose")) > 5
