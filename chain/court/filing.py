"""What a hearing is about, fixed before anybody is drawn; and the tree of a batch, whose root goes on the chain. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from chain.court import encoding
from chain.standard_tree import StandardTree, root_of

MAX_BATCH = 4_096
"""Filings under one root."""
MAX_LINES = 8
"""Of a rubric: what fits the packed words."""
MAX_CONTESTANTS = 8
MAX_SEATS = 31
_MAX = 1 << 128


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """One hearing. The contract's struct of this name, but that `weights` and `prior` are one word each there."""

    case: bytes
    """32 bytes: what the escrow calls the session (`case_id`)."""
    hearing: int
    """From 0."""
    transcript: bytes
    """SHA-256 of its block, as in its CID."""
    seats: int
    """Of the panel; 1 to 31."""
    snapshot: int
    """The number of the registry's snapshot that is drawn from."""
    contestants: int
    """1 to 8."""
    weights: tuple[int, ...]
    """Of each line of the rubric, 1 to 255; at most 8 lines."""
    prior: tuple[int, ...]
    """For each line the score that was usual before, thousandths of a point."""
    scale: int
    """Mean square that a skill of 1 is, thousandths of a point squared; at least 1."""
    fee: int
    """Micro-USDC for the whole panel."""
    lock: int
    """FRAC, in its smallest part, that each seat can lose."""
    margin: int
    """Thousandths of a point: less than that between the first and the second, and a bigger panel looks again."""
    commit_s: int
    reveal_s: int
    """How long, from the draw and from the last commitment."""
    reference: bytes
    """32 bytes: `chain.court.reference.commitment`."""

    def words(self) -> tuple[bytes | int, ...]:
        """The contract's struct, field by field. Raises ValueError where it does not fit."""
        _check(self)
        return (
            self.case,
            self.hearing,
            self.transcript,
            self.seats,
            self.snapshot,
            self.contestants,
            packed(self.weights, 8),
            packed(self.prior, 16),
            self.scale,
            self.fee,
            self.lock,
            self.margin,
            self.commit_s,
            self.reveal_s,
            self.reference,
        )

    def leaf(self) -> bytes:
        """keccak256(keccak256(abi.encode(filing))): its leaf in the batch's tree. Raises ValueError."""
        return encoding.leaf(*self.words())

    @property
    def size(self) -> int:
        """Scores of a sheet."""
        return len(self.weights) * self.contestants


class Batch:
    """The filings under one root, in the order in which they are filed."""

    def __init__(self, filings: Sequence[Filing]) -> None:
        """Of 1 to MAX_BATCH filings, none twice. Raises ValueError."""
        if not 1 <= len(filings) <= MAX_BATCH:
            raise ValueError(f"a batch has 1 to {MAX_BATCH} filings, got {len(filings)}")
        self._leaves = [each.leaf() for each in filings]
        if len({(each.case, each.hearing) for each in filings}) < len(filings):
            raise ValueError("a hearing is filed twice")
        self._tree = StandardTree(self._leaves)

    @property
    def root(self) -> bytes:
        return self._tree.root

    @property
    def count(self) -> int:
        return len(self._leaves)

    def proof(self, index: int) -> list[bytes]:
        """Of the filing of this number, from its leaf's sibling up. Raises IndexError."""
        return self._tree.proof(self._leaves[index])


def is_filed(filing: Filing, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a batch of this root holds the filing. Raises ValueError where it is none."""
    return root_of(filing.leaf(), proof) == root


def case_id(session: str) -> bytes:
    """What the contracts call a session's case: SHA-256 of the text of its ULID, as the escrow calls the session."""
    return hashlib.sha256(session.encode()).digest()


def packed(values: Sequence[int], bits: int) -> int:
    """One word: value i stands in bits `bits * i` and up. Raises ValueError."""
    if len(values) > MAX_LINES or not all(0 <= each < 1 << bits for each in values):
        raise ValueError(f"at most {MAX_LINES} values of {bits} bits fit, got {list(values)}")
    return sum(each << bits * at for at, each in enumerate(values))


def unpacked(word: int, bits: int, count: int) -> tuple[int, ...]:
    """What `packed` has made of `count` values."""
    return tuple(word >> bits * at & (1 << bits) - 1 for at in range(count))


def _check(filing: Filing) -> None:
    lines = len(filing.weights)
    if not 1 <= lines <= MAX_LINES or len(filing.prior) != lines or 0 in filing.weights:
        raise ValueError(f"a rubric has 1 to {MAX_LINES} lines, each with a weight and a prior")
    if not 1 <= filing.contestants <= MAX_CONTESTANTS or not 1 <= filing.seats <= MAX_SEATS:
        raise ValueError(f"{filing.contestants} contestants, {filing.seats} seats")
    numbers = (
        filing.hearing,
        filing.snapshot,
        filing.scale,
        filing.fee,
        filing.lock,
        filing.margin,
        filing.commit_s,
        filing.reveal_s,
    )
    if not all(0 <= each < _MAX for each in numbers) or filing.scale == 0:
        raise ValueError("a filing's numbers are from 0 to 2^128 - 1, its scale at least 1")
