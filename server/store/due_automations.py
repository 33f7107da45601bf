"""What the automations' loop works through: entries that are due, and changes that nobody has been told of.

Both are columns of the automation's row, written in the transaction that changed it, so nothing that happens between two looks is missed
and a look costs as much as there is to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.agents import spec as specs
from server.automation import Automation, Limits, Run
from server.identity import Identity
from server.store import money, schema
from server.store.automations import automation_of
from server.store.engine import Database


class Due(msgspec.Struct, frozen=True):
    """An automation that may make an entry now."""

    identity: Identity
    due_ms: int
    """Since when, unix ms."""
    limits: Limits
    run: Run
    waiting: frozenset[str]
    """The Spaces in whose queue of its tier the agent waits already."""
    unplayed: frozenset[str]
    """The Spaces of its limits that the agent's spec leaves out."""


_a = money.automation


class DueAutomations:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def waiting(self, automation: Automation) -> list[str]:
        """The tickets with which runs that have ended wait in queues: an earlier one in the other asset, which the run that is on
        has not taken over, or any where none is on."""
        h, run = money.hold, automation.run.number
        counts_in = func.coalesce(h.c.carried_to, h.c.run)
        over = counts_in < run if automation.state == "on" else counts_in <= run
        query = (
            select(h.c.ticket)
            .where(h.c.agent == automation.agent, h.c.state == "held", h.c.run.is_not(None), over)
            .order_by(h.c.ticket)
        )
        async with self._db.reading() as tx:
            return list((await tx.scalars(query)).all())

    async def due(self, now_ms: int, limit: int) -> list[Due]:
        """At most `limit` automations whose next entry is due, longest due first."""
        a, v = schema.agent, schema.agent_version
        # First the few that are due, so that the agents of all others are never looked at.
        on = _a.c.state == "on", _a.c.due_ms <= now_ms
        due = select(_a).where(*on).order_by(_a.c.due_ms).limit(limit).subquery()
        query = (
            select(due, a.c.name, a.c.owner, a.c.kind, v.c.id.label("version"), v.c.spec)
            .join(a, a.c.id == due.c.agent)
            .join(v, (v.c.agent == a.c.id) & (v.c.number == a.c.plays))
            .order_by(due.c.due_ms)
        )
        async with self._db.reading() as tx:
            rows = (await tx.execute(query)).all()
            waiting = await _waiting(tx, [row.agent for row in rows]) if rows else {}
        return [_due(row, waiting.get(row.agent, ())) for row in rows]

    async def defer(self, agents: Collection[str], seen_ms: int, until_ms: int) -> None:
        """Look at these again from `until_ms` on. One that has become due after `seen_ms`, when `due` was asked, stays so."""
        if agents:
            async with self._db.writing() as tx:
                await tx.execute(
                    update(_a)
                    .where(_a.c.agent.in_(sorted(agents)), _a.c.due_ms <= seen_ms)
                    .values(due_ms=until_ms)
                )

    async def untold(self, limit: int) -> list[Automation]:
        """At most `limit` automations whose state the agent's channel has yet to hear of."""
        query = select(_a).where(_a.c.untold).limit(limit)
        async with self._db.reading() as tx:
            return [automation_of(row) for row in await tx.execute(query)]

    async def told(self, automations: Sequence[Automation]) -> None:
        """Their channels have heard of these states; what has changed since is still to be told."""
        async with self._db.writing() as tx:
            for each in sorted(automations, key=lambda each: each.agent):
                await tx.execute(
                    update(_a)
                    .where(
                        _a.c.agent == each.agent,
                        _a.c.state == each.state,
                        _a.c.run == each.run.number,
                    )
                    .values(untold=False)
                )


def _due(row: Row[*tuple[Any, ...]], waiting: Iterable[tuple[str, int]]) -> Due:
    standing = automation_of(row)
    limits, played = standing.limits, specs.read(row.spec).spaces
    return Due(
        identity=Identity(row.agent, row.name, row.version, row.owner, hosted=row.kind == "hosted"),
        due_ms=row.due_ms,
        limits=limits,
        run=standing.run,
        waiting=frozenset(space for space, tier in waiting if tier == limits.tier_micros),
        unplayed=frozenset(limits.spaces) - frozenset(played or limits.spaces),
    )


async def _waiting(tx: AsyncConnection, agents: Sequence[str]) -> dict[str, list[tuple[str, int]]]:
    """(Space, tier) of what is held for each agent."""
    h = money.hold
    query = select(h.c.agent, h.c.space, h.c.tier_micros).where(
        h.c.agent.in_(agents), h.c.state == "held"
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for agent, space, tier_micros in await tx.execute(query):
        found.setdefault(agent, []).append((space, tier_micros))
    return found
