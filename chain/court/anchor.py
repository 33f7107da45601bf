"""What an epoch of the court puts on the chain: two roots, over what it has found and over what judges have earned. Pure.

The first is over CASE leaves (what a hearing came to) and SEAT leaves (what it means for a judge), the second over what each
judge may claim in all.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from eth_utils.crypto import keccak

from chain.court import encoding
from chain.standard_tree import StandardTree

MAX_LEAVES = 1 << 17
CASE = bytes(keccak(text="case"))
SEAT = bytes(keccak(text="seat"))
"""The first word of a leaf: no leaf of one kind can be shown as one of another."""


NO_ORDINAL = 2**53 - 1
"""In the leaf of a seat that has committed to nothing."""


class CaseLeaf(msgspec.Struct, frozen=True):
    case: bytes
    hearing: int
    verdict_hash: bytes
    """`verdict_hash`."""
    document: bytes
    """SHA-256 of the block of the case's `agon-case/1`, as in its CID."""

    def leaf(self) -> bytes:
        return encoding.leaf(CASE, self.case, self.hearing, self.verdict_hash, self.document)


class SeatLeaf(msgspec.Struct, frozen=True):
    case: bytes
    hearing: int
    judge: str
    ordinal: int
    skill: int
    """Millionths."""
    pay: int
    """Micro-USDC, may be negative."""
    slash: int
    """FRAC, in its smallest part."""

    def leaf(self) -> bytes:
        return encoding.leaf(
            SEAT,
            self.case,
            self.hearing,
            self.judge,
            self.ordinal,
            self.skill,
            self.pay,
            self.slash,
        )


class EarnedLeaf(msgspec.Struct, frozen=True):
    judge: str
    cumulative: int
    """Micro-USDC: the highest that the sum of its pays has been at the end of an epoch (`chain.documents.court_epoch`)."""

    def leaf(self) -> bytes:
        return encoding.leaf(self.judge, self.cumulative)


Leaf = CaseLeaf | SeatLeaf | EarnedLeaf


class AnchorTree:
    """Over at least one leaf, none of them twice."""

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        """Raises ValueError."""
        hashes = [each.leaf() for each in leaves]
        if not 1 <= len(hashes) <= MAX_LEAVES or len(set(hashes)) < len(hashes):
            raise ValueError(f"a tree has 1 to {MAX_LEAVES} leaves, each once; got {len(hashes)}")
        self._tree = StandardTree(hashes)

    @property
    def root(self) -> bytes:
        return self._tree.root

    def proof(self, leaf: Leaf) -> list[bytes]:
        """From the leaf's sibling up. Raises KeyError."""
        return self._tree.proof(leaf.leaf())


def verdict_hash(
    medians: Sequence[int], totals: Sequence[int], margin: int, inputs: bytes
) -> bytes:
    """Of what a hearing came to: a sheet, and by contestant, thousandths of a point; and of what (`inputs_hash`)."""
    return encoding.digest(list(medians), list(totals), margin, inputs)


def inputs_hash(judges: Sequence[str], commitments: Sequence[bytes]) -> bytes:
    """Of all who have revealed, in the order of the draw, and of what each had bound itself to: the same messages come to the
    same verdict, so that an anchor that says otherwise is a proven lie (`contradict`)."""
    return encoding.digest(list(judges), list(commitments))
