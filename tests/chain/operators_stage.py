"""Operators with stakes, content and challenges, for the tests of `contracts/operators.vy`."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import msgspec

from chain import attestation
from chain.attestation import Leaf
from spaces import merkle
from tests.chain.blocks import pass_time
from tests.chain.contracts import deploy
from tests.chain.roles import give_role
from tests.chain.wallets import wallet

ADMIN, GUARDIAN, CHALLENGER, TREASURY, OPERATOR, OTHER, EVE = (
    wallet(n).address for n in range(1, 8)
)
FRAC = 10**18
MIN_STAKE, BOND = 1_000 * FRAC, 10 * FRAC
DAY = 86_400
ANSWER_S, ANSWER_BLOCKS = 6 * 3_600, 100
UNBONDING_S, RETENTION_S = 14 * DAY, 90 * DAY
TERMS = (MIN_STAKE, BOND, UNBONDING_S, ANSWER_S, ANSWER_BLOCKS, RETENTION_S)
SEED_BLOCKS = 4


class Batch(NamedTuple):
    """What an operator attested, and the blocks behind it."""

    number: int
    leaves: list[Leaf]
    content: list[bytes]


def content_of(seed: int, sizes: list[int]) -> list[bytes]:
    rng = random.Random(seed)
    return [rng.randbytes(size) for size in sizes]


class Stage:
    """The contract, FRAC for everybody, and the moves of the parties."""

    def __init__(self) -> None:
        self.frac = deploy("frac", TREASURY)
        self.operators: Any = deploy("operators", str(self.frac.address), TERMS, sender=ADMIN)
        self.address = str(self.operators.address)
        give_role(self.operators, "challenger", CHALLENGER, ADMIN)
        give_role(self.operators, "guardian", GUARDIAN, ADMIN)
        for account in (OPERATOR, OTHER, EVE):
            self.frac.transfer(account, 100_000 * FRAC, sender=TREASURY)
            self.frac.approve(self.address, 2**255, sender=account)

    def join(self, operator: str = OPERATOR, stake: int = 2 * MIN_STAKE) -> None:
        self.operators.register("https://node.example", "12D3KooW", sender=operator)
        self.operators.stake(stake, sender=operator)

    def attest(self, sizes: list[int], operator: str = OPERATOR, lie: int | None = None) -> Batch:
        """`lie`: the leaf whose `pieces_root` is another block's."""
        content = content_of(len(sizes), sizes)
        leaves = [
            attestation.leaf_of(f"session {number}", block, 1_700_000_000_000 + number)
            for number, block in enumerate(content)
        ]
        if lie is not None:
            leaves[lie] = msgspec.structs.replace(leaves[lie], pieces_root=b"\x01" * 32)
        number = self.operators.attest(
            attestation.batch_root(leaves),
            len(leaves),
            attestation.list_digest(leaves),
            sender=operator,
        )
        return Batch(number, leaves, content)

    def drawn(self, challenger: str, batch: Batch, leaf: int, operator: str = OPERATOR) -> int:
        """A challenge whose seed is drawn, too: its id."""
        number: int = self.operators.challenge(operator, batch.number, leaf, sender=challenger)
        pass_time(blocks=SEED_BLOCKS + 1, seconds=60)
        self.operators.draw(number, sender=EVE)
        return number

    def seed(self, challenge: int) -> bytes:
        seed: bytes = self.operators.challenges(challenge)[7]
        return seed

    def leaf(self, challenge: int) -> int:
        leaf: int = self.operators.challenges(challenge)[4]
        return leaf

    def answer(self, challenge: int, batch: Batch) -> attestation.Answer:
        """The right one."""
        leaf = self.leaf(challenge)
        return attestation.answer(batch.leaves, leaf, batch.content[leaf], self.seed(challenge))

    def exposure(self, batch: Batch, index: int, operator: str = OPERATOR) -> tuple[Any, ...]:
        """The arguments of `expose`."""
        encoded = [leaf.encode() for leaf in batch.leaves]
        proof = merkle.inclusion_proof(encoded, index)
        leaf = batch.leaves[index].fields()
        return operator, batch.number, index, leaf, proof, batch.content[index]

    def miss(self, challenge: int) -> None:
        """Lets the time to answer go by, and records it."""
        pass_time(blocks=ANSWER_BLOCKS + 1, seconds=ANSWER_S + 1)
        self.operators.record_miss(challenge, sender=EVE)

    def bonded(self, operator: str = OPERATOR) -> int:
        bonded: int = self.operators.operators(operator)[0]
        return bonded

    def unbonding(self, operator: str = OPERATOR) -> int:
        unbonding: int = self.operators.operators(operator)[1]
        return unbonding

    def held(self) -> int:
        held: int = self.frac.balanceOf(self.address)
        return held
