"""The court's calls, typed: filings, seeds, epochs, pay, slashes. What each does and refuses is said in `chain/contracts/court.vy`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chain.client.contract import Caller, Invocation
from chain.client.roles import NOBODY, Roles
from chain.court.anchor import SeatLeaf
from chain.court.filing import Filing
from chain.court.messages import Commit


class Terms(msgspec.Struct, frozen=True):
    """What a deployment has fixed. FRAC in its smallest part, fees in micro-USDC; see the contract's struct."""

    seed_blocks: int
    snapshot_max_s: int
    hearing_s: int
    anchor_s: int
    window_s: int
    appeal_s: int
    step_s: int
    record_s: int
    bond: int
    clerk_bond: int
    max_fee: int
    max_lock: int
    no_commit_bps: int
    no_reveal_bps: int
    rolling_floor: int
    rolling_bps: int
    overturned_bps: int


class Batch(msgspec.Struct, frozen=True):
    """Filings under one root."""

    root: bytes
    seed: bytes
    """Zeros until it is drawn."""
    snapshot: int
    block: int
    """0: there is no such batch."""
    at: int
    made: bool
    """By a hearing on the chain."""

    @property
    def drawn(self) -> bool:
        return self.seed != bytes(32)


class Epoch(msgspec.Struct, frozen=True):
    cases_root: bytes
    earned_root: bytes
    total: int
    """Micro-USDC that judges may claim in all by it and by those before."""
    at: int
    """Unix seconds; it counts `Terms.window_s` later."""


class Heard(msgspec.Struct, frozen=True):
    """What a hearing meant for a judge, by an epoch's leaf; epoch 0: by a hearing on the chain, and needs no proofs."""

    batch: int
    filing: Filing
    filing_proof: Sequence[bytes]
    epoch: int
    seat: SeatLeaf
    proof: Sequence[bytes]

    def fields(self) -> tuple[object, ...]:
        """The contract's struct. Raises ValueError where the filing is none."""
        seat = self.seat
        leaf = (seat.judge, seat.ordinal, seat.skill, seat.pay, seat.slash)
        proofs = list(self.filing_proof), list(self.proof)
        return (self.batch, self.filing.words(), proofs[0], self.epoch, leaf, proofs[1])


class CourtContract(Roles):
    """The contract at `address`. Its roles are `clerk` and `guardian`."""

    def __init__(self, node: Caller, address: str) -> None:
        super().__init__(node, "court", address)

    async def terms(self) -> Terms:
        return Terms(*await self.read("terms"))

    async def registry(self) -> str:
        """Where judges stake."""
        return str(await self.read("REGISTRY"))

    async def hearings(self) -> str | None:
        """Where hearings are done on the chain; None while no such contract is bound."""
        found = str(await self.read("hearings"))
        return None if found == NOBODY else found

    async def life_s(self) -> int:
        """From a snapshot until nothing that it was drawn for can cost stake any more."""
        return int(await self.read("LIFE"))

    async def batch(self, number: int, block: int | None = None) -> Batch:
        return Batch(*await self.read("batches", number, block=block))

    async def batch_count(self) -> int:
        """Batches count from 1."""
        return int(await self.read("batch_count"))

    async def epoch(self, number: int, block: int | None = None) -> Epoch:
        return Epoch(*await self.read("epochs", number, block=block))

    async def epoch_count(self) -> int:
        """Epochs count from 1."""
        return int(await self.read("epoch_count"))

    async def clerk_bond(self) -> int:
        """FRAC that answers for what the clerk says."""
        return int(await self.read("clerk_bond"))

    async def funded(self) -> int:
        """Micro-USDC that was paid in for pay, in all."""
        return int(await self.read("funded"))

    async def forced_total(self) -> int:
        """Micro-USDC that hearings on the chain have earned anybody."""
        return int(await self.read("forced_total"))

    async def claimed(self, judge: str, block: int | None = None) -> int:
        """Micro-USDC that a judge was paid in all."""
        return int(await self.read("claimed", judge, block=block))

    async def forced_pay(self, judge: str) -> int:
        """The sum of a judge's pays for hearings on the chain, micro-USDC; may be negative."""
        return int(await self.read("forced_pay", judge))

    async def rolled(self, judge: str) -> int:
        """The least ordinal that no rolling slash has counted."""
        return int(await self.read("rolled", judge))

    async def slashed(self, leaf: bytes) -> bool:
        """keccak256(abi.encode(case, hearing, judge)): whether an anchored leaf has cost that judge something."""
        return bool(await self.read("taken", leaf))

    def bond_clerk(self, amount: int) -> Invocation:
        """By anybody, who has approved the FRAC."""
        return self.invoke("bond_clerk", amount)

    def unbond_clerk(self, receiver: str) -> Invocation:
        """By the admin, when nothing that was filed can be contradicted any more."""
        return self.invoke("unbond_clerk", receiver)

    def file(self, root: bytes, count: int, snapshot: int) -> Invocation:
        """By the clerk (`chain.court.filing.Batch`)."""
        return self.invoke("file", root, count, snapshot)

    def seed(self, batch: int) -> Invocation:
        """By anybody, while the hash of its block is at hand."""
        return self.invoke("seed", batch)

    def prove_two_filings(
        self,
        first: int,
        filing: Filing,
        proof: Sequence[bytes],
        second: int,
        other: Filing,
        other_proof: Sequence[bytes],
    ) -> Invocation:
        """By anybody: one hearing filed again when its seed was known."""
        return self.invoke(
            "prove_two_filings",
            first,
            filing.words(),
            list(proof),
            second,
            other.words(),
            list(other_proof),
        )

    def fund(self, amount: int) -> Invocation:
        """By anybody, who has approved the micro-USDC."""
        return self.invoke("fund", amount)

    def anchor(
        self, epoch: int, cases_root: bytes, earned_root: bytes, earned_total: int
    ) -> Invocation:
        """By the clerk, once the epoch before counts (`chain.documents.court_epoch`)."""
        return self.invoke("anchor", epoch, cases_root, earned_root, earned_total)

    def veto(self, epoch: int) -> Invocation:
        """By the guardian, of one that does not count yet."""
        return self.invoke("veto", epoch)

    def claim(self, epoch: int, judge: str, cumulative: int, proof: Sequence[bytes]) -> Invocation:
        """By anybody; it is paid to the judge. Epoch 0: only what hearings on the chain have earned."""
        return self.invoke("claim", epoch, judge, cumulative, list(proof))

    def slash(self, heard: Heard) -> Invocation:
        """By anybody, once the leaf's epoch counts."""
        return self.invoke("slash", heard.fields())

    def slash_rolling(self, row: Sequence[Heard]) -> Invocation:
        """By anybody: 20 hearings of a judge in a row, below the floor."""
        return self.invoke("slash_rolling", [each.fields() for each in row])

    def prove_double(
        self, first: Commit, signature: str, second: Commit, other_signature: str
    ) -> Invocation:
        """By anybody: two commitments of one judge to one hearing, or with one ordinal. Signatures are hex with 0x."""
        return self.invoke(
            "prove_double",
            _fields(first),
            bytes.fromhex(signature[2:]),
            _fields(second),
            bytes.fromhex(other_signature[2:]),
        )


def _fields(commit: Commit) -> tuple[bytes, int, bytes, int]:
    return commit.case, commit.hearing, commit.commitment, commit.ordinal
