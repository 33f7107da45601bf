"""Automations of agents. The rules are `server.automation`'s; here is the row that they are asked about, locked.

`admit`, `released` and `settled` are called inside the transactions that hold, give back and settle an entry, so that the counters and the
money can never disagree. Each locks the agent's row: a transaction that calls one of them for several agents does so in the order of their
ids, as two that lock in different orders would wait for each other.

An agent's row is locked before its automation's. Whoever makes an entry holds it, and so does who sets the first limits: an entry
that has found no automation is in place before there is one to be turned on.

Holds are locked before automations everywhere. Turning one on therefore locks the open holds that the new run takes over, then the row,
and begins again where another hold was made in between (`_open_holds`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, bindparam, case, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server import automation as rules
from server.automation import Automation, Entry, LimitReached, Limits, Run
from server.clock import Clock
from server.store import money, schema
from server.store.engine import Database

__all__ = [
    "WITH_LIMITS",
    "AtRest",
    "Automations",
    "LimitReached",
    "NoAutomation",
    "RunUnderWay",
    "admit",
    "all_at_rest",
    "at_rest",
    "released",
    "settled",
    "stop",
]

_a = money.automation
_agent = schema.agent

_h = money.hold

WITH_LIMITS = select(_a.c.agent).where(_a.c.agent.in_(bindparam("agents", expanding=True)))
"""Those of `agents` that have an automation, on or not: an entry waits for the row of one that is just being turned on."""
_standings = select(
    _agent.c.id, _agent.c.archived_ms, _agent.c.frozen_ms, _agent.c.frozen_reason
).where(_agent.c.id.in_(bindparam("agents", expanding=True)))
_locked_standings = _standings.order_by(_agent.c.id).with_for_update(key_share=True)


class NoAutomation(LookupError):
    """The agent's limits have not been set."""


class AtRest(Exception):
    """The agent is archived or frozen, as the message says; it plays no more."""


class _EnteredMeanwhile(Exception):
    """A hold was made between the look at the open ones and the lock of the row."""


class RunUnderWay(Exception):
    """The limits count in another asset than the run that is on: it is to be turned off first."""


async def admit(
    db: Database,
    tx: AsyncConnection,
    *,
    agent: str,
    space: str,
    tier_micros: int,
    asset: str,
    micros: int,
    now_ms: int,
    run: int | None = None,
) -> int | None:
    """Count an entry that is about to be held. Returns the run that it counts against, to be kept with the hold; None when the
    automation is off or there is none, and then nothing is counted. One that has stopped refuses every entry until its owner
    turns it on or off: a bot that queues in a loop must not lose on what the stop-loss has saved.

    `run` is that of an automation which wants the entry itself: once it has ended, the entry is refused. Raises LimitReached, and
    then nothing has changed.
    """
    row = await _locked(tx, agent)
    if run is not None and (row is None or row.state != "on" or row.run.number != run):
        raise LimitReached("the automation's run has ended")
    if row is None or row.state == "off":
        return None
    if row.state == "stopped":
        raise LimitReached(
            f"the automation has stopped ({row.reason}); turn it on again, or off to enter by hand"
        )
    entry = Entry(space, tier_micros, asset, micros, now_ms)
    if reason := rules.admit(row.limits, row.run, entry):
        raise LimitReached(reason)
    await _count(tx, row, rules.entered(row.run, micros), now_ms)
    return row.run.number


async def released(
    db: Database,
    tx: AsyncConnection,
    *,
    agent: str,
    run: int | None,
    micros: int,
    now_ms: int,
    missed: bool = False,
    carried: bool = False,
) -> None:
    """Take back what was counted: the entry left its queue unplayed. `missed`: since its agent did not confirm the seat. `carried`, as
    the hold says: the run found it open.

    To be called once for a hold; one of an earlier run, or of none, changes nothing.
    """
    row = await _locked(tx, agent) if run is not None else None
    if row is not None and row.run.number == run:
        run_now = rules.released(row.run, micros, missed=missed, carried=carried)
        await _count(tx, row, run_now, now_ms)


async def settled(
    db: Database,
    tx: AsyncConnection,
    *,
    agent: str,
    run: int | None,
    micros: int,
    won_micros: int,
    now_ms: int,
) -> None:
    """Count what came of an entry, and stop the run where a limit is reached. To be called once for a hold; one of an earlier run,
    or of none, changes nothing."""
    row = await _locked(tx, agent) if run is not None else None
    if row is not None and row.run.number == run:
        await _count(tx, row, rules.settled(row.run, micros, won_micros), now_ms)


async def stop(
    tx: AsyncConnection, *, agent: str, reason: str, now_ms: int, run: int | None = None
) -> bool:
    """End the run that is on, whichever it is or only `run`. False when it was not on."""
    was = await _locked(tx, agent)
    if was is None or was.state != "on" or run not in (None, was.run.number):
        return False
    await _write(tx, rules.stopped(was, reason, now_ms), now_ms)
    return True


class Automations:
    """What owners do with them. Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def get(self, agent: str) -> Automation | None:
        async with self._db.reading() as tx:
            row = (await tx.execute(select(_a).where(_a.c.agent == agent))).one_or_none()
        return None if row is None else automation_of(row)

    async def put(self, agent: str, limits: Limits) -> Automation:
        """Set the limits, which hold from now on, also in a run that is on; what is open stays open.

        The first time the automation is made, turned off. Raises InvalidLimits, RunUnderWay.
        """
        rules.check(limits)
        now_ms = self._clock()
        new = Automation(agent, "off", limits, Run(0, limits.asset), None, now_ms)
        async with self._db.writing() as tx:
            await all_at_rest(tx, [agent], lock=True)  # whoever is about to enter has, or sees it
            await tx.execute(
                self._db.insert(_a).values(agent=agent, **_values(new)).on_conflict_do_nothing()
            )
            was = await _standing(tx, agent)
            if was.state == "on" and was.run.asset != limits.asset:
                raise RunUnderWay(
                    f"the run that is on counts in {was.run.asset}, the limits in {limits.asset}"
                )
            now = msgspec.structs.replace(was, limits=limits, changed_ms=now_ms)
            return await _count(tx, now, now.run, now_ms)

    async def turn_on(self, agent: str) -> Automation:
        """Begin a run; one that is on goes on. What is open in its asset is taken over, whichever run or hand entered it. Raises
        NoAutomation, and AtRest for an agent that is archived or frozen."""
        while (
            True
        ):  # whoever makes us begin again has entered meanwhile, so somebody always gets on
            with contextlib.suppress(_EnteredMeanwhile):
                return await self._turn_on(agent)

    async def _turn_on(self, agent: str) -> Automation:
        now_ms = self._clock()
        async with self._db.writing() as tx:
            seen = await _open_holds(tx, agent)
            was = await _standing(tx, agent)
            if was.state == "on":
                return was
            if reason := await at_rest(tx, agent):
                raise AtRest(reason)
            number, asset = was.run.number + 1, was.limits.asset
            run = rules.begin(number, asset, await _take_over(tx, agent, number, asset, seen))
            now = Automation(agent, "on", was.limits, run, None, now_ms)
            return await _write(tx, now, now_ms)

    async def turn_off(self, agent: str) -> Automation:
        """End the run; what is in play is counted still. Raises NoAutomation."""
        now_ms = self._clock()
        async with self._db.writing() as tx:
            was = await _standing(tx, agent)
            if was.state == "off":
                return was
            off = msgspec.structs.replace(was, state="off", reason=None, changed_ms=now_ms)
            return await _write(tx, off, now_ms)

    async def stop(self, agent: str, run: int, reason: str) -> bool:
        """End a run for a reason that is none of its limits. False when that run was not on any more."""
        async with self._db.writing() as tx:
            return await stop(tx, agent=agent, run=run, reason=reason, now_ms=self._clock())


def automation_of(row: Row[*tuple[Any, ...]]) -> Automation:
    """A row of the table as a Struct."""
    run = Run(
        number=row.run,
        asset=row.asset,
        begun=row.begun,
        open=row.open,
        at_risk_micros=row.at_risk_micros,
        profit_micros=row.profit_micros,
        missed=row.missed,
    )
    limits = msgspec.json.decode(row.limits, type=Limits)
    return Automation(row.agent, row.state, limits, run, row.reason, row.changed_ms, row.due_ms)


async def at_rest(tx: AsyncConnection, agent: str) -> str | None:
    """Why the agent plays no more, in words; None when it does."""
    return (await all_at_rest(tx, [agent])).get(agent)


async def all_at_rest(
    tx: AsyncConnection, agents: Collection[str], *, lock: bool = False
) -> dict[str, str]:
    """`at_rest` of several, without those that play. `lock`: nobody changes their rows before `tx` ends."""
    query = _locked_standings if lock else _standings
    rows = {row.id: row for row in await tx.execute(query, {"agents": list(agents)})}
    found = {agent: _why_at_rest(agent, rows.get(agent)) for agent in agents}
    return {agent: reason for agent, reason in found.items() if reason is not None}


def _why_at_rest(agent: str, row: Row[*tuple[Any, ...]] | None) -> str | None:
    if row is None:
        return f"there is no agent {agent!r}"
    if row.frozen_ms is not None:
        return f"the agent is frozen: {row.frozen_reason or 'no reason is given'}"
    if row.archived_ms is not None:
        return "the agent is archived; take it out of the archive to let it play"
    return None


async def _locked(tx: AsyncConnection, agent: str) -> Automation | None:
    """The row, which nobody else changes before `tx` ends. SQLite has one writer at a time anyway."""
    row = (await tx.execute(select(_a).where(_a.c.agent == agent).with_for_update())).one_or_none()
    return None if row is None else automation_of(row)


async def _standing(tx: AsyncConnection, agent: str) -> Automation:
    row = await _locked(tx, agent)
    if row is None:
        raise NoAutomation(f"agent {agent} has no automation: set its limits first")
    return row


async def _open_holds(tx: AsyncConnection, agent: str) -> set[str]:
    """The agent's tickets whose entries are held or spent, locked in the order of their names."""
    query = select(_h.c.ticket).where(_open(agent)).order_by(_h.c.ticket).with_for_update()
    return set(await tx.scalars(query))


async def _take_over(
    tx: AsyncConnection, agent: str, run: int, asset: str, seen: Collection[str]
) -> list[int]:
    """Have the open holds count against this run; returns their micros. The row and the `seen` holds are locked.

    Raises _EnteredMeanwhile where there is one that was not seen: to lock it now would be against the order of locks.
    """
    columns = _h.c.ticket, _h.c.micros
    found = (await tx.execute(select(*columns).where(_open(agent), _h.c.asset == asset))).all()
    tickets = [row.ticket for row in found]
    if not set(tickets) <= set(seen):
        raise _EnteredMeanwhile
    if tickets:
        taken = update(_h).where(_h.c.ticket.in_(tickets))
        await tx.execute(taken.values(carried_to=run))
    return [row.micros for row in found]


def _open(agent: str) -> ColumnElement[bool]:
    return (_h.c.agent == agent) & _h.c.state.in_(("held", "spent"))


async def _count(tx: AsyncConnection, row: Automation, run: Run, now_ms: int) -> Automation:
    """Write what has become of the run: it has stopped where no entry can follow. The row is locked."""
    now = msgspec.structs.replace(row, run=run)
    if now.state == "on" and (reason := rules.finished(now.limits, run)):
        now = rules.stopped(now, reason, now_ms)
    return await _write(tx, now, now_ms)


async def _write(tx: AsyncConnection, now: Automation, now_ms: int) -> Automation:
    """The one place that changes a row. It is locked."""
    on = now.state == "on"
    due_ms = rules.next_entry_ms(now.limits, now.run, now_ms) if on else None
    now = msgspec.structs.replace(now, due_ms=due_ms)
    changed = update(_a).where(_a.c.agent == now.agent)
    # Of one run each state is entered once, so these two name what the agent's channel has to hear.
    same = (_a.c.state == now.state) & (_a.c.run == now.run.number)
    untold = case((same, _a.c.untold), else_=true())
    await tx.execute(changed.values(untold=untold, **_values(now)))
    return now


def _values(now: Automation) -> dict[str, Any]:
    return {
        "state": now.state,
        "limits": msgspec.json.encode(now.limits).decode(),
        "asset": now.run.asset,
        "run": now.run.number,
        "begun": now.run.begun,
        "open": now.run.open,
        "at_risk_micros": now.run.at_risk_micros,
        "profit_micros": now.run.profit_micros,
        "missed": now.run.missed,
        "reason": now.reason,
        "changed_ms": now.changed_ms,
        "due_ms": now.due_ms,
    }
