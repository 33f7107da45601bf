"""Epochs of the court: their documents, which cases are in them, and what each of their seats says of its judge."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import and_, func, select, update

from chain.documents.court_epoch import CourtEpoch, TakenBack
from server.store import court, courtroom
from server.store.court_chain import court_epoch as _e
from server.store.court_chain import court_heard as _h
from server.store.court_chain import court_log as _l
from server.store.engine import Database


class EpochRow(msgspec.Struct, frozen=True):
    """An epoch of the court, made. Roots in hex."""

    epoch: int
    cases_root: str
    earned_root: str
    total_micros: int
    document: bytes
    cid: str
    made_ms: int


class Closed(msgspec.Struct, frozen=True):
    """A case that is closed and in no epoch yet."""

    session: str
    case: str
    """Hex."""


class Seat(msgspec.Struct, frozen=True):
    """A seat of a hearing that an epoch holds. The judge's address is in lower case."""

    session: str
    hearing: int
    judge: str
    epoch: int
    ordinal: int
    skill: int
    pay: int
    slash: int
    """FRAC in its smallest part."""


_c = courtroom.court_case
_EPOCH = [getattr(_e.c, name) for name in EpochRow.__struct_fields__]
_SEAT = [getattr(_h.c, name) for name in Seat.__struct_fields__]


class CourtEpochs:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def get(self, number: int) -> EpochRow | None:
        query = select(*_EPOCH).where(_e.c.epoch == number)
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else EpochRow(*row)

    async def of(self, session: str) -> EpochRow | None:
        """That deals with a session's case; None while none does."""
        query = select(*_EPOCH).join(_c, _c.c.epoch == _e.c.epoch).where(_c.c.session == session)
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else EpochRow(*row)

    async def newest(self) -> EpochRow | None:
        query = select(*_EPOCH).order_by(_e.c.epoch.desc()).limit(1)
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else EpochRow(*row)

    async def put(self, row: EpochRow, document: CourtEpoch, sessions: Collection[str]) -> EpochRow:
        """The first of its number stands, and is returned. `sessions`: all cases that are dealt with by it, also those of which it
        holds no hearing."""
        async with self._db.writing() as tx:
            insert = self._db.insert(_e).values({**msgspec.structs.asdict(row), "done": False})
            made = await tx.execute(insert.on_conflict_do_nothing())
            if made.rowcount:
                await court.put_in_epoch(tx, sessions, row.epoch)
                seats = _seats(document)
                if seats:
                    await tx.execute(_h.insert(), seats)
                for each in document.taken_back:
                    which = and_(_h.c.session == each.session, _h.c.hearing == each.hearing)
                    await tx.execute(update(_h).where(which).values(back=row.epoch))
            found = await tx.execute(select(*_EPOCH).where(_e.c.epoch == row.epoch))
            return EpochRow(*found.one())

    async def unanchored(self, limit: int) -> list[Closed]:
        """Closed cases with a document that are in no epoch yet, the longest closed first."""
        query = (
            select(_c.c.session, _c.c.case_id)
            .where(_c.c.state != "open", _c.c.document.is_not(None), _c.c.epoch.is_(None))
            .order_by(_c.c.closed_ms, _c.c.session)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [Closed(*row) for row in await tx.execute(query)]

    async def to_be_taken_back(self, limit: int) -> list[TakenBack]:
        """Hearings of epochs that were put on the chain since, by their logs."""
        put = select(_l.c.number).where(
            _l.c.name == "Forced", _l.c.case == _h.c.case, _l.c.hearing == _h.c.hearing
        )
        query = (
            select(_h.c.session, _h.c.hearing, _h.c.epoch, _h.c.judge, _h.c.pay)
            .where(_h.c.back.is_(None), put.exists())
            .order_by(_h.c.session, _h.c.hearing, _h.c.judge)
        )
        found: dict[tuple[str, int, int], list[tuple[str, int]]] = {}
        async with self._db.reading() as tx:
            for session, hearing, epoch, judge, pay in await tx.execute(query):
                found.setdefault((session, hearing, epoch), []).append((judge, pay))
        return [TakenBack(*of, pays) for of, pays in found.items()][:limit]

    async def forced(self) -> dict[str, set[int]]:
        """Hearings that were put on the chain, by the case in hex."""
        query = select(_l.c.case, _l.c.hearing).where(_l.c.name == "Forced")
        found: dict[str, set[int]] = {}
        async with self._db.reading() as tx:
            for case, hearing in await tx.execute(query):
                found.setdefault(case, set()).add(hearing)
        return found

    # ----------------------------------------------------------------------- what they cost

    async def undone(self, upto: int) -> list[int]:
        """Epochs of this number or less of which not all slashes were brought, oldest first."""
        query = select(_e.c.epoch).where(_e.c.epoch <= upto, _e.c.done.is_(False))
        async with self._db.reading() as tx:
            return list((await tx.execute(query.order_by(_e.c.epoch))).scalars())

    async def done(self, epoch: int) -> None:
        async with self._db.writing() as tx:
            await tx.execute(update(_e).where(_e.c.epoch == epoch).values(done=True))

    async def slashes(self, epoch: int) -> list[Seat]:
        """Seats that cost something and have not yet, by the court's logs; without hearings that were put on the chain."""
        taken = select(_l.c.number).where(
            _l.c.name == "Slashed",
            _l.c.case == _h.c.case,
            _l.c.hearing == _h.c.hearing,
            func.lower(_l.c.judge) == _h.c.judge,
        )
        put = select(_l.c.number).where(
            _l.c.name == "Forced", _l.c.case == _h.c.case, _l.c.hearing == _h.c.hearing
        )
        query = (
            select(*_SEAT)
            .where(_h.c.epoch == epoch, _h.c.slash != "0", ~taken.exists(), ~put.exists())
            .order_by(_h.c.session, _h.c.hearing, _h.c.judge)
        )
        async with self._db.reading() as tx:
            return [_seat(row) for row in await tx.execute(query)]

    async def judges(self, epoch: int) -> list[str]:
        """Who sat in a hearing of the epoch, in lower case."""
        query = select(_h.c.judge).where(_h.c.epoch == epoch).distinct().order_by(_h.c.judge)
        async with self._db.reading() as tx:
            return list((await tx.execute(query)).scalars())

    async def history(self, judge: str, first: int, last: int) -> list[Seat]:
        """A judge's seats by their ordinals, `first` to `last`."""
        query = (
            select(*_SEAT)
            .where(_h.c.judge == judge, _h.c.ordinal >= first, _h.c.ordinal <= last)
            .order_by(_h.c.ordinal)
        )
        async with self._db.reading() as tx:
            return [_seat(row) for row in await tx.execute(query)]


def _seats(document: CourtEpoch) -> list[dict[str, Any]]:
    return [
        {
            "session": line.session,
            "hearing": line.hearing,
            "judge": each.judge,
            "case": line.leaf().case.hex(),
            "epoch": document.epoch,
            "ordinal": each.ordinal,
            "skill": each.skill,
            "pay": each.pay,
            "slash": each.slash,
        }
        for line in document.hearings
        for each in line.seats
    ]


def _seat(row: Any) -> Seat:
    values = dict(row._mapping)
    return Seat(**{**values, "slash": int(values["slash"])})
