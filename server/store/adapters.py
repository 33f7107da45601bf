"""The registry of adapters: which there are, whose, of which base. Names and cards are given once and for ever."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select

from server.clock import Clock
from server.store.engine import Database
from server.store.learning import adapter as _a


class AdapterRow(msgspec.Struct, frozen=True, kw_only=True):
    """One adapter, as `agon-adapter/1` and the records have it."""

    card: str
    """CID of its card: what it is known by."""
    weights: str
    """CID of the safetensors."""
    gguf: str | None = None
    name: str | None = None
    """What the model server calls it."""
    owner: str
    agent: str
    space: str
    base_sha256: str
    bytes: int
    parent: str | None = None
    created_ms: int
    retired_ms: int | None = None


class NameTaken(Exception):
    """A model server's name is given once; this one was given to another adapter."""


COLUMNS = [getattr(_a.c, name) for name in AdapterRow.__struct_fields__]


class Adapters:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def add(self, row: AdapterRow) -> AdapterRow:
        """Enter it; one with this card stays as it was first entered. Raises NameTaken."""
        async with self._db.writing() as tx:
            given = select(_a.c.card).where(_a.c.name == row.name, _a.c.card != row.card)
            if row.name is not None and await tx.scalar(given) is not None:
                raise NameTaken(f"the name {row.name} was given to another adapter")
            values = msgspec.structs.asdict(row)
            insert = self._db.insert(_a).values(values)
            await tx.execute(insert.on_conflict_do_nothing(index_elements=["card"]))
            found = (await tx.execute(select(*COLUMNS).where(_a.c.card == row.card))).one()
        return AdapterRow(**found._mapping)

    async def get(self, card: str) -> AdapterRow | None:
        query = select(*COLUMNS).where(_a.c.card == card)
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else AdapterRow(**row._mapping)

    async def of_agent(self, agent: str, limit: int = 50) -> list[AdapterRow]:
        """Newest first, the retired among them."""
        query = (
            select(*COLUMNS)
            .where(_a.c.agent == agent)
            .order_by(_a.c.created_ms.desc(), _a.c.card)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [AdapterRow(**row._mapping) for row in await tx.execute(query)]

    async def beginning(self, card: str, limit: int = 100) -> list[AdapterRow]:
        """Those whose card's CID begins so, oldest first."""
        query = (
            select(*COLUMNS)
            .where(_a.c.card.startswith(card, autoescape=True))
            .order_by(_a.c.created_ms, _a.c.card)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [AdapterRow(**row._mapping) for row in await tx.execute(query)]

    async def named(self, limit: int) -> list[str]:
        """Names that were given, newest first, of adapters that are kept."""
        query = (
            select(_a.c.name)
            .where(_a.c.name.is_not(None), _a.c.retired_ms.is_(None))
            .order_by(_a.c.created_ms.desc(), _a.c.card)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [str(name) for name in await tx.scalars(query)]

    async def live_of_owner(self, owner: str) -> list[AdapterRow]:
        """Those whose blocks are kept, oldest first: what a bound for an owner is counted over."""
        query = (
            select(*COLUMNS)
            .where(_a.c.owner == owner, _a.c.retired_ms.is_(None))
            .order_by(_a.c.created_ms, _a.c.card)
        )
        async with self._db.reading() as tx:
            return [AdapterRow(**row._mapping) for row in await tx.execute(query)]

    async def bytes_of_owner(self, owner: str) -> int:
        """Of the weights that are kept."""
        query = select(func.sum(_a.c.bytes)).where(_a.c.owner == owner, _a.c.retired_ms.is_(None))
        async with self._db.reading() as tx:
            return int(await tx.scalar(query) or 0)
