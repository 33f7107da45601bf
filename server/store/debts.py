"""What the chain takes of an owner's money, and how the ledger follows: from the purse, from the agents' purses, and what waits
in queues and pots as it comes free.

A withdrawal that was asked for is reserved; one that the chain has paid, and a deposit that it has taken back, is posted. As long
as something is left to be taken the row is a debt. Every purse is locked (`holders`), so what is found free is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.ledger import Kind, Transfer, names, tiers
from server.ledger.transfer import MAX_MICROS
from server.store import automations, escrow, holders, ledger, money, schema
from server.store.engine import Database
from server.store.holders import Holder

WHY = {
    "withdrawal": "its money was asked back from the escrow by its owner's wallet",
    "undone": "the chain has taken a deposit of its owner's back",
}
"""For owners of automations that are stopped."""
_BATCH = 1_000
_AT_ONCE = 100
"""Debts of one holder that are looked at together: most often the first one takes all that there is."""

_d, _c = escrow.escrow_debt, money.crossing
_a, _t = money.ledger_account, money.ledger_transfer
_owed = (_d.c.state == "open") & (_d.c.reserved_micros < _d.c.micros)


class Debts:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def left_micros(self) -> int:
        """What the ledger has yet to take of all owners."""
        query = select(func.coalesce(func.sum(_d.c.micros - _d.c.reserved_micros), 0)).where(_owed)
        async with self._db.reading() as tx:
            return int(await tx.scalar(query) or 0)

    async def collect(self, treasury: str, limit: int = 100) -> int:
        """Take what has come free of so many owners who owe; returns of how many something was taken.

        Idempotent.
        """
        async with self._db.reading() as tx:
            wallets = await _can_pay(tx, treasury, limit)
        if not wallets:
            return 0
        now_ms = self._clock()
        async with self._db.writing() as tx:
            found = await holders.of_wallets(self._db, tx, wallets, treasury, now_ms)
            return sum([await collect(self._db, tx, each, now_ms) > 0 for each in found.values()])


async def add(
    db: Database, tx: AsyncConnection, id_: str, account: str, code: str, micros: int, now_ms: int
) -> None:
    """What is to be taken from now on; `id_` is the crossing's."""
    await tx.execute(
        _d.insert().values(
            id=id_,
            account=account,
            code=code,
            micros=micros,
            reserved_micros=0,
            state="open",
            made_ms=now_ms,
        )
    )


async def collect(db: Database, tx: AsyncConnection, holder: Holder, now_ms: int) -> int:
    """Take what is free of what the holder owes, the oldest debt first; returns micros."""
    query = (
        select(_d.c.id, _d.c.code, _d.c.micros, _d.c.reserved_micros, _c.c.state)
        .outerjoin(_c, _c.c.id == _d.c.id)
        .where(_d.c.account == holder.account, _owed)
        .order_by(_d.c.made_ms, _d.c.id)
        .limit(_AT_ONCE)
    )
    total = 0
    while rows := (await tx.execute(query)).all():
        for row in rows:
            taken, whole = await _pay(db, tx, holder, row, now_ms)
            total += taken
            if not whole:
                return total
    return total


async def transfers_of(tx: AsyncConnection, about: str) -> int:
    """How many there are: what follows is named by it."""
    return await tx.scalar(select(func.count()).where(_t.c.about == about)) or 0


async def submit(db: Database, tx: AsyncConnection, batch: Sequence[Transfer], now_ms: int) -> None:
    """All of it, however many they are. Raises TransferRefused."""
    for start in range(0, len(batch), _BATCH):
        await ledger.require(db, tx, batch[start : start + _BATCH], now_ms)


def parts(micros: int) -> Iterator[int]:
    """An amount as the ledger takes it at once."""
    while micros > 0:
        yield min(micros, MAX_MICROS)
        micros -= MAX_MICROS


async def _pay(
    db: Database, tx: AsyncConnection, holder: Holder, row: Row[*tuple[Any, ...]], now_ms: int
) -> tuple[int, bool]:
    """Micros, and whether that was all of this debt."""
    id_, code, micros, reserved, crossing = row
    promised = code == "withdrawal" and crossing == "pending"
    kind = Kind.PENDING if promised else Kind.POSTED
    taken = await _take(db, tx, holder, id_, code, micros - reserved, kind, now_ms)
    whole = reserved + taken == micros
    if taken:
        state = "paid" if whole and not promised else "open"
        row_of = update(_d).where(_d.c.id == id_)
        await tx.execute(row_of.values(reserved_micros=reserved + taken, state=state))
    return taken, whole


async def _take(
    db: Database,
    tx: AsyncConnection,
    holder: Holder,
    about: str,
    code: str,
    micros: int,
    kind: Kind,
    now_ms: int,
) -> int:
    """At most `micros` of what is free in the holder's purses, in their order."""
    free = await _free(tx, holder.purses)
    wanted: list[tuple[str, int]] = []
    for purse in holder.purses:
        taken = min(free.get(purse, 0), micros - sum(each for _, each in wanted))
        if taken > 0:
            wanted.append((purse, taken))
    for purse, _ in wanted:
        if purse in holder.agents:
            agent = holder.agents[purse]
            await automations.stop(tx, agent=agent, reason=WHY[code], now_ms=now_ms)
    number = await transfers_of(tx, about)
    pieces = [(purse, part) for purse, taken in wanted for part in parts(taken)]
    batch = [
        Transfer(
            id=f"{code}:{about}:{number + more}",
            debit=purse,
            credit=names.CHAIN,
            asset=tiers.USDC,
            micros=part,
            code=code,
            about=about,
            kind=kind,
        )
        for more, (purse, part) in enumerate(pieces)
    ]
    await submit(db, tx, batch, now_ms)
    return sum(taken for _, taken in wanted)


async def _free(tx: AsyncConnection, purses: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    available = _a.c.credits_posted - _a.c.debits_posted - _a.c.debits_pending
    for some in holders.parts(purses):
        query = select(_a.c.id, available).where(_a.c.id.in_(some), available > 0)
        found |= {row[0]: int(row[1]) for row in await tx.execute(query)}
    return found


async def _can_pay(tx: AsyncConnection, treasury: str, limit: int) -> list[str]:
    """Wallets of owners who owe and have something free, the oldest debts first; the treasury's whenever it owes."""
    account, agent = schema.account, schema.agent
    free = _a.c.credits_posted - _a.c.debits_posted - _a.c.debits_pending > 0
    own = select(_a.c.id).where(_a.c.id == names.owner(tiers.USDC, "") + account.c.id, free)
    agents = (
        select(_a.c.id)
        .join(agent, _a.c.id == names.agent(tiers.USDC, "") + agent.c.id)
        .where(agent.c.owner == account.c.id, free)
    )
    query = (
        select(account.c.wallet)
        .join(_d, _d.c.account == account.c.id)
        .where(_owed, or_(account.c.wallet == treasury, own.exists(), agents.exists()))
        .group_by(account.c.wallet)
        .order_by(func.min(_d.c.made_ms), account.c.wallet)
        .limit(limit)
    )
    return [wallet for wallet in await tx.scalars(query) if wallet is not None]
