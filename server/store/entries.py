"""Entry fees on their way: held for a ticket, spent on a session, or released.

The hold is where limits bind: it is made in one transaction with the checks of the agent and of its
automation, before the ticket waits anywhere, so nothing that queues can go round them. Row locks are taken in
one order everywhere: holds, automation, ledger accounts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.agents.spec import unplayed
from server.clock import Clock
from server.ledger import Kind, Result, Transfer, names, tiers
from server.ledger.transfer import resolution
from server.live.records import TicketRecord
from server.store import automations, ledger, money, schema
from server.store.engine import Database

PLAY_GRANT_MICROS = 100 * tiers.PLAY_ENTRY_MICROS
"""What an agent is granted when its play money does not do for an entry: free stays free."""
_TRIES = 3

_h = money.hold


class Unfunded(Exception):
    """The agent does not have the entry."""

    def __init__(self, agent: str, has_micros: int, entry_micros: int, asset: str) -> None:
        has, entry = tiers.money(has_micros, asset), tiers.money(entry_micros, asset)
        super().__init__(f"the agent has {has}, an entry costs {entry}: fund it first")
        self.agent = agent


class NotPlaying(Exception):
    """The agent is archived or frozen, or its spec leaves out the Space; the message says why."""


class EntriesGone(Exception):
    """Entries of a session to be formed are not held any more, so it cannot be."""

    def __init__(self, session: str, tickets: Sequence[str]) -> None:
        super().__init__(f"session {session!r}: not held any more: {', '.join(tickets)}")
        self.tickets = tuple(tickets)


class HoldRow(msgspec.Struct, frozen=True):
    ticket: str
    agent: str
    space: str
    tier_micros: int
    asset: str
    micros: int
    state: str
    session: str | None
    run: int | None
    made_ms: int


_columns = tuple(_h.c[name] for name in HoldRow.__struct_fields__)


class Entries:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def hold(self, ticket: TicketRecord, run: int | None = None) -> None:
        """Reserve the entry of a named ticket. Idempotent by the ticket's name. `run` is that of the
        automation which wants it, if one does.

        Raises NotPlaying, automations.LimitReached or Unfunded, and then nothing is held.
        """
        for _ in range(_TRIES):
            async with self._db.writing() as tx:
                if await self._hold(tx, ticket, run, self._clock()):
                    return
        raise Unfunded(ticket.agent, 0, tiers.entry_micros(ticket.tier_micros), tiers.PLAY)

    async def _hold(
        self, tx: AsyncConnection, ticket: TicketRecord, run: int | None, now_ms: int
    ) -> bool:
        """False: the grant that was thought unnecessary is necessary; try again."""
        if await tx.scalar(select(_h.c.ticket).where(_h.c.ticket == ticket.ticket)) is not None:
            return True
        asset = tiers.asset_of(ticket.tier_micros)
        micros = tiers.entry_micros(ticket.tier_micros)
        await _check_playing(tx, ticket)
        counted = await automations.admit(
            self._db,
            tx,
            agent=ticket.agent,
            space=ticket.space,
            tier_micros=ticket.tier_micros,
            asset=asset,
            micros=micros,
            now_ms=now_ms,
            run=run,
        )
        has = await _available(tx, names.agent(asset, ticket.agent))
        batch = [_hold_of(ticket, asset, micros)]
        if asset == tiers.PLAY and has < micros:
            batch.insert(0, _grant_of(ticket))
        results = await ledger.submit(self._db, tx, batch, now_ms)
        if results[-1] is Result.EXCEEDS_CREDITS:
            if asset == tiers.PLAY:
                await tx.rollback()
                return False
            raise Unfunded(ticket.agent, has, micros, asset)
        if not results[-1].done:
            raise ledger.TransferRefused(batch[-1], results[-1])
        await tx.execute(
            _h.insert().values(
                ticket=ticket.ticket,
                agent=ticket.agent,
                space=ticket.space,
                tier_micros=ticket.tier_micros,
                asset=asset,
                micros=micros,
                state="held",
                run=counted,
                made_ms=now_ms,
            )
        )
        return True

    async def release(self, ticket: str, *, missed: bool = False) -> bool:
        """Give the entry back to its agent. False where nothing is held for the ticket (any more).
        `missed`: the agent was offered a seat and did not take it."""
        async with self._db.writing() as tx:
            [*found] = await _locked(tx, _h.c.ticket == ticket, _h.c.state == "held")
            for row in found:
                await self._release(tx, row, self._clock(), missed=missed)
        return bool(found)

    async def _release(
        self, tx: AsyncConnection, row: HoldRow, now_ms: int, *, missed: bool
    ) -> None:
        if row.run is not None:
            await automations.released(
                self._db,
                tx,
                agent=row.agent,
                run=row.run,
                micros=row.micros,
                now_ms=now_ms,
                missed=missed,
            )
        void = resolution(_held(row), Kind.VOID, f"release:{row.ticket}")
        await ledger.require(self._db, tx, [void], now_ms)
        await tx.execute(update(_h).where(_h.c.ticket == row.ticket).values(state="released"))

    async def held(self, older_than_ms: int, after: str = "", limit: int = 1_000) -> list[HoldRow]:
        """Holds made before `older_than_ms` (unix) for tickets that have not become seats, in the order
        of their tickets' names, which are greater than `after`."""
        query = (
            select(*_columns)
            .where(_h.c.state == "held", _h.c.made_ms < older_than_ms, _h.c.ticket > after)
            .order_by(_h.c.ticket)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [HoldRow(*row) for row in await tx.execute(query)]

    async def held_by_stopped(self, limit: int) -> list[HoldRow]:
        """Holds for tickets of agents that are frozen or archived, oldest first."""
        a = schema.agent
        query = (
            select(*_columns)
            .join(a, a.c.id == _h.c.agent)
            .where(
                _h.c.state == "held", or_(a.c.frozen_ms.is_not(None), a.c.archived_ms.is_not(None))
            )
            .order_by(_h.c.made_ms)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [HoldRow(*row) for row in await tx.execute(query)]

    async def of_agent(self, agent: str) -> list[HoldRow]:
        """What an agent has at stake: held in queues and spent on sessions that are not settled."""
        query = (
            select(*_columns)
            .where(_h.c.agent == agent, _h.c.state.in_(("held", "spent")))
            .order_by(_h.c.made_ms)
        )
        async with self._db.reading() as tx:
            return [HoldRow(*row) for row in await tx.execute(query)]


async def spend(
    db: Database, tx: AsyncConnection, session: str, tickets: Sequence[str], now_ms: int
) -> None:
    """Move the tickets' entries to the session's pot, in the transaction that forms it.

    Raises EntriesGone, and then the session must not be formed.
    """
    if not tickets:
        return
    rows = await _locked(tx, _h.c.ticket.in_(list(tickets)), _h.c.state == "held")
    gone = sorted(set(tickets) - {row.ticket for row in rows})
    if gone:
        raise EntriesGone(session, gone)
    batch = [resolution(_held(row), Kind.POST, f"entry:{row.ticket}", linked=True) for row in rows]
    await ledger.require(db, tx, [*batch, _pot_of(session, rows)], now_ms)
    await tx.execute(
        update(_h)
        .where(_h.c.ticket.in_([row.ticket for row in rows]))
        .values(state="spent", session=session)
    )


async def spent_on(tx: AsyncConnection, session: str) -> list[HoldRow]:
    """A session's entries that are not settled yet, locked."""
    return await _locked(tx, _h.c.session == session, _h.c.state == "spent")


async def mark_settled(tx: AsyncConnection, session: str) -> None:
    await tx.execute(
        update(_h).where(_h.c.session == session, _h.c.state == "spent").values(state="settled")
    )


async def _locked(tx: AsyncConnection, *which: Any) -> list[HoldRow]:
    query = select(*_columns).where(*which).order_by(_h.c.ticket).with_for_update()
    return [HoldRow(*row) for row in await tx.execute(query)]


async def _check_playing(tx: AsyncConnection, ticket: TicketRecord) -> None:
    if reason := await automations.at_rest(tx, ticket.agent):
        raise NotPlaying(reason)
    v = schema.agent_version
    spec = await tx.scalar(select(v.c.spec).where(v.c.id == ticket.version))
    if spec is None:
        raise NotPlaying(f"there is no version {ticket.version!r}")
    if reason := unplayed(spec, ticket.space):
        raise NotPlaying(reason)


async def _available(tx: AsyncConnection, account: str) -> int:
    a = money.ledger_account
    available = a.c.credits_posted - a.c.debits_posted - a.c.debits_pending
    return int(await tx.scalar(select(available).where(a.c.id == account)) or 0)


def _hold_of(ticket: TicketRecord, asset: str, micros: int) -> Transfer:
    return _pending(ticket.ticket, ticket.agent, ticket.space, asset, micros)


def _held(row: HoldRow) -> Transfer:
    return _pending(row.ticket, row.agent, row.space, row.asset, row.micros)


def _pending(ticket: str, agent: str, space: str, asset: str, micros: int) -> Transfer:
    return Transfer(
        id=f"hold:{ticket}",
        debit=names.agent(asset, agent),
        credit=names.queue(asset, space),
        asset=asset,
        micros=micros,
        code="entry",
        about=ticket,
        kind=Kind.PENDING,
    )


def _grant_of(ticket: TicketRecord) -> Transfer:
    return Transfer(
        id=f"grant:{ticket.ticket}",
        debit=names.MINT,
        credit=names.agent(tiers.PLAY, ticket.agent),
        asset=tiers.PLAY,
        micros=PLAY_GRANT_MICROS,
        code="grant",
        about=ticket.ticket,
        linked=True,
    )


def _pot_of(session: str, rows: Sequence[HoldRow]) -> Transfer:
    [(asset, space)] = {(row.asset, row.space) for row in rows}
    return Transfer(
        id=f"pot:{session}",
        debit=names.queue(asset, space),
        credit=names.pot(asset, session),
        asset=asset,
        micros=sum(row.micros for row in rows),
        code="pot",
        about=session,
    )
