"""What the dashboards read of single sessions: an agent's history, and where two agents met.

All of it is public: who sat where, what entries cost and what was paid out stand in the session's own
result. Balances do not, and are not here. A session that was sealed after `until_ms` is shown as if it
were still live, so that nobody runs ahead of delayed spectators.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Row, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.dashboard import RatedPart
from server.store import money, schema
from server.store.agents import version_id
from server.store.engine import Database
from server.store.merit import league as league_table
from server.store.ratings import RatingRow

MEETINGS_OF = 10_000
"""Meetings are looked for among so many of the latest sessions of the first of the two."""

_e, _s, _rated, _result = schema.entry, schema.session, schema.rating_applied, money.result


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """One session of an agent, from its seat."""

    session: str
    space: str
    tier_micros: int
    status: Literal["live", "ended", "void"]
    opened_ms: int
    sealed_ms: int | None
    seat: int
    version: str
    paid: bool
    """An entry was paid; none is in a tournament."""
    rank: int | None
    """Null until it is settled, and when it is void."""
    ranks: tuple[int, ...] | None
    """Of all seats."""
    score_milli: int | None
    won_micros: int | None
    """A refund included."""
    moved: RatingRow | None
    """How the version's rating moved; null until rated, and where nothing was."""


class Meetings(msgspec.Struct, frozen=True):
    """Settled sessions of one Space and tier in which both had a seat; a's side of each count.

    Money is that of the sessions that are not void."""

    space: str
    tier_micros: int
    last: str
    """The latest of these sessions."""
    ahead: int
    level: int
    behind: int
    voids: int
    a_paid: int
    """Sessions for which a paid an entry."""
    b_paid: int
    a_won_micros: int
    b_won_micros: int


class Side(msgspec.Struct, frozen=True):
    """An agent, or one version of it."""

    agent: str
    version: str | None = None


class Subject(msgspec.Struct, frozen=True):
    """The agent that a dashboard is of."""

    agent: str
    name: str
    owner: str
    """Not to be shown."""
    plays: str
    """The version that plays now."""


class Dashboards:
    """Every method is one transaction of one or two statements, however many rows it reads."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def subject(self, agent: str, number: int | None = None) -> Subject | None:
        """The agent, if there is one that has had a version of this number."""
        a, v = schema.agent, schema.agent_version
        query = select(a.c.id, a.c.name, a.c.owner, a.c.plays).where(a.c.id == agent)
        if number is not None:
            query = query.join(v, v.c.agent == a.c.id).where(v.c.number == number)
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        if row is None:
            return None
        return Subject(row.id, row.name, row.owner, version_id(agent, row.plays))

    async def history(
        self,
        side: Side,
        *,
        until_ms: int,
        space: str | None = None,
        before: str | None = None,
        limit: int = 20,
    ) -> list[Played]:
        """Newest first; `before` is the last session of the page before."""
        query = _played(side).order_by(_e.c.session.desc()).limit(limit)
        if space is not None:
            query = query.where(_s.c.space == space)
        if before is not None:
            query = query.where(_e.c.session < before)
        async with self._db.reading() as tx:
            return [_read(row, until_ms) for row in await tx.execute(query)]

    async def moves(self, sessions: Sequence[str]) -> dict[str, list[RatingRow]]:
        """How ratings moved in these sessions, at most some hundreds; unrated ones are missing."""
        query = select(_rated.c.session, _rated.c.rows).where(_rated.c.session.in_(sessions))
        async with self._db.reading() as tx:
            rows = (await tx.execute(query)).all()
        return {session: _moves(text) for session, text in rows}

    async def rated(self, agent: str) -> list[RatedPart]:
        """Every rating of an agent's versions, by Space and version's number."""
        r, v = schema.rating, schema.agent_version
        in_league = (league_table.c.space == r.c.space) & (league_table.c.version == r.c.version)
        query = (
            select(r.c.space, r.c.version, v.c.number, r.c.mu_milli, r.c.sigma_milli, r.c.sessions)
            .add_columns(league_table.c.division)
            .join(v, v.c.id == r.c.version)
            .outerjoin(league_table, in_league)
            .where(v.c.agent == agent)
            .order_by(r.c.space, v.c.number)
        )
        async with self._db.reading() as tx:
            return [RatedPart(*row) for row in await tx.execute(query)]

    async def meetings(self, a: Side, b: Side, *, until_ms: int) -> list[Meetings]:
        """By Space and tier, among the latest MEETINGS_OF sessions of a."""
        async with self._db.reading() as tx:
            return await _meetings(tx, a, b, until_ms)


def _played(side: Side) -> Any:
    query = (
        select(
            *(_e.c.session, _s.c.space, _s.c.tier_micros, _s.c.status, _s.c.opened_ms),
            *(_s.c.sealed_ms, _e.c.seat, _e.c.version, _e.c.ticket, _e.c.rank),
            *(_e.c.score_milli, _e.c.won_micros, _rated.c.rows, _result.c.ranks),
        )
        .join(_s, _s.c.id == _e.c.session)
        .outerjoin(_rated, _rated.c.session == _e.c.session)
        .outerjoin(_result, _result.c.session == _e.c.session)
    )
    return query.where(*_seats(_e, side))


def _seats(entry: Any, side: Side) -> list[ColumnElement[bool]]:
    of = [entry.c.agent == side.agent]
    return of if side.version is None else [*of, entry.c.version == side.version]


def _read(row: Row[*tuple[Any, ...]], until_ms: int) -> Played:
    seen = row.sealed_ms is not None and row.sealed_ms <= until_ms
    moves = _moves(row.rows) if seen and row.rows else []
    return Played(
        session=row.session,
        space=row.space,
        tier_micros=row.tier_micros,
        status=_status(row) if seen else "live",
        opened_ms=row.opened_ms,
        sealed_ms=row.sealed_ms if seen else None,
        seat=row.seat,
        version=row.version,
        paid=row.ticket is not None,
        rank=row.rank if seen else None,
        ranks=msgspec.json.decode(row.ranks, type=tuple[int, ...]) if seen and row.ranks else None,
        score_milli=row.score_milli if seen else None,
        won_micros=row.won_micros if seen else None,
        moved=next((move for move in moves if move.version == row.version), None),
    )


def _status(row: Row[*tuple[Any, ...]]) -> Literal["ended", "void"]:
    """What has ended may be void all the same: its judges have failed, or an admin said so."""
    voided = row.won_micros is not None and row.rank is None
    return "void" if voided or row.status == "void" else "ended"


def _moves(text: str) -> list[RatingRow]:
    return msgspec.json.decode(text, type=list[RatingRow])


async def _meetings(tx: AsyncConnection, a: Side, b: Side, until_ms: int) -> list[Meetings]:
    latest = (
        select(_e.c.session, _e.c.rank, _e.c.won_micros, _e.c.ticket)
        .where(*_seats(_e, a))
        .order_by(_e.c.session.desc())
        .limit(MEETINGS_OF)
        .subquery("mine")
    )
    theirs = _e.alias("theirs")

    def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    settled = latest.c.rank.is_not(None)  # a void session has no ranks, and gave every entry back
    query = (
        select(
            _s.c.space,
            _s.c.tier_micros,
            func.max(_s.c.id),
            count(latest.c.rank < theirs.c.rank),
            count(latest.c.rank == theirs.c.rank),
            count(latest.c.rank > theirs.c.rank),
            count(latest.c.rank.is_(None)),
            count(settled & latest.c.ticket.is_not(None)),
            count(settled & theirs.c.ticket.is_not(None)),
            func.sum(case((settled, latest.c.won_micros), else_=0)),
            func.sum(case((settled, theirs.c.won_micros), else_=0)),
        )
        .select_from(latest)
        .join(theirs, theirs.c.session == latest.c.session)
        .join(_s, _s.c.id == latest.c.session)
        .where(*_seats(theirs, b), _s.c.sealed_ms <= until_ms, latest.c.won_micros.is_not(None))
        .group_by(_s.c.space, _s.c.tier_micros)
        .order_by(_s.c.space, _s.c.tier_micros)
    )
    return [
        Meetings(space, tier, last, *(int(each) for each in sums))
        for space, tier, last, *sums in await tx.execute(query)
    ]
