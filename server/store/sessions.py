"""Sessions and their transcripts, from forming to sealing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.identity import Kind
from server.live.records import SessionRecord
from server.store import entries, outbox, schema
from server.store.engine import Database

Status = Literal["formed", "live", "ended", "void"]

OPEN_GRACE_MS = 5_000
"""The matchmaker opens what it formed at once; after this long the sweeper does it."""
MAX_PAGE = 100

_RANK_OPEN = 0
_RANK_SEALED = 10


class UnknownSession(LookupError):
    """There is no such session."""


class EntryRow(msgspec.Struct, frozen=True):
    seat: int
    agent: str
    name: str
    version: str
    rating_milli: int | None
    kind: Kind | None
    """Who plays the seat, or played it; None where it was not said."""


class SessionRow(msgspec.Struct, frozen=True):
    """What everybody may know about a session; the secret record is not part of it."""

    session: str
    space: str
    rules: str
    tier_micros: int
    status: Status
    opened_ms: int
    sealed_ms: int | None
    outcome: dict[str, Any] | None
    digest: str | None
    seats: tuple[EntryRow, ...]


_s = schema.session
_public = (
    _s.c.id,
    _s.c.space,
    _s.c.rules,
    _s.c.tier_micros,
    _s.c.status,
    _s.c.opened_ms,
    _s.c.sealed_ms,
    _s.c.outcome,
    _s.c.digest,
)


class Sessions:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def form(self, record: SessionRecord) -> None:
        """Write the session, its entries and the outbox row `open`, and move what is held for its seats
        to its pot. Idempotent by the session's id.

        Raises entries.EntriesGone where an entry is not held any more; then nothing is written.
        """
        async with self._db.writing() as tx:
            added = await tx.execute(
                self._db.insert(_s).values(_formed(record)).on_conflict_do_nothing()
            )
            if added.rowcount == 0:
                return
            await tx.execute(schema.entry.insert(), _entries(record))
            tickets = [seat.ticket for seat in record.seats if seat.ticket is not None]
            await entries.spend(self._db, tx, record.session, tickets, record.opened_ms)
            due_ms = record.opened_ms + OPEN_GRACE_MS
            await outbox.add(self._db, tx, record.session, ["open"], _RANK_OPEN, due_ms)

    async def opened(self, session: str) -> None:
        """Its live log exists now. Idempotent; changes nothing once the session is sealed."""
        async with self._db.writing() as tx:
            await tx.execute(
                update(_s).where(_s.c.id == session, _s.c.status == "formed").values(status="live")
            )
            await outbox.finish(tx, session, ["open"])

    async def unopened(self, older_than_ms: int, limit: int = 100) -> list[SessionRecord]:
        """Sessions formed before `older_than_ms` (unix) whose live log may not exist, oldest first."""
        query = (
            select(_s.c.record)
            .where(_s.c.status == "formed", _s.c.opened_ms < older_than_ms)
            .order_by(_s.c.id)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            records = (await tx.scalars(query)).all()
        return [msgspec.msgpack.decode(record, type=SessionRecord) for record in records]

    async def live(self, older_than_ms: int, after: str = "", limit: int = 1_000) -> list[str]:
        """Live sessions formed before `older_than_ms` (unix), in the order of their ids, which are
        greater than `after`."""
        query = (
            select(_s.c.id)
            .where(_s.c.status == "live", _s.c.id > after, _s.c.opened_ms < older_than_ms)
            .order_by(_s.c.id)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return list((await tx.scalars(query)).all())

    async def record(self, session: str) -> SessionRecord | None:
        """The secret record: seed and salts. For hosts and workers only."""
        async with self._db.reading() as tx:
            found = await tx.scalar(select(_s.c.record).where(_s.c.id == session))
        return None if found is None else msgspec.msgpack.decode(found, type=SessionRecord)

    async def seal(
        self,
        *,
        session: str,
        status: Literal["ended", "void"],
        outcome: dict[str, Any],
        document: bytes,
        digest: str,
        steps: Sequence[str],
        now_ms: int,
    ) -> str:
        """Keep the transcript and add an outbox row for each of `steps`, in their order.

        The first seal of a session stands, also against a second one with another document (a host
        that was slow to die). Returns the digest that stands. Raises UnknownSession.
        """
        async with self._db.writing() as tx:
            sealed = await tx.execute(
                update(_s)
                .where(_s.c.id == session, _s.c.status.in_(("formed", "live")))
                .values(
                    status=status,
                    outcome=msgspec.json.encode(outcome).decode(),
                    digest=digest,
                    sealed_ms=now_ms,
                )
            )
            if sealed.rowcount == 0:
                return await _standing(tx, session)
            await tx.execute(
                schema.transcript.insert().values(session=session, digest=digest, document=document)
            )
            await outbox.finish(tx, session, ["open"])
            await outbox.add(self._db, tx, session, steps, _RANK_SEALED, now_ms)
        return digest

    async def transcript(self, session: str) -> bytes | None:
        """The canonical bytes that were sealed; None while the session is live or unknown."""
        table = schema.transcript
        async with self._db.reading() as tx:
            found: bytes | None = await tx.scalar(
                select(table.c.document).where(table.c.session == session)
            )
        return found

    async def get(self, session: str) -> SessionRow | None:
        async with self._db.reading() as tx:
            row = (await tx.execute(select(*_public).where(_s.c.id == session))).one_or_none()
            return None if row is None else (await _with_seats(tx, [row]))[0]

    async def page(
        self,
        *,
        space: str | None = None,
        status: Iterable[Status] = (),
        agent: str | None = None,
        before: str | None = None,
        limit: int = 20,
    ) -> list[SessionRow]:
        """Newest first (ids are ordered by time); `before` is the last id of the page before."""
        query = select(*_public).order_by(_s.c.id.desc()).limit(min(limit, MAX_PAGE))
        if space is not None:
            query = query.where(_s.c.space == space)
        if wanted := list(status):
            query = query.where(_s.c.status.in_(wanted))
        if agent is not None:
            entries = select(schema.entry.c.session).where(schema.entry.c.agent == agent)
            query = query.where(_s.c.id.in_(entries))
        if before is not None:
            query = query.where(_s.c.id < before)
        async with self._db.reading() as tx:
            return await _with_seats(tx, (await tx.execute(query)).all())


def _formed(record: SessionRecord) -> dict[str, Any]:
    return {
        "id": record.session,
        "space": record.space,
        "rules": record.rules,
        "tier_micros": record.tier_micros,
        "status": "formed",
        "opened_ms": record.opened_ms,
        "record": msgspec.msgpack.encode(record),
    }


def _entries(record: SessionRecord) -> list[dict[str, Any]]:
    return [
        {
            "session": record.session,
            "seat": seat.seat,
            "agent": seat.agent,
            "version": seat.version,
            "name": seat.name,
            "rating_milli": seat.rating_milli,
            "ticket": seat.ticket,
            "kind": seat.kind,
        }
        for seat in record.seats
    ]


async def _standing(tx: AsyncConnection, session: str) -> str:
    digest: str | None = await tx.scalar(select(_s.c.digest).where(_s.c.id == session))
    if digest is None:
        raise UnknownSession(f"unknown session {session!r}")
    return digest


async def _with_seats(
    tx: AsyncConnection, rows: Sequence[Row[*tuple[Any, ...]]]
) -> list[SessionRow]:
    e = schema.entry
    seats: dict[str, list[EntryRow]] = {row.id: [] for row in rows}
    query = (
        select(e.c.session, e.c.seat, e.c.agent, e.c.name, e.c.version, e.c.rating_milli, e.c.kind)
        .where(e.c.session.in_(list(seats)))
        .order_by(e.c.session, e.c.seat)
    )
    for session, *entry in await tx.execute(query):
        seats[session].append(EntryRow(*entry))
    return [
        SessionRow(
            session=row.id,
            space=row.space,
            rules=row.rules,
            tier_micros=row.tier_micros,
            status=row.status,
            opened_ms=row.opened_ms,
            sealed_ms=row.sealed_ms,
            outcome=None if row.outcome is None else msgspec.json.decode(row.outcome),
            digest=row.digest,
            seats=tuple(seats[row.id]),
        )
        for row in rows
    ]
