"""Merkle trees of RFC 6962, section 2.1: the root over entries, and proofs that one is among them.

Leaves are hashed as SHA-256(0x00 || data), nodes as SHA-256(0x01 || left || right), so that no node
can be passed off as a leaf. A tree of n > 1 leaves splits at the largest power of two below n.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The tree hash of the leaves' data; of no leaves it is the SHA-256 of nothing."""
    if not leaves:
        return hashlib.sha256().digest()
    return _root([leaf_hash(leaf) for leaf in leaves])


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of leaf `index` (section 2.1.1), from the leaf's sibling up to the root's child.

    Raises IndexError.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} in a tree of {len(leaves)}")
    return _path([leaf_hash(leaf) for leaf in leaves], index)


def verify(data: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> bool:
    """Whether `data` is leaf `index` of the tree of `size` leaves with this root.

    The walk of RFC 9162, section 2.1.3.2: `place` and `last` are the numbers of our node and of the
    rightmost node on the level that is reached.
    """
    if not 0 <= index < size:
        return False
    place, last = index, size - 1
    node = leaf_hash(data)
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = _node(sibling, node)
            while not place & 1 and place:  # a lone rightmost node moves up as it is
                place, last = place >> 1, last >> 1
        else:
            node = _node(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and node == tree_root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two below `size`, which is 2 or more."""
    return 1 << (size - 1).bit_length() - 1


def _root(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    k = _split(len(hashes))
    return _node(_root(hashes[:k]), _root(hashes[k:]))


def _path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    if len(hashes) == 1:
        return []
    k = _split(len(hashes))
    if index < k:
        return [*_path(hashes[:k], index), _root(hashes[k:])]
    return [*_path(hashes[k:], index - k), _root(hashes[:k])]
