"""The ledger in SQL: loads what a batch touches under locks, lets `server.ledger` decide, writes what happened.

Accounts open by being used: their names say what they are. A batch is one transaction, its own or its
caller's; within a caller's transaction submit once, after any other row lock, so that no two transactions wait
for each other (accounts are locked in the order of their names).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Select, bindparam, case, func, literal, select, text, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.ledger import Account, Book, Bound, Kind, Result, Transfer, apply
from server.ledger.names import opening
from server.store import money
from server.store.engine import Database

MAX_BATCH = 1_024
"""Transfers in one batch."""
MAX_PAGE = 500

_a = money.ledger_account
_t = money.ledger_transfer
_account_columns = (
    _a.c.id,
    _a.c.asset,
    _a.c.bound,
    _a.c.debits_pending,
    _a.c.debits_posted,
    _a.c.credits_pending,
    _a.c.credits_posted,
)
_transfer_columns = (
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
_MOVING = (Kind.POSTED, Kind.POST)
"""What changes posted balances."""
_SIDES = (
    (_t.c.debit, _t.c.credit, _t.c.debit_balance_micros),
    (_t.c.credit, _t.c.debit, _t.c.credit_balance_micros),
)
"""Of a transfer: an account, the one at the other end, what the first was left with."""
_counters = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
_write_counters = (
    update(_a)
    .where(_a.c.id == bindparam("of"))
    .values({name: bindparam(f"new_{name}") for name in _counters})
)

_by_name = (
    select(*_account_columns)
    .where(_a.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_a.c.id)
    .with_for_update()
)
_there = select(_a.c.id).where(_a.c.id.in_(bindparam("ids", expanding=True)))
_done_before = select(*_transfer_columns).where(_t.c.id.in_(bindparam("ids", expanding=True)))
_resolutions = select(*_transfer_columns).where(
    _t.c.pending.in_(bindparam("pending", expanding=True))
)


class TransferRefused(Exception):
    """The ledger does not let it happen, and nothing of the batch has."""

    def __init__(self, transfer: Transfer, result: Result) -> None:
        super().__init__(f"transfer {transfer.id!r} is refused: {result}")
        self.transfer = transfer
        self.result = result


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
            row = (await tx.execute(select(*_account_columns).where(_a.c.id == id_))).one_or_none()
        return opening(id_) if row is None else _account(row)

    async def accounts(self, ids: Iterable[str]) -> dict[str, Account]:
        """Several at once; those that nothing has happened to are left out."""
        async with self._db.reading() as tx:
            rows = await tx.execute(select(*_account_columns).where(_a.c.id.in_(list(ids))))
        return {row.id: _account(row) for row in rows}

    async def transfer(self, id_: str) -> Transfer | None:
        async with self._db.reading() as tx:
            row = (await tx.execute(select(*_transfer_columns).where(_t.c.id == id_))).one_or_none()
        return None if row is None else _transfer(row)

    async def statement(
        self, account: str, *, before: int | None = None, limit: int = 100
    ) -> list[Line]:
        """Newest first; `before` is the last line's `seq` of the page before."""
        most = min(limit, MAX_PAGE)
        # One search in an index for each side, of a page each; no transfer has an account on both.
        sides = []
        for side, other, balance in _SIDES:
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
        async with self._db.reading() as tx:
            return [_line(row) for row in await tx.execute(query)]

    async def audit(self) -> list[str]:
        """What is wrong with the ledger, one sentence each; empty when it is sound.

        Reads all of it in one transaction: for operators and tests, not for the hot path.
        """
        async with self._db.reading() as tx:
            if not self._db.is_sqlite:
                await tx.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return [problem for check in _CHECKS for problem in await check(tx)]


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
        return [_account(row) for row in found]
    return [_account(row) for row in await tx.execute(_by_name, {"ids": wanted})]


async def _book(
    tx: AsyncConnection, accounts: Sequence[Account], batch: Sequence[Transfer]
) -> Book:
    # After the accounts are locked: whoever did the same transfer before us has committed by now.
    ids = [each.id for each in batch]
    pending = [each.pending for each in batch if each.pending is not None]
    rows = list(await tx.execute(_done_before, {"ids": ids + pending}))
    if pending:  # not joined by OR: each of the two is a plain search in one index
        rows += await tx.execute(_resolutions, {"pending": pending})
    known = [_transfer(row) for row in rows]
    return Book(accounts, known, [each.pending for each in known if each.pending is not None])


def _account(row: Any) -> Account:
    return Account(row.id, row.asset, Bound(row.bound), *(getattr(row, name) for name in _counters))


def _transfer(row: Any) -> Transfer:
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


def _rows(
    accounts: Iterable[Account], added: Iterable[Transfer], now_ms: int
) -> list[dict[str, object]]:
    """What has happened, in its order, to accounts as they were before."""
    balances = {account.id: account.balance_micros for account in accounts}
    rows = []
    for each in added:
        if each.kind in _MOVING:
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
    return {"of": account.id} | {f"new_{name}": getattr(account, name) for name in _counters}


def _line(row: Any) -> Line:
    kind = Kind(row.kind)
    moved = row.micros if kind in _MOVING else 0
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


async def _unbalanced(tx: AsyncConnection) -> list[str]:
    """Every debit has its credit."""
    sums = [func.coalesce(func.sum(_a.c[name]), 0).label(name) for name in _counters]
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
    rows = await tx.execute(select(*_account_columns))
    return [
        f"{row.id}: breaks its bound `{row.bound}`" for row in rows if not _account(row).sound()
    ]


def _sum_by(side: Any) -> Select[Any]:
    """Micros by account on one side of the transfers, posted and still pending."""
    resolved = _t.alias("resolved")
    is_open = (_t.c.kind == Kind.PENDING.value) & (
        ~select(resolved.c.seq).where(resolved.c.pending == _t.c.id).exists()
    )
    posted = _t.c.kind.in_((Kind.POSTED.value, Kind.POST.value))
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
    for row in await tx.execute(select(*_account_columns)):
        expected = tuple(
            int(getattr(side[row.id], name)) if row.id in side else 0
            for side in (debits, credits)
            for name in ("pending", "posted")
        )
        counted = tuple(getattr(row, name) for name in _counters)
        if counted != expected:
            found.append(f"{row.id}: counters {counted} are not its transfers' {expected}")
    return found


async def _misremembered(tx: AsyncConnection) -> list[str]:
    """What the last transfer left each account with is what it has."""
    left: dict[str, tuple[int, int]] = {}
    for side, _, balance in _SIDES:
        last = select(func.max(_t.c.seq)).group_by(side)
        rows = await tx.execute(select(side, _t.c.seq, balance).where(_t.c.seq.in_(last)))
        for id_, seq, micros in rows:
            left[id_] = max(left.get(id_, (0, 0)), (seq, micros))
    return [
        f"{row.id}: its last line says {left.get(row.id, (0, 0))[1]}, its counters {has}"
        for row in await tx.execute(select(*_account_columns))
        if left.get(row.id, (0, 0))[1] != (has := _account(row).balance_micros)
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
