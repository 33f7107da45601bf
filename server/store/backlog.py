"""The outbox as an operator wants to see it: what waits, runs or is dead, since when, and for what.

Reading only; the state machine is in `outbox`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, Select, case, func, select
from ulid import ULID

from server.store import schema
from server.store.engine import Database
from server.store.outbox import State, blocked

UNFINISHED = (State.WAITING.value, State.RUNNING.value, State.DEAD.value)
MAX_PAGE = 1_000

_o = schema.outbox
_before = _o.alias("before")
_blocker = (
    select(_before.c.step)
    .where(
        _before.c.session == _o.c.session,
        _before.c.rank < _o.c.rank,
        _before.c.state.in_(UNFINISHED),
    )
    .order_by(_before.c.rank)
    .limit(1)
    .scalar_subquery()
)


class Job(msgspec.Struct, frozen=True):
    """One outbox row and what holds it up."""

    id: str
    session: str
    space: str
    step: str
    state: str
    attempts: int
    """That count: since it was made, or redriven."""
    redriven: bool
    due_ms: int
    """Waiting: not before; running: lost after."""
    made_ms: int
    waits_for: str | None
    """The session's step that must be done first, and is not."""
    error: str | None
    """Of the last attempt that failed."""


class StepLoad(msgspec.Struct, frozen=True):
    """What is unfinished of one step."""

    step: str
    waiting: int
    running: int
    dead: int
    due: int
    """Of those that wait: which could be done now, since nothing holds them up."""
    oldest_due_ms: int | None
    """Since when the longest of those is due."""


class Backlog:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def page(
        self,
        *,
        states: Collection[str] = UNFINISHED,
        step: str | None = None,
        session: str | None = None,
        limit: int = 100,
    ) -> list[Job]:
        """The rows in these states, of the oldest sessions first; a session's in their order."""
        query = (
            _jobs()
            .where(_o.c.state.in_(list(states)))
            .order_by(_o.c.session, _o.c.rank, _o.c.step)
            .limit(min(limit, MAX_PAGE))
        )
        if step is not None:
            query = query.where(_o.c.step == step)
        if session is not None:
            query = query.where(_o.c.session == session)
        async with self._db.reading() as tx:
            return [_job(row) for row in await tx.execute(query)]

    async def get(self, row_id: str) -> Job | None:
        async with self._db.reading() as tx:
            row = (await tx.execute(_jobs().where(_o.c.id == row_id))).one_or_none()
        return None if row is None else _job(row)

    async def dead(self, step: str, limit: int = MAX_PAGE) -> Sequence[str]:
        """The ids of a step's dead letters, oldest first."""
        query = (
            select(_o.c.id)
            .where(_o.c.state == State.DEAD.value, _o.c.step == step)
            .order_by(_o.c.id)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return (await tx.scalars(query)).all()

    async def load(self, now_ms: int) -> list[StepLoad]:
        """For each step of which something is unfinished. Costs as much as there is unfinished."""
        due = (_o.c.state == State.WAITING.value) & (_o.c.due_ms <= now_ms) & ~blocked()
        query = (
            select(
                _o.c.step,
                *(func.count(case((_o.c.state == state, 1))) for state in UNFINISHED),
                func.count(case((due, 1))),
                func.min(case((due, _o.c.due_ms))),
            )
            .where(_o.c.state.in_(UNFINISHED))
            .group_by(_o.c.step)
            .order_by(_o.c.step)
        )
        async with self._db.reading() as tx:
            return [StepLoad(*row) for row in await tx.execute(query)]


def _jobs() -> Select[*tuple[Any, ...]]:
    s = schema.session
    return select(*_o.c, s.c.space, _blocker.label("waits_for")).join(s, s.c.id == _o.c.session)


def _job(row: Row[*tuple[Any, ...]]) -> Job:
    values = row._asdict()
    return Job(
        id=values["id"],
        session=values["session"],
        space=values["space"],
        step=values["step"],
        state=values["state"],
        attempts=values["attempts"] - values["spared"],
        redriven=values["spared"] > 0,
        due_ms=values["due_ms"],
        made_ms=ULID.from_str(values["id"]).milliseconds,
        waits_for=values["waits_for"],
        error=values["last_error"],
    )
