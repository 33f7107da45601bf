"""Lineages: which versions of an agent came to play by the arena's gate, and which its owner has taken back.

The one place that makes a candidate play. Rows are only ever added.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.agents import spec as specs
from server.clock import Clock
from server.store import gates, gating, schema
from server.store.agents import UnknownAgent
from server.store.engine import Database
from server.store.gates import GateRow
from server.store.learning import adapter as _d
from training.gate.verdict import Verdict

_l = gating.lineage
_a, _v = schema.agent, schema.agent_version


class NothingToRollBack(Exception):
    """What plays was not promoted, so there is no parent to go back to; the message says so."""


class LineageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One change of what plays."""

    number: int
    kind: Literal["promoted", "rolled-back"]
    version: str
    """Plays from then on."""
    parent: str
    """Played until then."""
    adapter: str | None
    """Of `version`: CID of the adapter's card."""
    gate: str | None
    """By which it was promoted."""
    at_ms: int


class Lineages:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def of(self, agent: str) -> list[LineageRow]:
        """Oldest first."""
        async with self._db.reading() as tx:
            return await rows_of(tx, agent)

    async def adapters(self, agent: str) -> set[tuple[str, str | None]]:
        """The adapters that were promoted for the agent, each with the model that it is an adapter of, as its spec names it: the ones that
        its owner may name. Those that were retired are not among them."""
        query = select(_v.c.spec).join_from(_l, _v, _v.c.id == _l.c.version)
        async with self._db.reading() as tx:
            found = await tx.scalars(query.where(_l.c.agent == agent, _l.c.kind == "promoted"))
            read = [specs.read(text) for text in found]
            named = {(each.adapter, each.model) for each in read if each.adapter is not None}
            retired = select(_d.c.card).where(
                _d.c.card.in_([adapter for adapter, _ in named]), _d.c.retired_ms.is_not(None)
            )
            gone = set(await tx.scalars(retired))
        return {each for each in named if each[0] not in gone}

    async def conclude(self, row: GateRow, verdict: Verdict) -> Verdict:
        """End the gate and, where it says so, make the candidate play: both or nothing. The verdict that stands: the first one, or that it
        came too late, where the agent has changed meanwhile. Idempotent."""
        now_ms = self._clock()
        async with self._db.writing() as tx:
            await _lock(tx, row.agent)
            if verdict.decision == "promote":
                why = await gates.why_interrupted(tx, row)
                if why is not None:
                    verdict = Verdict("undecided", (why, *verdict.reasons))
            if not await gates.end(tx, row.gate, verdict, now_ms):
                standing = await tx.scalar(
                    select(gating.gate.c.verdict).where(gating.gate.c.id == row.gate)
                )
                return msgspec.json.decode(standing or b"", type=Verdict)
            if verdict.decision == "promote":
                await _play(tx, row.agent, row.candidate)
                await _add(
                    tx,
                    row.agent,
                    now_ms,
                    kind="promoted",
                    version=row.candidate,
                    parent=row.current,
                    adapter=row.adapter,
                    gate=row.gate,
                )
        return verdict

    async def roll_back(self, agent: str, version: str | None = None) -> LineageRow:
        """The parent of what plays plays again, with the rating that it had; the lineage says so. `version` is the one that shall not play
        any more: where it does not by now, the row that says so is returned, so that who asks twice goes back once. Raises UnknownAgent,
        NothingToRollBack."""
        now_ms = self._clock()
        async with self._db.writing() as tx:
            await _lock(tx, agent)
            playing = await tx.scalar(
                select(_v.c.id)
                .join_from(_a, _v, (_v.c.agent == _a.c.id) & (_v.c.number == _a.c.plays))
                .where(_a.c.id == agent)
            )
            if playing is None:
                raise UnknownAgent(f"unknown agent {agent!r}")
            rows = await rows_of(tx, agent)
            if version not in (None, playing):
                for row in reversed(rows):
                    if row.kind == "rolled-back" and row.parent == version:
                        return row
                raise NothingToRollBack(f"{playing} plays, not {version}")
            parent = parent_of(rows, playing)
            if parent is None:
                raise NothingToRollBack(
                    f"{playing} was not promoted by a gate: there is no version to go back to (edit the agent instead)"
                )
            spec = await tx.scalar(select(_v.c.spec).where(_v.c.id == parent))
            adapter = specs.read(spec or "{}").adapter
            if await is_retired(tx, adapter):
                raise NothingToRollBack(
                    f"{parent} played with an adapter that was retired since: edit the agent instead"
                )
            await _play(tx, agent, parent)
            return await _add(
                tx,
                agent,
                now_ms,
                kind="rolled-back",
                version=parent,
                parent=playing,
                adapter=adapter,
                gate=None,
            )


def parent_of(rows: list[LineageRow], version: str) -> str | None:
    """The version that the last promotion of `version` took the place of. Pure."""
    for row in reversed(rows):
        if row.kind == "promoted" and row.version == version:
            return row.parent
    return None


def back_from(rows: list[LineageRow], version: str) -> list[str]:
    """The version, and those that rolling back leads to from it, one after the other. Pure."""
    found = [version]
    while (parent := parent_of(rows, found[-1])) is not None and parent not in found:
        found.append(parent)
    return found


async def is_retired(tx: AsyncConnection, adapter: str | None) -> bool:
    """Whether its files were let go: what plays with it would play in void sessions alone."""
    query = select(_d.c.card).where(_d.c.card == adapter, _d.c.retired_ms.is_not(None))
    return await tx.scalar(query) is not None


async def rows_of(tx: AsyncConnection, agent: str) -> list[LineageRow]:
    """As `Lineages.of`, within the caller's transaction."""
    return [LineageRow(**row._mapping) for row in await tx.execute(_rows(agent))]


async def _lock(tx: AsyncConnection, agent: str) -> None:
    await tx.execute(select(_a.c.id).where(_a.c.id == agent).with_for_update(key_share=True))


async def _play(tx: AsyncConnection, agent: str, version: str) -> None:
    number = select(_v.c.number).where(_v.c.id == version).scalar_subquery()
    await tx.execute(
        update(_a).where(_a.c.id == agent).values(plays=number, revision=_a.c.revision + 1)
    )


async def _add(tx: AsyncConnection, agent: str, now_ms: int, **values: object) -> LineageRow:
    last = await tx.scalar(select(func.max(_l.c.number)).where(_l.c.agent == agent))
    values |= {"number": (last or 0) + 1, "at_ms": now_ms}
    await tx.execute(_l.insert().values(agent=agent, **values))
    return LineageRow(**values)  # type: ignore[arg-type]


def _rows(agent: str) -> Select[*tuple[object, ...]]:
    columns = [_l.c[name] for name in LineageRow.__struct_fields__]
    return select(*columns).where(_l.c.agent == agent).order_by(_l.c.number)
