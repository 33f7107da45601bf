"""What the court's two contracts have said, as rows. Functions take the reader's transaction, methods of `CourtLogs` are one each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.court.onchain.standing import Standing
from server.store.court_chain import court_log as _l
from server.store.court_chain import court_standing as _s
from server.store.courtroom import court_case as _case
from server.store.engine import Database

MAX_PAGE = 1_000

_STANDING = [getattr(_s.c, name) for name in Standing.__struct_fields__]


class Said(msgspec.Struct, frozen=True):
    """A log."""

    number: int
    log_index: int
    block_hash: str
    tx: str
    name: str
    ordinal: int | None
    case: str | None
    hearing: int | None
    judge: str | None
    fields: dict[str, Any]
    """By the names of the event: numbers whole, bytes as hex without 0x, addresses as EIP-55 writes them."""


_SAID = [getattr(_l.c, name) for name in Said.__struct_fields__]


# --------------------------------------------------------------------------- within the reader's transaction


async def add(tx: AsyncConnection, said: Said) -> None:
    values = msgspec.structs.asdict(said) | {"fields": msgspec.json.encode(_texts(said.fields))}
    await tx.execute(_l.insert().values(values))


async def forget(tx: AsyncConnection, number: int, log_index: int) -> None:
    """All that follows from a log."""
    for table in (_l, _s):
        which = (table.c.number == number) & (table.c.log_index == log_index)
        await tx.execute(delete(table).where(which))


async def standing_of(tx: AsyncConnection, judge: str) -> Standing:
    query = (
        select(*_STANDING)
        .where(_s.c.judge == judge)
        .order_by(_s.c.number.desc(), _s.c.log_index.desc())
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return Standing() if row is None else _standing(row)


async def add_standing(
    tx: AsyncConnection, judge: str, number: int, log_index: int, now: Standing
) -> None:
    values = msgspec.structs.asdict(now)
    values |= {"bonded": str(now.bonded), "unbonding": str(now.unbonding)}
    at = {"judge": judge, "number": number, "log_index": log_index}
    await tx.execute(_s.insert().values(at | values))


# --------------------------------------------------------------------------- everybody else's


class CourtLogs:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def newest(
        self, *names: str, ordinal: int | None = None, judge: str | None = None
    ) -> Said | None:
        """The last log of these names, of one ordinal or judge where that is said."""
        found = await self.of(*names, ordinal=ordinal, judge=judge, limit=1, newest_first=True)
        return found[0] if found else None

    async def of(
        self,
        *names: str,
        ordinal: int | None = None,
        case: str | None = None,
        hearing: int | None = None,
        judge: str | None = None,
        after: tuple[int, int] = (-1, -1),
        limit: int = MAX_PAGE,
        newest_first: bool = False,
    ) -> list[Said]:
        """Logs of these names (of any, where none is said) after a place (block, index), in their order."""
        place = (_l.c.number > after[0]) | ((_l.c.number == after[0]) & (_l.c.log_index > after[1]))
        query = select(*_SAID).where(place).limit(min(limit, MAX_PAGE))
        if names:
            query = query.where(_l.c.name.in_(names))
        wanted = {"ordinal": ordinal, "case": case, "hearing": hearing, "judge": judge}
        for column, value in wanted.items():
            if value is not None:
                query = query.where(_l.c[column] == value)
        order = [_l.c.number, _l.c.log_index]
        query = query.order_by(*(each.desc() if newest_first else each for each in order))
        async with self._db.reading() as tx:
            return [_said(row) for row in await tx.execute(query)]

    async def filed(self, root: str, least: int) -> Said | None:
        """The log of a batch: of this root (hex), by the chain's number `least` or more."""
        query = select(*_SAID).where(_l.c.name == "Filed", _l.c.ordinal >= least)
        async with self._db.reading() as tx:
            rows = await tx.execute(query.order_by(_l.c.ordinal))
            found = (each for each in map(_said, rows) if each.fields["root"].hex() == root)
            return next(found, None)

    async def unseeded(self, limit: int = 256) -> list[Said]:
        """Logs of batches that have no seed, the newest first."""
        s = _l.alias()
        seeded = select(s.c.number).where(s.c.name == "Seeded", s.c.ordinal == _l.c.ordinal)
        query = select(*_SAID).where(_l.c.name == "Filed", ~seeded.exists())
        async with self._db.reading() as tx:
            rows = await tx.execute(query.order_by(_l.c.ordinal.desc()).limit(limit))
            return [_said(row) for row in rows]

    async def unended(self) -> list[str]:
        """Cases, in hex, with a hearing on the chain that is not over."""
        e = _l.alias()
        ended = select(e.c.number).where(
            e.c.name.in_(("Decided", "Undecided")),
            e.c.case == _l.c.case,
            e.c.hearing == _l.c.hearing,
        )
        query = select(_l.c.case).where(_l.c.name == "Forced", ~ended.exists()).distinct()
        async with self._db.reading() as tx:
            return sorted((await tx.execute(query)).scalars())

    async def session_of(self, case: str) -> str | None:
        """Whose case that is; None where it is none of ours."""
        query = select(_case.c.session).where(_case.c.case_id == case)
        async with self._db.reading() as tx:
            found: str | None = await tx.scalar(query)
        return found

    async def claimed(self, judge: str) -> int:
        """Micro-USDC that a judge was paid in all; EIP-55."""
        query = select(_l.c.fields).where(_l.c.name == "Claimed", _l.c.judge == judge)
        async with self._db.reading() as tx:
            rows = (await tx.execute(query)).scalars()
            return sum(int(_numbers(each)["amount"]) for each in rows)

    async def counting(self, now_s: int) -> Said | None:
        """The newest epoch that was anchored, not vetoed, and counts by then (unix seconds)."""
        said = await self.of("Anchored", "Vetoed", newest_first=True, limit=8)
        vetoed: set[int | None] = set()
        for each in said:
            if each.name == "Vetoed":
                vetoed.add(each.ordinal)
            elif each.ordinal in vetoed:
                vetoed.discard(each.ordinal)
            elif each.fields["counts_at"] <= now_s:
                return each
        return None

    async def standings(self, judges: Collection[str] | None = None) -> dict[str, Standing]:
        """Every judge that ever was, or these, as it stands."""
        newest = func.row_number().over(
            partition_by=_s.c.judge, order_by=(_s.c.number.desc(), _s.c.log_index.desc())
        )
        inner = select(_s.c.judge, *_STANDING, newest.label("age"))
        if judges is not None:
            inner = inner.where(_s.c.judge.in_(list(judges)))
        found = inner.subquery()
        query = select(*(each for each in found.c if each.name != "age")).where(found.c.age == 1)
        async with self._db.reading() as tx:
            return {row.judge: _standing(row) for row in await tx.execute(query)}

    async def changed_after(self, number: int, log_index: int) -> bool:
        """Whether any judge has come to stand otherwise since that log."""
        later = (_s.c.number > number) | ((_s.c.number == number) & (_s.c.log_index > log_index))
        query = select(_s.c.judge).where(later).limit(1)
        async with self._db.reading() as tx:
            return await tx.scalar(query) is not None


def _standing(row: Any) -> Standing:
    values = {name: getattr(row, name) for name in Standing.__struct_fields__}
    return Standing(
        **{**values, "bonded": int(values["bonded"]), "unbonding": int(values["unbonding"])}
    )


def _said(row: Any) -> Said:
    values = dict(row._mapping)
    return Said(**{**values, "fields": _numbers(values["fields"])})


def _texts(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Whole numbers as text, in lists, too: JSON's are too small for some of them."""
    return {name: _text(value) for name, value in fields.items()}


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return "x" + value.hex()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return f"n{value}"
    if isinstance(value, list | tuple):
        return [_text(each) for each in value]
    return f"t{value}"


def _numbers(encoded: bytes) -> dict[str, Any]:
    return {name: _read(value) for name, value in msgspec.json.decode(encoded).items()}


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_read(each) for each in value)
    if not isinstance(value, str):
        return value
    kind, text = value[:1], value[1:]
    return int(text) if kind == "n" else bytes.fromhex(text) if kind == "x" else text
