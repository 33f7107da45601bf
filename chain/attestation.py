"""What a node operator attests and how it answers a challenge, byte for byte as `contracts/operators.vy` checks it. Pure.

A batch is a list of leaves, each about one block of content; its root and the root over a block's pieces are RFC 6962
trees (`spaces.merkle`). The hash of a later block is the seed that draws which piece is to be shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from eth_utils.crypto import keccak

from spaces import merkle

PIECE_BYTES = 1024
LEAF_BYTES = 160
MAX_BLOCK_BYTES = 1 << 20
MAX_LEAVES = 1 << 16
ANY_LEAF = (1 << 256) - 1
"""Instead of a leaf's number in a challenge: the seed draws the leaf, too."""


class Leaf(msgspec.Struct, frozen=True):
    """One block that an operator says it keeps."""

    session: bytes
    """32 bytes: SHA-256 of the session's id (a ULID's text)."""
    digest: bytes
    """32 bytes: SHA-256 of the block, as in its CID."""
    size: int
    """Bytes of the block, 1 to MAX_BLOCK_BYTES."""
    time_ms: int
    """When it was pinned, unix milliseconds, as the operator says."""
    pieces_root: bytes
    """32 bytes: the root over the block's pieces."""

    def encode(self) -> bytes:
        """The leaf's data in the batch's tree: abi.encode of the fields, 160 bytes."""
        words = (
            self.session,
            self.digest,
            self.size.to_bytes(32, "big"),
            self.time_ms.to_bytes(32, "big"),
            self.pieces_root,
        )
        return b"".join(words)

    def fields(self) -> tuple[bytes, bytes, int, int, bytes]:
        """The fields in order: the contract's struct."""
        return self.session, self.digest, self.size, self.time_ms, self.pieces_root


class Answer(NamedTuple):
    """The arguments of the contract's `answer`, after the challenge's id."""

    leaf: tuple[bytes, bytes, int, int, bytes]
    leaf_proof: list[bytes]
    piece: bytes
    piece_proof: list[bytes]


def pieces(block: bytes) -> list[bytes]:
    """The block in pieces of PIECE_BYTES; the last one may be shorter. Raises ValueError."""
    if not 1 <= len(block) <= MAX_BLOCK_BYTES:
        raise ValueError(f"a block has 1 to {MAX_BLOCK_BYTES} bytes, got {len(block)}")
    return [block[start : start + PIECE_BYTES] for start in range(0, len(block), PIECE_BYTES)]


def leaf_of(session: str, block: bytes, time_ms: int) -> Leaf:
    """What an operator that has the whole block attests of it. Raises ValueError."""
    return Leaf(
        session=hashlib.sha256(session.encode()).digest(),
        digest=hashlib.sha256(block).digest(),
        size=len(block),
        time_ms=time_ms,
        pieces_root=merkle.root(pieces(block)),
    )


def batch_root(leaves: Sequence[Leaf]) -> bytes:
    """The root to attest. Raises ValueError."""
    if not 1 <= len(leaves) <= MAX_LEAVES:
        raise ValueError(f"a batch has 1 to {MAX_LEAVES} leaves, got {len(leaves)}")
    return merkle.root([leaf.encode() for leaf in leaves])


def list_digest(leaves: Sequence[Leaf]) -> bytes:
    """SHA-256 over all leaves, one behind the other: the digest in the CID (raw) of the list that is published."""
    return hashlib.sha256(leaf_list(leaves)).digest()


def leaf_list(leaves: Sequence[Leaf]) -> bytes:
    """The list that is published: all leaves, one behind the other. `list_digest` is of it."""
    return b"".join(leaf.encode() for leaf in leaves)


def read_leaf(data: bytes) -> Leaf:
    """From its 160 bytes. Raises ValueError."""
    if len(data) != LEAF_BYTES:
        raise ValueError(f"a leaf has {LEAF_BYTES} bytes, got {len(data)}")
    session, digest, size, time_ms, root = (data[at : at + 32] for at in range(0, LEAF_BYTES, 32))
    return Leaf(session, digest, int.from_bytes(size, "big"), int.from_bytes(time_ms, "big"), root)


def read_leaves(data: bytes) -> list[Leaf]:
    """What stands in a published list. Raises ValueError."""
    return [read_leaf(data[at : at + LEAF_BYTES]) for at in range(0, len(data), LEAF_BYTES)]


def seed(block_hash: bytes, contract: str, challenge: int) -> bytes:
    """What the contract at this address draws by, from the hash of the seed's block."""
    address = bytes.fromhex(contract.removeprefix("0x")).rjust(32, b"\0")
    return keccak(block_hash + address + challenge.to_bytes(32, "big"))


def drawn_leaf(seed: bytes, leaves: int) -> int:
    """Which leaf a challenge of ANY_LEAF is about: the seed's upper half."""
    return int.from_bytes(seed[:16], "big") % leaves


def drawn_piece(seed: bytes, size: int) -> int:
    """Which piece of a block of `size` bytes is to be shown: the seed's lower half."""
    return int.from_bytes(seed[16:], "big") % -(-size // PIECE_BYTES)


def answer(leaves: Sequence[Leaf], index: int, block: bytes, seed: bytes) -> Answer:
    """The proof that the block of leaf `index` is here.

    Raises ValueError where it is not the leaf's block: the contract would refuse the answer.
    """
    leaf = leaves[index]
    if hashlib.sha256(block).digest() != leaf.digest:
        raise ValueError(f"the block is not that of leaf {index}: its SHA-256 differs")
    parts = pieces(block)
    number = drawn_piece(seed, leaf.size)
    return Answer(
        leaf.fields(),
        merkle.inclusion_proof([each.encode() for each in leaves], index),
        parts[number],
        merkle.inclusion_proof(parts, number),
    )
