"""What the clerk wants filed, and in which batch it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import and_, func, select, update
from sqlalchemy.exc import IntegrityError

from chain.court.filing import Filing
from server.store.court_chain import court_batch as _b
from server.store.court_chain import court_filing as _f
from server.store.engine import Database


class BatchRow(msgspec.Struct, frozen=True):
    """Filings under one root. Root in hex."""

    ordinal: int
    """Ours, from 1."""
    root: str
    count: int
    snapshot: int
    least: int
    """The chain's number for it is this or more."""
    made_ms: int
    lost: bool


class Place(msgspec.Struct, frozen=True):
    """Where a hearing is filed."""

    filing: Filing
    batch: BatchRow | None
    """None: it waits for one."""
    index: int


_BATCH = [getattr(_b.c, name) for name in BatchRow.__struct_fields__]


class _Taken(Exception):
    """Another batch has one of these hearings."""


class CourtFilings:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def want(self, filings: Sequence[Filing], now_ms: int) -> None:
        """Idempotent by case and hearing: the first stands, until its batch was lost; then the new one takes its place."""
        async with self._db.writing() as tx:
            for each in filings:
                values = {
                    "case": each.case.hex(),
                    "hearing": each.hearing,
                    "filing": msgspec.json.encode(each),
                    "snapshot": each.snapshot,
                    "wanted_ms": now_ms,
                }
                made = await tx.execute(self._db.insert(_f).values(values).on_conflict_do_nothing())
                if not made.rowcount:
                    gone = _f.c.batch.in_(select(_b.c.ordinal).where(_b.c.lost))
                    which = and_(_is(each.case, each.hearing), gone)
                    anew = {**values, "batch": None, "place": None}
                    await tx.execute(update(_f).where(which).values(anew))

    async def waiting(self, limit: int) -> list[Filing]:
        """Those in no batch yet, the longest waiting first, as many as name the same snapshot as the first."""
        none = _f.c.batch.is_(None)
        order = (_f.c.wanted_ms, _f.c.case, _f.c.hearing)
        async with self._db.reading() as tx:
            snapshot = await tx.scalar(select(_f.c.snapshot).where(none).order_by(*order).limit(1))
            if snapshot is None:
                return []
            query = select(_f.c.filing).where(none, _f.c.snapshot == snapshot)
            rows = (await tx.execute(query.order_by(*order).limit(limit))).scalars()
            return [_filing(each) for each in rows]

    async def wait_count(self) -> int:
        """How many are in no batch."""
        query = select(func.count()).select_from(_f).where(_f.c.batch.is_(None))
        async with self._db.reading() as tx:
            return int(await tx.scalar(query) or 0)

    async def make(
        self, root: str, filings: Sequence[Filing], least: int, now_ms: int
    ) -> BatchRow | None:
        """The next batch, of these, which wait; None where somebody else has made one of some of them meanwhile."""
        try:
            async with self._db.writing() as tx:
                newest = int(await tx.scalar(select(func.max(_b.c.ordinal))) or 0)
                count, snapshot = len(filings), filings[0].snapshot
                row = BatchRow(newest + 1, root, count, snapshot, least, now_ms, False)
                await tx.execute(_b.insert().values(msgspec.structs.asdict(row)))
                for place, each in enumerate(filings):
                    which = and_(_is(each.case, each.hearing), _f.c.batch.is_(None))
                    values = {"batch": row.ordinal, "place": place}
                    taken = await tx.execute(update(_f).where(which).values(values))
                    if not taken.rowcount:
                        raise _Taken
        except (_Taken, IntegrityError):
            return None
        return row

    async def newest(self) -> BatchRow | None:
        query = select(*_BATCH).order_by(_b.c.ordinal.desc()).limit(1)
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else BatchRow(*row)

    async def by_root(self, root: str) -> BatchRow | None:
        """The newest of that root."""
        query = select(*_BATCH).where(_b.c.root == root).order_by(_b.c.ordinal.desc()).limit(1)
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else BatchRow(*row)

    async def lose(self, ordinal: int) -> None:
        """It has no seed and never will. Idempotent."""
        async with self._db.writing() as tx:
            await tx.execute(update(_b).where(_b.c.ordinal == ordinal).values(lost=True))

    async def place_of(self, case: bytes, hearing: int) -> Place | None:
        """None where it was never wanted."""
        query = (
            select(_f.c.filing, _f.c.place, *_BATCH)
            .outerjoin(_b, _b.c.ordinal == _f.c.batch)
            .where(_is(case, hearing))
        )
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        if row is None:
            return None
        filing, place, *batch = row
        return Place(
            _filing(filing), None if batch[0] is None else BatchRow(*batch), int(place or 0)
        )

    async def filings_of(self, ordinal: int) -> list[Filing]:
        """Of a batch, in the order in which they are filed."""
        query = select(_f.c.filing).where(_f.c.batch == ordinal).order_by(_f.c.place)
        async with self._db.reading() as tx:
            return [_filing(each) for each in (await tx.execute(query)).scalars()]


def _is(case: bytes, hearing: int) -> Any:
    return and_(_f.c.case == case.hex(), _f.c.hearing == hearing)


def _filing(encoded: bytes) -> Filing:
    return msgspec.json.decode(encoded, type=Filing)
