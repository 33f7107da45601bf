"""Deposits and withdrawals of the escrow, as the ledger and its crossings have them, and how each is taken back.

All within the transaction that follows the logs. The ledger forgets nothing: what a reorganisation takes back is posted the other
way. Crossings are named by their log, and by how often it was read; they say by which log they have ended.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from chain.client.node import Log
from server.ledger import Kind, Transfer, names, tiers
from server.ledger.transfer import resolution
from server.store import debts, escrow, holders, money
from server.store.engine import Database
from server.store.holders import Holder
from server.store.ledger_rows import TRANSFER_COLUMNS, read_transfer

CANCELLED = "cancelled by the wallet"
TAKEN_BACK = "the chain has taken it back, as happens when its newest blocks are replaced"

_c, _d = money.crossing, escrow.escrow_debt
_a, _t = money.ledger_account, money.ledger_transfer


def crossing_id(log: Log, reading: int = 0) -> str:
    """In the form of a ULID, without its time."""
    digest = hashlib.sha256(f"{log.block_hash}:{log.index}:{reading}".encode()).digest()
    return str(ULID(digest[:16]))


def reference(log: Log) -> str:
    """Transaction, and the number of the log in its block: one transaction may do several things."""
    return f"{log.tx}#{log.index}"


async def is_posted(tx: AsyncConnection, log: Log) -> bool:
    """Whether a deposit is in the ledger, and not taken back."""
    last, _ = await _readings(tx, log)
    return last is not None and last.state == "confirmed"


async def _readings(tx: AsyncConnection, log: Log) -> tuple[Row[*tuple[Any, ...]] | None, str]:
    """The crossing of the last time that the log was read, and the name of the next: a block that was replaced may come back,
    and be read again."""
    last: Row[*tuple[Any, ...]] | None = None
    for reading in itertools.count():
        id_ = crossing_id(log, reading)
        query = select(_c.c.id, _c.c.state).where(_c.c.id == id_)
        found: Row[*tuple[Any, ...]] | None = (await tx.execute(query)).one_or_none()
        if found is None:
            return last, id_
        last = found
    raise AssertionError("counting ends with a name that is free")


async def deposited_micros(tx: AsyncConnection) -> int:
    """All that has come from the chain since the beginning."""
    query = select(_a.c.debits_posted).where(_a.c.id == names.CHAIN)
    return int(await tx.scalar(query) or 0)


class Books:
    """What one batch of logs does. Holders are locked (`holders.of_wallets`)."""

    def __init__(self, db: Database, tx: AsyncConnection, now_ms: int) -> None:
        self._db = db
        self._tx = tx
        self._now_ms = now_ms

    async def deposited(self, holder: Holder, log: Log, micros: int) -> None:
        _, id_ = await _readings(self._tx, log)
        await self._insert(holder, id_, "deposit", micros, "confirmed", reference(log))
        await self._bring(holder.own, id_, "deposit", micros)
        await self._collect(holder)

    async def undo_deposited(self, holder: Holder, log: Log, micros: int) -> None:
        """It is a debt, paid at once as far as the owner's money goes."""
        id_ = await self._last(log)
        await self._end([id_], "failed", reference(log), TAKEN_BACK)
        await debts.add(self._db, self._tx, id_, holder.account, "undone", micros, self._now_ms)
        await self._collect(holder)

    async def requested(self, holder: Holder, log: Log, micros: int) -> None:
        _, id_ = await _readings(self._tx, log)
        await self._insert(holder, id_, "withdrawal", micros, "pending", None)
        await debts.add(self._db, self._tx, id_, holder.account, "withdrawal", micros, self._now_ms)
        await self._collect(holder)

    async def undo_requested(self, holder: Holder, log: Log) -> None:
        id_ = await self._last(log)
        await self._end([id_], "failed", reference(log), TAKEN_BACK)
        await self._let_go(holder, [id_])

    async def cancelled(self, holder: Holder, log: Log) -> None:
        ids = await self._pending(holder)
        await self._end(ids, "failed", reference(log), CANCELLED)
        await self._let_go(holder, ids)

    async def undo_cancelled(self, holder: Holder, log: Log) -> None:
        ids = await self._ended_by(holder, log, "failed")
        await self._end(ids, "pending", None, None)
        for some in holders.parts(ids):
            again = update(_d).where(_d.c.id.in_(some))
            await self._tx.execute(again.values(state="open", reserved_micros=0))
        await self._collect(holder)

    async def withdrawn(self, holder: Holder, log: Log) -> None:
        """All that was asked for is paid. What could not be reserved until now stays owed."""
        ids = await self._pending(holder)
        await self._end(ids, "confirmed", reference(log), None)
        await self._resolve(ids, Kind.POST)
        for some in holders.parts(ids):
            whole = (_d.c.id.in_(some)) & (_d.c.reserved_micros == _d.c.micros)
            await self._tx.execute(update(_d).where(whole).values(state="paid"))

    async def undo_withdrawn(self, holder: Holder, log: Log) -> None:
        """It is reserved again, of the purses that it was taken from."""
        ids = await self._ended_by(holder, log, "confirmed")
        await self._end(ids, "pending", None, None)
        for some in holders.parts(ids):
            await self._tx.execute(update(_d).where(_d.c.id.in_(some)).values(state="open"))
        for id_ in ids:
            for purse, micros in (await self._posted(id_)).items():
                await self._bring(purse, id_, "undone", micros)
                await self._reserve(purse, id_, micros)

    async def _last(self, log: Log) -> str:
        last, _ = await _readings(self._tx, log)
        assert last is not None, "what is taken back was followed"
        return str(last.id)

    async def _collect(self, holder: Holder) -> None:
        await debts.collect(self._db, self._tx, holder, self._now_ms)

    async def _insert(
        self,
        holder: Holder,
        id_: str,
        direction: str,
        micros: int,
        state: str,
        reference: str | None,
    ) -> None:
        await self._tx.execute(
            _c.insert().values(
                id=id_,
                account=holder.account,
                direction=direction,
                asset=tiers.USDC,
                micros=micros,
                state=state,
                wallet=holder.wallet,
                reference=reference,
                made_ms=self._now_ms,
                changed_ms=self._now_ms,
            )
        )

    async def _end(
        self, ids: list[str], state: str, reference: str | None, reason: str | None
    ) -> None:
        now = {"state": state, "reference": reference, "reason": reason}
        for some in holders.parts(ids):
            changed = update(_c).where(_c.c.id.in_(some))
            await self._tx.execute(changed.values(changed_ms=self._now_ms, **now))

    async def _pending(self, holder: Holder) -> list[str]:
        """Withdrawals that were asked for, and are neither paid nor cancelled."""
        return await self._crossings(holder, _c.c.state == "pending")

    async def _ended_by(self, holder: Holder, log: Log, state: str) -> list[str]:
        return await self._crossings(
            holder, (_c.c.state == state) & (_c.c.reference == reference(log))
        )

    async def _crossings(self, holder: Holder, which: ColumnElement[bool]) -> list[str]:
        query = select(_c.c.id).where(
            _c.c.account == holder.account, _c.c.direction == "withdrawal", which
        )
        return list(await self._tx.scalars(query.order_by(_c.c.made_ms, _c.c.id)))

    async def _let_go(self, holder: Holder, ids: list[str]) -> None:
        """Withdrawals that will not happen: what is reserved for them is free, for whatever else is owed first."""
        await self._resolve(ids, Kind.VOID)
        for some in holders.parts(ids):
            gone = update(_d).where(_d.c.id.in_(some))
            await self._tx.execute(gone.values(state="void", reserved_micros=0))
        await self._collect(holder)

    async def _resolve(self, ids: Sequence[str], how: Kind) -> None:
        """All that is reserved for these crossings."""
        resolved = _t.alias("resolved")
        for some in holders.parts(ids):
            query = select(*TRANSFER_COLUMNS).where(
                _t.c.about.in_(some),
                _t.c.kind == Kind.PENDING.value,
                ~select(resolved.c.seq).where(resolved.c.pending == _t.c.id).exists(),
            )
            rows = await self._tx.execute(query.order_by(_t.c.seq))
            reserved = [read_transfer(row) for row in rows]
            batch = [resolution(each, how, f"{how.value}:{each.id}") for each in reserved]
            await debts.submit(self._db, self._tx, batch, self._now_ms)

    async def _posted(self, about: str) -> dict[str, int]:
        """Micros by purse that have left for a crossing, less what has come back."""
        left: dict[str, int] = {}
        for here, there, sign in ((_t.c.debit, _t.c.credit, 1), (_t.c.credit, _t.c.debit, -1)):
            moved = _t.c.kind.in_((Kind.POSTED.value, Kind.POST.value))
            query = (
                select(here, func.sum(_t.c.micros))
                .where(_t.c.about == about, there == names.CHAIN, moved)
                .group_by(here)
                .order_by(here)
            )
            for purse, micros in await self._tx.execute(query):
                left[purse] = left.get(purse, 0) + sign * int(micros)
        return {purse: micros for purse, micros in left.items() if micros > 0}

    async def _bring(self, purse: str, about: str, code: str, micros: int) -> None:
        """From the chain into a purse."""
        await self._move(names.CHAIN, purse, about, code, micros, Kind.POSTED)

    async def _reserve(self, purse: str, about: str, micros: int) -> None:
        await self._move(purse, names.CHAIN, about, "withdrawal", micros, Kind.PENDING)

    async def _move(
        self, debit: str, credit: str, about: str, code: str, micros: int, kind: Kind
    ) -> None:
        number = await debts.transfers_of(self._tx, about)
        batch = [
            Transfer(
                id=f"{code}:{about}:{number + more}",
                debit=debit,
                credit=credit,
                asset=tiers.USDC,
                micros=part,
                code=code,
                about=about,
                kind=kind,
            )
            for more, part in enumerate(debts.parts(micros))
        ]
        await debts.submit(self._db, self._tx, batch, self._now_ms)
