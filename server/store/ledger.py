"""The ledger in SQL: loads what a batch touches under locks, lets `server.ledger` decide, writes what happened.

Accounts open by being used: their names say what they are. A batch is one transaction, its own or its
caller's; within a caller's transaction submit once, after any other row lock, so that no two transactions wait
for each other (accounts are locked in the order of their names).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.ledger import Account, Book, Result, Transfer, apply
from server.ledger.names import opening
from server.store import ledger_audit, money
from server.store.engine import Database
from server.store.ledger_rows import (
    ACCOUNT_COLUMNS,
    COUNTERS,
    MOVING,
    TRANSFER_COLUMNS,
    read_account,
    read_transfer,
)
from server.store.statement import Line, statement_of

MAX_BATCH = 1_024
"""Transfers in one batch."""

_a = money.ledger_account
_t = money.ledger_transfer
_write_counters = (
    update(_a)
    .where(_a.c.id == bindparam("of"))
    .values({name: bindparam(f"new_{name}") for name in COUNTERS})
)

_by_name = (
    select(*ACCOUNT_COLUMNS)
    .where(_a.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_a.c.id)
    .with_for_update()
)
_there = select(_a.c.id).where(_a.c.id.in_(bindparam("ids", expanding=True)))
_done_before = select(*TRANSFER_COLUMNS).where(_t.c.id.in_(bindparam("ids", expanding=True)))
_resolutions = select(*TRANSFER_COLUMNS).where(
    _t.c.pending.in_(bindparam("pending", expanding=True))
)


class TransferRefused(Exception):
    """The ledger does not let it happen, and nothing of the batch has."""

    def __init__(self, transfer: Transfer, result: Result) -> None:
        super().__init__(f"transfer {transfer.id!r} is refused: {result}")
        self.transfer = transfer
        self.result = result


class Ledger:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def submit(self, batch: Sequence[Transfer]) -> list[Result]:
        """Let happen what may; one result each. Idempotent by the transfers' ids."""
        async with self._db.writing() as tx:
            return await submit(self._db, tx, batch, self._clock())

    async def require(self, batch: Sequence[Transfer]) -> None:
        """All of it, or nothing. Idempotent. Raises TransferRefused."""
        async with self._db.writing() as tx:
            await require(self._db, tx, batch, self._clock())

    async def account(self, id_: str) -> Account:
        """An account as it stands; empty where nothing has happened yet. Raises ValueError."""
        async with self._db.reading() as tx:
            row = (await tx.execute(select(*ACCOUNT_COLUMNS).where(_a.c.id == id_))).one_or_none()
        return opening(id_) if row is None else read_account(row)

    async def accounts(self, ids: Iterable[str]) -> dict[str, Account]:
        """Several at once; those that nothing has happened to are left out."""
        async with self._db.reading() as tx:
            rows = await tx.execute(select(*ACCOUNT_COLUMNS).where(_a.c.id.in_(list(ids))))
        return {row.id: read_account(row) for row in rows}

    async def transfer(self, id_: str) -> Transfer | None:
        async with self._db.reading() as tx:
            row = (await tx.execute(select(*TRANSFER_COLUMNS).where(_t.c.id == id_))).one_or_none()
        return None if row is None else read_transfer(row)

    async def statement(
        self, account: str, *, before: int | None = None, limit: int = 100
    ) -> list[Line]:
        """Newest first; `before` is the last line's `seq` of the page before."""
        async with self._db.reading() as tx:
            return await statement_of(tx, account, before=before, limit=limit)

    async def audit(self) -> list[str]:
        """What is wrong with the ledger, one sentence each; empty when it is sound.

        Reads all of it in one transaction: for operators and tests, not for the hot path.
        """
        return await ledger_audit.problems(self._db)


async def submit(
    db: Database, tx: AsyncConnection, batch: Sequence[Transfer], now_ms: int
) -> list[Result]:
    """`Ledger.submit` within the caller's transaction. Raises ValueError for a name that is none."""
    if len(batch) > MAX_BATCH:
        raise ValueError(f"a batch has at most {MAX_BATCH} transfers, got {len(batch)}")
    if not batch:
        return []
    accounts = await _lock(
        db, tx, {id_ for each in batch for id_ in (each.debit, each.credit)}, now_ms
    )
    book = await _book(tx, accounts, batch)
    results = apply(book, batch)
    if book.added:
        await tx.execute(_t.insert(), _rows(accounts, book.added, now_ms))
        await tx.execute(
            _write_counters, [_new(book.accounts[id_]) for id_ in sorted(book.touched)]
        )
    return results


async def require(
    db: Database, tx: AsyncConnection, batch: Sequence[Transfer], now_ms: int
) -> None:
    """All of the batch or, by the exception, nothing of the caller's transaction. Raises TransferRefused."""
    results = await submit(db, tx, batch, now_ms)
    for transfer, result in zip(batch, results, strict=True):
        if not result.done and result is not Result.LINKED_FAILED:
            raise TransferRefused(transfer, result)


async def _lock(
    db: Database, tx: AsyncConnection, ids: Iterable[str], now_ms: int
) -> list[Account]:
    """The accounts of these names, opened where they are new, locked in the order of their names."""
    wanted = sorted(ids)
    # On PostgreSQL new ones are opened before any is locked: a name that somebody else has opened meanwhile would be locked
    # after names that follow it, and two that do so wait for each other. SQLite has one writer, and no locks.
    found = list(await tx.execute(_by_name if db.is_sqlite else _there, {"ids": wanted}))
    if missing := set(wanted) - {row.id for row in found}:
        new = [
            msgspec.to_builtins(opening(id_)) | {"created_ms": now_ms} for id_ in sorted(missing)
        ]
        await tx.execute(db.insert(_a).on_conflict_do_nothing(), new)
    elif db.is_sqlite:
        return [read_account(row) for row in found]
    return [read_account(row) for row in await tx.execute(_by_name, {"ids": wanted})]


async def _book(
    tx: AsyncConnection, accounts: Sequence[Account], batch: Sequence[Transfer]
) -> Book:
    # After the accounts are locked: whoever did the same transfer before us has committed by now.
    ids = [each.id for each in batch]
    pending = [each.pending for each in batch if each.pending is not None]
    rows = list(await tx.execute(_done_before, {"ids": ids + pending}))
    if pending:  # not joined by OR: each of the two is a plain search in one index
        rows += await tx.execute(_resolutions, {"pending": pending})
    known = [read_transfer(row) for row in rows]
    return Book(accounts, known, [each.pending for each in known if each.pending is not None])


def _rows(
    accounts: Iterable[Account], added: Iterable[Transfer], now_ms: int
) -> list[dict[str, object]]:
    """What has happened, in its order, to accounts as they were before."""
    balances = {account.id: account.balance_micros for account in accounts}
    rows = []
    for each in added:
        if each.kind in MOVING:
            balances[each.debit] -= each.micros
            balances[each.credit] += each.micros
        rows.append(_row(each, balances, now_ms))
    return rows


def _row(transfer: Transfer, balances: Mapping[str, int], now_ms: int) -> dict[str, object]:
    return {
        "id": transfer.id,
        "kind": transfer.kind.value,
        "debit": transfer.debit,
        "credit": transfer.credit,
        "asset": transfer.asset,
        "micros": transfer.micros,
        "pending": transfer.pending,
        "code": transfer.code,
        "about": transfer.about,
        "made_ms": now_ms,
        "debit_balance_micros": balances[transfer.debit],
        "credit_balance_micros": balances[transfer.credit],
    }


def _new(account: Account) -> dict[str, object]:
    return {"of": account.id} | {f"new_{name}": getattr(account, name) for name in COUNTERS}
