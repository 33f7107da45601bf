"""Stake by hand, at whatever contract holds it: put FRAC there, ask for it back, take it. One command each."""

from __future__ import annotations

from typing import Protocol

import msgspec

from chain.client.contract import Invocation
from chain.wallet.amounts import shown_tokens
from chain.wallet.hands import Hands
from chain.wallet.refusals import FlowRefused
from chain.wallet.sent import Done
from chain.wallet.words import due


class Stake(Protocol):
    """How an address stands at such a contract. FRAC in its smallest part; `unbonding_at` in unix seconds."""

    @property
    def bonded(self) -> int: ...
    @property
    def unbonding(self) -> int: ...
    @property
    def unbonding_at(self) -> int: ...


class Stakes(Protocol):
    """A contract that holds stakes, as `chain.client.operators.Operators` is one."""

    address: str

    async def staked(self, address: str) -> Stake: ...
    async def min_stake(self) -> int: ...
    def stake(self, amount: int) -> Invocation: ...
    def unbond(self, amount: int) -> Invocation: ...
    def release(self, receiver: str) -> Invocation: ...


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


async def stake(hands: Hands, stakes: Stakes, amount: int) -> Staked:
    """Approves the contract first, where that is lacking. Raises FlowRefused, NoContract, OSError."""
    frac = hands.contracts.frac
    done = await hands.sender.earlier()
    if done is None:
        has = await frac.balance(hands.address)
        if has < amount:
            raise FlowRefused(
                f"the wallet has {shown_tokens(has, 'FRAC')}, and {shown_tokens(amount, 'FRAC')} are wanted: send FRAC of this"
                f" chain to {hands.address} (for development: `agon wallet faucet --frac {amount / 10**18:.0f}`)"
            )
        if await frac.allowance(hands.address, stakes.address) < amount:
            approval = frac.approve(stakes.address, amount)
            await hands.sender.send(
                f"approval of {shown_tokens(amount, 'FRAC')}", approval, last=False
            )
        done = await hands.sender.send(
            f"stake of {shown_tokens(amount, 'FRAC')}", stakes.stake(amount)
        )
    return await _staked(hands, stakes, done)


async def unbond(hands: Hands, stakes: Stakes, amount: int | None) -> Staked:
    """None: all that is bonded. Raises FlowRefused, NoContract, OSError."""
    done = await hands.sender.earlier()
    if done is None:
        bonded = (await stakes.staked(hands.address)).bonded
        wanted = bonded if amount is None else amount
        if wanted == 0 or wanted > bonded:
            raise FlowRefused(f"{shown_tokens(bonded, 'FRAC')} are bonded")
        done = await hands.sender.send(
            f"unbonding of {shown_tokens(wanted, 'FRAC')}", stakes.unbond(wanted)
        )
    return await _staked(hands, stakes, done)


async def release(hands: Hands, stakes: Stakes, receiver: str, *, by: str) -> Staked:
    """`by`: the command that asks for stake back. Raises FlowRefused, NoContract, OSError."""
    done = await hands.sender.earlier()
    if done is None:
        now_s, standing = await hands.now_s(), await stakes.staked(hands.address)
        if standing.unbonding == 0:
            raise FlowRefused(f"nothing is unbonding: `{by}` asks for stake back")
        if standing.unbonding_at > now_s:
            ready = due(standing.unbonding_at, now_s)
            raise FlowRefused(
                f"{shown_tokens(standing.unbonding, 'FRAC')} can be taken {ready}, and can be lost until then"
            )
        done = await hands.sender.send("release", stakes.release(receiver))
    return await _staked(hands, stakes, done)


async def _staked(hands: Hands, stakes: Stakes, done: Done) -> Staked:
    standing = await stakes.staked(hands.address)
    return Staked(
        hands.address,
        standing.bonded,
        standing.unbonding,
        standing.unbonding_at,
        await stakes.min_stake(),
        await hands.contracts.frac.balance(hands.address),
        done,
    )
