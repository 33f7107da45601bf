"""What an entry has to pass to be held: its agent may play, its automation lets it, the money is there.

The checks of many tickets at once, each with its own answer, within the transaction that holds them
(`entries`). They stand in the order in which rows are locked everywhere: agent, owner's account, automation, ledger
accounts. Where the money is in an escrow on a chain, what that would pay is looked at, too (`escrow_room`).
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence

import msgspec
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server import escrow_room as room
from server.agents.spec import unplayed
from server.escrow_room import EscrowRefused, Purse
from server.ledger import Result, Transfer, entry, names, tiers
from server.live.records import TicketRecord
from server.store import automations, escrow_room, ledger, money, schema
from server.store.engine import Database

_a, _v = money.ledger_account, schema.agent_version

# Of the hot path, so made once.
_specs = select(_v.c.id, _v.c.spec).where(_v.c.id.in_(bindparam("versions", expanding=True)))
_left_in = select(_a.c.id, _a.c.credits_posted - _a.c.debits_posted - _a.c.debits_pending).where(
    _a.c.id.in_(bindparam("accounts", expanding=True))
)


class Unfunded(Exception):
    """The agent does not have the entry; the message says by how much, and how to mend it."""

    def __init__(
        self, ticket: TicketRecord, has_micros: int, entry_micros: int, asset: str
    ) -> None:
        has, costs = tiers.money(has_micros, asset), tiers.money(entry_micros, asset)
        said = f"the agent has {has} available, an entry costs {costs}"
        if asset == tiers.USDC:
            lacks = tiers.amount(entry_micros - has_micros)
            said += (
                f": fund it first (`agon money fund {shlex.quote(ticket.name)} {lacks}` or more)"
            )
        super().__init__(said)
        self.agent = ticket.agent


class NotPlaying(Exception):
    """The agent is archived or frozen, or its spec leaves out the Space; the message says why."""


class Wanted(msgspec.Struct, frozen=True):
    """An entry that is to be held."""

    ticket: TicketRecord
    run: int | None

    @property
    def asset(self) -> str:
        return tiers.asset_of(self.ticket.tier_micros)

    @property
    def micros(self) -> int:
        return tiers.entry_micros(self.ticket.tier_micros)

    @property
    def transfer(self) -> Transfer:
        """The pending one that reserves it."""
        ticket = self.ticket
        return entry.hold(
            ticket.ticket,
            agent=ticket.agent,
            space=ticket.space,
            asset=self.asset,
            micros=self.micros,
        )


class AskAgain(Exception):
    """The answer may be another one by now, without the others in the batch: to be tried again."""

    def __init__(self, answer: Exception) -> None:
        super().__init__(str(answer))
        self.answer = answer
        """What it is if it stays so."""


async def not_playing(tx: AsyncConnection, wanted: Sequence[Wanted]) -> dict[str, NotPlaying]:
    """By ticket, who may not play what it wants to."""
    if not wanted:
        return {}
    resting = await automations.all_at_rest(tx, {each.ticket.agent for each in wanted}, lock=True)
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


async def not_payable(
    db: Database, tx: AsyncConnection, wanted: Sequence[Wanted], now_ms: int
) -> dict[str, Exception]:
    """By ticket, whose entry the escrow would not pay. Free entries are not asked about and cost nothing here."""
    paid = [each for each in wanted if each.asset == tiers.USDC]
    if not paid:
        return {}
    purses = await escrow_room.purses(db, tx, {each.ticket.owner for each in paid}, now_ms)
    found: dict[str, Exception] = {}
    shared: set[str] = set()
    for each in paid:
        owner = each.ticket.owner
        purse = purses.get(owner)
        error = room.refused(purse, each.micros, now_ms)
        if error is None:
            assert purse is not None, "who has none is refused"
            purses[owner] = purse.taking(each.micros)
            shared.add(owner)
            continue
        answer = await _short_of(tx, each, purse, error)
        # Another entry of this owner has taken the room before it, and may yet be refused for another reason.
        again = owner in shared and error.code in (room.AWAITING, room.DAY)
        found[each.ticket.ticket] = AskAgain(answer) if again else answer
    return found


async def _short_of(
    tx: AsyncConnection, wanted: Wanted, purse: Purse | None, error: EscrowRefused
) -> Exception:
    """Who has not got the money on the ledger, either, need not wait for an epoch."""
    if purse is None or error.code != room.AWAITING:
        return error
    account = names.agent(wanted.asset, wanted.ticket.agent)
    has = (await _available(tx, [account])).get(account, 0)
    if has >= wanted.micros:
        return error
    if not purse.deposited:
        return room.not_deposited(purse.wallet)
    return Unfunded(wanted.ticket, has, wanted.micros, wanted.asset)


async def admit(
    db: Database,
    tx: AsyncConnection,
    wanted: Sequence[Wanted],
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


async def reserve(
    db: Database,
    tx: AsyncConnection,
    wanted: Sequence[Wanted],
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
            batch.append(entry.grant(each.ticket.ticket, each.ticket.agent))
        batch.append(each.transfer)
    results = dict(
        zip((t.id for t in batch), await ledger.submit(db, tx, batch, now_ms), strict=True)
    )
    refused: dict[str, Exception] = {}
    for each in wanted:
        result = results[each.transfer.id]
        if result.done:
            continue
        error = await _refusal(tx, each, result)
        if each.ticket.ticket in runs:
            raise error
        refused[each.ticket.ticket] = error
    return refused


async def _refusal(tx: AsyncConnection, wanted: Wanted, result: Result) -> Exception:
    if result is not Result.EXCEEDS_CREDITS:
        return ledger.TransferRefused(wanted.transfer, result)
    if wanted.asset == tiers.PLAY:  # the grant that was thought unnecessary is necessary
        return AskAgain(Unfunded(wanted.ticket, 0, wanted.micros, wanted.asset))
    account = names.agent(wanted.asset, wanted.ticket.agent)
    has = (await _available(tx, [account])).get(account, 0)
    return Unfunded(wanted.ticket, has, wanted.micros, wanted.asset)


async def _grants(tx: AsyncConnection, wanted: Sequence[Wanted]) -> set[str]:
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
            left += entry.PLAY_GRANT_MICROS
        has[account] = left - each.micros
    return granted


async def _available(tx: AsyncConnection, accounts: Collection[str]) -> dict[str, int]:
    rows = await tx.execute(_left_in, {"accounts": list(accounts)})
    return {id_: int(micros) for id_, micros in rows}
