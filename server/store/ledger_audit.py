"""The audit of the ledger: whether what must always be true of it is.

Not of the hot path: it reads all of both tables.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.ledger import Kind
from server.store import money
from server.store.engine import Database
from server.store.ledger_rows import ACCOUNT_COLUMNS, COUNTERS, MOVING, SIDES, read_account

_a = money.ledger_account
_t = money.ledger_transfer


async def problems(db: Database) -> list[str]:
    """What is wrong with the ledger, one sentence each; empty when it is sound. One transaction."""
    async with db.reading() as tx:
        if not db.is_sqlite:
            await tx.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return [problem for check in _CHECKS for problem in await check(tx)]


async def _unbalanced(tx: AsyncConnection) -> list[str]:
    """Every debit has its credit."""
    sums = [func.coalesce(func.sum(_a.c[name]), 0).label(name) for name in COUNTERS]
    found = []
    for row in await tx.execute(select(_a.c.asset, *sums).group_by(_a.c.asset)):
        if row.debits_posted != row.credits_posted:
            found.append(
                f"{row.asset}: posted debits {row.debits_posted} are not credits {row.credits_posted}"
            )
        if row.debits_pending != row.credits_pending:
            found.append(
                f"{row.asset}: pending debits {row.debits_pending} are not credits {row.credits_pending}"
            )
    return found


async def _unsound(tx: AsyncConnection) -> list[str]:
    rows = await tx.execute(select(*ACCOUNT_COLUMNS))
    return [
        f"{row.id}: breaks its bound `{row.bound}`" for row in rows if not read_account(row).sound()
    ]


def _sum_by(side: Any) -> Select[Any]:
    """Micros by account on one side of the transfers, posted and still pending."""
    resolved = _t.alias("resolved")
    is_open = (_t.c.kind == Kind.PENDING.value) & (
        ~select(resolved.c.seq).where(resolved.c.pending == _t.c.id).exists()
    )
    posted = _t.c.kind.in_([each.value for each in MOVING])
    return select(
        side.label("id"),
        func.sum(case((posted, _t.c.micros), else_=0)).label("posted"),
        func.sum(case((is_open, _t.c.micros), else_=0)).label("pending"),
    ).group_by(side)


async def _miscounted(tx: AsyncConnection) -> list[str]:
    """Every counter is the sum over its transfers."""
    debits = {row.id: row for row in await tx.execute(_sum_by(_t.c.debit))}
    credits = {row.id: row for row in await tx.execute(_sum_by(_t.c.credit))}
    found = []
    for row in await tx.execute(select(*ACCOUNT_COLUMNS)):
        expected = tuple(
            int(getattr(side[row.id], name)) if row.id in side else 0
            for side in (debits, credits)
            for name in ("pending", "posted")
        )
        counted = tuple(getattr(row, name) for name in COUNTERS)
        if counted != expected:
            found.append(f"{row.id}: counters {counted} are not its transfers' {expected}")
    return found


async def _misremembered(tx: AsyncConnection) -> list[str]:
    """What the last transfer left each account with is what it has."""
    left: dict[str, tuple[int, int]] = {}
    for side, _, balance in SIDES:
        last = select(func.max(_t.c.seq)).group_by(side)
        rows = await tx.execute(select(side, _t.c.seq, balance).where(_t.c.seq.in_(last)))
        for id_, seq, micros in rows:
            left[id_] = max(left.get(id_, (0, 0)), (seq, micros))
    return [
        f"{row.id}: its last line says {left.get(row.id, (0, 0))[1]}, its counters {has}"
        for row in await tx.execute(select(*ACCOUNT_COLUMNS))
        if left.get(row.id, (0, 0))[1] != (has := read_account(row).balance_micros)
    ]


async def _full_pots(tx: AsyncConnection) -> list[str]:
    """The pot of a settled session is empty."""
    pots = select(_a.c.id).where(
        _a.c.id.in_(
            select(money.result.c.asset + ":pot:" + money.result.c.session),
        ),
        _a.c.credits_posted != _a.c.debits_posted,
    )
    return [
        f"{id_}: the session is settled and its pot is not empty" for id_ in await tx.scalars(pots)
    ]


async def _unheld(tx: AsyncConnection) -> list[str]:
    """What is pending for the queues is what is held."""
    h = money.hold
    held = {
        f"{row.asset}:queue:{row.space}": int(row.micros)
        for row in await tx.execute(
            select(h.c.asset, h.c.space, func.sum(h.c.micros).label("micros"))
            .where(h.c.state == "held")
            .group_by(h.c.asset, h.c.space)
        )
    }
    queues = await tx.execute(
        select(_a.c.id, _a.c.credits_pending).where(_a.c.id.like("%:queue:%"))
    )
    pending = {row.id: row.credits_pending for row in queues}
    return [
        f"{id_}: {pending.get(id_, 0)} pending, {held.get(id_, 0)} held"
        for id_ in sorted(pending.keys() | held.keys())
        if pending.get(id_, 0) != held.get(id_, 0)
    ]


_CHECKS = (_unbalanced, _unsound, _miscounted, _misremembered, _full_pots, _unheld)
