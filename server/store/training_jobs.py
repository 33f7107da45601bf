"""Training jobs: one row each, with its state machine, its lease and how far it has come.

The row is the truth: a wake-up may be early, late or lost. A job is due when its time has come; whoever starts it holds it until the lease
ends and says so again while it works. Each start has a number, the fence: what an earlier one still writes is refused (`Overtaken`), so
a worker that was paused, or whose job somebody else has taken since, changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server import leagues
from server.clock import Clock
from server.identity import new_id
from server.store import gating, schema
from server.store.engine import Database
from server.store.learning import training_job as _j
from server.store.merit import league as _l
from server.training.eligibility import WEEK_MS, History
from server.training.states import OPEN, OVER, State, check

MAX_REASON = 500
"""Characters kept of a reason."""
_OPEN = [state.value for state in OPEN]
_GATED = (State.PROMOTED.value, State.KEPT.value)


class JobRow(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands; columns as in `server.store.learning`."""

    id: str
    agent: str
    space: str
    version: str
    asked: str
    state: State
    since_ms: int
    until_ms: int
    scored: int
    fence: int
    attempts: int
    due_ms: int
    held_by: str | None
    device: str | None
    folder: str
    step: int
    steps: int
    loss_micro: int | None
    curve: str
    device_ms: int
    wanted_off: bool
    reason: str | None
    data: str | None
    manifest: str | None
    adapter: str | None
    gate: str | None
    promoted: str | None
    created_ms: int
    started_ms: int | None
    moved_ms: int
    ended_ms: int | None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the steps are."""

    step: int
    steps: int
    loss_micro: int | None
    curve: str
    """JSON [[step, micro-nats], …]."""
    device_ms: int
    """Of this start alone, since the last report."""


class UnderWay(Exception):
    """The agent has a training in this Space that is not over."""

    def __init__(self, job: str) -> None:
        super().__init__(f"training {job} is under way; one at a time")
        self.job = job


class Overtaken(Exception):
    """Somebody else has started, or ended, the job in the meantime: whoever hears this may do nothing more for it."""


_COLUMNS = [getattr(_j.c, name) for name in JobRow.__struct_fields__]


class TrainingJobs:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def create(
        self, *, agent: str, space: str, asked: str, since_ms: int, scored: int
    ) -> JobRow:
        """A job of the version that plays now, due at once. Raises UnderWay."""
        now_ms, job, a = self._clock(), new_id(), schema.agent
        async with self._db.writing() as tx:
            # Two that come at once: the second waits here, and then finds the first one's.
            plays = select(a.c.plays).where(a.c.id == agent).with_for_update(key_share=True)
            number = await tx.scalar(plays)
            if (other := await _open_of(tx, agent, space)) is not None:
                raise UnderWay(other)
            row = JobRow(
                id=job,
                agent=agent,
                space=space,
                version=f"{agent}@v{number}",
                asked=asked,
                state=State.QUEUED,
                since_ms=since_ms,
                until_ms=now_ms,
                scored=scored,
                fence=0,
                attempts=0,
                due_ms=now_ms,
                held_by=None,
                device=None,
                folder=job,
                step=0,
                steps=0,
                loss_micro=None,
                curve="[]",
                device_ms=0,
                wanted_off=False,
                reason=None,
                data=None,
                manifest=None,
                adapter=None,
                gate=None,
                promoted=None,
                created_ms=now_ms,
                started_ms=None,
                moved_ms=now_ms,
                ended_ms=None,
            )
            await tx.execute(_j.insert().values(msgspec.structs.asdict(row)))
        return row

    async def get(self, job: str) -> JobRow | None:
        async with self._db.reading() as tx:
            return await _get(tx, job)

    async def of_agent(self, agent: str, limit: int = 50) -> list[JobRow]:
        """Newest first, in all Spaces."""
        query = (
            select(*_COLUMNS)
            .where(_j.c.agent == agent)
            .order_by(_j.c.created_ms.desc(), _j.c.id.desc())
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [_row(row) for row in await tx.execute(query)]

    async def due(
        self, now_ms: int, limit: int, devices: Collection[str] | None = None
    ) -> list[JobRow]:
        """Those to be started now, longest due first; `devices`: that can be, on one of those kinds."""
        fits = _j.c.device.is_(None) | _j.c.device.in_(devices or ())
        query = (
            select(*_COLUMNS)
            .where(_j.c.state.in_(_OPEN), _j.c.due_ms <= now_ms)
            .where(*([] if devices is None else [fits]))
            .order_by(_j.c.due_ms, _j.c.id)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [_row(row) for row in await tx.execute(query)]

    async def open(self, limit: int = 10_000) -> list[JobRow]:
        """Those that are not over."""
        query = select(*_COLUMNS).where(_j.c.state.in_(_OPEN)).limit(limit)
        async with self._db.reading() as tx:
            return [_row(row) for row in await tx.execute(query)]

    async def start(self, job: JobRow, lease_ms: int, device: str, holder: str) -> JobRow:
        """Hold the job, as it was seen, until the lease ends; `holder` names the process. Of several who try one succeeds. An attempt counts from here on: one that
        kills its worker is told of by nobody. Raises Overtaken."""
        now_ms = self._clock()
        which = (_j.c.id == job.id) & (_j.c.fence == job.fence) & (_j.c.due_ms <= now_ms)
        values = {
            "fence": job.fence + 1,
            "attempts": job.attempts + 1,
            "due_ms": now_ms + lease_ms,
            "held_by": holder[:64],
            "device": job.device or device,
            "started_ms": job.started_ms or now_ms,
        }
        return await self._change(job, which, values)

    async def report(self, job: JobRow, lease_ms: int, progress: Progress | None = None) -> JobRow:
        """Hold it for longer, and say how far it is. What has got on has not failed: its attempts are counted anew.
        Raises Overtaken. The answer's `wanted_off` says that its owner wants it ended."""
        now_ms = self._clock()
        values: dict[str, Any] = {"due_ms": now_ms + lease_ms}
        if progress is not None:
            values |= msgspec.structs.asdict(progress)
            values |= {"device_ms": _j.c.device_ms + progress.device_ms, "moved_ms": now_ms}
            if progress.step > job.step:
                values["attempts"] = 1
        return await self._change(job, _held(job), values)

    async def move(self, job: JobRow, to: State, **found: str | None) -> JobRow:
        """To the next state, with what was found on the way (`data`, `manifest`, `adapter`, `gate`, `promoted`, `reason`).
        Raises Overtaken; WrongTransition where no way leads."""
        check(job.state, to)
        now_ms = self._clock()
        values: dict[str, Any] = {**found, "state": to.value, "moved_ms": now_ms, "attempts": 1}
        if to in OVER:
            values |= {"ended_ms": now_ms, "attempts": job.attempts, "held_by": None}
        if "reason" in values:
            values["reason"] = _storable(values["reason"])
        elif to is not State.GATING:
            values["reason"] = None
        return await self._change(job, _held(job) & (_j.c.state == job.state.value), values)

    async def note(self, job: JobRow, **found: str | None) -> JobRow:
        """What was found, in the state that it is in. Raises Overtaken."""
        return await self._change(job, _held(job), found)

    async def leave(self, job: JobRow, due_ms: int, reason: str | None, *, counts: bool) -> JobRow:
        """Let somebody start it again from `due_ms` on; `counts`: the attempt failed. Raises Overtaken."""
        attempts = job.attempts if counts else max(0, job.attempts - 1)
        values = {"due_ms": due_ms, "reason": _storable(reason), "attempts": attempts}
        return await self._change(job, _held(job), {**values, "held_by": None})

    async def cancel(self, agent: str, space: str) -> JobRow | None:
        """End the agent's open job. Held by nobody it is over at once; else its worker ends it when it next reports. Idempotent; None
        when there is none. A job whose gate has spoken is left to its end, since its verdict stands."""
        now_ms, a, g = self._clock(), schema.agent, gating.gate
        async with self._db.writing() as tx:
            # A verdict and a cancellation at once: one comes first (`lineages.conclude` locks the agent, too).
            await tx.execute(select(a.c.id).where(a.c.id == agent).with_for_update(key_share=True))
            found = await _open_of(tx, agent, space)
            if found is None:
                return None
            ruled = select(g.c.id).where(g.c.id == found, g.c.status == "ended")
            if await tx.scalar(ruled) is not None:
                return await _get(tx, found)
            ours = (_j.c.id == found) & _j.c.state.in_(_OPEN)
            # Where nobody works on it nobody is there to end it; the fence keeps away who has found it due just now.
            idle = _j.c.held_by.is_(None) | (_j.c.due_ms <= now_ms)
            over = {
                "state": State.CANCELLED.value,
                "ended_ms": now_ms,
                "moved_ms": now_ms,
                "fence": _j.c.fence + 1,
                "held_by": None,
                "wanted_off": True,
                "reason": "its owner cancelled it",
            }
            ended = await tx.execute(update(_j).where(ours, idle).values(over))
            if not ended.rowcount:
                await tx.execute(update(_j).where(ours).values(wanted_off=True))
            return await _get(tx, found)

    async def history(self, agent: str, space: str, now_ms: int) -> History:
        """What `server.training.eligibility` asks of the past; its `obstacle` is not known here."""
        mine = (_j.c.agent == agent) & (_j.c.space == space)
        columns = (
            *(_j.c.id, _j.c.state, _j.c.until_ms, _j.c.ended_ms, _j.c.moved_ms, _j.c.device_ms),
            _was_gated().label("gated"),
        )
        query = select(*columns).where(mine).order_by(_j.c.created_ms.desc(), _j.c.id.desc())
        async with self._db.reading() as tx:
            jobs = (await tx.execute(query.limit(200))).all()
            since_ms = next((job.until_ms for job in jobs if job.gated), 0)
            scored = await _scored(tx, agent, space, since_ms)
            league = await _league(tx, agent, space)
        gated = [job for job in jobs if job.gated]
        kept = next((i for i, job in enumerate(gated) if job.state == State.PROMOTED), len(gated))
        ended = next((job for job in jobs if job.gated or job.state == State.FAILED.value), None)
        failed = ended is not None and ended.state == State.FAILED
        return History(
            scored=scored,
            league=league,
            job=next((job.id for job in jobs if job.state in _OPEN), None),
            kept=kept,
            kept_ms=gated[0].ended_ms if kept else None,
            failed_ms=ended.ended_ms if ended is not None and failed else None,
            spent=tuple(
                (job.moved_ms, job.device_ms)
                for job in jobs
                if job.device_ms and job.moved_ms > now_ms - WEEK_MS
            ),
        )

    async def since_ms(self, agent: str, space: str) -> int:
        """The end of what the last gated training learned from; 0 before the first."""
        query = select(func.max(_j.c.until_ms)).where(
            _j.c.agent == agent, _j.c.space == space, _was_gated()
        )
        async with self._db.reading() as tx:
            return int(await tx.scalar(query) or 0)

    async def spec(self, version: str) -> str:
        """Of a version, canonical JSON."""
        v = schema.agent_version
        async with self._db.reading() as tx:
            return str(await tx.scalar(select(v.c.spec).where(v.c.id == version)) or "{}")

    async def _change(
        self, job: JobRow, which: ColumnElement[bool], values: dict[str, Any]
    ) -> JobRow:
        async with self._db.writing() as tx:
            changed = await tx.execute(
                update(_j).where(which, _j.c.state.in_(_OPEN)).values(values)
            )
            if not changed.rowcount:
                raise Overtaken(f"training {job.id}: start {job.fence} of it is over")
            row = await _get(tx, job.id)
        assert row is not None, "just changed"
        return row


def _was_gated() -> ColumnElement[bool]:
    """Its gate has spoken, or was cut off by its owner, who sees the test as it is drawn: whoever might begin another at no cost as soon as
    one goes badly would be promoted by chance in the end."""
    cut_off = (_j.c.state == State.CANCELLED.value) & exists().where(gating.gate.c.id == _j.c.id)
    return _j.c.state.in_(_GATED) | cut_off


def _held(job: JobRow) -> ColumnElement[bool]:
    return (_j.c.id == job.id) & (_j.c.fence == job.fence)


async def _get(tx: AsyncConnection, job: str) -> JobRow | None:
    row = (await tx.execute(select(*_COLUMNS).where(_j.c.id == job))).one_or_none()
    return None if row is None else _row(row)


def _row(row: Any) -> JobRow:
    return JobRow(**{**row._mapping, "state": State(row.state)})


async def _open_of(tx: AsyncConnection, agent: str, space: str) -> str | None:
    query = select(_j.c.id).where(_j.c.agent == agent, _j.c.space == space, _j.c.state.in_(_OPEN))
    found: str | None = await tx.scalar(query.limit(1))
    return found


async def _scored(tx: AsyncConnection, agent: str, space: str, since_ms: int) -> int:
    """Sessions that the agent played to a rank, sealed after then."""
    e, s = schema.entry, schema.session
    query = (
        select(func.count(e.c.session.distinct()))
        .join(s, s.c.id == e.c.session)
        .where(e.c.agent == agent, e.c.rank.is_not(None))
        .where(~exists().where(gating.gate_match.c.session == s.c.id))  # a gate's own matches
        .where(s.c.space == space, s.c.status == "ended", s.c.sealed_ms > since_ms)
    )
    return int(await tx.scalar(query) or 0)


async def _league(tx: AsyncConnection, agent: str, space: str) -> int:
    """0 (Bronze) to 5 (Master), of the newest version with a sure place here; 0 where none has one."""
    r, v = schema.rating, schema.agent_version
    query = (
        select(r.c.sessions, r.c.sigma_milli, _l.c.division)
        .join(v, v.c.id == r.c.version)
        .join(_l, (_l.c.version == r.c.version) & (_l.c.space == r.c.space))
        .where(v.c.agent == agent, r.c.space == space)
        .order_by(v.c.number.desc())
    )
    for row in await tx.execute(query):
        if not leagues.provisional(row.sessions, row.sigma_milli):
            return int(row.division) // 3
    return 0


def _storable(reason: str | None) -> str | None:
    # PostgreSQL's text holds neither NUL nor a lone surrogate.
    if reason is None:
        return None
    return reason.replace("\0", " ").encode("utf-8", "replace").decode()[:MAX_REASON]
