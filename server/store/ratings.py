"""Ratings of agent versions, per Space, and the board that they make.

The arithmetic is `server.ratings`'; here are the numbers, moved once per session and never from a
state that somebody else has moved in the meantime.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.protocol import BoardRow, BoardView
from server.store import schema
from server.store.engine import Database

START = (25_000, 8_333)
"""mu and sigma, in thousandths, of a version that has not played: openskill's 25 and 25/3."""
PROVISIONAL_SESSIONS = 10
"""A row is shown as provisional before it has this many rated sessions."""


class RatingRow(msgspec.Struct, frozen=True):
    """One version's move in one session."""

    version: str
    mu_milli: int
    sigma_milli: int
    """The rating after the session."""
    was_mu_milli: int
    was_sigma_milli: int
    """The rating that the new one was computed from, as `current` gave it."""
    won: bool = False


class StaleRatings(Exception):
    """A rating has moved since `current` was read: read again and compute again."""


_r = schema.rating


class Ratings:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def current(self, version: str, space: str) -> tuple[int, int]:
        """(mu, sigma) in thousandths; START for a version that has not been rated."""
        query = select(_r.c.mu_milli, _r.c.sigma_milli).where(
            _r.c.version == version, _r.c.space == space
        )
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return START if row is None else (row.mu_milli, row.sigma_milli)

    async def apply(self, session: str, space: str, rows: Sequence[RatingRow]) -> bool:
        """Move the ratings of all seats at once. False when this session has been applied already.

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
        await tx.execute(
            self._db.insert(_r)
            .values(
                version=row.version,
                space=space,
                mu_milli=START[0],
                sigma_milli=START[1],
                sessions=0,
                wins=0,
            )
            .on_conflict_do_nothing()
        )
        moved = await tx.execute(
            update(_r)
            .where(
                _r.c.version == row.version,
                _r.c.space == space,
                _r.c.mu_milli == row.was_mu_milli,
                _r.c.sigma_milli == row.was_sigma_milli,
            )
            .values(
                mu_milli=row.mu_milli,
                sigma_milli=row.sigma_milli,
                sessions=_r.c.sessions + 1,
                wins=_r.c.wins + int(row.won),
            )
        )
        if moved.rowcount != 1:
            raise StaleRatings(f"the rating of {row.version} in {space} has moved")

    async def applied(self, session: str) -> list[RatingRow] | None:
        """The moves of a rated session; None when it has not been rated."""
        table = schema.rating_applied
        async with self._db.reading() as tx:
            rows = await tx.scalar(select(table.c.rows).where(table.c.session == session))
        return None if rows is None else msgspec.json.decode(rows, type=list[RatingRow])

    async def board(self, space: str, limit: int = 100) -> BoardView:
        """Best first by mu - 3 sigma; provisional rows are marked, never hidden."""
        a, v = schema.agent, schema.agent_version
        query = (
            select(_r, a.c.id.label("agent"), a.c.name)
            .join(v, v.c.id == _r.c.version)
            .join(a, a.c.id == v.c.agent)
            .where(_r.c.space == space)
            .order_by((_r.c.mu_milli - 3 * _r.c.sigma_milli).desc(), _r.c.version)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            found = (await tx.execute(query)).all()
        return BoardView(space, [_board_row(place, row) for place, row in enumerate(found, 1)])

    async def published(self, board: BoardView) -> None:
        """Remember the places of a board that people have been shown; later `moved`s start here."""
        async with self._db.writing() as tx:
            for row in board.rows:
                await tx.execute(
                    update(_r)
                    .where(_r.c.space == board.space, _r.c.version == row.version)
                    .values(place=row.rank)
                )


def _board_row(place: int, row: Row[*tuple[object, ...]]) -> BoardRow:
    return BoardRow(
        rank=place,
        agent=row.agent,
        name=row.name,
        version=row.version,
        mu_milli=row.mu_milli,
        sigma_milli=row.sigma_milli,
        sessions=row.sessions,
        wins=row.wins,
        provisional=row.sessions < PROVISIONAL_SESSIONS,
        moved=0 if row.place is None else row.place - place,
    )
