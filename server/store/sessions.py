"""Sessions and their transcripts, from forming to sealing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Row, bindparam, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.convoy import Convoy
from server.identity import Kind
from server.live.records import SessionRecord
from server.store import openings, outbox, pots, schema
from server.store.engine import Database
from server.store.escrow import escrow_session

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


class _Seal(msgspec.Struct, frozen=True):
    """A session that is to be sealed."""

    session: str
    status: str
    outcome: str
    document: bytes
    digest: str
    steps: tuple[str, ...]
    now_ms: int


_ESCROWED = exists().where(escrow_session.c.session == _s.c.id)

# Of the hot path, so made once.
_these = _s.c.id.in_(bindparam("sessions", expanding=True))
_open_log = update(_s).where(_these, _s.c.status == "formed").values(status="live")
_standings = (
    select(_s.c.id, _s.c.status, _s.c.digest).where(_these).order_by(_s.c.id).with_for_update()
)
_seal = (
    update(_s)
    .where(_s.c.id == bindparam("of"))
    .values(
        {name: bindparam(f"new_{name}") for name in ("status", "outcome", "digest", "sealed_ms")}
    )
)
_shown = select(*_public).where(_these)
_records = select(_s.c.id, _s.c.record).where(_these)
_e = schema.entry
_seats_of = (
    select(
        _e.c.session, _e.c.seat, _e.c.agent, _e.c.name, _e.c.version, _e.c.rating_milli, _e.c.kind
    )
    .where(_e.c.session.in_(bindparam("sessions", expanding=True)))
    .order_by(_e.c.session, _e.c.seat)
)


class Sessions:
    """Every method is one transaction; what is asked for at once may share one."""

    def __init__(self, database: Database, *, escrowed: bool = False) -> None:
        """`escrowed`: money is in an escrow on a chain, which has to open a paid session before it begins."""
        self._db = database
        self._escrowed = escrowed
        self._forming: Convoy[SessionRecord, SessionRecord] = Convoy(
            self._form, lambda each: each.session
        )
        self._opening: Convoy[str, None] = Convoy(self._opened, lambda session: session)
        self._sealing: Convoy[_Seal, str] = Convoy(self._seal, lambda each: each.session)
        self._showing: Convoy[str, SessionRow | None] = Convoy(self._show, lambda session: session)
        self._recalling: Convoy[str, SessionRecord | None] = Convoy(
            self._recall, lambda session: session
        )

    async def close(self) -> None:
        """Let what is asked for come to its end. Idempotent."""
        for convoy in (self._forming, self._opening, self._sealing):
            await convoy.close()
        for asking in (self._showing, self._recalling):
            await asking.close()

    async def form(self, record: SessionRecord) -> SessionRecord:
        """Write the session, its entries and the outbox row `open`, and move what is held for its seats
        to its pot. Idempotent by the session's id: the first record stands, and is returned.

        Where money is in an escrow, a paid session is `wanted` of it from then on (`openings`).

        Raises pots.NotFormed where an entry is not held any more, or could not be paid by the escrow; then nothing is written.
        """
        return await self._forming.ride(record)

    async def _form(self, records: Sequence[SessionRecord]) -> list[SessionRecord | Exception]:
        insert = self._db.insert(_s).on_conflict_do_nothing().returning(_s.c.id)
        async with self._db.writing() as tx:
            added = set(await tx.scalars(insert, [_formed(record) for record in records]))
            new = [record for record in records if record.session in added]
            if new:
                await tx.execute(
                    schema.entry.insert(), [row for record in new for row in _entries(record)]
                )
                tickets = {
                    record.session: [s.ticket for s in record.seats if s.ticket is not None]
                    for record in new
                }
                if self._escrowed:
                    await openings.want(tx, [record for record in new if record.tier_micros])
                await pots.spend(self._db, tx, tickets, max(r.opened_ms for r in new))
                due = {record.session: record.opened_ms + OPEN_GRACE_MS for record in new}
                await outbox.add_many(
                    self._db,
                    tx,
                    [(session, "open", _RANK_OPEN, due_ms) for session, due_ms in due.items()],
                )
            formed_before = [each.session for each in records if each.session not in added]
            standing = await _standing_records(tx, formed_before) if formed_before else {}
        return [standing.get(each.session, each) for each in records]

    async def opened(self, session: str) -> None:
        """Its live log exists now. Idempotent; changes nothing once the session is sealed."""
        await self._opening.ride(session)

    async def _opened(self, sessions: Sequence[str]) -> list[Exception | None]:
        async with self._db.writing() as tx:
            await tx.execute(_open_log, {"sessions": list(sessions)})
            await outbox.finish(tx, sessions, ["open"])
        return [None] * len(sessions)

    async def unopened(
        self, older_than_ms: int, limit: int = 100, *, since_ms: int = 0
    ) -> list[SessionRecord]:
        """Sessions formed before `older_than_ms` and not before `since_ms` (unix) whose live log may not
        exist, oldest first. Those of which the escrow has to say something are `openings.answered`'s."""
        formed = _s.c.opened_ms.between(since_ms, older_than_ms - 1)
        query = (
            select(_s.c.record)
            .where(_s.c.status == "formed", formed, ~_ESCROWED)
            .order_by(_s.c.id)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            records = (await tx.scalars(query)).all()
        return [msgspec.msgpack.decode(record, type=SessionRecord) for record in records]

    async def live(
        self, older_than_ms: int, after: str = "", limit: int = 1_000, *, unopened_ms: int = 0
    ) -> list[str]:
        """Live sessions formed before `older_than_ms` (unix), and those formed before `unopened_ms` that
        were never opened, in the order of their ids, which are greater than `after`. What the escrow may open yet is not among
        them: it takes its own time, and has an end of its own."""
        live = (_s.c.status == "live") & (_s.c.opened_ms < older_than_ms)
        unopened = (_s.c.status == "formed") & (_s.c.opened_ms < unopened_ms) & ~_ESCROWED
        query = (
            select(_s.c.id).where(live | unopened, _s.c.id > after).order_by(_s.c.id).limit(limit)
        )
        async with self._db.reading() as tx:
            return list((await tx.scalars(query)).all())

    async def record(self, session: str) -> SessionRecord | None:
        """The secret record: seed and salts. For hosts and workers only."""
        return await self._recalling.ride(session)

    async def _recall(self, sessions: Sequence[str]) -> list[SessionRecord | Exception | None]:
        async with self._db.looking() as tx:
            found = await _standing_records(tx, sessions)
        return [found.get(session) for session in sessions]

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
        return await self._sealing.ride(
            _Seal(
                session=session,
                status=status,
                outcome=msgspec.json.encode(outcome).decode(),
                document=document,
                digest=digest,
                steps=tuple(steps),
                now_ms=now_ms,
            )
        )

    async def _seal(self, seals: Sequence[_Seal]) -> list[str | Exception]:
        sessions = [each.session for each in seals]
        async with self._db.writing() as tx:
            rows = await tx.execute(_standings, {"sessions": sessions})
            stands = {row.id: row for row in rows}
            new = [
                each
                for each in seals
                if each.session in stands and stands[each.session].digest is None
            ]
            if new:
                await _write_seals(self._db, tx, new)
        digests = {each.session: each.digest for each in new}
        digests = {id_: digests.get(id_) or row.digest for id_, row in stands.items()}
        return [
            digests.get(each) or UnknownSession(f"unknown session {each!r}") for each in sessions
        ]

    async def transcript(self, session: str) -> bytes | None:
        """The canonical bytes that were sealed; None while the session is live or unknown."""
        table = schema.transcript
        async with self._db.reading() as tx:
            found: bytes | None = await tx.scalar(
                select(table.c.document).where(table.c.session == session)
            )
        return found

    async def get(self, session: str) -> SessionRow | None:
        return await self._showing.ride(session)

    async def _show(self, sessions: Sequence[str]) -> list[SessionRow | Exception | None]:
        async with self._db.looking() as tx:
            rows = (await tx.execute(_shown, {"sessions": list(sessions)})).all()
            found = {row.session: row for row in await _with_seats(tx, rows)}
        return [found.get(session) for session in sessions]

    async def page(
        self,
        *,
        space: str | None = None,
        status: Iterable[Status] = (),
        agent: str | None = None,
        before: str | None = None,
        limit: int = 20,
        sealed_by_ms: int | None = None,
    ) -> list[SessionRow]:
        """Newest first (ids are ordered by time); `before` is the last id of the page before.

        To `status`, what was sealed after `sealed_by_ms` is still live; None: nothing is.
        """
        query = select(*_public).order_by(_s.c.id.desc()).limit(min(limit, MAX_PAGE))
        if space is not None:
            query = query.where(_s.c.space == space)
        if wanted := list(status):
            query = query.where(_is(wanted, sealed_by_ms))
        if agent is not None:
            entries = select(schema.entry.c.session).where(schema.entry.c.agent == agent)
            query = query.where(_s.c.id.in_(entries))
        if before is not None:
            query = query.where(_s.c.id < before)
        async with self._db.reading() as tx:
            return await _with_seats(tx, (await tx.execute(query)).all())


def _is(wanted: Sequence[Status], sealed_by_ms: int | None) -> ColumnElement[bool]:
    """The session is in one of these states, to whoever may know of what was sealed by then."""
    so = _s.c.status.in_(wanted)
    if sealed_by_ms is None:
        return so
    if "live" in wanted:
        return so | (_s.c.sealed_ms > sealed_by_ms)
    return so & (_s.c.sealed_ms <= sealed_by_ms)


async def _standing_records(
    tx: AsyncConnection, sessions: Sequence[str]
) -> dict[str, SessionRecord]:
    rows = await tx.execute(_records, {"sessions": list(sessions)})
    return {id_: msgspec.msgpack.decode(raw, type=SessionRecord) for id_, raw in rows}


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


async def _write_seals(db: Database, tx: AsyncConnection, seals: Sequence[_Seal]) -> None:
    await tx.execute(
        _seal,
        [
            {
                "of": each.session,
                "new_status": each.status,
                "new_outcome": each.outcome,
                "new_digest": each.digest,
                "new_sealed_ms": each.now_ms,
            }
            for each in seals
        ],
    )
    await tx.execute(
        schema.transcript.insert(),
        [
            {"session": each.session, "digest": each.digest, "document": each.document}
            for each in seals
        ],
    )
    await outbox.finish(tx, [each.session for each in seals], ["open"])
    await outbox.add_many(
        db,
        tx,
        [
            (each.session, step, rank, each.now_ms)
            for each in seals
            for step, rank in outbox.ranked(each.steps, _RANK_SEALED)
        ],
    )


async def _with_seats(
    tx: AsyncConnection, rows: Sequence[Row[*tuple[Any, ...]]]
) -> list[SessionRow]:
    seats: dict[str, list[EntryRow]] = {row.id: [] for row in rows}
    for session, *entry in await tx.execute(_seats_of, {"sessions": list(seats)}):
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
