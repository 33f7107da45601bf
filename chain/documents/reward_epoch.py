"""`agon-reward-epoch/1`: what an epoch of rewards pays to node operators, and by what it was reckoned. Pure.

The root is that of `agon-rewards/1` (`earnings.py`), the list by which accounts claim, and stands on the chain. Whoever reads the
chain and fetches what operators attested reckons the same. FRAC has more digits than JSON's numbers carry safely, so amounts are
decimal texts of its smallest part; so are byte-seconds.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chain.documents import form
from chain.documents.earnings import LowerAddress
from chain.documents.form import Address, Count, DocumentError, Hex32
from chain.payout_tree import PayoutTree

VERSION = "agon-reward-epoch/1"
MAX_ACCOUNTS = 4_096
MAX_BYTES = 1 << 20

Amount = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,77})\Z")]
BlockHash = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{64}\Z")]


class Earned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account's line."""

    account: LowerAddress
    byte_seconds: Amount
    """Kept in this epoch and counted."""
    earned: Amount
    """Of this epoch."""
    cumulative: Amount
    """Of all epochs so far: its leaf."""


class RewardEpoch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-reward-epoch/1"] = "agon-reward-epoch/1"
    epoch: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    chain_id: Count
    rewards: Address
    from_s: Count
    to_s: Count
    """Unix seconds as the chain tells them, the last one not of the epoch."""
    last_block: Count
    last_hash: BlockHash
    """What was attested, missed and exposed up to this block is counted."""
    budget: Amount
    """The most that this epoch could pay."""
    replicas: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    """How many keepers of a block were paid for it, at each second the first in `agon-keeper/1`'s order."""
    root: Hex32
    total: Amount
    """What all leaves add up to."""
    accounts: Annotated[list[Earned], Meta(min_length=1, max_length=MAX_ACCOUNTS)]
    """By address in ascending order."""


def tree_of(cumulative: Mapping[str, int]) -> PayoutTree:
    """Of those who have earned something. Raises ValueError where nobody has."""
    return PayoutTree({account: amount for account, amount in cumulative.items() if amount})


def read(document: bytes) -> tuple[RewardEpoch, PayoutTree]:
    """From its stored bytes, which may come from anybody. Raises DocumentError."""
    rewards = form.read(document, RewardEpoch, version=VERSION, max_bytes=MAX_BYTES)
    return rewards, check(rewards)


def check(rewards: RewardEpoch) -> PayoutTree:
    """Whether it agrees with itself; what was kept is not looked at. Raises DocumentError."""
    accounts = [each.account for each in rewards.accounts]
    if any(one >= other for one, other in itertools.pairwise(accounts)):
        raise DocumentError("accounts are not in order, each once")
    if sum(int(each.earned) for each in rewards.accounts) > int(rewards.budget):
        raise DocumentError("more is earned than the epoch's budget")
    try:
        tree = tree_of({each.account: int(each.cumulative) for each in rewards.accounts})
    except ValueError as error:
        raise DocumentError(str(error)) from None
    if tree.root.hex() != rewards.root:
        raise DocumentError(
            f"root is {rewards.root}, and the tree of its accounts is {tree.root.hex()}"
        )
    if tree.total != int(rewards.total):
        raise DocumentError(f"total is {rewards.total}, and the leaves add up to {tree.total}")
    return tree


def follows(before: RewardEpoch | None, rewards: RewardEpoch) -> None:
    """Whether it goes on where the epoch before ended: nobody's cumulative falls, and each grows by what it earned. Raises
    DocumentError."""
    had = {} if before is None else {a.account: int(a.cumulative) for a in before.accounts}
    now = {each.account: each for each in rewards.accounts}
    if had.keys() - now.keys():
        raise DocumentError(f"{min(had.keys() - now.keys())} has earned before and is left out")
    for account, each in now.items():
        if int(each.cumulative) != had.get(account, 0) + int(each.earned):
            raise DocumentError(f"{account}: cumulative is not what it had and has earned")
    if rewards.epoch != (1 if before is None else before.epoch + 1):
        raise DocumentError(f"epoch {rewards.epoch} does not follow")
