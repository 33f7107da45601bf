"""The tree over what each account may claim in all: OpenZeppelin's StandardMerkleTree of (address, uint256). Pure.

A leaf is keccak256(keccak256(abi.encode(account, cumulative))), so that no inner node can be passed off as one; pairs are
hashed in order of their bytes, so a proof needs no directions. Leaves are sorted by hash: the root depends on what is in
the tree alone. Source: OpenZeppelin, merkle-tree 1.0 (`standard-v1`), core.ts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eth_utils.crypto import keccak

MAX_ACCOUNTS = 1 << 20


def leaf_hash(account: str, cumulative: int) -> bytes:
    """`account` is 0x and 40 hex digits, `cumulative` micros. Raises ValueError."""
    raw = bytes.fromhex(account.removeprefix("0x"))
    if len(raw) != 20 or not 0 <= cumulative < 1 << 256:
        raise ValueError(f"no leaf: {account!r} and {cumulative}")
    return keccak(keccak(raw.rjust(32, b"\0") + cumulative.to_bytes(32, "big")))


class PayoutTree:
    """Of at least one account."""

    def __init__(self, cumulative: Mapping[str, int]) -> None:
        """What each account, by address, may claim in all. Raises ValueError."""
        if not 1 <= len(cumulative) <= MAX_ACCOUNTS:
            raise ValueError(f"a tree has 1 to {MAX_ACCOUNTS} accounts, got {len(cumulative)}")
        leaves = sorted(
            (leaf_hash(each, micros), each.lower()) for each, micros in cumulative.items()
        )
        if len({each for _, each in leaves}) < len(leaves):
            raise ValueError("an account stands there twice, in two spellings")
        # A complete binary tree in an array: the children of node i are 2i + 1 and 2i + 2, leaves come last, backwards.
        count = len(leaves)
        nodes = [b""] * (2 * count - 1)
        self._places = {}
        for number, (leaf, account) in enumerate(leaves):
            place = len(nodes) - 1 - number
            nodes[place] = leaf
            self._places[account] = place
        for place in range(count - 2, -1, -1):
            nodes[place] = pair_hash(nodes[2 * place + 1], nodes[2 * place + 2])
        self._nodes = nodes
        self._cumulative = {each.lower(): micros for each, micros in cumulative.items()}

    @property
    def root(self) -> bytes:
        return self._nodes[0]

    @property
    def total(self) -> int:
        """Micros of all accounts together."""
        return sum(self._cumulative.values())

    def cumulative(self, account: str) -> int:
        """Raises KeyError."""
        return self._cumulative[account.lower()]

    def proof(self, account: str) -> list[bytes]:
        """From the leaf's sibling up. Raises KeyError."""
        place, path = self._places[account.lower()], []
        while place > 0:
            path.append(self._nodes[place - 1 if place % 2 == 0 else place + 1])
            place = (place - 1) // 2
        return path


def verify(account: str, cumulative: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the account may claim so much in all by the tree of this root."""
    node = leaf_hash(account, cumulative)
    for sibling in proof:
        node = pair_hash(node, sibling)
    return node == root


def pair_hash(left: bytes, right: bytes) -> bytes:
    return keccak(left + right if left < right else right + left)
