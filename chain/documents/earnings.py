"""`agon-rewards/1` and `agon-points/1`: the leaves of a reward epoch's and of a season's tree, from which anybody proves what an
account has earned. Pure.

As in `agon-payouts/1`, accounts are in lower case and in order, and each has earned something. FRAC is in its smallest part,
so amounts are decimal strings: they are beyond what JSON's numbers hold.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chain.documents import form
from chain.documents.form import Address, Count, DocumentError, Hex32
from chain.payout_tree import PayoutTree
from chain.points_tree import PointsTree
from spaces.canonical import MAX_INTEGER

REWARDS_VERSION = "agon-rewards/1"
POINTS_VERSION = "agon-points/1"
MAX_ACCOUNTS = 150_000
MAX_BYTES = 1 << 24

LowerAddress = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{40}\Z")]
Decimal = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,38}\Z")]
Points = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
Number = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]


class RewardsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-rewards/1"] = "agon-rewards/1"
    epoch: Number
    chain_id: Count
    rewards: Address
    """The contract."""
    root: Hex32
    accounts: Annotated[
        list[tuple[LowerAddress, Decimal]], Meta(min_length=1, max_length=MAX_ACCOUNTS)
    ]
    """What each has earned in all epochs together, 10^-18 FRAC."""


class PointsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-points/1"] = "agon-points/1"
    season: Number
    number: Number
    """Of the root in its season."""
    chain_id: Count
    fractals: Address
    """The contract."""
    root: Hex32
    accounts: Annotated[
        list[tuple[LowerAddress, Points]], Meta(min_length=1, max_length=MAX_ACCOUNTS)
    ]
    """What each has earned in the season so far."""


def build_rewards(
    epoch: int, chain_id: int, rewards: str, cumulative: Mapping[str, int]
) -> tuple[RewardsDocument, PayoutTree]:
    """Of what each account, by address, has earned in all. Raises ValueError."""
    tree = PayoutTree(_earned(cumulative))
    accounts = [
        (each, str(parts)) for each, parts in sorted(_earned(cumulative, lower=True).items())
    ]
    document = RewardsDocument(
        epoch=epoch, chain_id=chain_id, rewards=rewards, root=tree.root.hex(), accounts=accounts
    )
    return document, tree


def build_points(
    season: int, number: int, chain_id: int, fractals: str, points: Mapping[str, int]
) -> tuple[PointsDocument, PointsTree]:
    """Of each account's points, by address. Raises ValueError."""
    tree = PointsTree(season, _earned(points))
    document = PointsDocument(
        season=season,
        number=number,
        chain_id=chain_id,
        fractals=fractals,
        root=tree.root.hex(),
        accounts=sorted(_earned(points, lower=True).items()),
    )
    return document, tree


def read_rewards(document: bytes) -> tuple[RewardsDocument, PayoutTree]:
    """Which may come from anybody. Whether the root is the chain's is for the caller to ask. Raises DocumentError."""
    read = form.read(document, RewardsDocument, version=REWARDS_VERSION, max_bytes=MAX_BYTES)
    _check_order([account for account, _ in read.accounts])
    tree = PayoutTree({account: int(parts) for account, parts in read.accounts})
    _check_root(read.root, tree.root)
    return read, tree


def read_points(document: bytes) -> tuple[PointsDocument, PointsTree]:
    """As `read_rewards`. Raises DocumentError."""
    read = form.read(document, PointsDocument, version=POINTS_VERSION, max_bytes=MAX_BYTES)
    _check_order([account for account, _ in read.accounts])
    tree = PointsTree(read.season, dict(read.accounts))
    _check_root(read.root, tree.root)
    return read, tree


def _earned(of: Mapping[str, int], *, lower: bool = False) -> dict[str, int]:
    if len(of) > MAX_ACCOUNTS:
        raise ValueError(f"{len(of)} accounts, at most {MAX_ACCOUNTS} go into one document")
    return {each.lower() if lower else each: earned for each, earned in of.items() if earned}


def _check_order(accounts: Sequence[str]) -> None:
    if any(one >= other for one, other in itertools.pairwise(accounts)):
        raise DocumentError("accounts are not in order, each once")


def _check_root(said: str, found: bytes) -> None:
    if found.hex() != said:
        raise DocumentError(f"root is {said}, and the tree of its accounts is {found.hex()}")
