"""The beginning of a season: final boards kept, live ratings brought closer together, leagues placed again.

One transaction: nobody sees half of it, and a session that is being rated meanwhile finds its ratings moved and
computes again. Points are counted in whichever season runs (`seasons`); official boards go by time and know none.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server import leagues, ratings
from server.clock import Clock
from server.official.document import OfficialBoard
from server.official.final import FinalBoard
from server.ratings import Rating
from server.store import audit, boards, merit, schema, seasons
from server.store.engine import Database
from server.store.ratings import live_board, rated_spaces

FINAL_ROWS = 1_000
"""Of a live board that is kept."""

_r, _l = schema.rating, merit.league


class WrongSeason(ValueError):
    """Only the season after the one that runs can begin."""


class SeasonBegun(msgspec.Struct, frozen=True):
    season: int
    began_ms: int
    spaces: int
    """With final boards."""
    versions: int
    """Ratings that were brought closer together."""


class NewSeason:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def running(self) -> int:
        """The season that runs; the first is made where there is none."""
        async with self._db.writing() as tx:
            return await seasons.current(self._db, tx, self._clock())

    async def begin(self, number: int, *, actor: str, reason: str) -> SeasonBegun | None:
        """End the season before `number` and begin it. None when it runs already; so it begins once, however
        often it is asked for. Raises WrongSeason."""
        now_ms = self._clock()
        async with self._db.writing() as tx:
            running = await self._running(tx, now_ms)
            if running == number:
                return None
            if running != number - 1:
                raise WrongSeason(f"season {running} runs: only season {running + 1} can begin")
            spaces = await self._keep_boards(tx, running, now_ms)
            versions = await self._reset(tx, now_ms)
            await seasons.begin(self._db, tx, running, now_ms)
            begun = SeasonBegun(number, now_ms, spaces, versions)
            await audit.note(
                tx,
                actor=actor,
                act="season",
                subject=f"season:{number}",
                reason=reason,
                now_ms=now_ms,
                detail=msgspec.to_builtins(begun),
            )
        return begun

    async def _running(self, tx: AsyncConnection, now_ms: int) -> int:
        """The season that runs, with its row locked: of two who end it the second finds it ended."""
        number = await seasons.current(self._db, tx, now_ms)
        season = merit.season
        row = select(season.c.ended_ms).where(season.c.number == number).with_for_update()
        ended = await tx.scalar(row)
        return number if ended is None else await seasons.current(self._db, tx, now_ms)

    async def _keep_boards(self, tx: AsyncConnection, season: int, now_ms: int) -> int:
        spaces = await rated_spaces(tx)
        for space in spaces:
            official = await boards.newest(tx, space)
            final = FinalBoard(
                season=season,
                space=space,
                ended_ms=now_ms,
                live=await live_board(tx, space, FINAL_ROWS),
                official=None
                if official is None
                else msgspec.json.decode(official, type=OfficialBoard),
            )
            document = msgspec.json.encode(final).decode()
            await tx.execute(
                merit.season_board.insert().values(season=season, space=space, document=document)
            )
        return len(spaces)

    async def _reset(self, tx: AsyncConnection, now_ms: int) -> int:
        """In the order in which rating locks its rows, so that neither waits for the other in a circle."""
        query = (
            select(_r.c.space, _r.c.version, _r.c.mu_milli, _r.c.sigma_milli)
            .order_by(_r.c.version, _r.c.space)
            .with_for_update()
        )
        found = (await tx.execute(query)).all()
        if not found:
            return 0
        begun = [
            (row, ratings.season_start(Rating(row.mu_milli, row.sigma_milli))) for row in found
        ]
        await tx.execute(
            _write_rating, [_key(row) | msgspec.structs.asdict(now) for row, now in begun]
        )
        await tx.execute(
            _write_league, [_key(row) | _placed(now) | {"now_ms": now_ms} for row, now in begun]
        )
        return len(found)


def _of(table: Any) -> Any:
    return (table.c.space == bindparam("of_space")) & (table.c.version == bindparam("of_version"))


def _key(row: Any) -> dict[str, Any]:
    return {"of_space": row.space, "of_version": row.version}


def _placed(rating: Rating) -> dict[str, Any]:
    ordinal_milli = ratings.ordinal_milli(rating.mu_milli, rating.sigma_milli)
    return {"division": leagues.placed(ordinal_milli).division}


_write_rating = (
    update(_r)
    .where(_of(_r))
    .values(mu_milli=bindparam("mu_milli"), sigma_milli=bindparam("sigma_milli"))
)
_write_league = (
    update(_l)
    .where(_of(_l))
    .values(
        division=bindparam("division"),
        best=bindparam("division"),
        below=0,
        changed_ms=bindparam("now_ms"),
    )
)
