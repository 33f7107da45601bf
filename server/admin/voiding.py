"""Voiding a session: it counts for nothing, nobody is rated, and every entry goes back.

The request is an outbox step of its own, `void`, of lower rank than all that follows a session, so
that from this transaction on nothing of it can be judged, settled or rated before it is void:

- *formed or live*: nothing changes here. The step tells the session's host, which alone may write its
  log, and the session ends with the event `void` (`server.jobs.void`);
- *ended*: it becomes void here; its steps are not to be done any more, except `settle`, which pays
  back, `pin` and `publish`. The transcript keeps what was played;
- *settled*: refused. Money has moved, and perhaps away. (A session that could not be judged is settled as
  void by itself.)
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.admin.refused import Refused, unknown
from server.store import money, outbox, pins, schema
from server.store.engine import Database

STEP = "void"
SETTLE = "settle"
KEPT = (pins.NAME, pins.PUBLISH)
"""What was played, and what came of it, is kept all the same."""
RANK = 5
"""Above that of `open`, below that of everything that follows the seal."""
_RANK_SETTLE = 10

_s = schema.session
_o = schema.outbox


class Voiding(msgspec.Struct, frozen=True):
    """What was found of the session that is to be void."""

    session: str
    was: str
    """`formed`, `live`, or `ended`; of the last it is void already."""
    outcome: Any
    """What had come of it."""
    given_up: list[str]
    """Steps that are not to be done any more."""


def public_reason(reason: str) -> str:
    """What everybody is told."""
    return f"voided by the arena: {reason}"


async def begin(
    db: Database, tx: AsyncConnection, session: str, *, reason: str, now_ms: int
) -> Voiding:
    """To be called in the transaction that notes the act. Raises Refused."""
    row = await _locked(tx, session)
    if row is None:
        raise unknown("session", session)
    await _check(tx, session, row.status)
    outcome = None if row.outcome is None else msgspec.json.decode(row.outcome)
    await outbox.add(db, tx, session, [STEP], RANK, now_ms)
    if row.status != "ended":
        return Voiding(session, row.status, outcome, [])
    given_up = await turn(db, tx, session, reason=reason, now_ms=now_ms)
    return Voiding(session, row.status, outcome, given_up)


async def turn(
    db: Database, tx: AsyncConnection, session: str, *, reason: str, now_ms: int
) -> list[str]:
    """Make an ended session that is not settled void. Its row is locked. Returns the steps given up."""
    told = public_reason(reason)
    await tx.execute(
        update(_s)
        .where(_s.c.id == session, _s.c.status == "ended")
        .values(status="void", outcome=msgspec.json.encode({"reason": told}).decode())
    )
    given_up = await outbox.void(tx, session, told, but=(STEP, SETTLE, *KEPT))
    await outbox.add(db, tx, session, [SETTLE], _RANK_SETTLE, now_ms)
    await outbox.revive(tx, session, SETTLE, now_ms)
    return given_up


async def turn_ended(db: Database, session: str, reason: str, now_ms: int) -> bool:
    """Make a session void that ended by itself after it was asked to be void. False when it is not
    `ended`."""
    async with db.writing() as tx:
        row = await _locked(tx, session)
        if row is None or row.status != "ended":
            return False
        await turn(db, tx, session, reason=reason, now_ms=now_ms)
    return True


async def _locked(tx: AsyncConnection, session: str) -> Row[Any, Any] | None:
    """The settlement locks the same row: of a void and a settlement at once one comes first."""
    query = select(_s.c.status, _s.c.outcome).where(_s.c.id == session)
    return (await tx.execute(query.with_for_update(key_share=True))).one_or_none()


async def _check(tx: AsyncConnection, session: str, status: str) -> None:
    if status == "void":
        raise Refused("conflict", "already-void", f"session {session} is void already")
    steps = select(_o.c.step, _o.c.state).where(_o.c.session == session)
    states: dict[str, str] = dict((await tx.execute(steps)).all())
    if STEP in states:
        raise Refused(
            "conflict",
            "being-voided",
            f"session {session} is being voided: its step `void` is {states[STEP]} (see `agon jobs`)",
        )
    result = await tx.scalar(select(money.result.c.status).where(money.result.c.session == session))
    if result == "void":
        raise Refused(
            "conflict",
            "already-void",
            f"session {session} was settled as void: its entries are back",
        )
    if result is not None:
        raise Refused(
            "conflict",
            "already-settled",
            f"session {session} has been settled: what it paid may have been spent or withdrawn since, "
            "so it cannot be taken back here; freeze the agent, and make good what is owed out of an "
            "account of the arena's own",
        )
