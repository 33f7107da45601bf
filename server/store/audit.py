"""What admins did: one line for each act, written in the transaction of the act itself, and never changed.

The database refuses UPDATE and DELETE on it (migration 0012), so what stands here happened, and what
happened stands here.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.identity import new_id
from server.store import merit
from server.store.engine import Database

OPERATOR = "operator"
"""The actor of who works at the command line, where the machine knows people and the arena does not."""
MAX_REASON = 280
MAX_PAGE = 500

_a = merit.audit


class AuditEntry(msgspec.Struct, frozen=True):
    """One act."""

    id: str
    at_ms: int
    actor: str
    """An account, or `operator`."""
    act: str
    """`void`, `freeze`, `unfreeze`, `grant-role`, `revoke-role`, `redrive`."""
    subject: str
    """What it was done to: a session, an agent, an account, an outbox row."""
    reason: str
    detail: dict[str, Any]
    """What the act found and what it changed."""


class AuditLog:
    """Reading it. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def page(
        self,
        *,
        subject: str | None = None,
        act: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> list[AuditEntry]:
        """Newest first; `before` is the last id of the page before."""
        query = select(*_a.c).order_by(_a.c.id.desc()).limit(min(limit, MAX_PAGE))
        if subject is not None:
            query = query.where(_a.c.subject == subject)
        if act is not None:
            query = query.where(_a.c.act == act)
        if before is not None:
            query = query.where(_a.c.id < before)
        async with self._db.reading() as tx:
            return [_entry(row) for row in await tx.execute(query)]


async def note(
    tx: AsyncConnection,
    *,
    actor: str,
    act: str,
    subject: str,
    reason: str,
    now_ms: int,
    detail: dict[str, Any],
) -> AuditEntry:
    """Write down an act within the transaction that does it."""
    entry = AuditEntry(new_id(), now_ms, actor, act, subject, reason, detail)
    row = msgspec.structs.asdict(entry) | {"detail": msgspec.json.encode(detail).decode()}
    await tx.execute(_a.insert().values(row))
    return entry


async def latest(tx: AsyncConnection, act: str, subject: str) -> AuditEntry | None:
    """The last act of that kind on the subject."""
    query = (
        select(*_a.c)
        .where(_a.c.subject == subject, _a.c.act == act)
        .order_by(_a.c.id.desc())
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _entry(row)


def _entry(row: Any) -> AuditEntry:
    values = row._asdict()
    return AuditEntry(**values | {"detail": msgspec.json.decode(values["detail"])})
