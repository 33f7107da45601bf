"""Which results and documents of epochs are kept in the content store; transcripts are in `pins`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec
from sqlalchemy import func, select, tuple_, update

from server.clock import Clock
from server.store import pin_tasks, schema, seasons
from server.store.engine import Database
from server.store.pins import MAX_PAGE, SeasonPins, State, season_of

Kind = Literal["result", "epoch", "payouts"]

_p = schema.document_pin
_columns = (_p.c.kind, _p.c.name, _p.c.cid, _p.c.bytes, _p.c.season, _p.c.state, _p.c.pinned_ms)


class DocumentPin(msgspec.Struct, frozen=True):
    kind: Kind
    name: str
    """The session, or the number of the epoch."""
    cid: str
    bytes: int
    season: int
    state: State
    pinned_ms: int


class DocumentPins:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def get(self, kind: Kind, name: str) -> DocumentPin | None:
        query = select(*_columns).where(_p.c.kind == kind, _p.c.name == name)
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else DocumentPin(*row)

    async def put(self, kind: Kind, name: str, cid: str, size: int, of_ms: int) -> DocumentPin:
        """The content store keeps it, and operators are asked to; `of_ms` says of which season it is. Idempotent: the first row
        stands, and is returned."""
        now_ms = self._clock()
        async with self._db.writing() as tx:
            await seasons.current(self._db, tx, now_ms)
            season = season_of(of_ms, await seasons.every(tx))
            pin = DocumentPin(kind, name, cid, size, season, "pinned", now_ms)
            insert = self._db.insert(_p).values(msgspec.structs.asdict(pin))
            await tx.execute(insert.on_conflict_do_nothing())
            row = await tx.execute(select(*_columns).where(_p.c.kind == kind, _p.c.name == name))
            found = DocumentPin(*row.one())
            await pin_tasks.give(self._db, tx, [_task(kind, name, found.cid, found.bytes)], now_ms)
            return found

    async def replace(self, kind: Kind, name: str, cid: str, size: int) -> None:
        """Another document has taken the place of the one that was pinned: an epoch that was made anew."""
        now_ms = self._clock()
        values = {"cid": cid, "bytes": size, "state": "pinned", "pinned_ms": now_ms}
        where = (_p.c.kind == kind, _p.c.name == name)
        async with self._db.writing() as tx:
            await tx.execute(update(_p).where(*where).values(values))
            await pin_tasks.give(self._db, tx, [_task(kind, name, cid, size)], now_ms)

    async def page(
        self,
        *,
        season: int | None = None,
        state: State | None = None,
        kind: Kind | None = None,
        after: tuple[str, str] = ("", ""),
        limit: int = MAX_PAGE,
    ) -> list[DocumentPin]:
        """In the order of (kind, name), which are greater than `after`."""
        query = (
            select(*_columns)
            .where(tuple_(_p.c.kind, _p.c.name) > tuple_(*after))
            .order_by(_p.c.kind, _p.c.name)
        )
        for column, value in ((_p.c.season, season), (_p.c.state, state), (_p.c.kind, kind)):
            if value is not None:
                query = query.where(column == value)
        async with self._db.reading() as tx:
            rows = await tx.execute(query.limit(min(limit, MAX_PAGE)))
            return [DocumentPin(*row) for row in rows]

    async def by_season(self, kind: Kind) -> list[SeasonPins]:
        """Newest season first. Reads every row."""
        lost = func.count().filter(_p.c.state == "lost")
        query = (
            select(_p.c.season, func.count(), func.sum(_p.c.bytes), lost)
            .where(_p.c.kind == kind)
            .group_by(_p.c.season)
            .order_by(_p.c.season.desc())
        )
        async with self._db.reading() as tx:
            return [SeasonPins(*row) for row in await tx.execute(query)]

    async def mark(self, pins: Collection[DocumentPin], state: State) -> None:
        """What was found out about them."""
        async with self._db.writing() as tx:
            for pin in pins:
                where = (_p.c.kind == pin.kind, _p.c.name == pin.name)
                await tx.execute(update(_p).where(*where).values(state=state))


def _task(kind: Kind, name: str, cid: str, size: int) -> pin_tasks.NewPinTask:
    of = name if kind == "result" else f"epoch:{name}"
    return pin_tasks.NewPinTask(cid, size, kind, of)
