"""Epochs, and the sessions that they settle (tables in `escrow`): what is ready, what was made, what may be forgotten.

An epoch is stored with the sessions that it settles in one transaction, before anything of it is signed for the chain: so no
crash can put a session into two, or have two documents of one number compete. That it is closed, the escrow's logs say, and
whoever follows those writes it (`server.settlement.mirror`).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from sqlalchemy import Row, Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.store import money, schema
from server.store.engine import Database
from server.store.escrow import epoch as _e
from server.store.escrow import escrow_owner as _o
from server.store.escrow import escrow_session as _s

MAX_PAGE = 100
KEPT_PAYOUTS = 2
"""Epochs whose pay-outs are kept: the last one's, which all claim by, and those that it was made from."""

_PAGE = 2_000

_result = money.result
_rated = schema.rating_applied


class EpochsChanged(Exception):
    """What the epoch was made from is not so any more: begin again."""


class EpochRow(msgspec.Struct, frozen=True):
    number: int
    state: Literal["made", "closed"]
    result_root: str
    payout_root: str
    allotted_micros: int
    tx: str | None
    """The transaction that closed it."""
    made_ms: int
    document: bytes
    payouts: bytes | None
    """None: forgotten, as newer ones say all that it said."""


class EpochSummary(msgspec.Struct, frozen=True):
    number: int
    state: Literal["made", "closed"]
    result_root: str
    payout_root: str
    allotted_micros: int
    tx: str | None
    made_ms: int


class EscrowSession(msgspec.Struct, frozen=True):
    session: str
    entry_micros: int
    owners: tuple[str, ...]
    """The wallet behind each seat, EIP-55."""
    state: Literal["wanted", "open", "refused", "settled", "refunded"]
    opening: str | None
    """The action that opens it."""
    epoch: int | None
    tx: str | None
    """The transaction that the last change of its state is in."""
    made_ms: int


class NewEpoch(msgspec.Struct, frozen=True):
    """What is to be stored of an epoch."""

    number: int
    document: bytes
    payouts: bytes
    result_root: str
    payout_root: str
    allotted_micros: int
    sessions: tuple[str, ...]


_summary = (
    _e.c.number,
    _e.c.state,
    _e.c.result_root,
    _e.c.payout_root,
    _e.c.allotted_micros,
    _e.c.tx,
    _e.c.made_ms,
)
_columns = (*_summary, _e.c.document, _e.c.payouts)
_session = (
    _s.c.session,
    _s.c.entry_micros,
    _s.c.owners,
    _s.c.state,
    _s.c.opening,
    _s.c.epoch,
    _s.c.tx,
    _s.c.made_ms,
)


class Epochs:
    """Every method but `claimed` is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def latest(self) -> EpochRow | None:
        async with self._db.reading() as tx:
            return await _one(tx, select(*_columns).order_by(_e.c.number.desc()).limit(1))

    async def get(self, number: int) -> EpochRow | None:
        async with self._db.reading() as tx:
            return await _one(tx, select(*_columns).where(_e.c.number == number))

    async def last_closed(self) -> EpochRow | None:
        closed = select(*_columns).where(_e.c.state == "closed")
        async with self._db.reading() as tx:
            return await _one(tx, closed.order_by(_e.c.number.desc()).limit(1))

    async def last_closed_root(self) -> str | None:
        """That of its pay-outs."""
        closed = select(_e.c.payout_root).where(_e.c.state == "closed")
        async with self._db.reading() as tx:
            root: str | None = await tx.scalar(closed.order_by(_e.c.number.desc()).limit(1))
        return root

    async def page(self, before: int | None = None, limit: int = 20) -> list[EpochSummary]:
        """Newest first; `before` is the last number of the page before."""
        query = select(*_summary).order_by(_e.c.number.desc()).limit(min(limit, MAX_PAGE))
        if before is not None:
            query = query.where(_e.c.number < before)
        async with self._db.reading() as tx:
            return [EpochSummary(*row) for row in await tx.execute(query)]

    async def session(self, session: str) -> EscrowSession | None:
        """What the escrow is known to know of a session; None of one that pays nothing there."""
        async with self._db.reading() as tx:
            row = (await tx.execute(select(*_session).where(_s.c.session == session))).one_or_none()
        return None if row is None else _escrow_session(row)

    async def wallets(self, session: str) -> tuple[str, ...] | None:
        """Those behind the session's seats; None where it pays nothing on the chain."""
        found = await self.session(session)
        return None if found is None else found.owners

    async def sessions_of(self, number: int) -> list[EscrowSession]:
        """In their order."""
        query = select(*_session).where(_s.c.epoch == number).order_by(_s.c.session)
        async with self._db.reading() as tx:
            return [_escrow_session(row) for row in await tx.execute(query)]

    async def ready(
        self, limit: int, *, since_ms: int = 0, before_ms: int | None = None
    ) -> list[EscrowSession]:
        """Open ones, formed in this time, that are settled on the ledger and rated, and in no epoch yet; the oldest first."""
        rated = select(_rated.c.session).where(_rated.c.session == _s.c.session).exists()
        query = (
            select(*_session)
            .join(_result, _result.c.session == _s.c.session)
            .where(_s.c.state == "open", _s.c.epoch.is_(None), _s.c.made_ms >= since_ms)
            .where(_result.c.status == "settled", rated)
            .order_by(_s.c.made_ms, _s.c.session)
            .limit(limit)
        )
        if before_ms is not None:
            query = query.where(_s.c.made_ms < before_ms)
        async with self._db.reading() as tx:
            return [_escrow_session(row) for row in await tx.execute(query)]

    async def void(self, limit: int) -> list[EscrowSession]:
        """Open ones that are void on the ledger, in their order."""
        query = (
            select(*_session)
            .join(_result, _result.c.session == _s.c.session)
            .where(_s.c.state == "open", _result.c.status == "void")
            .order_by(_s.c.session)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [_escrow_session(row) for row in await tx.execute(query)]

    async def open_before(self, made_ms: int) -> int:
        """How many sessions have been open, and in no closed epoch, since before then."""
        query = select(func.count()).where(_s.c.state == "open", _s.c.made_ms < made_ms)
        async with self._db.reading() as tx:
            return await tx.scalar(query) or 0

    async def make(self, new: NewEpoch) -> EpochRow:
        """Store an epoch, and give it its sessions. Raises EpochsChanged where its number is given, or one of them is not open
        or in another epoch; then nothing is written."""
        row = {"state": "made", "tx": None, "made_ms": self._clock()} | _stored(new)
        async with self._db.writing() as tx:
            added = await tx.execute(self._db.insert(_e).values(row).on_conflict_do_nothing())
            if not added.rowcount:
                raise EpochsChanged(f"epoch {new.number} stands already")
            await _take(tx, new)
            made = await _one(tx, select(*_columns).where(_e.c.number == new.number))
        assert made is not None, "just inserted"
        return made

    async def remake(self, standing: EpochRow, new: NewEpoch | None) -> EpochRow | None:
        """Put another document in the place of one that the chain does not take; None gives the number up, until there is
        another one. Sessions that are left out are in no epoch any more. Raises EpochsChanged as `make`, and where it is not
        the epoch that stands."""
        this = (_e.c.number == standing.number, _e.c.state == "made")
        query = select(_e.c.document).where(*this).with_for_update()
        async with self._db.writing() as tx:
            if await tx.scalar(query) != standing.document:
                raise EpochsChanged(f"epoch {standing.number} is not as it was")
            await tx.execute(update(_s).where(_s.c.epoch == standing.number).values(epoch=None))
            if new is None:
                await tx.execute(delete(_e).where(*this))
                return None
            await tx.execute(update(_e).where(*this).values(_stored(new)))
            await _take(tx, new)
            return await _one(tx, select(*_columns).where(_e.c.number == new.number))

    async def forget_payouts(self) -> int:
        """Of epochs that no claim is made by any more; returns how many there were."""
        last = select(func.max(_e.c.number)).where(_e.c.state == "closed").scalar_subquery()
        old = (_e.c.number <= last - KEPT_PAYOUTS, _e.c.payouts.is_not(None))
        async with self._db.writing() as tx:
            return (await tx.execute(update(_e).where(*old).values(payouts=None))).rowcount

    async def claimed(self) -> dict[str, int]:
        """What the escrow has paid to each owner's balance since the beginning, by address in lower case; read in pages, so that
        others have the loop in between, and not as of one moment."""
        found: dict[str, int] = {}
        page = (
            select(_o.c.wallet, _o.c.claimed_micros)
            .where(_o.c.claimed_micros > 0)
            .order_by(_o.c.wallet)
            .limit(_PAGE)
        )
        after = ""
        while True:
            async with self._db.reading() as tx:
                rows = (await tx.execute(page.where(_o.c.wallet > after))).all()
            found |= {wallet.lower(): micros for wallet, micros in rows}
            if len(rows) < _PAGE:
                return found
            after = rows[-1].wallet

    async def claimed_micros(self) -> int:
        """All of that together."""
        query = select(func.coalesce(func.sum(_o.c.claimed_micros), 0))
        async with self._db.reading() as tx:
            return int(await tx.scalar(query) or 0)

    async def claimed_by(self, wallet: str) -> int:
        """By one owner, EIP-55."""
        query = select(_o.c.claimed_micros).where(_o.c.wallet == wallet)
        async with self._db.reading() as tx:
            return await tx.scalar(query) or 0


def summary_of(epoch: EpochRow) -> EpochSummary:
    return EpochSummary(*(getattr(epoch, name) for name in EpochSummary.__struct_fields__))


async def _one(tx: AsyncConnection, query: Select[*tuple[Any, ...]]) -> EpochRow | None:
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else EpochRow(*row)


async def _take(tx: AsyncConnection, new: NewEpoch) -> None:
    free = (_s.c.session.in_(new.sessions), _s.c.state == "open", _s.c.epoch.is_(None))
    taken = await tx.execute(update(_s).where(*free).values(epoch=new.number))
    if taken.rowcount != len(new.sessions):
        raise EpochsChanged(f"a session of epoch {new.number} is not open any more")


def _stored(new: NewEpoch) -> dict[str, object]:
    return {name: getattr(new, name) for name in new.__struct_fields__ if name != "sessions"}


def _escrow_session(row: Row[*tuple[Any, ...]]) -> EscrowSession:
    session, entry, owners, *rest = row
    return EscrowSession(session, entry, tuple(msgspec.json.decode(owners)), *rest)
