"""Retiring an adapter: its place among its owner's becomes free, and its files are let go. Never one that plays, or may have to."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.agents import spec as specs
from server.clock import Clock
from server.store import gating, schema
from server.store.adapters import COLUMNS, AdapterRow
from server.store.engine import Database
from server.store.learning import adapter as _d
from server.store.learning import training_job as _j
from server.store.lineages import back_from, rows_of

_a, _v, _e, _s = schema.agent, schema.agent_version, schema.entry, schema.session


class InUse(Exception):
    """Something plays with the adapter, or would have to; the message says what, and what to do."""


class Retiring:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def retire(self, row: AdapterRow) -> AdapterRow:
        """It counts no more for its owner and is never played again; card and name stay taken. Idempotent: the first time stands. Raises InUse
        for one that plays, that a roll-back leads to, that a live session or a gate plays with, or that a training goes on from."""
        async with self._db.writing() as tx:
            # What plays does not change meanwhile: edits, verdicts and roll-backs lock the agent, too.
            await tx.execute(
                select(_a.c.id).where(_a.c.id == row.agent).with_for_update(key_share=True)
            )
            retired = await tx.scalar(select(_d.c.retired_ms).where(_d.c.card == row.card))
            if retired is None:
                if (why := await _use(tx, row)) is not None:
                    raise InUse(why)
                now = update(_d).where(_d.c.card == row.card, _d.c.retired_ms.is_(None))
                await tx.execute(now.values(retired_ms=self._clock()))
            found = (await tx.execute(select(*COLUMNS).where(_d.c.card == row.card))).one()
        return AdapterRow(**found._mapping)

    async def shared(self, row: AdapterRow) -> frozenset[str]:
        """Those of its files that an adapter which is kept has, too."""
        query = select(_d.c.weights, _d.c.gguf).where(
            _d.c.retired_ms.is_(None),
            _d.c.card != row.card,
            (_d.c.weights == row.weights) | (_d.c.gguf == row.gguf),
        )
        async with self._db.reading() as tx:
            return frozenset(cid for found in await tx.execute(query) for cid in found if cid)


async def _use(tx: AsyncConnection, row: AdapterRow) -> str | None:
    playing = await tx.scalar(
        select(_v.c.id)
        .join_from(_a, _v, (_v.c.agent == _a.c.id) & (_v.c.number == _a.c.plays))
        .where(_a.c.id == row.agent)
    )
    for version in back_from(await rows_of(tx, row.agent), playing or ""):
        if await _adapter_of(tx, version) == row.card:
            if version == playing:
                return f"{version} plays with it; have another version play first"
            return f"{version} plays with it, which a roll-back of {playing} leads to"
    jobs = select(_j.c.id, _j.c.version, _j.c.adapter).where(
        _j.c.agent == row.agent, _j.c.ended_ms.is_(None)
    )
    for job in await tx.execute(jobs):
        if row.card in (job.adapter, await _adapter_of(tx, job.version)):
            return f"training {job.id} is under way with it; wait for its end, or cancel it"
    gate = select(gating.gate.c.id).where(
        gating.gate.c.adapter == row.card, gating.gate.c.status == "running"
    )
    if (found := await tx.scalar(gate.limit(1))) is not None:
        return f"gate {found} tests it; wait for its verdict"
    live = (
        select(_s.c.id)
        .join(_e, _e.c.session == _s.c.id)
        .join(_v, _v.c.id == _e.c.version)
        .where(_s.c.status.in_(("formed", "live")), _v.c.spec.contains(row.card, autoescape=True))
    )
    if (found := await tx.scalar(live.limit(1))) is not None:
        return f"session {found} is being played with it; wait for its end"
    return None


async def _adapter_of(tx: AsyncConnection, version: str) -> str | None:
    spec = await tx.scalar(select(_v.c.spec).where(_v.c.id == version))
    return specs.read(spec or "{}").adapter
