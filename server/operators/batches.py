"""Whether what an operator attests is what the arena knows: leaf by leaf. Pure.

A leaf earns something where all of it equals the arena's own. The list of leaves is found under the digest that stands on the
chain, as one block, so a batch has MAX_LEAVES of them at most, though the contract would take more.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

import msgspec

from chain.attestation import Leaf, batch_root
from chain.content.dag_pb import MAX_BLOCK

LEAF_BYTES = 160
MAX_LEAVES = MAX_BLOCK // LEAF_BYTES
MAX_EXPOSED = 64 * 1024
"""Bytes of the largest block of which the contract can see that a leaf contradicts it."""
SKEW_MS = 300_000
"""By which an operator's clock and ours, or the chain's, may differ."""


class BadList(ValueError):
    """What lies under the digest is no list of the batch's leaves: it never will be."""


class Known(msgspec.Struct, frozen=True):
    """What the arena knows of a block that it asks operators to keep."""

    task: int
    """Its number."""
    session_id: bytes
    """SHA-256 of the name of what it is of, a session's mostly: what leaves call it."""
    digest: bytes
    size: int
    pieces_root: bytes
    given_ms: int
    """Since when it is asked for."""


class Verdict(enum.Enum):
    GOOD = "good"
    UNKNOWN = "unknown"
    """Nothing that we ask for: it may be somebody's, and earns nothing."""
    OTHER_SESSION = "other-session"
    WRONG_TIME = "wrong-time"
    """Kept before it was asked for, or after it was attested."""
    LIE = "lie"
    """Its size or its pieces are not the block's: it contradicts itself."""
    TWICE = "twice"
    """The operator has attested it lately."""


def read_list(data: bytes, leaves: int, root: bytes) -> list[Leaf]:
    """The leaves of a batch from the block that holds them. Raises BadList."""
    if leaves > MAX_LEAVES:
        raise BadList(f"{leaves} leaves: one block holds {MAX_LEAVES}")
    if len(data) != leaves * LEAF_BYTES:
        raise BadList(f"{len(data)} bytes are not {leaves} leaves of {LEAF_BYTES}")
    found = [_leaf(data[at : at + LEAF_BYTES]) for at in range(0, len(data), LEAF_BYTES)]
    if batch_root(found) != root:
        raise BadList("the leaves do not lead to the batch's root")
    return found


def _leaf(data: bytes) -> Leaf:
    session, digest, size, time_ms, pieces_root = (data[at : at + 32] for at in range(0, 160, 32))
    return Leaf(
        session, digest, int.from_bytes(size, "big"), int.from_bytes(time_ms, "big"), pieces_root
    )


def verdicts(
    leaves: Sequence[Leaf], known: Sequence[Known], attested_s: int, seen: set[int]
) -> list[Verdict]:
    """Of each leaf, in order. `known` are those of the leaves' blocks that we have; `seen` the tasks that good leaves of
    the operator are about already: it grows by those that are found good here."""
    of = {each.digest: each for each in known}
    found = []
    for leaf in leaves:
        block = of.get(leaf.digest)
        verdict = _verdict(leaf, block, attested_s)
        if verdict is Verdict.GOOD and block is not None:
            verdict = Verdict.TWICE if block.task in seen else verdict
            seen.add(block.task)
        found.append(verdict)
    return found


def _verdict(leaf: Leaf, block: Known | None, attested_s: int) -> Verdict:
    if block is None:
        return Verdict.UNKNOWN
    if leaf.size != block.size or leaf.pieces_root != block.pieces_root:
        return Verdict.LIE
    if leaf.session != block.session_id:
        return Verdict.OTHER_SESSION
    earliest, latest = block.given_ms - SKEW_MS, attested_s * 1_000 + SKEW_MS
    if not earliest <= leaf.time_ms <= latest:
        return Verdict.WRONG_TIME
    return Verdict.GOOD
