"""Seasons: the spans of time in which points are counted. The newest is the one that runs."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.store import merit
from server.store.engine import Database

FIRST = 1

_s = merit.season
_newest = select(func.max(_s.c.number))


class SeasonRow(msgspec.Struct, frozen=True):
    number: int
    started_ms: int
    ended_ms: int | None
    """Null of the one that runs."""


async def current(db: Database, tx: AsyncConnection, now_ms: int) -> int:
    """The number of the season that runs; the first begins here where there is none. Race-safe."""
    number = await tx.scalar(_newest)
    if number is not None:
        return int(number)
    await tx.execute(db.insert(_s).values(number=FIRST, started_ms=now_ms).on_conflict_do_nothing())
    return FIRST


async def begin(db: Database, tx: AsyncConnection, ending: int, now_ms: int) -> int:
    """End the season `ending` and begin the next; returns its number.

    Idempotent by `ending`: of those who end the same season, one begins the next.
    """
    await tx.execute(
        update(_s).where(_s.c.number == ending, _s.c.ended_ms.is_(None)).values(ended_ms=now_ms)
    )
    await tx.execute(
        db.insert(_s).values(number=ending + 1, started_ms=now_ms).on_conflict_do_nothing()
    )
    return ending + 1


async def every(tx: AsyncConnection) -> list[SeasonRow]:
    """All seasons, oldest first."""
    query = select(_s.c.number, _s.c.started_ms, _s.c.ended_ms).order_by(_s.c.number)
    return [SeasonRow(*row) for row in await tx.execute(query)]
