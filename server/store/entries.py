"""Entry fees on their way: held for a ticket, spent on a session, or released.

The hold is where limits bind: it is made in one transaction with the checks of the agent and of its
automation (`admission`), before the ticket waits anywhere, so nothing that queues can go round them. Row locks
are taken in one order everywhere: holds, agent, its owner's account, automation, ledger accounts. How a hold is spent is told
in `pots`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.convoy import Convoy
from server.ledger import entry
from server.live.records import TicketRecord
from server.store import admission, automations, holds, ledger, money, schema
from server.store.admission import AskAgain, Wanted
from server.store.engine import Database
from server.store.holds import HoldRow

_TRIES = 3

_h = money.hold


class Entries:
    """Every method is one transaction; holds that are asked for at once may share theirs."""

    def __init__(self, database: Database, clock: Clock, *, escrowed: bool = False) -> None:
        """`escrowed`: the money is in an escrow on a chain, which has to have room for an entry, too."""
        self._db = database
        self._clock = clock
        self._escrowed = escrowed
        self._holds: Convoy[Wanted, None] = Convoy(self._hold, lambda each: each.ticket.ticket)

    async def close(self) -> None:
        """Let what is asked for come to its end. Idempotent."""
        await self._holds.close()

    async def hold(self, ticket: TicketRecord, run: int | None = None) -> None:
        """Reserve the entry of a named ticket. Idempotent by the ticket's name. `run` is that of the
        automation which wants it, if one does.

        Raises admission.NotPlaying, automations.LimitReached, admission.Unfunded or EscrowRefused, and then nothing is held.
        """
        answer: Exception | None = None
        for _ in range(_TRIES):
            try:
                return await self._holds.ride(Wanted(ticket, run))
            except AskAgain as error:
                answer = error.answer
        assert answer is not None, "it was asked"
        raise answer

    async def _hold(self, wanted: Sequence[Wanted]) -> list[Exception | None]:
        now_ms = self._clock()
        async with self._db.writing() as tx:
            held = await holds.known(tx, [each.ticket.ticket for each in wanted])
            open_ = [each for each in wanted if each.ticket.ticket not in held]
            refused: dict[str, Exception] = dict(await admission.not_playing(tx, open_))
            open_ = [each for each in open_ if each.ticket.ticket not in refused]
            if self._escrowed:
                refused |= await admission.not_payable(self._db, tx, open_, now_ms)
                open_ = [each for each in open_ if each.ticket.ticket not in refused]
            runs = await admission.admit(self._db, tx, open_, refused, now_ms)
            open_ = [each for each in open_ if each.ticket.ticket not in refused]
            refused |= await admission.reserve(self._db, tx, open_, runs, now_ms)
            rows = [
                _row(each, runs.get(each.ticket.ticket), now_ms)
                for each in open_
                if each.ticket.ticket not in refused
            ]
            if rows:
                await tx.execute(_h.insert(), rows)
        return [refused.get(each.ticket.ticket) for each in wanted]

    async def release(self, ticket: str, *, missed: bool = False) -> bool:
        """Give the entry back to its agent. False where nothing is held for the ticket (any more).
        `missed`: the agent was offered a seat and did not take it."""
        async with self._db.writing() as tx:
            found = await holds.held_of(tx, [ticket])
            for row in found:
                await self._release(tx, row, self._clock(), missed=missed)
        return bool(found)

    async def _release(
        self, tx: AsyncConnection, row: HoldRow, now_ms: int, *, missed: bool
    ) -> None:
        if row.counts_in is not None:
            await automations.released(
                self._db,
                tx,
                agent=row.agent,
                run=row.counts_in,
                micros=row.micros,
                now_ms=now_ms,
                missed=missed,
                carried=row.carried_to is not None,
            )
        await ledger.require(self._db, tx, [entry.release(row.transfer)], now_ms)
        await tx.execute(update(_h).where(_h.c.ticket == row.ticket).values(state="released"))

    async def held(self, older_than_ms: int, after: str = "", limit: int = 1_000) -> list[HoldRow]:
        """Holds made before `older_than_ms` (unix) for tickets that have not become seats, in the order
        of their tickets' names, which are greater than `after`."""
        query = (
            holds.ROWS.where(
                _h.c.state == "held", _h.c.made_ms < older_than_ms, _h.c.ticket > after
            )
            .order_by(_h.c.ticket)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [HoldRow(*row) for row in await tx.execute(query)]

    async def held_by_stopped(self, limit: int) -> list[HoldRow]:
        """Holds for tickets of agents that are frozen or archived, oldest first."""
        a = schema.agent
        query = (
            holds.ROWS.join(a, a.c.id == _h.c.agent)
            .where(
                _h.c.state == "held", or_(a.c.frozen_ms.is_not(None), a.c.archived_ms.is_not(None))
            )
            .order_by(_h.c.made_ms)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [HoldRow(*row) for row in await tx.execute(query)]

    async def held_by_ended_runs(self, limit: int) -> list[HoldRow]:
        """Holds for tickets with which runs of automations wait that have ended since, oldest first."""
        a = money.automation
        counts_in = func.coalesce(_h.c.carried_to, _h.c.run)
        query = (
            holds.ROWS.join(a, a.c.agent == _h.c.agent)
            .where(
                _h.c.state == "held",
                _h.c.run.is_not(None),
                or_(a.c.state != "on", counts_in < a.c.run),
            )
            .order_by(_h.c.made_ms)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [HoldRow(*row) for row in await tx.execute(query)]

    async def held_outside(
        self, spaces: Collection[str], tiers: Collection[int], limit: int
    ) -> list[HoldRow]:
        """Holds for tickets of other Spaces, or of other tiers, than these, oldest first."""
        query = (
            holds.ROWS.where(
                _h.c.state == "held",
                or_(_h.c.space.not_in(spaces), _h.c.tier_micros.not_in(tiers)),
            )
            .order_by(_h.c.made_ms)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [HoldRow(*row) for row in await tx.execute(query)]

    async def of_agent(self, agent: str) -> list[HoldRow]:
        """What an agent has at stake: held in queues and spent on sessions that are not settled."""
        query = holds.ROWS.where(_h.c.agent == agent, _h.c.state.in_(("held", "spent"))).order_by(
            _h.c.made_ms
        )
        async with self._db.reading() as tx:
            return [HoldRow(*row) for row in await tx.execute(query)]


def _row(wanted: Wanted, run: int | None, now_ms: int) -> dict[str, object]:
    ticket = wanted.ticket
    return {
        "ticket": ticket.ticket,
        "agent": ticket.agent,
        "space": ticket.space,
        "tier_micros": ticket.tier_micros,
        "asset": wanted.asset,
        "micros": wanted.micros,
        "state": "held",
        "run": run,
        "made_ms": now_ms,
    }
