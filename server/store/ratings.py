"""Ratings of agent versions, per Space, and the board that they make.

The arithmetic is `server.ratings`' and `server.leagues`'; here are the numbers, moved once per session
and never from a state that somebody else has moved in the meantime.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, Select, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server import leagues as league_rules
from server.clock import Clock
from server.leagues import Standing
from server.protocol import BoardRow, BoardView
from server.ratings import START_MU_MILLI, START_SIGMA_MILLI, Rating, promoted
from server.store import leagues, merit, schema
from server.store.engine import Database

START = (START_MU_MILLI, START_SIGMA_MILLI)
"""mu and sigma of a version that has not played, and none of whose predecessors has."""
PROVISIONAL_SESSIONS = league_rules.SURE_SESSIONS


class Standpoint(msgspec.Struct, frozen=True):
    """All that a version brings to a session in a Space."""

    rating: Rating
    sessions: int = 0
    """Rated ones, of this version."""
    league: Standing | None = None
    """None where neither the version nor a predecessor has one."""


class RatingRow(msgspec.Struct, frozen=True):
    """One version's move in one session."""

    version: str
    mu_milli: int
    sigma_milli: int
    """The rating after the session."""
    was_mu_milli: int
    was_sigma_milli: int
    """The rating that the new one was computed from, as `standpoint` gave it."""
    won: bool = False
    number: int = 0
    """Which of the version's rated sessions in this Space it is, from 1 on: the order of its moves. 0 of
    those that were rated before this was kept."""
    league: Standing | None = None
    """After the session."""
    was_division: int | None = None
    """Before it; null for who had no league."""


class StaleRatings(Exception):
    """A rating has moved since its standpoint was read: read again and compute again."""


_r, _v, _l = schema.rating, schema.agent_version, merit.league


class Ratings:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def current(self, version: str, space: str) -> tuple[int, int]:
        """(mu, sigma) in thousandths, as `standpoint` says."""
        rating = (await self.standpoint(version, space)).rating
        return rating.mu_milli, rating.sigma_milli

    async def standpoint(self, version: str, space: str) -> Standpoint:
        """Where the version stands. One that has not been rated here begins where its latest rated
        predecessor stands, with more doubt (`ratings.promoted`) and in the same league; if there is none,
        at START."""
        async with self._db.reading() as tx:
            row = (await tx.execute(_rated(space).where(_r.c.version == version))).one_or_none()
            if row is not None:
                return Standpoint(_rating(row), row.sessions, leagues.standing_of(row))
            row = (await tx.execute(_predecessor(version, space))).one_or_none()
        if row is None:
            return Standpoint(Rating(*START))
        league = leagues.standing_of(row)
        return Standpoint(
            promoted(_rating(row)),
            league=None if league is None else msgspec.structs.replace(league, below=0),
        )

    async def apply(self, session: str, space: str, rows: Sequence[RatingRow]) -> bool:
        """Move the ratings and leagues of all seats at once. False when this session has been applied
        already.

        Raises StaleRatings, and then nothing has changed.
        """
        async with self._db.writing() as tx:
            guard = await tx.execute(
                self._db.insert(schema.rating_applied)
                .values(session=session, rows=msgspec.json.encode(rows).decode())
                .on_conflict_do_nothing()
            )
            if guard.rowcount == 0:
                return False
            # In one order everywhere, so that two sessions with the same versions cannot deadlock.
            for row in sorted(rows, key=lambda row: row.version):
                await self._move(tx, space, row)
        return True

    async def _move(self, tx: AsyncConnection, space: str, row: RatingRow) -> None:
        was = {"mu_milli": row.was_mu_milli, "sigma_milli": row.was_sigma_milli}
        if row.number == 1:
            await tx.execute(
                self._db.insert(_r)
                .values(version=row.version, space=space, sessions=0, wins=0, **was)
                .on_conflict_do_nothing()
            )
        moved = await tx.execute(
            update(_r)
            .where(_r.c.version == row.version, _r.c.space == space)
            .where(*(_r.c[name] == value for name, value in was.items()))
            # the count, too: a rating may come back to where it was
            .where(_r.c.sessions == row.number - 1)
            .values(
                mu_milli=row.mu_milli,
                sigma_milli=row.sigma_milli,
                sessions=row.number,
                wins=_r.c.wins + int(row.won),
            )
        )
        if moved.rowcount != 1:
            raise StaleRatings(f"the rating of {row.version} in {space} has moved")
        if row.league is not None:
            await leagues.put(self._db, tx, space, row.version, row.league, self._clock())

    async def applied(self, session: str) -> list[RatingRow] | None:
        """The moves of a rated session; None when it has not been rated."""
        table = schema.rating_applied
        async with self._db.reading() as tx:
            rows = await tx.scalar(select(table.c.rows).where(table.c.session == session))
        return None if rows is None else msgspec.json.decode(rows, type=list[RatingRow])

    async def board(self, space: str, limit: int = 100) -> BoardView:
        """Best first by mu - 3 sigma; provisional rows are marked, never hidden. Who moved is told by
        who publishes the board, see `server.live.boards`."""
        async with self._db.reading() as tx:
            return await live_board(tx, space, limit)

    async def spaces(self) -> list[str]:
        """Where somebody has been rated."""
        async with self._db.reading() as tx:
            return await rated_spaces(tx)


async def rated_spaces(tx: AsyncConnection) -> list[str]:
    """As `Ratings.spaces`, within the caller's transaction."""
    return list(await tx.scalars(select(_r.c.space).distinct().order_by(_r.c.space)))


async def live_board(tx: AsyncConnection, space: str, limit: int) -> BoardView:
    """As `Ratings.board`, within the caller's transaction."""
    a = schema.agent
    query = (
        _rated(space)
        .add_columns(_r.c.version, _r.c.wins, a.c.id.label("agent"), a.c.name)
        .join(_v, _v.c.id == _r.c.version)
        .join(a, a.c.id == _v.c.agent)
        .order_by((_r.c.mu_milli - 3 * _r.c.sigma_milli).desc(), _r.c.version)
        .limit(limit)
    )
    found = (await tx.execute(query)).all()
    return BoardView(space, [_board_row(place, row) for place, row in enumerate(found, 1)])


def _rated(space: str) -> Select[*tuple[Any, ...]]:
    """Ratings in a Space with their leagues, if they have one."""
    return (
        select(_r.c.mu_milli, _r.c.sigma_milli, _r.c.sessions, *leagues.COLUMNS)
        .select_from(_r)
        .outerjoin(_l, and_(_l.c.version == _r.c.version, _l.c.space == _r.c.space))
        .where(_r.c.space == space)
    )


def _predecessor(version: str, space: str) -> Select[*tuple[Any, ...]]:
    """The rating of the latest version of the same agent before this one that has one."""
    mine = _v.alias("mine")
    return (
        _rated(space)
        .join(_v, _v.c.id == _r.c.version)
        .join(mine, and_(mine.c.agent == _v.c.agent, mine.c.number > _v.c.number))
        .where(mine.c.id == version)
        .order_by(_v.c.number.desc())
        .limit(1)
    )


def _rating(row: Row[*tuple[Any, ...]]) -> Rating:
    return Rating(row.mu_milli, row.sigma_milli)


def _board_row(place: int, row: Row[*tuple[Any, ...]]) -> BoardRow:
    return BoardRow(
        rank=place,
        agent=row.agent,
        name=row.name,
        version=row.version,
        mu_milli=row.mu_milli,
        sigma_milli=row.sigma_milli,
        sessions=row.sessions,
        wins=row.wins,
        provisional=league_rules.provisional(row.sessions, row.sigma_milli),
        league="" if row.division is None else league_rules.name(row.division),
    )
