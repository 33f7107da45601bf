"""Entry fees on their way: held for a ticket, spent on a session, or released.

The hold is where limits bind: it is made in one transaction with the checks of the agent and of its
automation, before the ticket waits anywhere, so nothing that queues can go round them. Row locks are taken in
one order everywhere: holds, automation, ledger accounts.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence

import msgspec
from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.agents.spec import unplayed
from server.clock import Clock
from server.convoy import Convoy
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
    """The agent does not have the entry; the message says by how much, and how to mend it."""

    def __init__(
        self, ticket: TicketRecord, has_micros: int, entry_micros: int, asset: str
    ) -> None:
        has, entry = tiers.money(has_micros, asset), tiers.money(entry_micros, asset)
        said = f"the agent has {has} available, an entry costs {entry}"
        if asset == tiers.USDC:
            lacks = tiers.amount(entry_micros - has_micros)
            said += (
                f": fund it first (`agon money fund {shlex.quote(ticket.name)} {lacks}` or more)"
            )
        super().__init__(said)
        self.agent = ticket.agent


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
    """The automation's in which it was entered."""
    made_ms: int
    carried_to: int | None = None
    """A later one that found it open."""

    @property
    def counts_in(self) -> int | None:
        """The run whose limits it counts against."""
        return self.run if self.carried_to is None else self.carried_to


_columns = tuple(_h.c[name] for name in HoldRow.__struct_fields__)
_a, _v = money.ledger_account, schema.agent_version

# Of the hot path, so made once.
_of_tickets = select(_h.c.ticket).where(_h.c.ticket.in_(bindparam("tickets", expanding=True)))
_locked_rows = select(*_columns).order_by(_h.c.ticket).with_for_update()
_held_by = _locked_rows.where(
    _h.c.ticket.in_(bindparam("tickets", expanding=True)), _h.c.state == "held"
)
_spent_on = _locked_rows.where(
    _h.c.session.in_(bindparam("sessions", expanding=True)), _h.c.state == "spent"
)
_spend = (
    update(_h).where(_h.c.ticket == bindparam("of")).values(state="spent", session=bindparam("on"))
)
_mark_settled = (
    update(_h)
    .where(_h.c.session.in_(bindparam("sessions", expanding=True)), _h.c.state == "spent")
    .values(state="settled")
)
_specs = select(_v.c.id, _v.c.spec).where(_v.c.id.in_(bindparam("versions", expanding=True)))
_left_in = select(_a.c.id, _a.c.credits_posted - _a.c.debits_posted - _a.c.debits_pending).where(
    _a.c.id.in_(bindparam("accounts", expanding=True))
)


class _Wanted(msgspec.Struct, frozen=True):
    """An entry that is to be held."""

    ticket: TicketRecord
    run: int | None

    @property
    def asset(self) -> str:
        return tiers.asset_of(self.ticket.tier_micros)

    @property
    def micros(self) -> int:
        return tiers.entry_micros(self.ticket.tier_micros)


class _GrantNeeded(Exception):
    """The grant that was thought unnecessary is necessary: to be tried again."""


class Entries:
    """Every method is one transaction; holds that are asked for at once may share theirs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._holds: Convoy[_Wanted, None] = Convoy(self._hold, lambda each: each.ticket.ticket)

    async def close(self) -> None:
        """Let what is asked for come to its end. Idempotent."""
        await self._holds.close()

    async def hold(self, ticket: TicketRecord, run: int | None = None) -> None:
        """Reserve the entry of a named ticket. Idempotent by the ticket's name. `run` is that of the
        automation which wants it, if one does.

        Raises NotPlaying, automations.LimitReached or Unfunded, and then nothing is held.
        """
        for _ in range(_TRIES):
            try:
                return await self._holds.ride(_Wanted(ticket, run))
            except _GrantNeeded:
                continue
        raise Unfunded(ticket, 0, tiers.entry_micros(ticket.tier_micros), tiers.PLAY)

    async def _hold(self, wanted: Sequence[_Wanted]) -> list[Exception | None]:
        now_ms = self._clock()
        async with self._db.writing() as tx:
            held = await _known(tx, wanted)
            open_ = [each for each in wanted if each.ticket.ticket not in held]
            refused: dict[str, Exception] = dict(await _not_playing(tx, open_))
            open_ = [each for each in open_ if each.ticket.ticket not in refused]
            runs = await _admit(self._db, tx, open_, refused, now_ms)
            open_ = [each for each in open_ if each.ticket.ticket not in refused]
            refused |= await _reserve(self._db, tx, open_, runs, now_ms)
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
            found = await _held_of(tx, [ticket])
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

    async def held_outside(
        self, spaces: Collection[str], tiers: Collection[int], limit: int
    ) -> list[HoldRow]:
        """Holds for tickets of other Spaces, or of other tiers, than these, oldest first."""
        query = (
            select(*_columns)
            .where(
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
        query = (
            select(*_columns)
            .where(_h.c.agent == agent, _h.c.state.in_(("held", "spent")))
            .order_by(_h.c.made_ms)
        )
        async with self._db.reading() as tx:
            return [HoldRow(*row) for row in await tx.execute(query)]


async def spend(
    db: Database, tx: AsyncConnection, sessions: Mapping[str, Sequence[str]], now_ms: int
) -> None:
    """Move the entries of each session's tickets to its pot, in the transaction that forms the sessions.

    Raises EntriesGone, and then none of them must be formed.
    """
    tickets = [ticket for each in sessions.values() for ticket in each]
    if not tickets:
        return
    rows = {row.ticket: row for row in await _held_of(tx, tickets)}
    batch: list[Transfer] = []
    spent: list[dict[str, str]] = []
    for session, own in sessions.items():
        if gone := sorted(set(own) - rows.keys()):
            raise EntriesGone(session, gone)
        if not own:
            continue
        mine = [rows[ticket] for ticket in sorted(own)]
        batch += [
            resolution(_held(row), Kind.POST, f"entry:{row.ticket}", linked=True) for row in mine
        ]
        batch.append(_pot_of(session, mine))
        spent += [{"of": row.ticket, "on": session} for row in mine]
    await ledger.require(db, tx, batch, now_ms)
    await tx.execute(_spend, spent)


async def spent_on(tx: AsyncConnection, sessions: Collection[str]) -> list[HoldRow]:
    """The sessions' entries that are not settled yet, locked."""
    rows = await tx.execute(_spent_on, {"sessions": list(sessions)})
    return [HoldRow(*row) for row in rows]


async def mark_settled(tx: AsyncConnection, sessions: Collection[str]) -> None:
    await tx.execute(_mark_settled, {"sessions": list(sessions)})


async def _held_of(tx: AsyncConnection, tickets: Sequence[str]) -> list[HoldRow]:
    return [HoldRow(*row) for row in await tx.execute(_held_by, {"tickets": list(tickets)})]


async def _known(tx: AsyncConnection, wanted: Sequence[_Wanted]) -> set[str]:
    """Those of the tickets whose entries have been held before."""
    return set(await tx.scalars(_of_tickets, {"tickets": [each.ticket.ticket for each in wanted]}))


async def _not_playing(tx: AsyncConnection, wanted: Sequence[_Wanted]) -> dict[str, NotPlaying]:
    """By ticket, who may not play what it wants to."""
    if not wanted:
        return {}
    resting = await automations.all_at_rest(tx, {each.ticket.agent for each in wanted})
    versions = {"versions": list({each.ticket.version for each in wanted})}
    specs: dict[str, str] = dict((await tx.execute(_specs, versions)).all())
    found: dict[str, NotPlaying] = {}
    for each in wanted:
        ticket = each.ticket
        reason = resting.get(ticket.agent)
        if reason is None and ticket.version not in specs:
            reason = f"there is no version {ticket.version!r}"
        if reason is None:
            reason = unplayed(specs[ticket.version], ticket.space)
        if reason:
            found[ticket.ticket] = NotPlaying(reason)
    return found


async def _admit(
    db: Database,
    tx: AsyncConnection,
    wanted: Sequence[_Wanted],
    refused: dict[str, Exception],
    now_ms: int,
) -> dict[str, int]:
    """The runs that the tickets count against; writes down in `refused` whom a limit keeps out."""
    if not wanted:
        return {}
    agents = {each.ticket.agent for each in wanted}
    limited = set(await tx.scalars(automations.WITH_LIMITS, {"agents": list(agents)}))
    runs: dict[str, int] = {}
    for each in sorted(wanted, key=lambda each: each.ticket.agent):  # one order of locks everywhere
        ticket = each.ticket
        if ticket.agent not in limited and each.run is None:
            continue
        try:
            counted = await automations.admit(
                db,
                tx,
                agent=ticket.agent,
                space=ticket.space,
                tier_micros=ticket.tier_micros,
                asset=each.asset,
                micros=each.micros,
                now_ms=now_ms,
                run=each.run,
            )
        except automations.LimitReached as error:
            refused[ticket.ticket] = error
        else:
            if counted is not None:
                runs[ticket.ticket] = counted
    return runs


async def _reserve(
    db: Database,
    tx: AsyncConnection,
    wanted: Sequence[_Wanted],
    runs: Mapping[str, int],
    now_ms: int,
) -> dict[str, Exception]:
    """The pending transfers. By ticket, why there is none.

    Raises it where an automation has counted the entry: what it counted has to go back, too.
    """
    granted = await _grants(tx, [each for each in wanted if each.asset == tiers.PLAY])
    batch: list[Transfer] = []
    for each in wanted:
        if each.ticket.ticket in granted:
            batch.append(_grant_of(each.ticket))
        batch.append(_hold_of(each.ticket, each.asset, each.micros))
    results = dict(
        zip((t.id for t in batch), await ledger.submit(db, tx, batch, now_ms), strict=True)
    )
    refused: dict[str, Exception] = {}
    for each in wanted:
        transfer = _hold_of(each.ticket, each.asset, each.micros)
        result = results[transfer.id]
        if result.done:
            continue
        error = await _refusal(tx, each, transfer, result)
        if each.ticket.ticket in runs:
            raise error
        refused[each.ticket.ticket] = error
    return refused


async def _refusal(
    tx: AsyncConnection, wanted: _Wanted, transfer: Transfer, result: Result
) -> Exception:
    if result is not Result.EXCEEDS_CREDITS:
        return ledger.TransferRefused(transfer, result)
    if wanted.asset == tiers.PLAY:
        return _GrantNeeded()
    account = names.agent(wanted.asset, wanted.ticket.agent)
    has = (await _available(tx, [account])).get(account, 0)
    return Unfunded(wanted.ticket, has, wanted.micros, wanted.asset)


async def _grants(tx: AsyncConnection, wanted: Sequence[_Wanted]) -> set[str]:
    """The tickets whose agents' play money does not do; each sees what those before it take."""
    if not wanted:
        return set()
    accounts = {each.ticket.agent: names.agent(tiers.PLAY, each.ticket.agent) for each in wanted}
    has = await _available(tx, accounts.values())
    granted: set[str] = set()
    for each in wanted:
        account = accounts[each.ticket.agent]
        left = has.get(account, 0)
        if left < each.micros:
            granted.add(each.ticket.ticket)
            left += PLAY_GRANT_MICROS
        has[account] = left - each.micros
    return granted


async def _available(tx: AsyncConnection, accounts: Collection[str]) -> dict[str, int]:
    rows = await tx.execute(_left_in, {"accounts": list(accounts)})
    return {id_: int(micros) for id_, micros in rows}


def _row(wanted: _Wanted, run: int | None, now_ms: int) -> dict[str, object]:
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
