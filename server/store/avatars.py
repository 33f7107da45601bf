"""Pictures that owners have given their agents; an agent without a row has its generated face."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from sqlalchemy import delete, select

from server.clock import Clock
from server.store import schema
from server.store.engine import Database

_p = schema.avatar


class Avatar(msgspec.Struct, frozen=True):
    png: bytes
    digest: str
    """SHA-256 of the png, hex."""


class Avatars:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def get(self, agent: str) -> Avatar | None:
        async with self._db.reading() as tx:
            query = select(_p.c.png, _p.c.digest).where(_p.c.agent == agent)
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else Avatar(*row)

    async def digest(self, agent: str) -> str | None:
        """Of the agent's picture, without reading it."""
        async with self._db.reading() as tx:
            found: str | None = await tx.scalar(select(_p.c.digest).where(_p.c.agent == agent))
        return found

    async def put(self, agent: str, png: bytes) -> str:
        """Replace the agent's picture by one that was read (`server.agents.avatar`); its digest."""
        row = avatar_row(agent, png, self._clock())
        changes = {name: value for name, value in row.items() if name != "agent"}
        async with self._db.writing() as tx:
            await tx.execute(
                self._db.insert(_p)
                .values(row)
                .on_conflict_do_update(index_elements=["agent"], set_=changes)
            )
        return str(row["digest"])

    async def drop(self, agent: str) -> bool:
        """Back to the generated face. False when there was no picture."""
        async with self._db.writing() as tx:
            result = await tx.execute(delete(_p).where(_p.c.agent == agent))
        return result.rowcount == 1


def avatar_row(agent: str, png: bytes, now_ms: int) -> dict[str, Any]:
    return {
        "agent": agent,
        "png": png,
        "digest": hashlib.sha256(png).hexdigest(),
        "updated_ms": now_ms,
    }
