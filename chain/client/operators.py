"""The operators' calls, typed: stake, attestations, challenges. What each does and refuses is said in `chain/contracts/operators.vy`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chain.client.contract import Caller, Invocation
from chain.client.roles import Roles


class Terms(msgspec.Struct, frozen=True):
    """What a deployment has fixed. FRAC in its smallest part."""

    min_stake: int
    bond: int
    unbonding_s: int
    answer_s: int
    answer_blocks: int
    retention_s: int


class Operator(msgspec.Struct, frozen=True):
    bonded: int
    unbonding: int
    unbonding_at: int
    batches: int
    first_batch: int
    misses: int
    missed_at: int
    role_at: int
    role_challenge: int


class Batch(msgspec.Struct, frozen=True):
    root: bytes
    leaves: int
    at: int
    exposed: bool


class Challenge(msgspec.Struct, frozen=True):
    operator: str
    challenger: str
    bond: int
    batch: int
    leaf: int
    opened_block: int
    opened_at: int
    seed: bytes
    drawn_block: int
    drawn_at: int
    closed: bool


class Attested(msgspec.Struct, frozen=True):
    """One leaf of a batch: what an operator says that it keeps."""

    session: bytes
    digest: bytes
    size: int
    time_ms: int
    pieces_root: bytes

    def fields(self) -> tuple[bytes, bytes, int, int, bytes]:
        return self.session, self.digest, self.size, self.time_ms, self.pieces_root


class Operators(Roles):
    """The contract at `address`."""

    def __init__(self, node: Caller, address: str) -> None:
        super().__init__(node, "operators", address)

    async def terms(self) -> Terms:
        return Terms(*await self.read("terms"))

    async def operator(self, address: str, block: int | None = None) -> Operator:
        return Operator(*await self.read("operators", address, block=block))

    async def staked(self, address: str) -> Operator:
        """For `chain.wallet.staking`."""
        return await self.operator(address)

    async def min_stake(self) -> int:
        return (await self.terms()).min_stake

    async def endpoint(self, address: str) -> str:
        """Where its node is found, as it says; empty where it is not registered."""
        return str(await self.read("endpoint", address))

    async def peer_id(self, address: str) -> str:
        return str(await self.read("peer_id", address))

    async def batch(self, operator: str, number: int) -> Batch:
        return Batch(*await self.read("batches", operator, number))

    async def challenge(self, number: int) -> Challenge:
        return Challenge(*await self.read("challenges", number))

    async def challenge_count(self) -> int:
        return int(await self.read("challenge_count"))

    def register(self, endpoint: str, peer_id: str) -> Invocation:
        return self.invoke("register", endpoint, peer_id)

    def stake(self, amount: int) -> Invocation:
        """By the operator, who has approved it."""
        return self.invoke("stake", amount)

    def unbond(self, amount: int) -> Invocation:
        return self.invoke("unbond", amount)

    def release(self, receiver: str) -> Invocation:
        return self.invoke("release", receiver)

    def attest(self, root: bytes, leaves: int, list_digest: bytes) -> Invocation:
        return self.invoke("attest", root, leaves, list_digest)

    def open_challenge(self, operator: str, batch: int, leaf: int) -> Invocation:
        """By the challenger's role, or by anybody who puts up the bond."""
        return self.invoke("challenge", operator, batch, leaf)

    def draw(self, number: int) -> Invocation:
        """By anybody: which piece is asked for."""
        return self.invoke("draw", number)

    def answer(
        self,
        number: int,
        leaf: Attested,
        leaf_proof: Sequence[bytes],
        piece: bytes,
        piece_proof: Sequence[bytes],
    ) -> Invocation:
        return self.invoke(
            "answer", number, leaf.fields(), list(leaf_proof), piece, list(piece_proof)
        )

    def record_miss(self, number: int) -> Invocation:
        """By anybody, of a challenge that was not answered in time."""
        return self.invoke("record_miss", number)

    def lapse(self, number: int) -> Invocation:
        """By anybody, of a challenge that can be neither answered nor missed any more."""
        return self.invoke("lapse", number)

    def expose(
        self,
        operator: str,
        batch: int,
        index: int,
        leaf: Attested,
        leaf_proof: Sequence[bytes],
        content: bytes,
    ) -> Invocation:
        """By anybody: the content is not what the leaf says."""
        return self.invoke(
            "expose", operator, batch, index, leaf.fields(), list(leaf_proof), content
        )
