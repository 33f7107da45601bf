"""The statement of a ledger account: its lines, newest first, each with the balance that it left.

Each transfer keeps what it left its two accounts with, so a page costs its lines, however long the account is.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import literal, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from server.ledger import Kind
from server.store import money
from server.store.ledger_rows import MOVING, SIDES

MAX_PAGE = 500

_t = money.ledger_transfer


class Line(msgspec.Struct, frozen=True):
    """One line of an account's statement."""

    seq: int
    """Rises from line to line; the place to go on from."""
    transfer: str
    kind: Kind
    code: str
    about: str | None
    other: str
    """The account at the other end."""
    micros: int
    """What it did to the balance: positive when credited. A pending or voided transfer moves nothing yet."""
    amount_micros: int
    """The transfer's amount."""
    balance_micros: int
    """Posted credits less posted debits, after this line."""
    made_ms: int


async def statement_of(
    tx: AsyncConnection, account: str, *, before: int | None, limit: int
) -> list[Line]:
    """Newest first; `before` is the last line's `seq` of the page before."""
    most = min(limit, MAX_PAGE)
    # One search in an index for each side, of a page each; no transfer has an account on both.
    sides = []
    for side, other, balance in SIDES:
        lines = select(
            _t.c.seq,
            _t.c.id,
            _t.c.kind,
            _t.c.code,
            _t.c.about,
            _t.c.micros,
            _t.c.made_ms,
            other.label("other"),
            balance.label("balance"),
            literal(side is _t.c.credit).label("credited"),
        ).where(side == account)
        if before is not None:
            lines = lines.where(_t.c.seq < before)
        sides.append(select(lines.order_by(_t.c.seq.desc()).limit(most).subquery()))
    query = union_all(*sides).order_by(text("seq DESC")).limit(most)
    return [_line(row) for row in await tx.execute(query)]


def _line(row: Any) -> Line:
    kind = Kind(row.kind)
    moved = row.micros if kind in MOVING else 0
    return Line(
        seq=row.seq,
        transfer=row.id,
        kind=kind,
        code=row.code,
        about=row.about,
        other=row.other,
        micros=moved if row.credited else -moved,
        amount_micros=row.micros,
        balance_micros=row.balance,
        made_ms=row.made_ms,
    )
