"""What the judges found, as the JSON they were published as."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.store import schema
from server.store.engine import Database

Guard = Callable[[AsyncConnection], Awaitable[None]]

_v = schema.verdict


class Verdicts:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def put(self, session: str, body: bytes, still: Guard | None = None) -> bytes:
        """Keep the verdict. The first one stands, since ratings may rest on it already; returns it.

        `still` is asked within the transaction whether it may be kept now, and raises where it may not.
        """
        async with self._db.writing() as tx:
            if still is not None:
                await still(tx)
            await tx.execute(
                self._db.insert(_v).values(session=session, body=body).on_conflict_do_nothing()
            )
            standing: bytes | None = await tx.scalar(
                select(_v.c.body).where(_v.c.session == session)
            )
        assert standing is not None
        return standing

    async def get(self, session: str) -> bytes | None:
        async with self._db.reading() as tx:
            body: bytes | None = await tx.scalar(select(_v.c.body).where(_v.c.session == session))
        return body
