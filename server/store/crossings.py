"""Deposits and withdrawals on their way across the border between ledger and chain.

The ledger reserves the amount by a pending transfer; what the chain says posts it or voids it, once. Row and
transfer are written in one transaction, so neither is ever without the other.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy import func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.ledger import Kind, Transfer, names, tiers
from server.ledger.transfer import resolution
from server.store import accounts, ledger, money
from server.store.engine import Database

Direction = Literal["deposit", "withdrawal"]
MAX_PENDING = 20
"""Crossings of one account that the chain has not answered yet."""
MAX_REASON = 280


class TooManyPending(Exception):
    """The account waits for too many crossings already."""


class UnknownCrossing(LookupError):
    """There is no such crossing."""


class Crossing(msgspec.Struct, frozen=True):
    id: str
    account: str
    direction: Direction
    asset: str
    micros: int
    state: Literal["pending", "confirmed", "failed"]
    wallet: str
    """Where from or to, EIP-55."""
    reference: str | None
    """What the chain calls it."""
    reason: str | None
    """Why it failed."""
    made_ms: int
    changed_ms: int


_c = money.crossing
_columns = tuple(_c.c[name] for name in Crossing.__struct_fields__)


class Crossings:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def begin(
        self, id_: str, account: str, direction: Direction, micros: int, wallet: str
    ) -> Crossing:
        """Reserve the amount and wait for the chain. Idempotent by `id_`, a name of the caller's that no other
        account uses: the crossing of that name is returned as it stands.

        Raises TooManyPending, or ledger.TransferRefused (`exceeds-credits`) where the owner's money does not
        do; then nothing has changed.
        """
        now_ms = self._clock()
        async with self._db.writing() as tx:
            await accounts.lock(tx, account)
            standing = await _get(tx, id_)
            if standing is not None:
                return standing
            await self._check_room(tx, account)
            made = Crossing(
                id_,
                account,
                direction,
                tiers.USDC,
                micros,
                "pending",
                wallet,
                None,
                None,
                now_ms,
                now_ms,
            )
            added = await tx.execute(
                self._db.insert(_c).values(msgspec.to_builtins(made)).on_conflict_do_nothing()
            )
            if added.rowcount == 0:  # the same request, at the same moment
                standing = await _get(tx, id_)
                assert standing is not None, "the insert refuses only what stands"
                return standing
            await ledger.require(self._db, tx, [_reserved(made)], now_ms)
        return made

    async def confirm(self, id_: str, reference: str) -> Crossing:
        """The chain has done it. Idempotent; a crossing that has failed stays so. Raises UnknownCrossing."""
        return await self._end(id_, Kind.POST, reference=reference)

    async def fail(self, id_: str, reason: str) -> Crossing:
        """The chain will not do it: what was reserved is free again. Idempotent; a crossing that was
        confirmed stays so. Raises UnknownCrossing."""
        return await self._end(id_, Kind.VOID, reason=reason[:MAX_REASON])

    async def any_simulated(self) -> bool:
        """Whether money has crossed that no chain has seen."""
        query = select(_c.c.id).where(_c.c.reference.like("simulated:%")).limit(1)
        async with self._db.reading() as tx:
            return await tx.scalar(query) is not None

    async def get(self, id_: str) -> Crossing | None:
        async with self._db.reading() as tx:
            return await _get(tx, id_)

    async def pending(self, made_before_ms: int, limit: int = 100) -> list[Crossing]:
        """Longest waiting first."""
        query = (
            select(*_columns)
            .where(_c.c.state == "pending", _c.c.made_ms <= made_before_ms)
            .order_by(_c.c.made_ms, _c.c.id)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [Crossing(*row) for row in await tx.execute(query)]

    async def of_account(
        self, account: str, *, before: str | None = None, limit: int = 50
    ) -> list[Crossing]:
        """Newest first; `before` is the last id of the page before, and nothing follows one that is not the account's."""
        query = (
            select(*_columns)
            .where(_c.c.account == account)
            .order_by(_c.c.made_ms.desc(), _c.c.id.desc())
            .limit(limit)
        )
        if before is not None:
            last = _c.alias("last")
            made_ms = (
                select(last.c.made_ms)
                .where(last.c.id == before, last.c.account == account)
                .scalar_subquery()
            )
            query = query.where(tuple_(_c.c.made_ms, _c.c.id) < tuple_(made_ms, before))
        async with self._db.reading() as tx:
            return [Crossing(*row) for row in await tx.execute(query)]

    async def _check_room(self, tx: AsyncConnection, account: str) -> None:
        waiting = await tx.scalar(
            select(func.count()).where(_c.c.account == account, _c.c.state == "pending")
        )
        if (waiting or 0) >= MAX_PENDING:
            raise TooManyPending(
                f"{MAX_PENDING} deposits and withdrawals wait for the chain already; let some of them end"
            )

    async def _end(
        self, id_: str, how: Kind, *, reference: str | None = None, reason: str | None = None
    ) -> Crossing:
        now_ms = self._clock()
        async with self._db.writing() as tx:
            crossing = await _get(tx, id_, lock=True)
            if crossing is None:
                raise UnknownCrossing(f"unknown crossing {id_!r}")
            if crossing.state != "pending":
                return crossing
            state: Literal["confirmed", "failed"] = "confirmed" if how is Kind.POST else "failed"
            ended = msgspec.structs.replace(
                crossing, state=state, reference=reference, reason=reason, changed_ms=now_ms
            )
            await tx.execute(
                update(_c)
                .where(_c.c.id == id_)
                .values(state=state, reference=reference, reason=reason, changed_ms=now_ms)
            )
            last = resolution(_reserved(crossing), how, f"{state}:{id_}")
            await ledger.require(self._db, tx, [last], now_ms)
        return ended


async def _get(tx: AsyncConnection, id_: str, *, lock: bool = False) -> Crossing | None:
    query = select(*_columns).where(_c.c.id == id_)
    row = (await tx.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else Crossing(*row)


def _reserved(crossing: Crossing) -> Transfer:
    own = names.owner(crossing.asset, crossing.account)
    inwards = crossing.direction == "deposit"
    return Transfer(
        id=f"{crossing.direction}:{crossing.id}",
        debit=names.CHAIN if inwards else own,
        credit=own if inwards else names.CHAIN,
        asset=crossing.asset,
        micros=crossing.micros,
        code=crossing.direction,
        about=crossing.id,
        kind=Kind.PENDING,
    )
