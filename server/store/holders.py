"""Who is behind wallets of the escrow: accounts, and the purses of the ledger that their money is in, locked together.

A batch of the escrow's logs moves money of many owners, one log after the other. Everything that it may touch is locked before
the first: agents in the order of their ids, then ledger accounts in that of their names, as everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.identity import new_id
from server.ledger import names, tiers
from server.store import money, schema
from server.store.engine import Database

AT_ONCE = 1_000
"""Names in one question."""

_account, _agent, _ledger = schema.account, schema.agent, money.ledger_account


class Holder(msgspec.Struct, frozen=True):
    """An owner in the escrow, and where the ledger has the owner's money."""

    account: str
    wallet: str
    """EIP-55."""
    own: str
    """The ledger account that deposits go to."""
    purses: tuple[str, ...]
    """All that can be taken from, in this order."""
    agents: dict[str, str]
    """Of those purses that are agents': whose."""


async def of_wallets(
    db: Database, tx: AsyncConnection, wallets: Collection[str], treasury: str, now_ms: int
) -> dict[str, Holder]:
    """By wallet; an account is made for a wallet that has none. Nobody else takes from their purses before `tx` ends.

    The treasury's money is in the pools of the fees.
    """
    accounts: dict[str, str] = {}
    for some in parts(sorted(wallets)):
        new = [{"id": new_id(), "wallet": wallet, "created_ms": now_ms} for wallet in some]
        await tx.execute(db.insert(_account).on_conflict_do_nothing(), new)
        query = select(_account.c.wallet, _account.c.id).where(_account.c.wallet.in_(some))
        accounts |= {wallet: account for wallet, account in await tx.execute(query) if wallet}
    agents = await _agents(tx, accounts.values())
    found = {
        wallet: _holder(account, wallet, agents.get(account, ()), is_treasury=wallet == treasury)
        for wallet, account in accounts.items()
    }
    await _lock(tx, [purse for holder in found.values() for purse in holder.purses])
    return found


async def _agents(tx: AsyncConnection, accounts: Collection[str]) -> dict[str, list[str]]:
    """By account, in the order of their ids, locked in that order."""
    found: list[tuple[str, str]] = []
    for some in parts(sorted(accounts)):
        query = select(_agent.c.id, _agent.c.owner).where(_agent.c.owner.in_(some))
        found += [(agent, owner) for agent, owner in await tx.execute(query)]
    by_owner: dict[str, list[str]] = {}
    for agent, owner in sorted(found):
        by_owner.setdefault(owner, []).append(agent)
    for some in parts(sorted(agent for agent, _ in found)):
        rows = select(_agent.c.id).where(_agent.c.id.in_(some)).order_by(_agent.c.id)
        await tx.execute(rows.with_for_update(key_share=True))
    return by_owner


def _holder(account: str, wallet: str, agents: Sequence[str], *, is_treasury: bool) -> Holder:
    if is_treasury:
        pools = tuple(names.fees(tiers.USDC, pool) for pool in names.POOLS)
        return Holder(account, wallet, pools[0], pools, {})
    own = names.owner(tiers.USDC, account)
    theirs = {names.agent(tiers.USDC, agent): agent for agent in agents}
    return Holder(account, wallet, own, (own, *theirs), theirs)


async def _lock(tx: AsyncConnection, purses: Collection[str]) -> None:
    for some in parts(sorted({names.CHAIN, *purses})):
        rows = select(_ledger.c.id).where(_ledger.c.id.in_(some)).order_by(_ledger.c.id)
        await tx.execute(rows.with_for_update())


def parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
