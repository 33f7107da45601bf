"""Rows of the ledger's two tables, as the pure accounts and transfers that `server.ledger` decides about."""

from __future__ import annotations

from typing import Any

from server.ledger import Account, Bound, Kind, Transfer
from server.store import money

_a = money.ledger_account
_t = money.ledger_transfer

COUNTERS = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
ACCOUNT_COLUMNS = (_a.c.id, _a.c.asset, _a.c.bound, *(_a.c[name] for name in COUNTERS))
TRANSFER_COLUMNS = (
    _t.c.id,
    _t.c.debit,
    _t.c.credit,
    _t.c.asset,
    _t.c.micros,
    _t.c.code,
    _t.c.about,
    _t.c.kind,
    _t.c.pending,
)
MOVING = (Kind.POSTED, Kind.POST)
"""What changes posted balances."""
SIDES = (
    (_t.c.debit, _t.c.credit, _t.c.debit_balance_micros),
    (_t.c.credit, _t.c.debit, _t.c.credit_balance_micros),
)
"""Of a transfer: an account, the one at the other end, what the first was left with."""


def read_account(row: Any) -> Account:
    return Account(row.id, row.asset, Bound(row.bound), *(getattr(row, name) for name in COUNTERS))


def read_transfer(row: Any) -> Transfer:
    return Transfer(
        id=row.id,
        debit=row.debit,
        credit=row.credit,
        asset=row.asset,
        micros=row.micros,
        code=row.code,
        about=row.about,
        kind=Kind(row.kind),
        pending=row.pending,
    )
