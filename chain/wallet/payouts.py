"""Winnings into the escrow's balance, by a proof that is checked against the chain before anything is sent."""

from __future__ import annotations

import msgspec

from chain.documents import payouts
from chain.documents.payouts import PayoutProof, PayoutsDocument
from chain.payout_tree import PayoutTree
from chain.wallet.contracts import Contracts
from chain.wallet.hands import Hands
from chain.wallet.refusals import REASONS, FlowRefused
from chain.wallet.sent import Done

Tree = tuple[PayoutsDocument, PayoutTree]


class Claimed(msgspec.Struct, frozen=True):
    account: str
    micros: int
    """What was added, by this run or an earlier one that had not told; 0 where that is not known any more."""
    escrow_micros: int
    tx: Done


async def claim(hands: Hands, account: str, found: Tree | PayoutProof) -> Claimed:
    """By anybody for any account. Raises FlowRefused, NoContract, OSError."""
    escrow = hands.contracts.escrow
    micros, done = 0, await hands.sender.earlier()
    if done is None:
        leaf = await proven(hands.contracts, account, found)
        micros = leaf.cumulative_micros - (await escrow.account(account)).claimed
        if micros <= 0:
            raise FlowRefused(REASONS["escrow: nothing to claim"])
        invocation = escrow.claim(account, leaf.cumulative_micros, leaf.nodes)
        done = await hands.sender.send("claim", invocation)
    return Claimed(account, micros, (await escrow.account(account)).balance, done)


async def claimable(contracts: Contracts, account: str, found: Tree | PayoutProof) -> int:
    """Micros that a claim would add now. Raises FlowRefused for a tree that is not the chain's."""
    try:
        leaf = await proven(contracts, account, found)
    except _NotInTree:
        return 0
    return max(0, leaf.cumulative_micros - (await contracts.escrow.account(account)).claimed)


async def proven(contracts: Contracts, account: str, found: Tree | PayoutProof) -> PayoutProof:
    """The account's leaf, which leads to the root that the escrow has. Raises FlowRefused."""
    if isinstance(found, PayoutProof):
        if found.account.lower() != account.lower():
            raise FlowRefused(f"that is the proof of {found.account}, not of {account}")
        root = await contracts.escrow.payout_root()
        if not found.leads_to(root):
            raise FlowRefused(await _another(contracts, "the arena's proof", found.epoch))
        return found
    document, tree = found
    _check_place(contracts, document)
    if await contracts.escrow.payout_root() != tree.root:
        raise FlowRefused(await _another(contracts, "the list of pay-outs", document.epoch))
    try:
        return payouts.proof_of(document, tree, account)
    except KeyError:
        raise _NotInTree(
            f"nothing was ever won by {account}: it is not among the {len(document.accounts)} accounts of epoch"
            f" {document.epoch}"
        ) from None


class _NotInTree(FlowRefused):
    """The tree is the chain's, and the account is not in it."""


def _check_place(contracts: Contracts, document: PayoutsDocument) -> None:
    said = (document.chain_id, document.escrow.lower())
    if said != (contracts.chain_id, contracts.escrow.address.lower()):
        raise FlowRefused(
            f"the list is of the escrow {document.escrow} on chain {document.chain_id}, not of {contracts.escrow.address} on"
            f" chain {contracts.chain_id}"
        )


async def _another(contracts: Contracts, what: str, epoch: int) -> str:
    """Why a root that is not the escrow's is not."""
    last = (await contracts.escrow.books()).epoch
    if epoch < last:
        return f"{what} is of epoch {epoch}, and the escrow has closed epoch {last} since: get the newer one, nothing is lost"
    if epoch > last:
        return f"{what} is of epoch {epoch}, which is not on the chain yet (the last one is {last}): try again a little later"
    return f"{what} of epoch {epoch} is not what the escrow has for it: whoever gave it to you, it is wrong"
