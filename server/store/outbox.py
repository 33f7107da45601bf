"""What follows a session: one row per side effect, with its own state machine.

The row is the truth; a queue may wake a worker early, and a sweeper that calls `due` wakes it late.
A step is due when it waits, its time has come, and every step of lower rank of its session is done. A
running step whose attempt has not ended in time is due again: its worker is dead.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from server.convoy import Convoy
from server.identity import new_id
from server.store import schema
from server.store.engine import Database

HOLD_NOBODY_UP = frozenset({"pin"})
"""Steps that no other waits for: each has the rank of the one behind it."""
ATTEMPT_MS = 10 * 60_000
"""An attempt that has not ended after this long is lost; longer than any step may take."""
MAX_ERROR = 2_000
"""Characters kept of an error."""


class State(enum.StrEnum):
    WAITING = "waiting"
    """Due at `due_ms`, once the steps before it are done."""
    RUNNING = "running"
    """Somebody works on it, until `due_ms` at the latest."""
    DONE = "done"
    """For good."""
    DEAD = "dead"
    """Given up; only `redrive` brings it back. The steps after it wait."""
    VOID = "void"
    """For good: the session was voided, and this is not to be done any more."""


class OutboxRow(msgspec.Struct, frozen=True):
    id: str
    session: str
    step: str
    state: str
    attempts: int
    """Started so far; the number of the latest, by which its worker is told from all others. It never
    goes back."""
    due_ms: int
    last_error: str | None
    spared: int = 0
    """Attempts that do not count: from before the last redrive, or by workers that stopped in good order."""

    @property
    def tried(self) -> int:
        """Attempts that count."""
        return self.attempts - self.spared


class NotDue(Exception):
    """Somebody else has started, finished or given up this row in the meantime."""


_o = schema.outbox
_columns = (
    _o.c.id,
    _o.c.session,
    _o.c.step,
    _o.c.state,
    _o.c.attempts,
    _o.c.due_ms,
    _o.c.last_error,
    _o.c.spared,
)
_OPEN = (State.WAITING.value, State.RUNNING.value)
_OVER = (State.DONE.value, State.VOID.value)


class _Start(msgspec.Struct, frozen=True):
    """A row that is to be taken, as it was seen."""

    row: OutboxRow
    now_ms: int
    attempt_ms: int


# Of the hot path, so made once.
_these = _o.c.id.in_(bindparam("ids", expanding=True))
_get = select(*_columns).where(_these)
_due_again = (
    select(_o.c.id, _o.c.state, _o.c.attempts, _o.c.due_ms)
    .where(_these)
    .order_by(_o.c.id)
    .with_for_update()
)
_take = (
    update(_o)
    .where(_o.c.id == bindparam("of"))
    .values(
        state=State.RUNNING.value,
        attempts=bindparam("new_attempts"),
        due_ms=bindparam("new_due_ms"),
    )
)
_NOT_VOID = _o.c.state != State.VOID.value
_DONE = {"state": State.DONE.value, "last_error": None}
_done = update(_o).where(_these, _NOT_VOID).values(_DONE)
_finish = (
    update(_o)
    .where(
        _o.c.session.in_(bindparam("sessions", expanding=True)),
        _o.c.step.in_(bindparam("steps", expanding=True)),
        _NOT_VOID,
    )
    .values(_DONE)
)


class Outbox:
    """Every method is one transaction; what is asked for at once may share one."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._starting: Convoy[_Start, int] = Convoy(self._start, lambda each: each.row.id)
        self._ending: Convoy[str, None] = Convoy(self._end, lambda row: row)
        self._getting: Convoy[str, OutboxRow | None] = Convoy(self._get, lambda row: row)
        self._following: Convoy[tuple[str, str], OutboxRow | None] = Convoy(
            self._follow, lambda each: each
        )

    async def close(self) -> None:
        """Let what is asked for come to its end. Idempotent."""
        await self._starting.close()
        await self._ending.close()
        await self._getting.close()
        await self._following.close()

    async def due(
        self, now_ms: int, limit: int, steps: Collection[str] | None = None
    ) -> list[OutboxRow]:
        """At most `limit` rows that should be started now, longest due first; only of `steps`, if given."""
        steps = await self._steps() if steps is None else steps
        if not steps:
            return []
        query = _longest_due(tuple(sorted(steps)))
        async with self._db.reading() as tx:
            rows = await tx.execute(query, {"now_ms": now_ms, "most": limit})
            return [OutboxRow(*row) for row in rows]

    async def _steps(self) -> list[str]:
        """All of which something is open."""
        query = select(_o.c.step).where(_o.c.state.in_(_OPEN)).distinct()
        async with self._db.reading() as tx:
            return list((await tx.scalars(query)).all())

    async def get(self, row_id: str) -> OutboxRow | None:
        return await self._getting.ride(row_id)

    async def _get(self, ids: Sequence[str]) -> list[OutboxRow | Exception | None]:
        async with self._db.looking() as tx:
            found = {row.id: OutboxRow(*row) for row in await tx.execute(_get, {"ids": list(ids)})}
        return [found.get(row_id) for row_id in ids]

    async def following(self, row: OutboxRow, step: str, now_ms: int) -> OutboxRow | None:
        """That step of the same session, if it is due."""
        found = await self._following.ride((row.session, step))
        return found if found is not None and found.due_ms <= now_ms else None

    async def _follow(
        self, wanted: Sequence[tuple[str, str]]
    ) -> list[OutboxRow | Exception | None]:
        which = {"sessions": [each for each, _ in wanted], "steps": list({s for _, s in wanted})}
        async with self._db.looking() as tx:
            rows = [OutboxRow(*row) for row in await tx.execute(_unblocked(), which)]
        found = {(row.session, row.step): row for row in rows}
        return [found.get(each) for each in wanted]

    async def start(self, row: OutboxRow, now_ms: int, attempt_ms: int = ATTEMPT_MS) -> int:
        """Take the row as `due` gave it; returns the attempt's number, from 1.

        Of several workers that start the same row one succeeds; the others get NotDue.
        """
        return await self._starting.ride(_Start(row, now_ms, attempt_ms))

    async def _start(self, starts: Sequence[_Start]) -> list[int | Exception]:
        async with self._db.writing() as tx:
            ids = {"ids": [each.row.id for each in starts]}
            rows = {row.id: row for row in await tx.execute(_due_again, ids)}
            taken = [
                {
                    "of": each.row.id,
                    "new_attempts": each.row.attempts + 1,
                    "new_due_ms": each.now_ms + each.attempt_ms,
                }
                for each in starts
                if _is_due(each, rows.get(each.row.id))
            ]
            if taken:
                await tx.execute(_take, taken)
        ours = {each["of"] for each in taken}
        return [
            each.row.attempts + 1 if each.row.id in ours else _not_due(each.row) for each in starts
        ]

    async def done(self, row: OutboxRow) -> None:
        """The side effect has happened. Idempotent, and right even from an attempt that was too slow;
        what is void stays so."""
        await self._ending.ride(row.id)

    async def _end(self, ids: Sequence[str]) -> list[Exception | None]:
        async with self._db.writing() as tx:
            await tx.execute(_done, {"ids": list(ids)})
        return [None] * len(ids)

    async def failed(
        self, row: OutboxRow, reason: str, retry_at_ms: int | None, *, counts: bool = True
    ) -> None:
        """The attempt that `start` gave for this row failed; None for `retry_at_ms` gives the row up.

        Ignored when a later attempt is under way. The reason is cut at MAX_ERROR characters. An attempt that does not
        count leaves the row as many as it had.
        """
        state = State.DEAD if retry_at_ms is None else State.WAITING
        values: dict[str, object] = {"state": state.value, "last_error": _storable(reason)}
        if retry_at_ms is not None:
            values["due_ms"] = retry_at_ms
        if not counts:
            values["spared"] = row.spared + 1
        await self._leave(row, row.attempts + 1, **values)

    async def stopped(self, row: OutboxRow, now_ms: int) -> None:
        """The worker of the attempt that `start` gave stops in good order: due at once, and the attempt
        does not count. Ignored when a later attempt is under way."""
        await self._leave(
            row,
            row.attempts + 1,
            state=State.WAITING.value,
            spared=row.spared + 1,
            due_ms=now_ms,
        )

    async def lost(self, row: OutboxRow, reason: str) -> None:
        """Give up a row, as `due` or `get` gave it, whose worker died in its last attempt."""
        await self._leave(row, row.attempts, state=State.DEAD.value, last_error=_storable(reason))

    async def put_off(self, row: OutboxRow, until_ms: int) -> None:
        """Look again at `until_ms` at a row, as `due` or `get` gave it, whose worker died in its last attempt."""
        await self._leave(row, row.attempts, due_ms=until_ms)

    async def _leave(self, row: OutboxRow, number: int, /, **values: object) -> None:
        """From the attempt of that number, if it is still the latest, to another state."""
        async with self._db.writing() as tx:
            await tx.execute(
                update(_o)
                .where(
                    _o.c.id == row.id,
                    _o.c.attempts == number,
                    _o.c.state == State.RUNNING.value,
                )
                .values(**values)
            )

    async def dead(self, limit: int = 100) -> list[OutboxRow]:
        """The dead letters, newest first."""
        query = (
            select(*_columns)
            .where(_o.c.state == State.DEAD.value)
            .order_by(_o.c.id.desc())
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [OutboxRow(*row) for row in await tx.execute(query)]

    async def stands(self, row: OutboxRow, number: int) -> bool:
        """The attempt of that number is still the one that may act: nobody has started a later one,
        finished the row, or voided it."""
        stands = await self.get(row.id)
        return (
            stands is not None and stands.attempts == number and stands.state == State.RUNNING.value
        )

    async def steps(self, session: str) -> list[OutboxRow]:
        """A session's rows, in their order."""
        query = select(*_columns).where(_o.c.session == session).order_by(_o.c.rank, _o.c.step)
        async with self._db.reading() as tx:
            return [OutboxRow(*row) for row in await tx.execute(query)]

    async def wake(self, session: str, step: str, now_ms: int) -> None:
        """What a step has waited for is there: it is due now. One that runs, or is over, is left alone."""
        which = (
            (_o.c.session == session) & (_o.c.step == step) & (_o.c.state == State.WAITING.value)
        )
        async with self._db.writing() as tx:
            await tx.execute(update(_o).where(which, _o.c.due_ms > now_ms).values(due_ms=now_ms))

    async def done_so_far(self, step: str) -> int:
        """How many rows of a step have been done, ever."""
        query = select(func.count()).where(_o.c.step == step, _o.c.state == State.DONE.value)
        async with self._db.reading() as tx:
            return await tx.scalar(query) or 0

    async def counts(self) -> dict[str, int]:
        """Rows by state, for the metrics; `done` and `void` are left out since they only grow."""
        query = (
            select(_o.c.state, func.count()).where(_o.c.state.not_in(_OVER)).group_by(_o.c.state)
        )
        async with self._db.reading() as tx:
            found: dict[str, int] = dict((await tx.execute(query)).all())
        return {state: found.get(state, 0) for state in ("waiting", "running", "dead")}


async def stands(tx: AsyncConnection, row: OutboxRow, number: int) -> bool:
    """`Outbox.stands` within the caller's transaction, which locks the row."""
    query = (
        select(_o.c.id)
        .where(_o.c.id == row.id, _o.c.attempts == number, _o.c.state == State.RUNNING.value)
        .with_for_update()
    )
    return await tx.scalar(query) is not None


def ranked(steps: Sequence[str], rank: int) -> list[tuple[str, int]]:
    """Each step with its rank, the first one's being `rank`: each waits for those before it that hold others up."""
    found = []
    for step in steps:
        found.append((step, rank))
        rank += step not in HOLD_NOBODY_UP
    return found


async def add(
    db: Database, tx: AsyncConnection, session: str, steps: Sequence[str], rank: int, due_ms: int
) -> None:
    """Rows for `steps`, each to wait for the one before it; those that exist already stay."""
    await add_many(
        db, tx, [(session, step, rank + number, due_ms) for number, step in enumerate(steps)]
    )


async def add_many(
    db: Database, tx: AsyncConnection, rows: Sequence[tuple[str, str, int, int]]
) -> None:
    """Rows of (session, step, rank, due_ms); those that exist already stay."""
    if not rows:
        return
    insert = db.insert(_o).on_conflict_do_nothing(index_elements=["session", "step"])
    await tx.execute(
        insert,
        [
            {
                "id": new_id(),
                "session": session,
                "step": step,
                "rank": rank,
                "state": State.WAITING.value,
                "attempts": 0,
                "due_ms": due_ms,
            }
            for session, step, rank, due_ms in rows
        ],
    )


async def redrive(tx: AsyncConnection, row_id: str) -> OutboxRow | None:
    """Give a dead row all its attempts again, at once, within the caller's transaction, which says in
    the audit log who did it. Returns the row as it was; None when it is not dead."""
    dead = (_o.c.id == row_id) & (_o.c.state == State.DEAD.value)
    row = (await tx.execute(select(*_columns).where(dead).with_for_update())).one_or_none()
    if row is None:
        return None
    await tx.execute(
        update(_o)
        .where(dead)
        .values(state=State.WAITING.value, spared=_o.c.attempts, due_ms=0, last_error=None)
    )
    return OutboxRow(*row)


async def void(
    tx: AsyncConnection, session: str, reason: str, *, but: Collection[str]
) -> list[str]:
    """The session's steps that are not done, except those named, are not to be done any more; an
    attempt that is under way may not act any more. Returns their names, in their order."""
    which = and_(
        _o.c.session == session,
        _o.c.state.not_in((State.DONE.value, State.VOID.value)),
        _o.c.step.not_in(list(but)),
    )
    names = (await tx.scalars(select(_o.c.step).where(which).order_by(_o.c.rank, _o.c.step))).all()
    await tx.execute(
        update(_o).where(which).values(state=State.VOID.value, last_error=_storable(reason))
    )
    return list(names)


async def revive(tx: AsyncConnection, session: str, step: str, now_ms: int) -> None:
    """Have a step that waits, or was given up, done now, with all its attempts."""
    await tx.execute(
        update(_o)
        .where(
            _o.c.session == session,
            _o.c.step == step,
            _o.c.state.in_((State.WAITING.value, State.DEAD.value)),
        )
        .values(state=State.WAITING.value, spared=_o.c.attempts, due_ms=now_ms, last_error=None)
    )


@functools.cache
def _longest_due(steps: tuple[str, ...]) -> Select[*tuple[Any, ...]]:
    """At most `most` rows of these steps that are due at `now_ms`, longest due first.

    Each state of each step by itself, in the order of the index, which ends with the limit: there may be a hundred
    thousand of one.
    """
    parts = [
        select(*_columns)
        .where(
            _o.c.state == state, _o.c.step == step, _o.c.due_ms <= bindparam("now_ms"), ~blocked()
        )
        .order_by(_o.c.due_ms, _o.c.id)
        .limit(bindparam("most"))
        for state in _OPEN
        for step in steps
    ]
    found = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return select(found).order_by(found.c.due_ms, found.c.id).limit(bindparam("most"))


def blocked() -> ColumnElement[bool]:
    """A step of lower rank of the same session is not done."""
    before = _o.alias("before")
    return exists().where(
        before.c.session == _o.c.session,
        before.c.rank < _o.c.rank,
        before.c.state.not_in(_OVER),
    )


@functools.cache
def _unblocked() -> Select[*tuple[Any, ...]]:
    """Steps that wait for nothing but their time."""
    return select(*_columns).where(
        _o.c.session.in_(bindparam("sessions", expanding=True)),
        _o.c.step.in_(bindparam("steps", expanding=True)),
        _o.c.state == State.WAITING.value,
        ~blocked(),
    )


async def finish(tx: AsyncConnection, sessions: Sequence[str], steps: Sequence[str]) -> None:
    """Mark these steps of the sessions done, within the caller's transaction."""
    await tx.execute(_finish, {"sessions": list(sessions), "steps": list(steps)})


def _is_due(start: _Start, row: Row[*tuple[Any, ...]] | None) -> bool:
    """Nobody has touched the row since it was seen, and its time has come."""
    return (
        row is not None
        and row.attempts == start.row.attempts
        and row.state in _OPEN
        and row.due_ms <= start.now_ms
    )


def _not_due(row: OutboxRow) -> NotDue:
    return NotDue(f"outbox row {row.id} ({row.step} of {row.session}) is not due")


def _storable(reason: str) -> str:
    # PostgreSQL's text holds neither NUL nor a lone surrogate.
    return reason.replace("\0", " ").encode("utf-8", "replace").decode()[:MAX_ERROR]
