"""League standings of agent versions, per Space. They move with the ratings, in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server import leagues
from server.leagues import Standing
from server.store import schema
from server.store.engine import Database
from server.store.merit import league as _l

COLUMNS = (_l.c.division, _l.c.below, _l.c.best)


class LeagueCard(msgspec.Struct, frozen=True):
    """An agent's league in one Space: that of the version that plays now."""

    space: str
    league: str
    """For people, e.g. `Silver I`."""
    division: int
    """0 is Bronze III, 17 is Master I."""
    best: str
    """The highest league since the season began."""
    version: str
    """The version whose results it rests on: an earlier one until the new one has played here."""
    provisional: bool


class Leagues:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def of_agent(self, agent: str) -> list[LeagueCard]:
        """By Space: of the newest version, up to the one that plays, that has a rating there."""
        r, v, a = schema.rating, schema.agent_version, schema.agent
        query = (
            select(r.c.space, r.c.version, r.c.sessions, r.c.sigma_milli, a.c.plays, v.c.number)
            .add_columns(*COLUMNS)
            .join(v, v.c.id == r.c.version)
            .join(a, a.c.id == v.c.agent)
            .join(_l, and_(_l.c.version == r.c.version, _l.c.space == r.c.space))
            .where(a.c.id == agent, v.c.number <= a.c.plays)
            .order_by(r.c.space, v.c.number)
        )
        async with self._db.reading() as tx:
            newest = {row.space: row for row in await tx.execute(query)}
        return [_card(row) for row in newest.values()]


async def put(
    db: Database,
    tx: AsyncConnection,
    standings: Sequence[tuple[str, str, Standing]],
    now_ms: int,
) -> None:
    """Write (space, version, standing), in the caller's transaction, which holds the rows of their ratings."""
    insert = db.insert(_l)
    changed = {name: insert.excluded[name] for name in (*Standing.__struct_fields__, "changed_ms")}
    rows = [
        {"space": space, "version": version, "changed_ms": now_ms, **msgspec.to_builtins(standing)}
        for space, version, standing in standings
    ]
    await tx.execute(
        insert.on_conflict_do_update(index_elements=["space", "version"], set_=changed), rows
    )


def standing_of(row: Row[*tuple[Any, ...]]) -> Standing | None:
    """From a row that holds COLUMNS, of an outer join."""
    return None if row.division is None else Standing(row.division, row.below, row.best)


def _card(row: Row[*tuple[Any, ...]]) -> LeagueCard:
    inherited = row.number < row.plays
    return LeagueCard(
        space=row.space,
        league=leagues.name(row.division),
        division=row.division,
        best=leagues.name(row.best),
        version=row.version,
        provisional=inherited or leagues.provisional(row.sessions, row.sigma_milli),
    )
