"""OpenZeppelin's StandardMerkleTree over leaves that are hashed already. Pure.

Pairs are hashed in the order of their bytes, so a proof needs no directions. Leaves are sorted: the root depends on what
is in the tree alone. Whoever hashes leaves hashes twice, so that no inner node can be passed off as one. Source:
OpenZeppelin, merkle-tree 1.0 (`standard-v1`), core.ts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence

import msgspec
from eth_utils.crypto import keccak


class MultiProof(msgspec.Struct, frozen=True):
    """Of several leaves at once, for OpenZeppelin's `multiProofVerify`."""

    leaves: list[bytes]
    """Hashed, in the order that the verifier wants them."""
    proof: list[bytes]
    """The nodes that do not follow from the leaves."""
    flags: list[bool]
    """For each pair that is hashed, whether both of its nodes follow from the leaves."""


class StandardTree:
    """Of at least one leaf, none of them twice."""

    def __init__(self, leaves: Collection[bytes]) -> None:
        """Of hashed leaves, 32 bytes each."""
        # A complete binary tree in an array: the children of node i are 2i + 1 and 2i + 2, leaves come last, backwards.
        count = len(leaves)
        nodes = [b""] * (2 * count - 1)
        self._places = {}
        for number, leaf in enumerate(sorted(leaves)):
            place = len(nodes) - 1 - number
            nodes[place] = leaf
            self._places[leaf] = place
        for place in range(count - 2, -1, -1):
            nodes[place] = pair_hash(nodes[2 * place + 1], nodes[2 * place + 2])
        self._nodes = nodes

    @property
    def root(self) -> bytes:
        return self._nodes[0]

    def proof(self, leaf: bytes) -> list[bytes]:
        """From the hashed leaf's sibling up. Raises KeyError."""
        place, path = self._places[leaf], []
        while place > 0:
            path.append(self._nodes[place - 1 if place % 2 == 0 else place + 1])
            place = (place - 1) // 2
        return path

    @property
    def leaves(self) -> list[bytes]:
        """Those beside each other in this order have the shortest multi-proofs."""
        return self._nodes[len(self._nodes) // 2 :]

    def multi_proof(self, leaves: Collection[bytes]) -> MultiProof:
        """Of at least one hashed leaf. Raises KeyError, or ValueError for none or one that is named twice."""
        places = sorted((self._places[leaf] for leaf in leaves), reverse=True)
        if not places or len(set(places)) < len(places):
            raise ValueError("a multi-proof is of different leaves, and of at least one")
        proof, flags = [], []
        # Level by level upwards: parents queue behind what is left of their children's level.
        queue = deque(places)
        while (place := queue.popleft()) > 0:
            sibling = place - 1 if place % 2 == 0 else place + 1
            known = bool(queue) and queue[0] == sibling
            flags.append(known)
            if known:
                queue.popleft()
            else:
                proof.append(self._nodes[sibling])
            queue.append((place - 1) // 2)
        return MultiProof([self._nodes[place] for place in places], proof, flags)


def root_of(leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root to which a proof leads from a hashed leaf."""
    node = leaf
    for sibling in proof:
        node = pair_hash(node, sibling)
    return node


def pair_hash(left: bytes, right: bytes) -> bytes:
    return keccak(left + right if left < right else right + left)
