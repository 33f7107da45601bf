"""Automations of agents. The rules are `server.automation`'s; here is the row that they are asked about, locked.

`admit`, `released` and `settled` are called inside the transactions that hold, give back and settle an entry, so that the counters and the
money can never disagree. Each locks the agent's row: a transaction that calls one of them for several agents does so in the order of their
ids, as two that lock in different orders would wait for each other.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server import automation as rules
from server.automation import Automation, Entry, LimitReached, Limits, Run
from server.clock import Clock
from server.store import money
from server.store.engine import Database

__all__ = [
    "Automations",
    "LimitReached",
    "NoAutomation",
    "RunUnderWay",
    "admit",
    "released",
    "settled",
]

_a = money.automation


class NoAutomation(LookupError):
    """The agent's limits have not been set."""


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
    """Count an entry that is about to be held. Returns the run that it counts against, to be kept with the hold; None when no
    automation is on, and then nothing is counted.

    `run` is that of an automation which wants the entry itself: once it has ended, the entry is refused. Raises LimitReached, and
    then nothing has changed.
    """
    row = await _locked(tx, agent)
    if run is not None and (row is None or row.state != "on" or row.run.number != run):
        raise LimitReached("the automation's run has ended")
    if row is None or row.state != "on":
        return None
    entry = Entry(space, tier_micros, asset, micros, now_ms)
    if reason := rules.admit(row.limits, row.run, entry):
        raise LimitReached(reason)
    await _count(tx, row, rules.entered(row.run, micros), now_ms)
    return row.run.number


async def released(
    db: Database, tx: AsyncConnection, *, agent: str, run: int | None, micros: int, now_ms: int
) -> None:
    """Take back what `admit` counted: the entry left its queue unplayed. To be called once for a hold; one of an earlier run, or of
    none, changes nothing."""
    row = await _locked(tx, agent) if run is not None else None
    if row is not None and row.run.number == run:
        await _count(tx, row, rules.released(row.run, micros), now_ms)


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


class Automations:
    """What owners and the loop do. Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def get(self, agent: str) -> Automation | None:
        async with self._db.reading() as tx:
            row = (await tx.execute(select(_a).where(_a.c.agent == agent))).one_or_none()
        return None if row is None else _automation(row)

    async def put(self, agent: str, limits: Limits) -> Automation:
        """Set the limits, which hold from now on, also in a run that is on; what is open stays open.

        The first time the automation is made, turned off. Raises InvalidLimits, RunUnderWay.
        """
        rules.check(limits)
        now_ms = self._clock()
        async with self._db.writing() as tx:
            await tx.execute(
                self._db.insert(_a).values(_new(agent, limits, now_ms)).on_conflict_do_nothing()
            )
            was = await _standing(tx, agent)
            if was.state == "on" and was.run.asset != limits.asset:
                raise RunUnderWay(
                    f"the run that is on counts in {was.run.asset}, the limits in {limits.asset}"
                )
            await tx.execute(
                update(_a)
                .where(_a.c.agent == agent)
                .values(limits=msgspec.json.encode(limits).decode(), changed_ms=now_ms)
            )
            await _count(tx, msgspec.structs.replace(was, limits=limits), was.run, now_ms)
            return await _standing(tx, agent)

    async def turn_on(self, agent: str) -> Automation:
        """Begin a run; one that is on goes on. Raises NoAutomation."""
        now_ms = self._clock()
        async with self._db.writing() as tx:
            was = await _standing(tx, agent)
            if was.state == "on":
                return was
            run = Run(was.run.number + 1, was.limits.asset)
            values = {"state": "on", "reason": None, "changed_ms": now_ms, **_counters(run)}
            await tx.execute(update(_a).where(_a.c.agent == agent).values(values))
            return await _standing(tx, agent)

    async def turn_off(self, agent: str) -> Automation:
        """End the run; what is open is played and counted. Raises NoAutomation."""
        now_ms = self._clock()
        async with self._db.writing() as tx:
            await _standing(tx, agent)
            await tx.execute(
                update(_a)
                .where(_a.c.agent == agent, _a.c.state != "off")
                .values(state="off", reason=None, changed_ms=now_ms)
            )
            return await _standing(tx, agent)

    async def stop(self, agent: str, run: int, reason: str) -> bool:
        """End a run for a reason that is none of its limits. False when that run was not on any more."""
        async with self._db.writing() as tx:
            stopped = await tx.execute(
                update(_a)
                .where(_a.c.agent == agent, _a.c.run == run, _a.c.state == "on")
                .values(
                    state="stopped", reason=reason[: rules.REASON_MAX], changed_ms=self._clock()
                )
            )
        return stopped.rowcount == 1


async def _locked(tx: AsyncConnection, agent: str) -> Automation | None:
    """The row, which nobody else changes before `tx` ends. SQLite has one writer at a time anyway."""
    row = (await tx.execute(select(_a).where(_a.c.agent == agent).with_for_update())).one_or_none()
    return None if row is None else _automation(row)


async def _standing(tx: AsyncConnection, agent: str) -> Automation:
    row = await _locked(tx, agent)
    if row is None:
        raise NoAutomation(f"agent {agent} has no automation: set its limits first")
    return row


async def _count(tx: AsyncConnection, row: Automation, run: Run, now_ms: int) -> None:
    """Write the run's counters, and that it has stopped where no entry can follow. The row is locked."""
    values = _counters(run)
    reason = rules.finished(row.limits, run) if row.state == "on" else None
    if reason is not None:
        values |= {"state": "stopped", "reason": reason, "changed_ms": now_ms}
    await tx.execute(update(_a).where(_a.c.agent == row.agent).values(values))


def _counters(run: Run) -> dict[str, Any]:
    return {
        "run": run.number,
        "asset": run.asset,
        "begun": run.begun,
        "open": run.open,
        "at_risk_micros": run.at_risk_micros,
        "profit_micros": run.profit_micros,
    }


def _new(agent: str, limits: Limits, now_ms: int) -> dict[str, Any]:
    return {
        "agent": agent,
        "state": "off",
        "limits": msgspec.json.encode(limits).decode(),
        "changed_ms": now_ms,
        **_counters(Run(0, limits.asset)),
    }


def _automation(row: Row[*tuple[Any, ...]]) -> Automation:
    run = Run(row.run, row.asset, row.begun, row.open, row.at_risk_micros, row.profit_micros)
    limits = msgspec.json.decode(row.limits, type=Limits)
    return Automation(row.agent, row.state, limits, run, row.reason, row.changed_ms)
