"""Where readers of a chain's logs are, and what they have read (`chain.client.index.LogStore`).

What follows from a log is written in the transaction that keeps it, and taken back in the one that forgets it: whoever
wants that gives a `Follower`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chain.client.index import KEPT_BLOCKS, PAGE, Batch, Position
from chain.client.node import Log
from server.store.chain import chain_cursor as _c
from server.store.chain import chain_log as _l
from server.store.engine import Database


class Follower(Protocol):
    """What is to be done about logs, within the caller's transaction."""

    async def follow(self, tx: AsyncConnection, logs: Sequence[Log]) -> None:
        """They are new, each is told once, in their order."""
        ...

    async def undo(self, tx: AsyncConnection, logs: Sequence[Log]) -> None:
        """They were told, and are on the chain no more, the last one first."""
        ...


class ChainLogs:
    """Every method is one transaction."""

    def __init__(self, database: Database, follower: Follower | None = None) -> None:
        self._db = database
        self._follower = follower

    async def positions(self, reader: str, below: int | None = None) -> list[Position]:
        """Newest first, a page of them; `below` is the last number of the page before."""
        async with self._db.reading() as tx:
            return await _positions(tx, reader, PAGE, below)

    async def take(self, reader: str, batch: Batch) -> bool:
        """False, and nothing kept, where another process has read on or rolled back in the meantime."""
        async with self._db.writing() as tx:
            await _lock(tx, reader)
            newest = await _positions(tx, reader, 1)
            if (newest[0] if newest else None) != batch.after:
                return False
            upto = {"reader": reader, "number": batch.upto.number, "hash": batch.upto.hash}
            added = await tx.execute(
                self._db.insert(_c).values(upto).on_conflict_do_nothing()
            )  # two may begin at once, with no row to lock
            if not added.rowcount:
                return False
            if batch.logs:
                await tx.execute(_l.insert(), [_row(reader, log) for log in batch.logs])
                if self._follower is not None:
                    await self._follower.follow(tx, batch.logs)
            await _forget_old(tx, reader, batch.upto.number)
        return True

    async def roll_back(self, reader: str, to: Position | None) -> None:
        """Undo what came after a position, all of it for None. Idempotent."""
        number = -1 if to is None else to.number
        async with self._db.writing() as tx:
            await _lock(tx, reader)
            gone = (_l.c.reader == reader) & (_l.c.number > number)
            if self._follower is not None:
                query = select(_l).where(gone).order_by(_l.c.number.desc(), _l.c.log_index.desc())
                logs = [_log(row) for row in await tx.execute(query)]
                if logs:
                    await self._follower.undo(tx, logs)
            await tx.execute(delete(_l).where(gone))
            await tx.execute(delete(_c).where(_c.c.reader == reader, _c.c.number > number))

    async def logs(self, reader: str, after: int = -1, limit: int = 1_000) -> list[Log]:
        """In their order, of blocks above `after`."""
        query = (
            select(_l)
            .where(_l.c.reader == reader, _l.c.number > after)
            .order_by(_l.c.number, _l.c.log_index)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [_log(row) for row in await tx.execute(query)]


async def _lock(tx: AsyncConnection, reader: str) -> None:
    """Wait for whoever reads on for this reader, too. What is newest is looked up afterwards: the rows locked here
    were found before."""
    query = select(_c.c.number).where(_c.c.reader == reader).with_for_update()
    await tx.execute(query.order_by(_c.c.number.desc()).limit(1))


async def _positions(
    tx: AsyncConnection, reader: str, limit: int, below: int | None = None
) -> list[Position]:
    query = (
        select(_c.c.number, _c.c.hash)
        .where(_c.c.reader == reader)
        .order_by(_c.c.number.desc())
        .limit(limit)
    )
    if below is not None:
        query = query.where(_c.c.number < below)
    return [Position(*row) for row in await tx.execute(query)]


async def _forget_old(tx: AsyncConnection, reader: str, newest: int) -> None:
    old = (_c.c.reader == reader) & (_c.c.number < newest - KEPT_BLOCKS)
    await tx.execute(delete(_c).where(old))


def _row(reader: str, log: Log) -> dict[str, object]:
    return {
        "reader": reader,
        "block_hash": log.block_hash,
        "log_index": log.index,
        "number": log.number,
        "address": log.address,
        "topics": " ".join(log.topics),
        "data": log.data,
        "tx": log.tx,
        "tx_index": log.tx_index,
    }


def _log(row: Any) -> Log:
    return Log(
        address=row.address,
        topics=tuple(row.topics.split()),
        data=bytes(row.data),
        number=row.number,
        block_hash=row.block_hash,
        index=row.log_index,
        tx=row.tx,
        tx_index=row.tx_index,
    )
