"""Tournaments: what was asked for, who takes part, and every game with what came of it.

The games are the facts that a director's state follows from (`tournament.tournament`). They are
numbered in the order in which they were formed, so of two directors that believe to lead, one finds its
next number taken, or its game settled already, and begins anew from what stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, Select, Table, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.identity import Kind
from server.protocol import StandingRow, VerdictView
from server.store import schema
from server.store.engine import Database
from server.store.outbox import State
from server.store.sessions import MAX_PAGE
from server.tournament.fixture import Fixture
from server.tournament.setup import Entrant, Setup
from server.tournament.tournament import Game
from spaces.seed import commitment

SESSIONS_A_QUERY = 500
"""Both databases bound the number of parameters."""


class Stale(Exception):
    """Somebody else directs the tournament: what was to be written does not fit what stands."""


class TournamentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A tournament. `seed` is secret until it has ended."""

    tournament: str
    owner: str
    status: Literal["running", "ended"]
    created_ms: int
    ended_ms: int | None = None
    setup: Setup
    seed: bytes
    seed_commit: str
    """Hex, as it was published (`tournament.commitment`)."""
    standings: tuple[StandingRow, ...] | None = None


class Played(msgspec.Struct, frozen=True):
    """A session that was formed for a game, as far as it has come."""

    status: Literal["formed", "live", "ended", "void"]
    returns: tuple[int, ...] | None = None
    """By seat, where the rules decide."""
    ranks: tuple[int, ...] | None = None
    """By seat, where judges have decided."""
    reason: str = ""
    """Why it is void."""
    unjudged: bool = False
    """The judges have given up."""
    sealed_ms: int = 0
    """When play had ended; 0 while it goes on."""


_t = schema.tournament
_e = schema.tournament_entrant
_g = schema.tournament_game


class Tournaments:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def create(
        self, row: TournamentRow, entrants: Sequence[Entrant], *, alone: bool = False
    ) -> bool:
        """Write the tournament; directors find it. Idempotent by its id. `alone`: only if no other of its
        owner is running; False where one is, and then nothing was written."""
        values = {
            "id": row.tournament,
            "owner": row.owner,
            "space": row.setup.space,
            "status": "running",
            "created_ms": row.created_ms,
            "setup": msgspec.json.encode(row.setup).decode(),
            "seed": row.seed,
            "seed_commit": row.seed_commit,
        }
        async with self._db.writing() as tx:
            if alone and await self._another(tx, row):
                return False
            added = await tx.execute(self._db.insert(_t).values(values).on_conflict_do_nothing())
            if added.rowcount:
                await tx.execute(_e.insert(), _entrant_rows(row.tournament, entrants))
        return True

    async def _another(self, tx: AsyncConnection, row: TournamentRow) -> bool:
        """Whether another of the owner is running; nobody makes one until the transaction is over."""
        if not self._db.is_sqlite:  # there a writer is alone already
            lock = func.pg_advisory_xact_lock(func.hashtextextended(f"tournament:{row.owner}", 0))
            await tx.execute(select(lock))
        running = select(_t.c.id).where(
            _t.c.owner == row.owner, _t.c.status == "running", _t.c.id != row.tournament
        )
        return (await tx.execute(running.limit(1))).first() is not None

    async def get(self, tournament: str) -> TournamentRow | None:
        async with self._db.reading() as tx:
            row = (await tx.execute(select(_t).where(_t.c.id == tournament))).one_or_none()
        return None if row is None else _row(row)

    async def running(self) -> list[str]:
        """Ids of those that have not ended, oldest first."""
        query = select(_t.c.id).where(_t.c.status == "running").order_by(_t.c.id)
        async with self._db.reading() as tx:
            return list((await tx.scalars(query)).all())

    async def page(self, *, before: str | None = None, limit: int = 20) -> list[TournamentRow]:
        """Newest first; `before` is the last id of the page before."""
        query = select(_t).order_by(_t.c.id.desc()).limit(min(limit, MAX_PAGE))
        if before is not None:
            query = query.where(_t.c.id < before)
        async with self._db.reading() as tx:
            return [_row(row) for row in (await tx.execute(query)).all()]

    async def entrants(self, tournament: str) -> list[Entrant]:
        """By seed."""
        columns = (_e.c.agent, _e.c.name, _e.c.version, _e.c.owner, _e.c.rating_milli, _e.c.at_once)
        query = select(*columns).where(_e.c.tournament == tournament).order_by(_e.c.entrant)
        async with self._db.reading() as tx:
            rows = (await tx.execute(query)).all()
        return [Entrant(**row._mapping) for row in rows]

    async def kinds(self, tournament: str) -> dict[str, Kind]:
        """Who plays each entrant as of now, by agent."""
        a = schema.agent
        query = (
            select(a.c.id, a.c.kind)
            .join_from(_e, a, a.c.id == _e.c.agent)
            .where(_e.c.tournament == tournament)
        )
        async with self._db.reading() as tx:
            return {row.id: row.kind for row in await tx.execute(query)}

    async def counts(self, tournaments: Sequence[str]) -> dict[str, tuple[int, int]]:
        """For each: how many entrants there are, and how many games have been scored. At most a page."""
        entrants = _counted(_e, tournaments)
        scored = _counted(_g, tournaments).where(_g.c.state == "scored")
        async with self._db.reading() as tx:
            sizes = {row[0]: row[1] for row in await tx.execute(entrants)}
            results = {row[0]: row[1] for row in await tx.execute(scored)}
        return {name: (sizes.get(name, 0), results.get(name, 0)) for name in tournaments}

    async def games(
        self, tournament: str, *, after: int = -1, limit: int | None = None
    ) -> list[Game]:
        """In the order in which they were formed, from number `after` + 1 on."""
        query = (
            select(_g)
            .where(_g.c.tournament == tournament, _g.c.number > after)
            .order_by(_g.c.number)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [_game(row) for row in (await tx.execute(query)).all()]

    async def holds(self, session: str) -> bool:
        """Whether the session is a tournament's game."""
        query = select(func.count()).select_from(_g).where(_g.c.session == session)
        async with self._db.reading() as tx:
            return bool(await tx.scalar(query))

    async def plan(self, tournament: str, first: int, games: Sequence[Game]) -> None:
        """Write games that are about to be formed, numbered from `first` on. Raises Stale."""
        rows = [
            {
                "tournament": tournament,
                "number": number,
                "fixture": msgspec.json.encode(game.fixture).decode(),
                "name": game.fixture.name,
                "attempt": game.attempt,
                "session": game.session,
                "state": "live",
            }
            for number, game in enumerate(games, first)
        ]
        try:
            async with self._db.writing() as tx:
                await tx.execute(_g.insert(), rows)
        except IntegrityError as error:
            raise Stale(f"game {first} of {tournament} stands already") from error

    async def settle(self, games: Sequence[Game]) -> None:
        """Write what came of live games. Raises Stale where one is settled already, and then none is."""
        async with self._db.writing() as tx:
            for game in games:
                ranks = None if game.ranks is None else msgspec.json.encode(game.ranks).decode()
                done = await tx.execute(
                    update(_g)
                    .where(_g.c.session == game.session, _g.c.state == "live")
                    .values(state=game.state, ranks=ranks, reason=game.reason or None)
                )
                if done.rowcount == 0:
                    raise Stale(f"session {game.session} is settled already")

    async def end(self, tournament: str, standings: Sequence[StandingRow], now_ms: int) -> None:
        """The last game is over. Idempotent; the first standings stand."""
        async with self._db.writing() as tx:
            await tx.execute(
                update(_t)
                .where(_t.c.id == tournament, _t.c.status == "running")
                .values(
                    status="ended",
                    ended_ms=now_ms,
                    standings=msgspec.json.encode(standings).decode(),
                )
            )

    async def played(self, sessions: Sequence[str]) -> dict[str, Played]:
        """How far these sessions have come; one that does not exist is missing."""
        found: dict[str, Played] = {}
        async with self._db.reading() as tx:
            for start in range(0, len(sessions), SESSIONS_A_QUERY):
                found |= await _played(tx, sessions[start : start + SESSIONS_A_QUERY])
        return found


def _counted(table: Table, tournaments: Sequence[str]) -> Select[Any]:
    of = table.c.tournament
    return select(of, func.count()).where(of.in_(tournaments)).group_by(of)


async def _played(tx: AsyncConnection, sessions: Sequence[str]) -> dict[str, Played]:
    s, v, o = schema.session, schema.verdict, schema.outbox
    dead = (o.c.session == s.c.id) & (o.c.step == "judge") & (o.c.state == State.DEAD.value)
    query = (
        select(s.c.id, s.c.status, s.c.outcome, s.c.sealed_ms, v.c.body, o.c.id)
        .join(v, v.c.session == s.c.id, isouter=True)
        .join(o, dead, isouter=True)
        .where(s.c.id.in_(sessions))
    )
    return {
        session: _came(status, outcome, sealed_ms, verdict, letter is not None)
        for session, status, outcome, sealed_ms, verdict, letter in await tx.execute(query)
    }


def _came(
    status: Any, outcome: str | None, sealed_ms: int | None, verdict: bytes | None, unjudged: bool
) -> Played:
    body = msgspec.json.decode(outcome) if outcome else {}
    ranks = None if verdict is None else msgspec.json.decode(verdict, type=VerdictView).ranks
    returns = body.get("returns")
    return Played(
        status,
        returns=None if returns is None else tuple(returns),
        ranks=None if ranks is None else tuple(ranks),
        reason=str(body.get("reason", "")),
        unjudged=unjudged,
        sealed_ms=sealed_ms or 0,
    )


def _row(row: Row[*tuple[Any, ...]]) -> TournamentRow:
    standings = row.standings
    return TournamentRow(
        tournament=row.id,
        owner=row.owner,
        status=row.status,
        created_ms=row.created_ms,
        ended_ms=row.ended_ms,
        setup=msgspec.json.decode(row.setup, type=Setup),
        seed=row.seed,
        seed_commit=row.seed_commit or commitment(row.id, row.seed),
        standings=None
        if standings is None
        else msgspec.json.decode(standings, type=tuple[StandingRow, ...]),
    )


def _game(row: Row[*tuple[Any, ...]]) -> Game:
    return Game(
        fixture=msgspec.json.decode(row.fixture, type=Fixture),
        attempt=row.attempt,
        session=row.session,
        state=row.state,
        ranks=None if row.ranks is None else msgspec.json.decode(row.ranks, type=tuple[int, ...]),
        reason=row.reason or "",
    )


def _entrant_rows(tournament: str, entrants: Sequence[Entrant]) -> list[dict[str, Any]]:
    return [
        {"tournament": tournament, "entrant": number, **msgspec.structs.asdict(each)}
        for number, each in enumerate(entrants)
    ]
