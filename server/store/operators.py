"""Node operators as rows. Functions take a transaction of the caller's, methods of `Operators` are one each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.operators.standing import Standing
from server.store import keeping, schema
from server.store.engine import Database

_s = keeping.operator_standing
_b = keeping.operator_batch
_k = keeping.operator_keep
_c = keeping.operator_challenge
_r = keeping.published_root
_d = keeping.root_document
_p = schema.pin

_STANDING = [getattr(_s.c, name) for name in Standing.__struct_fields__]


# --------------------------------------------------------------------------- within the reader's transaction


async def standing_of(tx: AsyncConnection, operator: str) -> Standing | None:
    query = (
        select(*_STANDING)
        .where(_s.c.operator == operator)
        .order_by(_s.c.number.desc(), _s.c.log_index.desc())
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _standing(row)


async def add_standing(
    tx: AsyncConnection, operator: str, number: int, log_index: int, now: Standing
) -> None:
    values = msgspec.structs.asdict(now)
    values |= {"bonded": str(now.bonded), "unbonding": str(now.unbonding)}
    at = {"operator": operator, "number": number, "log_index": log_index}
    await tx.execute(_s.insert().values(at | values))


async def forget_standing(tx: AsyncConnection, operator: str, number: int, log_index: int) -> None:
    which = and_(_s.c.operator == operator, _s.c.number == number, _s.c.log_index == log_index)
    await tx.execute(delete(_s).where(which))


async def add_batch(tx: AsyncConnection, values: Mapping[str, Any], now_ms: int) -> None:
    await tx.execute(_b.insert().values({**values, "state": "due", "tries": 0, "due_ms": now_ms}))


async def forget_batch(tx: AsyncConnection, operator: str, batch: int) -> None:
    for table in (_k, _b):
        await tx.execute(delete(table).where(table.c.operator == operator, table.c.batch == batch))


async def expose(tx: AsyncConnection, operator: str, batch: int, number: int | None) -> None:
    which = and_(_b.c.operator == operator, _b.c.batch == batch)
    await tx.execute(update(_b).where(which).values(exposed_number=number))


async def add_challenge(tx: AsyncConnection, values: Mapping[str, Any]) -> None:
    await tx.execute(_c.insert().values(dict(values)))


async def change_challenge(tx: AsyncConnection, id_: int, values: Mapping[str, Any]) -> None:
    await tx.execute(update(_c).where(_c.c.id == id_).values(dict(values)))


async def forget_challenge(tx: AsyncConnection, id_: int) -> None:
    await tx.execute(delete(_c).where(_c.c.id == id_))


async def add_root(tx: AsyncConnection, values: Mapping[str, Any]) -> None:
    await tx.execute(_r.insert().values(dict(values)))


async def forget_root(tx: AsyncConnection, number: int, log_index: int) -> None:
    await tx.execute(delete(_r).where(_r.c.number == number, _r.c.log_index == log_index))


# --------------------------------------------------------------------------- everybody else's


def _standing(row: Any) -> Standing:
    values = dict(row._mapping)
    return Standing(
        **{**values, "bonded": int(values["bonded"]), "unbonding": int(values["unbonding"])}
    )


class Operators:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def standings(self, upto: int | None = None) -> dict[str, Standing]:
        """Every operator, as it stands, or as it stood after block `upto`."""
        newest = func.row_number().over(
            partition_by=_s.c.operator, order_by=(_s.c.number.desc(), _s.c.log_index.desc())
        )
        inner = select(_s.c.operator, *_STANDING, newest.label("age"))
        if upto is not None:
            inner = inner.where(_s.c.number <= upto)
        found = inner.subquery()
        query = select(*(each for each in found.c if each.name != "age")).where(found.c.age == 1)
        async with self._db.reading() as tx:
            rows = (await tx.execute(query)).all()
        return {
            row.operator: Standing(
                **{
                    **{name: getattr(row, name) for name in Standing.__struct_fields__},
                    "bonded": int(row.bonded),
                    "unbonding": int(row.unbonding),
                }
            )
            for row in rows
        }
