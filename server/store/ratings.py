"""Ratings of agent versions, per Space, and the board that they make.

The arithmetic is `server.ratings`' and `server.leagues`'; here are the numbers, moved once per session
and never from a state that somebody else has moved in the meantime.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BindParameter, Row, Select, String, and_, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server import leagues as league_rules
from server.clock import Clock
from server.convoy import Convoy
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
_applications = schema.rating_applied


class _Moves(msgspec.Struct, frozen=True):
    """The moves of one session."""

    session: str
    space: str
    rows: tuple[RatingRow, ...]

    def follows(self, standing: dict[tuple[str, str], tuple[int, int, int]]) -> bool:
        """All of them were computed from what stands."""
        return all(
            # the count, too: a rating may come back to where it was
            standing.get((self.space, row.version))
            == (row.was_mu_milli, row.was_sigma_milli, row.number - 1)
            for row in self.rows
        )

    def after(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        return {
            (self.space, row.version): (row.mu_milli, row.sigma_milli, row.number)
            for row in self.rows
        }


class Ratings:
    """Every method is one transaction; what is asked for at once may share one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._moving: Convoy[_Moves, bool] = Convoy(self._apply, lambda each: each.session)
        self._asking: Convoy[tuple[str, str], Standpoint] = Convoy(
            self._standpoints, lambda each: each
        )
        self._recalling: Convoy[str, list[RatingRow] | None] = Convoy(
            self._recall, lambda session: session
        )

    async def close(self) -> None:
        """Let what is asked for come to its end. Idempotent."""
        await self._moving.close()
        await self._asking.close()
        await self._recalling.close()

    async def current(self, version: str, space: str) -> tuple[int, int]:
        """(mu, sigma) in thousandths, as `standpoint` says."""
        rating = (await self.standpoint(version, space)).rating
        return rating.mu_milli, rating.sigma_milli

    async def standpoint(self, version: str, space: str) -> Standpoint:
        """Where the version stands. One that has not been rated here begins where its latest rated
        predecessor stands, with more doubt (`ratings.promoted`) and in the same league; if there is none,
        at START."""
        return await self._asking.ride((version, space))

    async def _standpoints(self, wanted: Sequence[tuple[str, str]]) -> list[Standpoint | Exception]:
        found: dict[tuple[str, str], Standpoint] = {}
        async with self._db.looking() as tx:
            versions = {"versions": list({version for version, _ in wanted})}
            for row in await tx.execute(_own, versions):
                standing = leagues.standing_of(row)
                found[row.version, row.space] = Standpoint(_rating(row), row.sessions, standing)
            for version, space in wanted:
                if (version, space) not in found:
                    found[version, space] = await _inherited(tx, version, space)
        return [found[each] for each in wanted]

    async def apply(self, session: str, space: str, rows: Sequence[RatingRow]) -> bool:
        """Move the ratings and leagues of all seats at once. False when this session has been applied
        already.

        Raises StaleRatings, and then nothing has changed.
        """
        return await self._moving.ride(_Moves(session, space, tuple(rows)))

    async def _apply(self, moves: Sequence[_Moves]) -> list[bool | Exception]:
        async with self._db.writing() as tx:
            known = set(await tx.scalars(_applied, {"sessions": [each.session for each in moves]}))
            new = [each for each in moves if each.session not in known]
            standing = await _locked(self._db, tx, new)
            done: list[_Moves] = []
            for each in new:
                if each.follows(standing):
                    standing |= each.after()
                    done.append(each)
            stale = [each for each in new if each not in done]
            if any(row.number == 1 for each in stale for row in each.rows):
                raise StaleRatings("a first rating was begun for nothing")
            if done:
                await self._write(tx, done)
        sessions = {each.session for each in stale}
        return [
            StaleRatings(f"a rating of session {each.session} has moved")
            if each.session in sessions
            else each.session not in known
            for each in moves
        ]

    async def _write(self, tx: AsyncConnection, moves: Sequence[_Moves]) -> None:
        """Raises StaleRatings where somebody else has applied one of the sessions meanwhile."""
        insert = self._db.insert(_applications).on_conflict_do_nothing()
        guards = [
            {"session": each.session, "rows": msgspec.json.encode(each.rows).decode()}
            for each in moves
        ]
        added = await tx.scalars(insert.returning(_applications.c.session), guards)
        if len(added.all()) < len(moves):
            raise StaleRatings("a session has been applied meanwhile")
        rows = [(each.space, row) for each in moves for row in each.rows]
        if rows:
            await tx.execute(_move, [_moved(space, row) for space, row in rows])
        standings = [
            (space, row.version, row.league) for space, row in rows if row.league is not None
        ]
        if standings:
            await leagues.put(self._db, tx, standings, self._clock())

    async def applied(self, session: str) -> list[RatingRow] | None:
        """The moves of a rated session; None when it has not been rated."""
        return await self._recalling.ride(session)

    async def _recall(self, sessions: Sequence[str]) -> list[list[RatingRow] | Exception | None]:
        async with self._db.looking() as tx:
            rows = await tx.execute(_rows_of, {"sessions": list(sessions)})
            found = {id_: msgspec.json.decode(raw, type=list[RatingRow]) for id_, raw in rows}
        return [found.get(session) for session in sessions]

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


def _rated(space: str | BindParameter[str]) -> Select[*tuple[Any, ...]]:
    """Ratings in a Space with their leagues, if they have one."""
    return (
        select(_r.c.mu_milli, _r.c.sigma_milli, _r.c.sessions, *leagues.COLUMNS)
        .select_from(_r)
        .outerjoin(_l, and_(_l.c.version == _r.c.version, _l.c.space == _r.c.space))
        .where(_r.c.space == space)
    )


def _predecessor(
    version: BindParameter[str], space: BindParameter[str]
) -> Select[*tuple[Any, ...]]:
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


# Of the hot path, so made once.
_space, _version = bindparam("of_space", type_=String), bindparam("of_version", type_=String)
_own = (
    select(_r.c.mu_milli, _r.c.sigma_milli, _r.c.sessions, _r.c.version, _r.c.space)
    .add_columns(*leagues.COLUMNS)
    .select_from(_r)
    .outerjoin(_l, and_(_l.c.version == _r.c.version, _l.c.space == _r.c.space))
    .where(_r.c.version.in_(bindparam("versions", expanding=True)))
)
_before = _predecessor(_version, _space)
_rows_of = select(_applications.c.session, _applications.c.rows).where(
    _applications.c.session.in_(bindparam("sessions", expanding=True))
)
_applied = select(_applications.c.session).where(
    _applications.c.session.in_(bindparam("sessions", expanding=True))
)
_standing = (
    select(_r.c.space, _r.c.version, _r.c.mu_milli, _r.c.sigma_milli, _r.c.sessions)
    .where(_r.c.version.in_(bindparam("versions", expanding=True)))
    .order_by(_r.c.version, _r.c.space)
    .with_for_update()
)
_move = (
    update(_r)
    .where(_r.c.version == bindparam("of_version"), _r.c.space == bindparam("of_space"))
    .values(
        mu_milli=bindparam("new_mu"),
        sigma_milli=bindparam("new_sigma"),
        sessions=bindparam("new_sessions"),
        wins=_r.c.wins + bindparam("won"),
    )
)


async def _inherited(tx: AsyncConnection, version: str, space: str) -> Standpoint:
    """Of a version that has not been rated in the Space."""
    if version.endswith("@v1"):  # the first has no predecessor
        return Standpoint(Rating(*START))
    of = {"of_version": version, "of_space": space}
    row = (await tx.execute(_before, of)).one_or_none()
    if row is None:
        return Standpoint(Rating(*START))
    league = leagues.standing_of(row)
    return Standpoint(
        promoted(_rating(row)),
        league=None if league is None else msgspec.structs.replace(league, below=0),
    )


async def _locked(
    db: Database, tx: AsyncConnection, moves: Sequence[_Moves]
) -> dict[tuple[str, str], tuple[int, int, int]]:
    """(mu, sigma, sessions) by Space and version, begun where the version is rated for the first time."""
    rows = sorted(  # one order everywhere, so that nobody waits in a circle
        ((each.space, row) for each in moves for row in each.rows), key=lambda pair: pair[1].version
    )
    if first := [_first(space, row) for space, row in rows if row.number == 1]:
        await tx.execute(db.insert(_r).on_conflict_do_nothing(), first)
    versions = {"versions": sorted({row.version for _, row in rows})}
    found = await tx.execute(_standing, versions) if rows else ()
    return {(space, version): (mu, sigma, number) for space, version, mu, sigma, number in found}


def _first(space: str, row: RatingRow) -> dict[str, object]:
    return {
        "version": row.version,
        "space": space,
        "mu_milli": row.was_mu_milli,
        "sigma_milli": row.was_sigma_milli,
        "sessions": 0,
        "wins": 0,
    }


def _moved(space: str, row: RatingRow) -> dict[str, object]:
    return {
        "of_version": row.version,
        "of_space": space,
        "new_mu": row.mu_milli,
        "new_sigma": row.sigma_milli,
        "new_sessions": row.number,
        "won": int(row.won),
    }


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
