"""Test money, on a chain for development: USDC and FRAC that are worth nothing, and ether for gas, from the accounts whose
keys everybody knows."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chain.client.contract import Invocation
from chain.client.signer import KeySigner
from chain.client.token import Token
from chain.devchain.accounts import KEYS
from chain.ethereum import Account, LocalAccount
from chain.wallet.amounts import shown_tokens
from chain.wallet.contracts import DEVELOPMENT_CHAIN, Contracts
from chain.wallet.refusals import FlowRefused
from chain.wallet.sending import Sender
from chain.wallet.sent import Done, Sent, eth


class Given(msgspec.Struct, frozen=True):
    to: str
    usdc: int
    """What the address has now, micros."""
    wei: int
    frac: int
    """In smallest parts."""
    txs: tuple[Done, ...]


class _Forgetful:
    """The known accounts are everybody's: nothing of theirs is kept."""

    def read(self) -> Sent | None:
        return None

    def write(self, sent: Sent) -> None: ...

    def clear(self) -> None: ...


async def give(
    contracts: Contracts, to: str, usdc: int, wei: int, told: Callable[[str], None], frac: int = 0
) -> Given:
    """Micros, wei and FRAC's smallest parts; what is 0 is left out. Raises FlowRefused, NoContract, OSError."""
    if contracts.chain_id != DEVELOPMENT_CHAIN or not contracts.own_usdc:
        raise FlowRefused(
            f"test money is given on chain {DEVELOPMENT_CHAIN} alone, where USDC is worth nothing; this is chain"
            f" {contracts.chain_id}"
        )
    token = await contracts.usdc()
    minter = await _minter(token)
    holder = await _holder(contracts.frac, frac) if frac else minter
    payer: LocalAccount = Account.from_key(KEYS[-1])
    txs = []
    if wei:
        txs.append(await _send(contracts, payer, eth(wei), Invocation(to, b""), wei, told))
    if usdc:
        txs.append(await _send(contracts, minter, "test USDC", token.mint(to, usdc), 0, told))
    if frac:
        call = contracts.frac.transfer(to, frac)
        txs.append(await _send(contracts, holder, shown_tokens(frac, "FRAC"), call, 0, told))
    head = await contracts.node.head()
    balance = await contracts.node.balance(to, head.number)
    has = await contracts.frac.balance(to)
    return Given(to, await token.balance(to), balance, has, tuple(txs))


async def _minter(token: Token) -> LocalAccount:
    for key in KEYS:
        account: LocalAccount = Account.from_key(key)
        if await token.mints(account.address):
            return account
    raise FlowRefused(
        "the test USDC here was deployed by a key of its own, which alone can make more: ask whoever deployed it"
    )


async def _holder(token: Token, amount: int) -> LocalAccount:
    for key in KEYS:
        account: LocalAccount = Account.from_key(key)
        if await token.balance(account.address) >= amount:
            return account
    raise FlowRefused(
        f"none of the accounts whose keys everybody knows has {shown_tokens(amount, 'FRAC')} here"
    )


async def _send(
    contracts: Contracts,
    account: LocalAccount,
    step: str,
    invocation: Invocation,
    value: int,
    told: Callable[[str], None],
) -> Done:
    sender = Sender(
        contracts.node,
        KeySigner(account, contracts.chain_id),
        _Forgetful(),
        command="faucet",
        genesis=contracts.manifest.genesis,
        clock=lambda: 0,
        told=told,
    )
    await sender.earlier()
    return await sender.send(step, invocation, value=value)
