"""Which transcripts are kept in the content store, under which ids, and for which season."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.convoy import Convoy
from server.store import outbox, pin_tasks, schema, seasons
from server.store.backlog import UNFINISHED
from server.store.engine import Database

NAME = "pin"
PUBLISH = "publish"
"""Of results, where the money is on a chain (`server.jobs.publish`)."""
RANK = 100
"""Of a pin that is asked for later: behind everything."""
MAX_PAGE = 1_000

State = Literal["pinned", "lost"]

_p = schema.pin
_s = schema.session
_t = schema.transcript
_o = schema.outbox


class PinRow(msgspec.Struct, frozen=True):
    session: str
    cid: str
    bytes: int
    season: int
    state: State
    pinned_ms: int


class Wanted(msgspec.Struct, frozen=True):
    """A sealed session's transcript."""

    document: bytes
    sealed_ms: int


class NewPin(msgspec.Struct, frozen=True):
    session: str
    cid: str
    bytes: int
    sealed_ms: int


class SeasonPins(msgspec.Struct, frozen=True):
    season: int
    pins: int
    bytes: int
    lost: int


_columns = (_p.c.session, _p.c.cid, _p.c.bytes, _p.c.season, _p.c.state, _p.c.pinned_ms)
# Of the hot path, so made once.
_wanted = (
    select(_t.c.session, _t.c.document, _s.c.sealed_ms)
    .join(_s, _s.c.id == _t.c.session)
    .where(_t.c.session.in_(bindparam("sessions", expanding=True)))
)
_these = select(*_columns).where(_p.c.session.in_(bindparam("sessions", expanding=True)))


class Pins:
    """Every method is one transaction; what is asked for at once may share one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._looking: Convoy[str, Wanted | None] = Convoy(self._look, lambda session: session)
        self._getting: Convoy[str, PinRow | None] = Convoy(self._get, lambda session: session)
        self._putting: Convoy[NewPin, PinRow] = Convoy(self._put, lambda each: each.session)

    async def close(self) -> None:
        """Let what is asked for come to its end. Idempotent."""
        await self._looking.close()
        await self._getting.close()
        await self._putting.close()

    async def wanted(self, session: str) -> Wanted | None:
        """None while it is live or unknown."""
        return await self._looking.ride(session)

    async def _look(self, sessions: Sequence[str]) -> list[Wanted | Exception | None]:
        async with self._db.looking() as tx:
            rows = await tx.execute(_wanted, {"sessions": list(sessions)})
            found = {row.session: Wanted(row.document, row.sealed_ms) for row in rows}
        return [found.get(session) for session in sessions]

    async def get(self, session: str) -> PinRow | None:
        return await self._getting.ride(session)

    async def _get(self, sessions: Sequence[str]) -> list[PinRow | Exception | None]:
        async with self._db.looking() as tx:
            found = await _standing(tx, sessions)
        return [found.get(session) for session in sessions]

    async def put(self, pin: NewPin) -> PinRow:
        """The content store keeps it, and operators are asked to. Idempotent by the session: the first row stands, and is returned."""
        return await self._putting.ride(pin)

    async def _put(self, pins: Sequence[NewPin]) -> list[PinRow | Exception]:
        now_ms = self._clock()
        async with self._db.writing() as tx:
            began = await _seasons(self._db, tx, now_ms)
            insert = self._db.insert(_p).on_conflict_do_nothing()
            rows = [_row(pin, season_of(pin.sealed_ms, began), now_ms) for pin in pins]
            await tx.execute(insert, [msgspec.structs.asdict(row) for row in rows])
            found = await _standing(tx, [pin.session for pin in pins])
            await pin_tasks.give(self._db, tx, [_task(row) for row in found.values()], now_ms)
        return [found[pin.session] for pin in pins]

    async def page(
        self,
        *,
        season: int | None = None,
        state: State | None = None,
        after: str = "",
        limit: int = MAX_PAGE,
    ) -> list[PinRow]:
        """In the order of the sessions' ids, which are greater than `after`."""
        query = select(*_columns).where(_p.c.session > after).order_by(_p.c.session)
        if season is not None:
            query = query.where(_p.c.season == season)
        if state is not None:
            query = query.where(_p.c.state == state)
        async with self._db.reading() as tx:
            rows = await tx.execute(query.limit(min(limit, MAX_PAGE)))
            return [PinRow(*row) for row in rows]

    async def by_season(self) -> list[SeasonPins]:
        """Newest season first. Reads every row."""
        lost = func.count().filter(_p.c.state == "lost")
        query = (
            select(_p.c.season, func.count(), func.sum(_p.c.bytes), lost)
            .group_by(_p.c.season)
            .order_by(_p.c.season.desc())
        )
        async with self._db.reading() as tx:
            return [SeasonPins(*row) for row in await tx.execute(query)]

    async def mark(self, sessions: Collection[str], state: State) -> None:
        """What was found out about them."""
        async with self._db.writing() as tx:
            await tx.execute(update(_p).where(_p.c.session.in_(list(sessions))).values(state=state))

    async def oldest_unpinned_ms(self) -> int | None:
        """When the oldest session whose transcript is to be pinned, and is not, was sealed (unix ms)."""
        query = (
            select(func.min(_s.c.sealed_ms))
            .join(_o, _o.c.session == _s.c.id)
            .where(_o.c.step == NAME, _o.c.state.in_(UNFINISHED))
        )
        async with self._db.reading() as tx:
            found: int | None = await tx.scalar(query)
        return found

    async def ask_for_those_without(self, limit: int = MAX_PAGE) -> int:
        """Have sealed sessions pinned that nobody has asked for, as those of before there were pins; returns how many
        there were, at most `limit`: call it until there are none."""
        asked = select(_o.c.id).where(_o.c.session == _s.c.id, _o.c.step == NAME).exists()
        kept = select(_p.c.session).where(_p.c.session == _s.c.id).exists()
        query = (
            select(_s.c.id)
            .where(_s.c.status.in_(("ended", "void")), ~asked, ~kept)
            .order_by(_s.c.id)
            .limit(limit)
        )
        async with self._db.writing() as tx:
            found = list((await tx.scalars(query)).all())
            rows = [(session, NAME, RANK, self._clock()) for session in found]
            await outbox.add_many(self._db, tx, rows)
        return len(found)


async def _standing(tx: AsyncConnection, sessions: Sequence[str]) -> dict[str, PinRow]:
    rows = await tx.execute(_these, {"sessions": list(sessions)})
    return {row.session: PinRow(*row) for row in rows}


async def _seasons(db: Database, tx: AsyncConnection, now_ms: int) -> list[seasons.SeasonRow]:
    await seasons.current(db, tx, now_ms)
    return await seasons.every(tx)


def season_of(sealed_ms: int, began: Sequence[seasons.SeasonRow]) -> int:
    """The last that had begun by then; the first, where none had."""
    numbers = [each.number for each in began if each.started_ms <= sealed_ms]
    return numbers[-1] if numbers else began[0].number


def _row(pin: NewPin, season: int, now_ms: int) -> PinRow:
    return PinRow(pin.session, pin.cid, pin.bytes, season, "pinned", now_ms)


def _task(row: PinRow) -> pin_tasks.NewPinTask:
    return pin_tasks.NewPinTask(row.cid, row.bytes, "transcript", row.session)
