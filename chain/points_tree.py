"""The tree over a season's points, as `contracts/fractals.vy` checks it: OpenZeppelin's StandardMerkleTree of
(uint256 season, address account, uint256 points). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from eth_utils.crypto import keccak

from chain.standard_tree import StandardTree

MAX_ACCOUNTS = 1 << 20


def leaf_hash(season: int, account: str, points: int) -> bytes:
    """`account` is 0x and 40 hex digits. Raises ValueError."""
    raw = bytes.fromhex(account.removeprefix("0x"))
    if len(raw) != 20 or season < 0 or points < 0:
        raise ValueError(f"no leaf: season {season}, {account!r} and {points}")
    words = season.to_bytes(32, "big") + raw.rjust(32, b"\0") + points.to_bytes(32, "big")
    return keccak(keccak(words))


class PointsTree:
    """Of at least one account: its points of the season so far."""

    def __init__(self, season: int, points: Mapping[str, int]) -> None:
        """`points` by address. Raises ValueError."""
        if not 1 <= len(points) <= MAX_ACCOUNTS:
            raise ValueError(f"a tree has 1 to {MAX_ACCOUNTS} accounts, got {len(points)}")
        self.season = season
        self._points = {each.lower(): earned for each, earned in points.items()}
        if len(self._points) < len(points):
            raise ValueError("an account stands there twice, in two spellings")
        self._leaves = {
            each: leaf_hash(season, each, earned) for each, earned in self._points.items()
        }
        self._tree = StandardTree(self._leaves.values())

    @property
    def root(self) -> bytes:
        return self._tree.root

    @property
    def total(self) -> int:
        """Points of all accounts together."""
        return sum(self._points.values())

    def points(self, account: str) -> int:
        """Raises KeyError."""
        return self._points[account.lower()]

    def proof(self, account: str) -> list[bytes]:
        """From the leaf's sibling up. Raises KeyError."""
        return self._tree.proof(self._leaves[account.lower()])
