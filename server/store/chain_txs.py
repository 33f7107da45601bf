"""The rows of our keys' nonces (`chain.client.txs.TxStore`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import and_, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chain.client.fees import Fees
from chain.client.nonces import OPEN, Attempt, Call, Mined, State, Tx
from server.store.chain import chain_attempt as _a
from server.store.chain import chain_key as _k
from server.store.chain import chain_tx as _t
from server.store.engine import Database

_OPEN = [state.value for state in OPEN]


class ChainTxs:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def reserve(
        self, chain_id: int, sender: str, action: str, call: Call, used: int, now_ms: int
    ) -> Tx:
        """The row of the action; made, if there is none, with the sender's next nonce, which is at least `used`."""
        async with self._db.writing() as tx:
            key = {"chain_id": chain_id, "sender": sender}
            insert = self._db.insert(_k).values(**key, next_nonce=used)
            await tx.execute(insert.on_conflict_do_nothing())
            own = and_(_k.c.chain_id == chain_id, _k.c.sender == sender)
            following = await tx.scalar(select(_k.c.next_nonce).where(own).with_for_update())
            assert following is not None, "it was inserted or was there"
            nonce = max(used, following)
            row = _row(chain_id, sender, nonce, action, call, now_ms)
            added = await tx.execute(
                self._db.insert(_t)
                .values(row)
                .on_conflict_do_nothing(index_elements=["chain_id", "action"])
            )
            if added.rowcount:
                await tx.execute(update(_k).where(own).values(next_nonce=nonce + 1))
            found = await _find(tx, chain_id, action)
            assert found is not None, "the insert refuses only what stands"
            return found

    async def fill(
        self, chain_id: int, sender: str, nonce: int, action: str, call: Call, now_ms: int
    ) -> None:
        """A row with just that nonce, if it has none."""
        row = _row(chain_id, sender, nonce, action, call, now_ms)
        async with self._db.writing() as tx:
            await tx.execute(self._db.insert(_t).values(row).on_conflict_do_nothing())

    async def find(self, chain_id: int, action: str) -> Tx | None:
        async with self._db.reading() as tx:
            return await _find(tx, chain_id, action)

    async def open(self, chain_id: int, sender: str, limit: int) -> list[Tx]:
        """Lowest nonce first."""
        query = (
            select(_t)
            .where(_t.c.chain_id == chain_id, _t.c.sender == sender, _t.c.state.in_(_OPEN))
            .order_by(_t.c.nonce)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return await _with_attempts(tx, (await tx.execute(query)).all())

    async def signed(self, tx: Tx, attempt: Attempt) -> Tx | None:
        """None where the row is no more as `tx` says."""
        async with self._db.writing() as connection:
            if not await _change(connection, tx, State.SIGNED, None):
                return None
            added = _attempt_row(tx, len(tx.attempts), attempt)
            await connection.execute(_a.insert().values(added))
            return await _find(connection, tx.chain_id, tx.action)

    async def become(self, tx: Tx, state: State, mined: Mined | None) -> Tx | None:
        """None where the row is no more as `tx` says."""
        async with self._db.writing() as connection:
            if not await _change(connection, tx, state, mined):
                return None
            return await _find(connection, tx.chain_id, tx.action)

    async def cancel(self, chain_id: int, action: str) -> Tx | None:
        """Have it given up, if it is open; returns it as it is then."""
        async with self._db.writing() as tx:
            await tx.execute(
                update(_t)
                .where(_t.c.chain_id == chain_id, _t.c.action == action, _t.c.state.in_(_OPEN))
                .values(cancelling=True, version=_t.c.version + 1)
            )
            return await _find(tx, chain_id, action)

    async def reopen(self, chain_id: int, sender: str, used: int) -> int:
        """Rows that are over, with a nonce of `used` or more, are sent again; how many."""
        which = and_(
            _t.c.chain_id == chain_id,
            _t.c.sender == sender,
            _t.c.nonce >= used,
            _t.c.state.not_in(_OPEN),
        )
        async with self._db.reading() as looking:  # there hardly ever is one
            if await looking.scalar(select(_t.c.nonce).where(which).limit(1)) is None:
                return 0
        async with self._db.writing() as tx:
            replaced = _t.c.state == State.REPLACED.value
            reopened = await tx.execute(
                update(_t)
                .where(which)
                .values(
                    **_mined_columns(None),
                    state=State.SENT.value,
                    cancelling=or_(_t.c.cancelling, replaced),
                    version=_t.c.version + 1,
                )
            )
        return reopened.rowcount


async def _change(tx: AsyncConnection, row: Tx, state: State, mined: Mined | None) -> bool:
    """Whether the row was as it is given."""
    changed = await tx.execute(
        update(_t)
        .where(
            _t.c.chain_id == row.chain_id,
            _t.c.sender == row.sender,
            _t.c.nonce == row.nonce,
            _t.c.version == row.version,
        )
        .values(state=state.value, version=row.version + 1, **_mined_columns(mined))
    )
    return changed.rowcount == 1


async def _find(tx: AsyncConnection, chain_id: int, action: str) -> Tx | None:
    query = select(_t).where(_t.c.chain_id == chain_id, _t.c.action == action)
    found = await _with_attempts(tx, (await tx.execute(query)).all())
    return found[0] if found else None


async def _with_attempts(tx: AsyncConnection, rows: Iterable[Any]) -> list[Tx]:
    keys = [(row.chain_id, row.sender, row.nonce) for row in rows]
    if not keys:
        return []
    query = (
        select(_a)
        .where(tuple_(_a.c.chain_id, _a.c.sender, _a.c.nonce).in_(keys))
        .order_by(_a.c.number)
    )
    attempts: dict[tuple[int, str, int], list[Attempt]] = {key: [] for key in keys}
    for each in await tx.execute(query):
        fees = Fees(int(each.most), int(each.tip))
        attempts[each.chain_id, each.sender, each.nonce].append(
            Attempt(each.hash, bytes(each.raw), fees, each.signed_ms, each.cancels)
        )
    return [_tx(row, attempts[row.chain_id, row.sender, row.nonce]) for row in rows]


def _tx(row: Any, attempts: list[Attempt]) -> Tx:
    mined = None
    if row.mined_hash is not None:
        mined = Mined(
            hash=row.mined_hash,
            number=row.mined_number,
            block_hash=row.mined_block,
            succeeded=row.succeeded,
            gas_used=row.gas_used,
            price=int(row.price),
        )
    return Tx(
        chain_id=row.chain_id,
        sender=row.sender,
        nonce=row.nonce,
        action=row.action,
        call=Call(row.to, bytes(row.data), row.gas, int(row.value)),
        state=State(row.state),
        attempts=tuple(attempts),
        mined=mined,
        cancelling=row.cancelling,
        made_ms=row.made_ms,
        version=row.version,
    )


def _row(
    chain_id: int, sender: str, nonce: int, action: str, call: Call, now_ms: int
) -> dict[str, object]:
    return {
        "chain_id": chain_id,
        "sender": sender,
        "nonce": nonce,
        "action": action,
        "to": call.to,
        "data": call.data,
        "gas": call.gas,
        "value": str(call.value),
        "state": State.RESERVED.value,
        "cancelling": False,
        "made_ms": now_ms,
        "version": 0,
    }


def _attempt_row(tx: Tx, number: int, attempt: Attempt) -> dict[str, object]:
    return {
        "chain_id": tx.chain_id,
        "sender": tx.sender,
        "nonce": tx.nonce,
        "number": number,
        "hash": attempt.hash,
        "raw": attempt.raw,
        "most": str(attempt.fees.most),
        "tip": str(attempt.fees.tip),
        "signed_ms": attempt.signed_ms,
        "cancels": attempt.cancels,
    }


def _mined_columns(mined: Mined | None) -> dict[str, object]:
    return {
        "mined_hash": None if mined is None else mined.hash,
        "mined_number": None if mined is None else mined.number,
        "mined_block": None if mined is None else mined.block_hash,
        "succeeded": None if mined is None else mined.succeeded,
        "gas_used": None if mined is None else mined.gas_used,
        "price": None if mined is None else str(mined.price),
    }
