"""`agon-points/1`: the leaves of a season's tree of points, from which anybody makes the proof of any account. Pure.

The root is `chain.points_tree`'s and stands on the chain (`contracts/fractals.vy`). Accounts are in lower case and in order, so
that the same points are the same bytes and the same content id.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chain.documents import form
from chain.documents.form import Address, Count, DocumentError, Hex32
from chain.documents.payouts import LowerAddress, ProofNode
from chain.points_tree import PointsTree

VERSION = "agon-points/1"
MAX_ACCOUNTS = 250_000
MAX_BYTES = 1 << 24
NOBODY = "0x" + "00" * 20
"""Stands alone, with no points, for a season in which nobody has any: the contract wants a root of each."""

Number = Annotated[int, Meta(ge=1, le=2**53 - 1)]


class PointsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-points/1"] = "agon-points/1"
    season: Number
    number: Number
    """Of the root in its season; each is of the season so far."""
    chain_id: Count
    fractals: Address
    root: Hex32
    total: Count
    accounts: Annotated[
        list[tuple[LowerAddress, Count]], Meta(min_length=1, max_length=MAX_ACCOUNTS)
    ]
    """By address in ascending order: the points of each in the season so far."""


class PointsProof(msgspec.Struct, frozen=True):
    """What `claim(season, number, account, points, proof)` of the contract takes."""

    season: int
    number: int
    account: str
    points: int
    proof: list[ProofNode]


def build(
    season: int, number: int, chain_id: int, fractals: str, points: Mapping[str, int]
) -> PointsDocument:
    """Of each account's points, by address. Accounts without any are left out. Raises ValueError for too many, and for one that
    stands there in two spellings."""
    earned = {account: count for account, count in points.items() if count} or {NOBODY: 0}
    if len(earned) > MAX_ACCOUNTS:
        raise ValueError(f"{len(earned)} accounts, an {VERSION} has at most {MAX_ACCOUNTS}")
    tree = PointsTree(season, earned)
    return PointsDocument(
        season=season,
        number=number,
        chain_id=chain_id,
        fractals=fractals,
        root=tree.root.hex(),
        total=tree.total,
        accounts=sorted((account.lower(), count) for account, count in earned.items()),
    )


def read(document: bytes) -> tuple[PointsDocument, PointsTree]:
    """From its stored bytes, which may come from anybody. Raises DocumentError."""
    points = form.read(document, PointsDocument, version=VERSION, max_bytes=MAX_BYTES)
    return points, check(points)


def check(points: PointsDocument) -> PointsTree:
    """Whether it agrees with itself. Raises DocumentError."""
    accounts = [account for account, _ in points.accounts]
    if any(one >= other for one, other in itertools.pairwise(accounts)):
        raise DocumentError("accounts are not in order, each once")
    tree = PointsTree(points.season, dict(points.accounts))
    if tree.root.hex() != points.root:
        raise DocumentError(
            f"root is {points.root}, and the tree of its accounts is {tree.root.hex()}"
        )
    if tree.total != points.total:
        raise DocumentError(f"total is {points.total}, and the leaves add up to {tree.total}")
    return tree


def proof_of(points: PointsDocument, tree: PointsTree, account: str) -> PointsProof:
    """Raises KeyError where the account has no points in it."""
    nodes = ["0x" + node.hex() for node in tree.proof(account)]
    held = tree.points(account)
    return PointsProof(points.season, points.number, account.lower(), held, nodes)
