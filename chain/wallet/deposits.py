"""USDC from the wallet into the escrow, in as few transactions as the token allows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from chain.client.contract import Invocation
from chain.client.token import Token
from chain.wallet import paying
from chain.wallet.amounts import shown_usdc
from chain.wallet.hands import Hands
from chain.wallet.refusals import REASONS, FlowRefused
from chain.wallet.sent import Done


class Deposited(msgspec.Struct, frozen=True):
    micros: int
    way: str
    """`allowance`, `permit`, `authorization` or `approve`; empty where an earlier run had sent it."""
    escrow_micros: int
    """The balance there now."""
    wallet_micros: int
    tx: Done


async def deposit(hands: Hands, micros: int) -> Deposited:
    """Raises FlowRefused, NoContract, OSError."""
    usdc = await hands.contracts.usdc()
    way, done = "", await hands.sender.earlier()
    if done is None:
        await paying.check_pays(hands, usdc, micros)
        if await hands.contracts.escrow.paused():
            raise FlowRefused(REASONS["escrow: paused"])
        way, done = await _pay(hands, usdc, micros)
    account = await hands.contracts.escrow.account(hands.address)
    return Deposited(micros, way, account.balance, await usdc.balance(hands.address), done)


async def _pay(hands: Hands, usdc: Token, micros: int) -> tuple[str, Done]:
    step = f"deposit of {shown_usdc(micros)}"
    async for way, invocation in _ways(hands, usdc, micros):
        if await hands.sender.would(invocation):
            return way, await hands.sender.send(step, invocation)
    escrow = hands.contracts.escrow
    approval = usdc.approve(escrow.address, micros)
    await hands.sender.send(f"approval of {shown_usdc(micros)}", approval, last=False)
    return "approve", await hands.sender.send(step, escrow.deposit(micros))


async def _ways(hands: Hands, usdc: Token, micros: int) -> AsyncIterator[tuple[str, Invocation]]:
    """Those of one transaction, the cheapest first."""
    escrow = hands.contracts.escrow
    if await usdc.allowance(hands.address, escrow.address) >= micros:
        yield "allowance", escrow.deposit(micros)
    permit = await paying.permit(hands, usdc, escrow.address, micros)
    if permit is not None:
        yield "permit", escrow.deposit_with_permit(micros, permit)
    signed = await paying.authorization(hands, usdc, micros)
    if signed is not None:
        yield "authorization", escrow.deposit_with_authorization(signed)
