"""What node operators are asked to keep: one row a block, numbered without a hole in the order of asking.

Whoever has seen number N asks for what comes after it and misses nothing, whichever process gave the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Literal

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.store import schema
from server.store.engine import Database

MAX_PAGE = 1_000

Kind = Literal["transcript", "result", "epoch", "payouts", "case", "adapter"]

_t = schema.pin_task
_columns = (_t.c.number, _t.c.cid, _t.c.bytes, _t.c.kind, _t.c.session, _t.c.given_ms)


class NewPinTask(msgspec.Struct, frozen=True):
    cid: str
    """CIDv1, raw: one block, which the content store keeps already."""
    bytes: int
    """1 to 1 MiB."""
    kind: Kind
    session: str
    """What it is of: a session's id, or another document's name (`epoch:7`)."""


class PinTaskRow(msgspec.Struct, frozen=True):
    number: int
    cid: str
    bytes: int
    kind: Kind
    session: str
    given_ms: int


async def give(db: Database, tx: AsyncConnection, tasks: Sequence[NewPinTask], now_ms: int) -> None:
    """Ask for blocks, in the caller's transaction. Idempotent by their CIDs."""
    if not tasks:
        return
    if not db.is_sqlite:  # there a writer is alone already
        lock = func.pg_advisory_xact_lock(func.hashtextextended("pin_task", 0))
        await tx.execute(select(lock))
    wanted = {task.cid: task for task in tasks}
    known = set(await tx.scalars(select(_t.c.cid).where(_t.c.cid.in_(wanted))))
    last = await tx.scalar(select(func.max(_t.c.number))) or 0
    fresh = [task for cid, task in wanted.items() if cid not in known]
    rows = [
        {"number": number, **msgspec.structs.asdict(task), "given_ms": now_ms}
        for number, task in enumerate(fresh, last + 1)
    ]
    if rows:
        await tx.execute(_t.insert(), rows)


class PinTasks:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def give(self, tasks: Sequence[NewPinTask]) -> None:
        """Idempotent by their CIDs."""
        async with self._db.writing() as tx:
            await give(self._db, tx, tasks, self._clock())

    async def after(self, number: int, limit: int, *, by_ms: int | None = None) -> list[PinTaskRow]:
        """What comes after a number, in order, at most `limit`; `by_ms`: up to the first that was given later."""
        query = select(*_columns).where(_t.c.number > number).order_by(_t.c.number)
        async with self._db.reading() as tx:
            rows = await tx.execute(query.limit(min(limit, MAX_PAGE)))
            found = [PinTaskRow(*row) for row in rows]
        return list(takewhile(lambda row: by_ms is None or row.given_ms <= by_ms, found))

    async def last(self) -> int:
        """The newest number; 0 where nothing was asked for yet."""
        async with self._db.reading() as tx:
            return await tx.scalar(select(func.max(_t.c.number))) or 0

    async def get(self, cid: str) -> PinTaskRow | None:
        async with self._db.reading() as tx:
            row = (await tx.execute(select(*_columns).where(_t.c.cid == cid))).one_or_none()
        return None if row is None else PinTaskRow(*row)
