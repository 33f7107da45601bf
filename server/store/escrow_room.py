"""What the escrow has of owners and what their agents are about to take of it, for the rule in `server.escrow_room`.

Read within the transaction that holds the entries. Entries of one owner's agents have no row in common but the owner's account,
so that is locked: two that are held at once would both find room for the last one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from server.days import day_began_ms
from server.escrow_room import Limits, Purse
from server.ledger import tiers
from server.store import escrow, money, schema
from server.store.engine import Database

_ID_SLACK_MS = 3_600_000
"""The name of a session is given before the session is made; by so much at most, or it counts for another day."""
_TAKEN = ("open", "settled", "refunded")
"""The escrow gives a refund back to the balance and not to the day."""

_account, _agent, _h, _e = schema.account, schema.agent, money.hold, schema.entry
_o, _l, _s = escrow.escrow_owner, escrow.escrow_limits, escrow.escrow_session
_these: Any = bindparam("owners", expanding=True)

_lock = (
    select(_account.c.id)
    .where(_account.c.id.in_(_these))
    .order_by(_account.c.id)
    .with_for_update(key_share=True)
)


def _unopened() -> ColumnElement[int]:
    """Entries in queues, and those of sessions that the escrow is to open."""
    wanted = and_(_h.c.state == "spent", _s.c.state == "wanted")
    rows = _h.join(_agent, _agent.c.id == _h.c.agent).outerjoin(_s, _s.c.session == _h.c.session)
    return (
        select(func.coalesce(func.sum(_h.c.micros), 0))
        .select_from(rows)
        .where(
            _agent.c.owner == _account.c.id,
            _h.c.asset == tiers.USDC,
            _h.c.state.in_(("held", "spent")),
            or_(_h.c.state == "held", wanted),
        )
        .correlate(_account)
        .scalar_subquery()
    )


def _today() -> ColumnElement[int]:
    """Entries that the escrow has taken; a wallet that has two seats has paid for both."""
    rows = _e.join(_agent, _agent.c.id == _e.c.agent).join(_s, _s.c.session == _e.c.session)
    return (
        select(func.coalesce(func.sum(_s.c.entry_micros), 0))
        .select_from(rows)
        .where(
            _agent.c.owner == _account.c.id,
            _e.c.session >= bindparam("first_id"),
            _s.c.made_ms >= bindparam("since_ms"),
            _s.c.state.in_(_TAKEN),
        )
        .correlate(_account)
        .scalar_subquery()
    )


def _purses() -> Select[Any]:
    newer, later = escrow.escrow_limits.alias(), escrow.escrow_limits.alias()
    newest = select(func.max(newer.c.number)).where(newer.c.wallet == _account.c.wallet)
    last = select(func.max(later.c.log_index)).where(
        later.c.wallet == _account.c.wallet, later.c.number == _l.c.number
    )
    on_limits = and_(
        _l.c.wallet == _account.c.wallet,
        _l.c.number == newest.correlate(_account).scalar_subquery(),
        _l.c.log_index == last.correlate(_account, _l).scalar_subquery(),
    )
    rows = _account.outerjoin(_o, _o.c.wallet == _account.c.wallet).outerjoin(_l, on_limits)
    return (
        select(
            _account.c.id,
            _account.c.wallet,
            _o.c.balance_micros,
            _l.c.max_entry_micros,
            _l.c.daily_cap_micros,
            _l.c.expires_s,
            _unopened().label("unopened_micros"),
            _today().label("today_micros"),
        )
        .select_from(rows)
        .where(_account.c.id.in_(_these))
    )


_find = _purses()  # of the hot path, so made once


async def purses(
    db: Database, tx: AsyncConnection, owners: Collection[str], now_ms: int
) -> dict[str, Purse | None]:
    """By account; None for one without a wallet. Nobody else holds an entry of theirs before `tx` ends."""
    if not db.is_sqlite:
        # Apart from what is read next: a row that was waited for is seen as it is now, but what is summed up beside it as it
        # was when the statement began.
        await tx.execute(_lock, {"owners": sorted(owners)})
    return await look(tx, owners, now_ms)


async def look(
    tx: AsyncConnection, owners: Collection[str], now_ms: int
) -> dict[str, Purse | None]:
    """The same for who only shows it: others may hold entries meanwhile."""
    since_ms = day_began_ms(now_ms)
    first_id = str(ULID.from_timestamp(max(0, since_ms - _ID_SLACK_MS) / 1_000))
    which = {"owners": sorted(owners), "since_ms": since_ms, "first_id": first_id[:10]}
    found: Sequence[Row[Any]] = (await tx.execute(_find, which)).all()
    return {row.id: None if row.wallet is None else _purse(row) for row in found}


def _purse(row: Row[Any]) -> Purse:
    return Purse(
        wallet=row.wallet,
        deposited=row.balance_micros is not None,
        balance_micros=row.balance_micros or 0,
        limits=None
        if row.max_entry_micros is None
        else Limits(row.max_entry_micros, row.daily_cap_micros, row.expires_s),
        unopened_micros=int(row.unopened_micros),
        today_micros=int(row.today_micros),
    )
