"""Official boards as they were computed, and the boards with which seasons ended."""

from __future__ import annotations

from sqlalchemy import and_, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.store import merit
from server.store.engine import Database

KEPT = 100
"""Of a Space, the newest ones."""

_b = merit.official_board


class OfficialBoards:
    """Every method is one transaction. Documents are JSON of `server.official.document.OfficialBoard`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def put(self, space: str, computed_ms: int, document: str) -> None:
        """Keep a board; the oldest beyond KEPT go. Idempotent by Space and time."""
        oldest = (
            select(_b.c.computed_ms)
            .where(_b.c.space == space)
            .order_by(_b.c.computed_ms.desc())
            .offset(KEPT - 1)
            .limit(1)
        )
        async with self._db.writing() as tx:
            await tx.execute(
                self._db.insert(_b)
                .values(space=space, computed_ms=computed_ms, document=document)
                .on_conflict_do_nothing()
            )
            last = await tx.scalar(oldest)
            if last is not None:
                await tx.execute(delete(_b).where(_b.c.space == space, _b.c.computed_ms < last))

    async def newest(self, space: str) -> str | None:
        async with self._db.reading() as tx:
            return await newest(tx, space)

    async def recent(self, space: str, limit: int) -> list[str]:
        """Newest first."""
        query = (
            select(_b.c.document)
            .where(_b.c.space == space)
            .order_by(_b.c.computed_ms.desc())
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return list((await tx.scalars(query)).all())

    async def every_newest(self) -> list[str]:
        """The newest board of each Space that has one, by Space."""
        newest = select(_b.c.space, func.max(_b.c.computed_ms).label("at")).group_by(_b.c.space)
        last = newest.subquery()
        query = (
            select(_b.c.document)
            .join(last, and_(last.c.space == _b.c.space, last.c.at == _b.c.computed_ms))
            .order_by(_b.c.space)
        )
        async with self._db.reading() as tx:
            return list((await tx.scalars(query)).all())

    async def recent_everywhere(self, limit: int) -> list[str]:
        """The newest boards of every Space."""
        async with self._db.reading() as tx:
            spaces = (await tx.scalars(select(_b.c.space).distinct())).all()
        return [each for space in spaces for each in await self.recent(space, limit)]

    async def of_seasons(self) -> list[str]:
        """All final boards."""
        async with self._db.reading() as tx:
            return list((await tx.scalars(select(merit.season_board.c.document))).all())

    async def of_season(self, season: int, space: str) -> str | None:
        """JSON of `server.official.final.FinalBoard`; None while the season runs, or where nobody played."""
        table = merit.season_board
        query = select(table.c.document).where(table.c.season == season, table.c.space == space)
        async with self._db.reading() as tx:
            found: str | None = await tx.scalar(query)
        return found


async def newest(tx: AsyncConnection, space: str) -> str | None:
    """The newest board of a Space, if one has been made."""
    query = (
        select(_b.c.document).where(_b.c.space == space).order_by(_b.c.computed_ms.desc()).limit(1)
    )
    found: str | None = await tx.scalar(query)
    return found
