"""What an address has, everywhere in a deployment."""

from __future__ import annotations

import msgspec

from chain.client.escrow import Account, Limits, Withdrawal
from chain.documents.payouts import PayoutProof
from chain.wallet import limits as limits_of
from chain.wallet import payouts
from chain.wallet.amounts import shown_tokens, shown_usdc
from chain.wallet.contracts import Contracts
from chain.wallet.payouts import Tree
from chain.wallet.refusals import FlowRefused
from chain.wallet.sent import eth
from chain.wallet.words import due

DAY_S = 86_400


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    address: str
    chain_id: int
    block: int
    at_s: int
    """The chain's time."""
    usdc: int
    """In the wallet, micros."""
    wei: int
    escrow: Account
    claimable: int | None
    """Micros that a claim would add; None where the tree is not known."""
    unclaimable: str
    """Why `claimable` is not known."""
    limits: Limits
    withdrawal: Withdrawal
    paused: bool
    """Whether the escrow takes no deposits now."""
    frac: int
    points: int

    @property
    def spent_today(self) -> int:
        """Micros that entries have taken on this UTC day."""
        return self.escrow.spent if self.escrow.day == self.at_s // DAY_S else 0


async def look(contracts: Contracts, address: str, found: Tree | PayoutProof | str) -> Holdings:
    """`found`: the tree of pay-outs, or why there is none. Raises NoContract, OSError."""
    head = await contracts.node.head()
    escrow, usdc = contracts.escrow, await contracts.usdc()
    claimable, why = await _claimable(contracts, address, found)
    return Holdings(
        address=address,
        chain_id=contracts.chain_id,
        block=head.number,
        at_s=head.timestamp,
        usdc=await usdc.balance(address, head.number),
        wei=await contracts.node.balance(address, head.number),
        escrow=await escrow.account(address, head.number),
        claimable=claimable,
        unclaimable=why,
        limits=await escrow.limits(address, head.number),
        withdrawal=await escrow.withdrawal(address, head.number),
        paused=await escrow.paused(),
        frac=await contracts.frac.balance(address),
        points=await contracts.fractals.balance(address),
    )


async def _claimable(
    contracts: Contracts, address: str, found: Tree | PayoutProof | str
) -> tuple[int | None, str]:
    if isinstance(found, str):
        return None, found
    try:
        return await payouts.claimable(contracts, address, found), ""
    except FlowRefused as refused:
        return None, str(refused)


def in_words(has: Holdings) -> list[str]:
    """A line for each thing."""
    claimable = (
        f"not known: {has.unclaimable}" if has.claimable is None else shown_usdc(has.claimable)
    )
    gas = "  (nothing to pay gas with)" if has.wei == 0 else ""
    pending = "none"
    if has.withdrawal.amount:
        ready = due(has.withdrawal.ready_at, has.at_s)
        then = "  (agon wallet withdraw --finish)" if ready == "now" else ""
        pending = f"{shown_usdc(has.withdrawal.amount)}, ready {ready}{then}"
    stopped = "  (deposits are paused)" if has.paused else ""
    rows = (
        ("address", f"{has.address} on chain {has.chain_id}, block {has.block:,}"),
        ("wallet", f"{shown_usdc(has.usdc)}, {eth(has.wei)}{gas}"),
        ("escrow", f"{shown_usdc(has.escrow.balance)}{stopped}"),
        ("claimable", f"{claimable}; claimed so far {shown_usdc(has.escrow.claimed)}"),
        ("limits", limits_of.in_words(has.limits, has.at_s, has.spent_today)),
        ("withdrawal", pending),
        ("FRAC", shown_tokens(has.frac, "FRAC")),
        ("points", f"{has.points:,}"),
    )
    return [f"{name:<11}{words}" for name, words in rows]
