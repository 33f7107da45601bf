"""The tree over what each account may claim in all: OpenZeppelin's StandardMerkleTree of (address, uint256). Pure.

A leaf is keccak256(keccak256(abi.encode(account, cumulative))); see `standard_tree` for the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from eth_utils.crypto import keccak

from chain.standard_tree import StandardTree, root_of

MAX_ACCOUNTS = 1 << 20


def leaf_hash(account: str, cumulative: int) -> bytes:
    """`account` is 0x and 40 hex digits, `cumulative` micros. Raises ValueError."""
    raw = bytes.fromhex(account.removeprefix("0x"))
    if len(raw) != 20 or not 0 <= cumulative < 1 << 256:
        raise ValueError(f"no leaf: {account!r} and {cumulative}")
    return keccak(keccak(raw.rjust(32, b"\0") + cumulative.to_bytes(32, "big")))


class ManyClaims(msgspec.Struct, frozen=True):
    """What the escrow's `claim_many` takes."""

    allotments: list[tuple[str, int]]
    """Account and what it may claim in all, in the order of the proof."""
    proof: list[bytes]
    flags: list[bool]


class PayoutTree:
    """Of at least one account."""

    def __init__(self, cumulative: Mapping[str, int]) -> None:
        """What each account, by address, may claim in all. Raises ValueError."""
        if not 1 <= len(cumulative) <= MAX_ACCOUNTS:
            raise ValueError(f"a tree has 1 to {MAX_ACCOUNTS} accounts, got {len(cumulative)}")
        self._cumulative = {each.lower(): micros for each, micros in cumulative.items()}
        if len(self._cumulative) < len(cumulative):
            raise ValueError("an account stands there twice, in two spellings")
        self._leaves = {each: leaf_hash(each, micros) for each, micros in self._cumulative.items()}
        self._tree = StandardTree(self._leaves.values())

    @property
    def root(self) -> bytes:
        return self._tree.root

    @property
    def total(self) -> int:
        """Micros of all accounts together."""
        return sum(self._cumulative.values())

    def cumulative(self, account: str) -> int:
        """Raises KeyError."""
        return self._cumulative[account.lower()]

    def proof(self, account: str) -> list[bytes]:
        """From the leaf's sibling up. Raises KeyError."""
        return self._tree.proof(self._leaves[account.lower()])

    @property
    def accounts(self) -> list[str]:
        """Those beside each other in this order are claimed for together at the least cost."""
        of = {leaf: account for account, leaf in self._leaves.items()}
        return [of[leaf] for leaf in self._tree.leaves]

    def claims(self, accounts: Collection[str]) -> ManyClaims:
        """For these accounts at once. Raises KeyError, or ValueError for none or one that is named twice."""
        of = {self._leaves[account.lower()]: account.lower() for account in accounts}
        many = self._tree.multi_proof([self._leaves[account.lower()] for account in accounts])
        allotments = [(of[leaf], self._cumulative[of[leaf]]) for leaf in many.leaves]
        return ManyClaims(allotments, many.proof, many.flags)


def verify(account: str, cumulative: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the account may claim so much in all by the tree of this root."""
    return root_of(leaf_hash(account, cumulative), proof) == root
