"""Points as they stand: lines that are only ever added, each once.

What a claim earns is `server.points`'s rule; here an account's claims wait for each other, so that
two sessions that end at once cannot both be its tenth of the day.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, bindparam, func, literal, select, tuple_, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from server import points
from server.clock import Clock
from server.days import day_began_ms
from server.points import Award, Standing
from server.points_claims import Claim
from server.store import merit, schema, seasons
from server.store.engine import Database

_p = merit.point
_t = merit.point_total
_award = (_p.c.id, _p.c.account, _p.c.agent, _p.c.code, _p.c.points, _p.c.words, _p.c.met)
# Statements of the settling path are made once: to make one costs as much as to run it. Two searches, each in
# an index of its own, in one round trip.
_standing = union_all(
    select(*_award, literal(value=True).label("by_id")).where(
        _p.c.id.in_(bindparam("ids", expanding=True))
    ),
    select(*_award, literal(value=False).label("by_id")).where(
        _p.c.account.in_(bindparam("accounts", expanding=True)),
        _p.c.season == bindparam("season"),
        _p.c.made_ms >= bindparam("day_began_ms"),
    ),
)
_add_lines = _p.insert()


@functools.cache
def _adding_up(is_sqlite: bool) -> Executable:
    insert = sqlite.insert(_t) if is_sqlite else postgresql.insert(_t)
    return insert.on_conflict_do_update(
        index_elements=["season", "account", "agent"],
        set_={"points": _t.c.points + insert.excluded.points},
    )


async def add(
    db: Database, tx: AsyncConnection, claims: Sequence[Claim], now_ms: int
) -> list[Award]:
    """Grant what the claims earn, in the season that runs; returns the lines that are new.

    Idempotent: what has been granted is not granted again. `tx` is of `db.writing()`. It locks the
    accounts until the transaction ends, so let it be the last that locks anything in it.
    """
    if not claims:
        return []
    season = await seasons.current(db, tx, now_ms)
    accounts = sorted({claim.account for claim in claims})
    await _lock(db, tx, accounts)
    standings = await _standings(tx, claims, season, now_ms)
    new: list[Award] = []
    for claim in claims:
        awards = points.granted(claim, standings[claim.account], season, now_ms)
        standings[claim.account] = standings[claim.account].after(awards)
        new += awards
    if new:
        await tx.execute(_add_lines, [_values(award, season, now_ms) for award in new])
        await _add_up(db, tx, new, season)
    return new


async def _add_up(db: Database, tx: AsyncConnection, awards: Sequence[Award], season: int) -> None:
    sums: Counter[tuple[str, str]] = Counter()
    for award in awards:
        sums[award.account, award.agent or ""] += award.points
    rows = [
        {"season": season, "account": account, "agent": agent, "points": number}
        for (account, agent), number in sums.items()
    ]
    await tx.execute(_adding_up(db.is_sqlite), rows)


async def _lock(db: Database, tx: AsyncConnection, accounts: Iterable[str]) -> None:
    """One after the other, in the same order everywhere, so that nobody waits in a circle."""
    if db.is_sqlite:  # there a writer is alone already
        return
    for account in accounts:
        key = func.hashtextextended(f"points:{account}", 0)
        await tx.execute(select(func.pg_advisory_xact_lock(key)))


async def _standings(
    tx: AsyncConnection, claims: Sequence[Claim], season: int, now_ms: int
) -> dict[str, Standing]:
    accounts = sorted({claim.account for claim in claims})
    asked = {
        "ids": [name for claim in claims for name in points.asked(claim, season, now_ms)],
        "accounts": accounts,
        "season": season,
        "day_began_ms": day_began_ms(now_ms),
    }
    today: dict[str, list[Award]] = {account: [] for account in accounts}
    known: dict[str, dict[str, Award]] = {account: {} for account in accounts}
    for *line, by_id in await tx.execute(_standing, asked):
        award = _read(line)
        if by_id:
            known[award.account][award.id] = award
        else:
            today[award.account].append(award)
    return {account: Standing(tuple(today[account]), known[account]) for account in accounts}


def _values(award: Award, season: int, now_ms: int) -> dict[str, Any]:
    return {
        "id": award.id,
        "season": season,
        "account": award.account,
        "agent": award.agent,
        "code": award.code,
        "points": award.points,
        "words": award.words,
        "met": ",".join(award.met),
        "made_ms": now_ms,
    }


def _read(line: Sequence[Any]) -> Award:
    name, account, agent, code, number, words, met = line
    return Award(name, account, agent, code, number, words, tuple(met.split(",")) if met else ())


class PointLine(msgspec.Struct, frozen=True):
    """One line of an account's points, as its owner sees it."""

    id: str
    """Says what it is for: `session:<session>:<agent>`, `view:<link>:…`, …"""
    season: int
    agent: str | None
    code: str
    """The formula's term."""
    points: int
    words: str
    """How it came to that many."""
    made_ms: int


class SeasonPoints(msgspec.Struct, frozen=True):
    """One season's points of an account or an agent."""

    season: int
    points: int
    by_code: dict[str, int]


class PointsRow(msgspec.Struct, frozen=True):
    place: int
    agent: str
    name: str
    points: int


_line = (_p.c.id, _p.c.season, _p.c.agent, _p.c.code, _p.c.points, _p.c.words, _p.c.made_ms)


class Points:
    """Every method is one transaction of one statement, unless it says more."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def season(self) -> int:
        """The one that runs; it may begin by this."""
        async with self._db.reading() as tx:
            rows = await seasons.every(tx)
        if rows:
            return rows[-1].number
        async with self._db.writing() as tx:
            return await seasons.current(self._db, tx, self._clock())

    async def seasons(self) -> list[seasons.SeasonRow]:
        """All of them, oldest first."""
        async with self._db.reading() as tx:
            return await seasons.every(tx)

    async def by_wallet(self, season: int) -> dict[str, int]:
        """What accounts with a wallet have earned in a season, by wallet."""
        a = schema.account
        query = (
            select(a.c.wallet, func.sum(_t.c.points))
            .join(a, a.c.id == _t.c.account)
            .where(_t.c.season == season, a.c.wallet.is_not(None))
            .group_by(a.c.wallet)
        )
        async with self._db.reading() as tx:
            return {wallet: int(points) for wallet, points in await tx.execute(query)}

    async def lines(
        self,
        account: str,
        *,
        season: int,
        agent: str | None = None,
        before: tuple[int, str] | None = None,
        limit: int = 100,
    ) -> list[PointLine]:
        """Newest first; `before` is (made_ms, id) of the last line of the page before."""
        query = _of(select(*_line), account, agent).where(_p.c.season == season)
        query = query.order_by(_p.c.made_ms.desc(), _p.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(tuple_(_p.c.made_ms, _p.c.id) < tuple_(*before))
        async with self._db.reading() as tx:
            return [PointLine(*row) for row in await tx.execute(query)]

    async def totals(self, account: str, agent: str | None = None) -> list[SeasonPoints]:
        """By season, newest first; added up from the lines."""
        query = _of(select(_p.c.season, _p.c.code, func.sum(_p.c.points)), account, agent)
        query = query.group_by(_p.c.season, _p.c.code)
        found: dict[int, dict[str, int]] = {}
        async with self._db.reading() as tx:
            for season, code, number in await tx.execute(query):
                found.setdefault(season, {})[code] = int(number)
        return [
            SeasonPoints(season, sum(codes.values()), dict(sorted(codes.items())))
            for season, codes in sorted(found.items(), reverse=True)
        ]

    async def of_agent(self, account: str, agent: str, season: int) -> int:
        """What an account's agent has earned in a season."""
        query = select(_t.c.points).where(
            _t.c.season == season, _t.c.account == account, _t.c.agent == agent
        )
        async with self._db.reading() as tx:
            return await tx.scalar(query) or 0

    async def board(self, season: int, limit: int) -> list[PointsRow]:
        """A season's agents, most points first."""
        a = schema.agent
        query = (
            select(_t.c.agent, a.c.name, _t.c.points)
            .join(a, a.c.id == _t.c.agent)
            .where(_t.c.season == season)
            .order_by(_t.c.points.desc(), _t.c.agent)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            rows = (await tx.execute(query)).all()
        return [PointsRow(place, *row) for place, row in enumerate(rows, 1)]


def _of(query: Select[Any], account: str, agent: str | None) -> Select[Any]:
    query = query.where(_p.c.account == account)
    return query if agent is None else query.where(_p.c.agent == agent)
