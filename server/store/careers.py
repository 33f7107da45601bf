"""Careers: an agent's sessions added up by the hour, as they are settled.

A dashboard, a card with a level on it, a plot over a year: all read a few rows, however many sessions
there were. The sums are kept in the transaction that settles, so they are the facts' own sums (a test
adds these up again).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Executable, Select, case, distinct, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from server.career import Bucket, Part, Tally, of_seat
from server.ledger.tiers import USDC
from server.series import WIDTH_HOURS, Bucketing, Cut
from server.store import merit
from server.store.engine import Database

HOUR_MS = 3_600_000

_c = merit.career
_KEY = ("agent", "space", "version", "asset", "hour")
_SUMS = Tally.__struct_fields__
_MONEY = ("paid_micros", "won_micros")


class EndedSeat(msgspec.Struct, frozen=True):
    """A seat of a session that is being settled, in seat order. Money in micros of the session's asset."""

    agent: str
    version: str
    score_milli: int | None
    paid_micros: int
    won_micros: int


class Ended(msgspec.Struct, frozen=True):
    """A session that is being settled."""

    session: str
    space: str
    asset: str
    ranks: Sequence[int] | None
    """By seat; None when it is void."""
    seats: Sequence[EndedSeat]


async def add(db: Database, tx: AsyncConnection, ended: Sequence[Ended], now_ms: int) -> None:
    """Count sessions for their seats.

    Not idempotent: call it in the transaction that settles the sessions, once it is sure to be the one.
    """
    if not ended:
        return
    hour = now_ms // HOUR_MS
    sums: dict[tuple[Any, ...], Tally] = {}
    last: dict[tuple[Any, ...], str] = {}
    for each in ended:
        for number, seat in enumerate(each.seats):
            key = (seat.agent, each.space, seat.version, each.asset, hour)
            paid, won = seat.paid_micros, seat.won_micros
            one = of_seat(each.ranks, number, seat.score_milli, paid, won)
            sums[key] = sums.get(key, Tally()) + one
            last[key] = each.session
    rows = [
        dict(zip(_KEY, key, strict=True)) | msgspec.structs.asdict(sums[key]) | {"last": last[key]}
        for key in sorted(sums)  # one order everywhere, so that nobody waits in a circle
    ]
    await tx.execute(_adding_up(db.is_sqlite), rows)


@functools.cache
def _adding_up(is_sqlite: bool) -> Executable:
    """Made once: to make the statement costs as much as to run it."""
    insert = sqlite.insert(_c) if is_sqlite else postgresql.insert(_c)
    added = {name: _c.c[name] + insert.excluded[name] for name in _SUMS}
    return insert.on_conflict_do_update(
        index_elements=list(_KEY), set_=added | {"last": insert.excluded.last}
    )


class Careers:
    """Every method is one transaction of one statement."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def parts(self, agent: str) -> list[Part]:
        """All that an agent has done, by Space, version and asset."""
        sums = [func.sum(_c.c[name]) for name in _SUMS]
        query = (
            select(_c.c.space, _c.c.version, _c.c.asset, *sums)
            .where(_c.c.agent == agent)
            .group_by(_c.c.space, _c.c.version, _c.c.asset)
            .order_by(_c.c.space, _c.c.version, _c.c.asset)
        )
        async with self._db.reading() as tx:
            return [
                Part(space, version, asset, _tally(sums))
                for space, version, asset, *sums in await tx.execute(query)
            ]

    async def extent(
        self, agent: str, *, space: str | None = None, version: str | None = None
    ) -> tuple[dict[Bucketing, int], bool]:
        """How many spans of each width have a settled session, and whether any USDC was paid."""
        counts: list[Any] = [
            func.count(distinct(_c.c.hour // width)).label(name)
            for name, width in WIDTH_HOURS.items()
        ]
        counts.append(func.sum(case((_c.c.asset == USDC, _c.c.paid_micros), else_=0)))
        async with self._db.reading() as tx:
            row = (await tx.execute(_of(select(*counts), agent, space, version))).one()
        found: list[int] = list(row)[:-1]
        return dict(zip(WIDTH_HOURS, found, strict=True)), bool(row[-1])

    async def spans(
        self,
        agent: str,
        cut: Cut,
        asset: str,
        *,
        space: str | None = None,
        version: str | None = None,
    ) -> list[Bucket]:
        """The spans in which something was settled, oldest first: all that was played, and the money of
        one asset."""
        began = _c.c.hour // cut.width_hours
        number = func.dense_rank().over(order_by=began)
        rows = _of(select(_c, began.label("began"), number.label("number")), agent, space, version)
        hours = rows.subquery("hours")
        of_asset = {name: case((hours.c.asset == asset, hours.c[name]), else_=0) for name in _MONEY}
        sums = [func.sum(of_asset.get(name, hours.c[name])) for name in _SUMS]
        query = (
            select(func.min(hours.c.began), func.max(hours.c.last), *sums)
            .group_by((hours.c.number - 1) // cut.each)
            .order_by(func.min(hours.c.began))
        )
        async with self._db.reading() as tx:
            return [
                Bucket(began * cut.width_hours * HOUR_MS, _tally(sums), last)
                for began, last, *sums in await tx.execute(query)
            ]


def _of(query: Select[Any], agent: str, space: str | None, version: str | None) -> Select[Any]:
    query = query.where(_c.c.agent == agent)
    if space is not None:
        query = query.where(_c.c.space == space)
    return query if version is None else query.where(_c.c.version == version)


def _tally(sums: Sequence[Any]) -> Tally:
    return Tally(*(int(each) for each in sums))  # PostgreSQL sums to a Decimal
