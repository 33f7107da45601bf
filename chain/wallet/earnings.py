"""FRAC of reward epochs, and points of seasons: claimed by proofs, to the account that earned them."""

from __future__ import annotations

import msgspec

from chain.client.contract import Invocation
from chain.documents.earnings import PointsDocument, RewardsDocument
from chain.payout_tree import PayoutTree
from chain.points_tree import PointsTree
from chain.wallet.hands import Hands
from chain.wallet.refusals import FlowRefused
from chain.wallet.sent import Done
from chain.wallet.words import due


class Earned(msgspec.Struct, frozen=True):
    account: str
    amount: int
    """10^-18 FRAC, or points; 0 where an earlier run had sent it."""
    balance: int
    """Of the account, afterwards."""
    tx: Done


async def claim_rewards(
    hands: Hands, account: str, found: tuple[RewardsDocument, PayoutTree]
) -> Earned:
    """Raises FlowRefused, NoContract, OSError."""
    rewards, (document, tree) = hands.contracts.rewards, found
    amount, done = 0, await hands.sender.earlier()
    if done is None:
        _check_place(
            hands, document.chain_id, document.rewards, rewards.address, "contract of rewards"
        )
        await _check_epoch(hands, document)
        cumulative = _leaf(tree, account, f"epoch {document.epoch}")
        invocation = rewards.claim(document.epoch, account, cumulative, tree.proof(account))
        await _check_counts(hands, document.epoch, invocation)
        amount = await rewards.claimable(account, cumulative)
        if amount == 0:
            raise FlowRefused("everything that was earned and posted is claimed already")
        done = await hands.sender.send("claim of FRAC", invocation)
    return Earned(account, amount, await hands.contracts.frac.balance(account), done)


async def claim_points(
    hands: Hands, account: str, found: tuple[PointsDocument, PointsTree]
) -> Earned:
    """Raises FlowRefused, NoContract, OSError."""
    fractals, (document, tree) = hands.contracts.fractals, found
    amount, done = 0, await hands.sender.earlier()
    if done is None:
        _check_place(
            hands, document.chain_id, document.fractals, fractals.address, "contract of points"
        )
        which = f"root {document.number} of season {document.season}"
        if document.number > await fractals.root_count(document.season):
            raise FlowRefused(f"{which} is not posted yet: try again later")
        if await fractals.root(document.season, document.number) != tree.root:
            raise FlowRefused(f"the list is not what was posted as {which}")
        points = _leaf(tree, account, which)
        amount = points - await fractals.points(document.season, account)
        if amount <= 0:
            raise FlowRefused("everything that was earned and posted is claimed already")
        proof = tree.proof(account)
        invocation = fractals.claim(document.season, document.number, account, points, proof)
        done = await hands.sender.send("claim of points", invocation)
    return Earned(account, amount, await fractals.balance(account), done)


async def _check_epoch(hands: Hands, document: RewardsDocument) -> None:
    rewards = hands.contracts.rewards
    if document.epoch > await rewards.epoch_count():
        raise FlowRefused(f"epoch {document.epoch} of rewards is not posted, or was vetoed")
    if (await rewards.epoch(document.epoch)).root.hex() != document.root:
        raise FlowRefused(f"the list is not what was posted for epoch {document.epoch}")


async def _check_counts(hands: Hands, number: int, claim: Invocation) -> None:
    epoch, now_s = await hands.contracts.rewards.epoch(number), await hands.now_s()
    # The newest block may be older than now: whether it is time is for the next one to say.
    if epoch.counts_at > now_s and not await hands.sender.would(claim):
        raise FlowRefused(
            f"epoch {number} can be vetoed still; it can be claimed {due(epoch.counts_at, now_s)}"
        )


def _check_place(hands: Hands, chain_id: int, said: str, address: str, what: str) -> None:
    if (chain_id, said.lower()) != (hands.contracts.chain_id, address.lower()):
        raise FlowRefused(
            f"the list is of the {what} {said} on chain {chain_id}, not of {address} on chain {hands.contracts.chain_id}"
        )


def _leaf(tree: PayoutTree | PointsTree, account: str, which: str) -> int:
    try:
        return tree.points(account) if isinstance(tree, PointsTree) else tree.cumulative(account)
    except KeyError:
        raise FlowRefused(f"{account} has earned nothing by {which}") from None
