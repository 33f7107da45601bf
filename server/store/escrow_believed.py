"""What the ledger believes that the escrow holds, as of the block that was read last. Reading only."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select

from chain.client.index import Position
from server.ledger import names
from server.store import chain, escrow, money
from server.store.engine import Database

_a, _c, _d = money.ledger_account, chain.chain_cursor, escrow.escrow_debt


class Believed(msgspec.Struct, frozen=True):
    at: Position
    posted_micros: int
    """What has come from the chain and has not gone back, by the ledger."""
    owed_micros: int
    """Of that, what is gone from the chain, and the ledger has yet to take of owners."""

    @property
    def held_micros(self) -> int:
        return self.posted_micros - self.owed_micros


class Waiting(msgspec.Struct, frozen=True):
    sessions: int
    """That are to be opened."""
    owed_micros: int
    """What the chain has taken of owners, or will, and the ledger has not been able to reserve yet."""


async def believed(db: Database, reader: str) -> Believed | None:
    """As of one moment; None where nothing was read yet."""
    newest = select(_c.c.number, _c.c.hash).where(_c.c.reader == reader)
    account = select(_a.c.debits_posted - _a.c.credits_posted).where(_a.c.id == names.CHAIN)
    crossing = money.crossing
    gone = (_d.c.code == "undone") | (crossing.c.state == "confirmed")
    owed = (
        select(func.coalesce(func.sum(_d.c.micros - _d.c.reserved_micros), 0))
        .outerjoin(crossing, crossing.c.id == _d.c.id)
        .where(_d.c.state == "open", gone)
    )
    async with db.reading() as tx:
        if not db.is_sqlite:
            await tx.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = (await tx.execute(newest.order_by(_c.c.number.desc()).limit(1))).one_or_none()
        if row is None:
            return None
        posted = await tx.scalar(account)
        return Believed(Position(*row), int(posted or 0), int(await tx.scalar(owed) or 0))


async def waiting(db: Database) -> Waiting:
    """What the chain and owners are waited for."""
    s = escrow.escrow_session
    wanted = select(func.count()).where(s.c.state == "wanted")
    owed = func.coalesce(func.sum(_d.c.micros - _d.c.reserved_micros), 0)
    async with db.reading() as tx:
        sessions = await tx.scalar(wanted)
        micros = await tx.scalar(select(owed).where(_d.c.state == "open"))
        return Waiting(int(sessions or 0), int(micros or 0))
