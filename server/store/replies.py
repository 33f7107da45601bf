"""Answers that are remembered by their `Idempotency-Key`, so that a request made again is not done again."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.store.engine import Database
from server.store.money import idempotency

KEPT_MS = 86_400_000
"""How long an answer is remembered."""
LOST_MS = 60_000
"""A request that has not been answered for this long was lost with its process."""


class OtherRequest(ValueError):
    """The key was used for a request that was not the same."""


class InProgress(RuntimeError):
    """The first request with the key is being answered."""


class Reply(msgspec.Struct, frozen=True):
    """An answer of status 2xx."""

    status: int
    body: str
    location: str | None


class Replies:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def claim(self, account: str, key: str, request: str) -> Reply | None:
        """The answer that was given; None where the caller shall find one and then `keep` or `forget`.

        `request` is a digest of it. Raises OtherRequest, InProgress. A claim older than LOST_MS goes to
        the next who asks: should its first holder be slow rather than lost, both do it.
        """
        i, now = idempotency, self._clock()
        async with self._db.writing() as tx:
            await tx.execute(delete(i).where(i.c.made_ms < now - KEPT_MS))
            made = await tx.execute(
                self._db.insert(i)
                .values(account=account, key=key, request=request, made_ms=now)
                .on_conflict_do_nothing()
            )
            if made.rowcount == 1:
                return None
            return await self._known(tx, account, key, request, now)

    async def _known(
        self, tx: AsyncConnection, account: str, key: str, request: str, now_ms: int
    ) -> Reply | None:
        i = idempotency
        this = (i.c.account == account) & (i.c.key == key)
        row = (await tx.execute(select(i).where(this).with_for_update())).one_or_none()
        if row is None:  # forgotten just now, by the one who held it
            raise InProgress
        if row.request != request:
            raise OtherRequest
        if row.status is not None:
            return Reply(row.status, row.body, row.location)
        if row.made_ms > now_ms - LOST_MS:
            raise InProgress
        await tx.execute(update(i).where(this).values(made_ms=now_ms))
        return None

    async def keep(self, account: str, key: str, reply: Reply) -> None:
        """What was claimed is answered with this from now on."""
        i = idempotency
        async with self._db.writing() as tx:
            await tx.execute(
                update(i)
                .where(i.c.account == account, i.c.key == key)
                .values(status=reply.status, body=reply.body, location=reply.location)
            )

    async def forget(self, account: str, key: str) -> None:
        """What was claimed came to nothing: the key is free again."""
        i = idempotency
        async with self._db.writing() as tx:
            await tx.execute(
                delete(i).where(i.c.account == account, i.c.key == key, i.c.status.is_(None))
            )
