"""Whether a wallet can pay USDC, and its leave to a contract to take it, by a signature where the token understands one."""

from __future__ import annotations

import secrets
from typing import Any

from chain.client import signing
from chain.client.contract import NoContract
from chain.client.node import Reverted
from chain.client.token import Permit, Token
from chain.wallet.amounts import shown_usdc
from chain.wallet.hands import Hands
from chain.wallet.refusals import FlowRefused

SIGNED_FOR_S = 3_600
"""How long a signature is good that goes into the very next transaction."""


async def check_pays(hands: Hands, usdc: Token, micros: int) -> None:
    """Raises FlowRefused where the wallet has less, or USDC does not move."""
    has = await usdc.balance(hands.address)
    if has < micros:
        raise FlowRefused(
            f"the wallet has {shown_usdc(has)}, and {shown_usdc(micros)} are wanted: send USDC of this chain to {hands.address}"
            " (for development: `agon wallet faucet`)"
        )
    try:
        paused, blocked = await usdc.paused(), await usdc.blocked(hands.address)
    except (NoContract, Reverted):
        return  # a token without such switches
    if paused:
        raise FlowRefused("USDC's issuer has stopped all transfers")
    if blocked:
        raise FlowRefused(f"USDC's issuer has blocked {hands.address}: nothing leaves that wallet")


async def permit(hands: Hands, token: Token, spender: str, amount: int) -> Permit | None:
    """None where the token knows no permits."""
    try:
        name, version = await token.domain()
        nonce = await token.permits(hands.address)
    except (NoContract, Reverted):
        return None
    return signing.permit(
        hands.account,
        chain_id=hands.contracts.chain_id,
        token=token.address,
        name=name,
        version=version,
        spender=spender,
        amount=amount,
        nonce=nonce,
        deadline=await hands.now_s() + SIGNED_FOR_S,
    )


async def authorization(hands: Hands, usdc: Token, micros: int) -> dict[str, Any] | None:
    """For the escrow (EIP-3009); None where the token does not say what its signing domain is."""
    try:
        name, version = await usdc.domain()
    except (NoContract, Reverted):
        return None
    return signing.authorization(
        hands.account,
        chain_id=hands.contracts.chain_id,
        usdc=usdc.address,
        usdc_name=name,
        usdc_version=version,
        escrow=hands.contracts.escrow.address,
        amount=micros,
        valid_before=await hands.now_s() + SIGNED_FOR_S,
        nonce=secrets.token_bytes(32),
    )
