"""What an operator does by hand: says where its node is, stakes FRAC, asks for it back and takes it. One command each."""

from __future__ import annotations

import msgspec

from chain.client.operators import Operator, Terms
from chain.wallet.amounts import shown_tokens
from chain.wallet.hands import Hands
from chain.wallet.refusals import FlowRefused
from chain.wallet.sent import Done
from chain.wallet.words import due

MAX_ENDPOINT = 128
MAX_PEER_ID = 64


class Staked(msgspec.Struct, frozen=True):
    """How it stands afterwards. FRAC in its smallest part."""

    address: str
    bonded: int
    unbonding: int
    unbonding_at: int
    """Unix seconds."""
    min_stake: int
    wallet: int
    tx: Done


class Registered(msgspec.Struct, frozen=True):
    address: str
    endpoint: str
    peer_id: str
    tx: Done


async def register(hands: Hands, endpoint: str, peer_id: str) -> Registered:
    """Raises FlowRefused, NoContract, OSError."""
    done = await hands.sender.earlier()
    if done is None:
        call = hands.contracts.operators.register(endpoint, peer_id)
        done = await hands.sender.send("registration", call)
    return Registered(hands.address, endpoint, peer_id, done)


async def stake(hands: Hands, amount: int) -> Staked:
    """Approves the contract first, where that is lacking. Raises FlowRefused, NoContract, OSError."""
    operators, frac = hands.contracts.operators, hands.contracts.frac
    done = await hands.sender.earlier()
    if done is None:
        has = await frac.balance(hands.address)
        if has < amount:
            raise FlowRefused(
                f"the wallet has {shown_tokens(has, 'FRAC')}, and {shown_tokens(amount, 'FRAC')} are wanted: send FRAC of this"
                f" chain to {hands.address} (for development: `agon wallet faucet --frac {amount / 10**18:.0f}`)"
            )
        if await frac.allowance(hands.address, operators.address) < amount:
            approval = frac.approve(operators.address, amount)
            await hands.sender.send(
                f"approval of {shown_tokens(amount, 'FRAC')}", approval, last=False
            )
        done = await hands.sender.send(
            f"stake of {shown_tokens(amount, 'FRAC')}", operators.stake(amount)
        )
    return await _staked(hands, done)


async def unbond(hands: Hands, amount: int | None) -> Staked:
    """None: all that is bonded. Raises FlowRefused, NoContract, OSError."""
    operators = hands.contracts.operators
    done = await hands.sender.earlier()
    if done is None:
        bonded = (await operators.operator(hands.address)).bonded
        wanted = bonded if amount is None else amount
        if wanted == 0 or wanted > bonded:
            raise FlowRefused(f"{shown_tokens(bonded, 'FRAC')} are bonded")
        done = await hands.sender.send(
            f"unbonding of {shown_tokens(wanted, 'FRAC')}", operators.unbond(wanted)
        )
    return await _staked(hands, done)


async def release(hands: Hands, receiver: str) -> Staked:
    """Raises FlowRefused, NoContract, OSError."""
    operators = hands.contracts.operators
    done = await hands.sender.earlier()
    if done is None:
        now_s, standing = await hands.now_s(), await operators.operator(hands.address)
        if standing.unbonding == 0:
            raise FlowRefused("nothing is unbonding: `agon operator unbond` asks for stake back")
        if standing.unbonding_at > now_s:
            ready = due(standing.unbonding_at, now_s)
            raise FlowRefused(
                f"{shown_tokens(standing.unbonding, 'FRAC')} can be taken {ready}, and can be lost until then"
            )
        done = await hands.sender.send("release", operators.release(receiver))
    return await _staked(hands, done)


async def _staked(hands: Hands, done: Done) -> Staked:
    contracts = hands.contracts
    standing: Operator = await contracts.operators.operator(hands.address)
    terms: Terms = await contracts.operators.terms()
    return Staked(
        hands.address,
        standing.bonded,
        standing.unbonding,
        standing.unbonding_at,
        terms.min_stake,
        await contracts.frac.balance(hands.address),
        done,
    )
