"""Sessions that wait for the escrow: which are wanted of it, by which transaction, and what it has said.

A row is made in the transaction that forms the session, and says `wanted`. The escrow's logs change it (`settlement.mirror`);
here it is given the name of a transaction, and taken that name when nothing can come of it any more. A session is opened, or
void, only as its row says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.live.records import SessionRecord
from server.store import automations, money, schema
from server.store.engine import Database
from server.store.escrow import escrow_session as _e
from server.store.pots import NotFormed

MAX_REASON = 280
LOOKED_BACK_MS = 7 * 86_400_000
"""A session that was formed longer ago is refused by no reorganisation any more."""

_s, _account, _agent, _entry = schema.session, schema.account, schema.agent, schema.entry


class NoWallet(NotFormed):
    """The owner of a seat has no wallet that the escrow could take its entry from."""


class Answered(msgspec.Struct, frozen=True):
    """What the escrow has said of a session that has not been sealed."""

    record: SessionRecord
    opened: bool
    """False: it is refused."""
    reason: str
    """Whose wallet would not pay, and why, as the row has it; empty where it is open."""
    owners: tuple[str, ...]
    """The wallet behind each seat."""


class Wanted(msgspec.Struct, frozen=True):
    """A session that the escrow is to open."""

    session: str
    entry_micros: int
    owners: tuple[str, ...]
    opening: str | None
    """The transaction that is to do it; None: none is."""
    made_ms: int
    begun: bool
    """It is being played, or has been: a reorganisation took its opening back."""


class Waiting(msgspec.Struct, frozen=True):
    """Sessions of one queue that wait for the escrow, for people."""

    space: str
    tier_micros: int
    sessions: int
    since_ms: int
    """Of the longest."""


async def want(tx: AsyncConnection, records: Sequence[SessionRecord]) -> None:
    """Have the escrow open these paid sessions, in the transaction that forms them. Raises NoWallet."""
    if not records:
        return
    owners = {seat.owner for record in records for seat in record.seats}
    query = select(_account.c.id, _account.c.wallet).where(_account.c.id.in_(owners))
    wallets: dict[str, str | None] = dict((await tx.execute(query)).all())
    await tx.execute(_e.insert(), [_row(record, wallets) for record in records])


def _row(record: SessionRecord, wallets: dict[str, str | None]) -> dict[str, Any]:
    owners = [wallets.get(seat.owner) for seat in record.seats]
    if None in owners:
        seat = record.seats[owners.index(None)]
        raise NoWallet(f"session {record.session!r}: the owner of {seat.name} has no wallet")
    return {
        "session": record.session,
        "digest": hashlib.sha256(record.session.encode()).hexdigest(),
        "entry_micros": record.tier_micros,
        "owners": msgspec.json.encode(owners).decode(),
        "state": "wanted",
        "made_ms": record.opened_ms,
    }


class Openings:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def name(self, opening: str, sessions: int, seats: int) -> int:
        """Give the longest wanted sessions that no transaction is to open to this one; how many. At most so many sessions
        and seats."""
        free = (
            _wanted()
            .where(_e.c.opening.is_(None))
            .order_by(_e.c.made_ms, _e.c.session)
            .limit(sessions)
            .with_for_update(of=_e, skip_locked=True)
        )
        async with self._db.writing() as tx:
            taken: list[str] = []
            for wanted in map(_read_wanted, await tx.execute(free)):
                seats -= len(wanted.owners)
                if seats < 0:
                    break
                taken.append(wanted.session)
            if taken:
                await tx.execute(
                    update(_e)
                    .where(_e.c.session.in_(taken), _e.c.opening.is_(None))
                    .values(opening=opening)
                )
        return len(taken)

    async def wanted(self, limit: int = 4_096) -> list[Wanted]:
        """Longest wanted first."""
        query = _wanted().order_by(_e.c.made_ms, _e.c.session).limit(limit)
        async with self._db.reading() as tx:
            return [_read_wanted(row) for row in await tx.execute(query)]

    async def batch(self, opening: str) -> list[Wanted]:
        """All sessions that were given to a transaction, whatever has become of them, in the order of their ids: its call is
        the same each time that it is made."""
        query = _rows().where(_e.c.opening == opening).order_by(_e.c.session)
        async with self._db.reading() as tx:
            return [_read_wanted(row) for row in await tx.execute(query)]

    async def unname(self, opening: str) -> int:
        """Nothing will come of that transaction: what was to be opened by it is to be opened by another one; how many."""
        async with self._db.writing() as tx:
            freed = await tx.execute(
                update(_e)
                .where(_e.c.opening == opening, _e.c.state == "wanted")
                .values(opening=None)
            )
        return freed.rowcount

    async def give_up(self, sessions: Collection[str], opening: str | None, reason: str) -> int:
        """The escrow will not open these, which no transaction but `opening` was to open, and nothing can come of that any
        more. How many: what has changed meanwhile stays."""
        same = _e.c.opening.is_(None) if opening is None else _e.c.opening == opening
        async with self._db.writing() as tx:
            given_up = await tx.execute(
                update(_e)
                .where(_e.c.session.in_(sorted(sessions)), _e.c.state == "wanted", same)
                .values(state="refused", reason=reason[:MAX_REASON])
            )
        return given_up.rowcount

    async def answered(self, limit: int = 64, *, begun: bool = False) -> list[Answered]:
        """Formed sessions of which the escrow has said something, oldest first; `begun`: those that it has refused although they
        are being played, or were, and that are not settled: that could not be taken back."""
        settled = exists().where(money.result.c.session == _s.c.id)
        said = _e.c.state == "refused" if begun else _e.c.state.in_(("open", "refused"))
        query = (
            select(_s.c.record, _e.c.state, _e.c.reason, _e.c.owners, _e.c.tx)
            .join(_e, _e.c.session == _s.c.id)
            .where(said, ~settled)
            .limit(limit)
        )
        if begun:  # by the few that are refused, and not by all that have ended
            recent = _e.c.made_ms >= self._clock() - LOOKED_BACK_MS
            query = query.where(_s.c.status.in_(("live", "ended")), recent)
            query = query.order_by(_e.c.made_ms, _s.c.id)
        else:
            query = query.where(_s.c.status == "formed").order_by(_s.c.id)
        async with self._db.reading() as tx:
            rows = (await tx.execute(query)).all()
        return [
            Answered(
                record=_record(row),
                opened=row.state == "open",
                reason=row.reason or "",
                owners=_owners(row.owners),
            )
            for row in rows
        ]

    async def stop_automations(self, agents: Collection[str], reason: str) -> list[str]:
        """End the runs of these agents; those that were on."""
        now_ms = self._clock()
        async with self._db.writing() as tx:
            return [
                agent
                for agent in sorted(agents)  # one order of locks everywhere
                if await automations.stop(tx, agent=agent, reason=reason, now_ms=now_ms)
            ]

    async def waiting(self) -> list[Waiting]:
        """How many sessions of each queue wait for the escrow."""
        query = (
            select(_s.c.space, _s.c.tier_micros, func.count(), func.min(_e.c.made_ms))
            .join(_e, _e.c.session == _s.c.id)
            .where(_s.c.status == "formed", _e.c.state == "wanted")
            .group_by(_s.c.space, _s.c.tier_micros)
        )
        async with self._db.reading() as tx:
            return [Waiting(*row) for row in await tx.execute(query)]


def _record(row: Any) -> SessionRecord:
    """With the transaction that has opened it, by which its watchers find it on the chain."""
    record = msgspec.msgpack.decode(row.record, type=SessionRecord)
    tx = row.tx if row.state == "open" else None
    return msgspec.structs.replace(record, opening=tx or "")


def _rows() -> Any:
    columns = (
        _e.c.session,
        _e.c.entry_micros,
        _e.c.owners,
        _e.c.opening,
        _e.c.made_ms,
        _s.c.status,
    )
    return select(*columns).join(_s, _s.c.id == _e.c.session)


def _wanted() -> Any:
    """Not those that are void, whoever has voided them: nobody is to open them."""
    return _rows().where(_e.c.state == "wanted", _s.c.status != "void")


def _read_wanted(row: Any) -> Wanted:
    return Wanted(
        session=row.session,
        entry_micros=row.entry_micros,
        owners=_owners(row.owners),
        opening=row.opening,
        made_ms=row.made_ms,
        begun=row.status != "formed",
    )


def _owners(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])
