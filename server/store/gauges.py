"""Numbers that say whether promises hold, for the metrics. Reading only.

Those of the first kind are looked up in indexes; those of `Sums` read whole tables, so they are taken
seldom (`server.gauging`).
"""

from __future__ import annotations

import msgspec
from sqlalchemy import exists, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.store import money, schema
from server.store.engine import Database

_a = money.ledger_account
_h = money.hold
_r = money.result


class Imbalance(msgspec.Struct, frozen=True):
    """Debits less credits over all accounts of an asset: 0, or money was made or lost."""

    asset: str
    posted_micros: int
    pending_micros: int


class Gauges:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def oldest_holds(self) -> dict[str, int | None]:
        """When the oldest entry that is `held` for a ticket, and that is `spent` on a session not yet
        settled, was made (unix ms)."""
        query = (
            select(_h.c.state, func.min(_h.c.made_ms))
            .where(_h.c.state.in_(("held", "spent")))
            .group_by(_h.c.state)
        )
        async with self._db.reading() as tx:
            found: dict[str, int] = dict((await tx.execute(query)).all())
        return {state: found.get(state) for state in ("held", "spent")}

    async def unopened(self, before_ms: int) -> int:
        """Sessions formed before then (unix ms) whose live log was never opened."""
        s = schema.session
        query = select(func.count()).where(s.c.status == "formed", s.c.opened_ms < before_ms)
        async with self._db.reading() as tx:
            return int(await tx.scalar(query) or 0)

    async def imbalances(self) -> list[Imbalance]:
        """Reads every account."""
        query = select(
            _a.c.asset,
            func.sum(_a.c.debits_posted - _a.c.credits_posted),
            func.sum(_a.c.debits_pending - _a.c.credits_pending),
        ).group_by(_a.c.asset)
        async with self._db.reading() as tx:
            return [Imbalance(asset, int(a), int(b)) for asset, a, b in await tx.execute(query)]

    async def pots_left(self, since_ms: int) -> int:
        """Sessions settled since then (unix ms) whose pot is not empty. Reads a pot for each."""
        pot = exists().where(
            _a.c.id == _r.c.asset + ":pot:" + _r.c.session,
            _a.c.credits_posted != _a.c.debits_posted,
        )
        query = select(func.count()).select_from(_r).where(_r.c.settled_ms >= since_ms, pot)
        async with self._db.reading() as tx:
            return int(await tx.scalar(query) or 0)

    async def replicas(self) -> dict[str, float]:
        """How many seconds each replica of PostgreSQL is behind; empty without any, where the role may
        not know (`pg_monitor`), and on SQLite."""
        if self._db.is_sqlite:
            return {}
        try:
            async with self._db.reading() as tx:
                return await _lags(tx)
        except SQLAlchemyError:  # a managed server may not have the view
            return {}


async def _lags(tx: AsyncConnection) -> dict[str, float]:
    rows = await tx.execute(
        text(
            "SELECT application_name, extract(epoch FROM replay_lag) FROM pg_stat_replication "
            "WHERE state IS NOT NULL"
        )
    )
    return {str(name): float(lag or 0) for name, lag in rows}
