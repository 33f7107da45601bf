"""The acts: voiding sessions, freezing agents, roles, redriving jobs.

Every method is one transaction that ends with a line in the audit log; what is refused is not logged.
`actor` is an account, or `audit.OPERATOR`; a reason is one line of 1 to 280 characters.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.admin import roles, voiding
from server.admin.refused import Refused, unknown
from server.admin.voiding import Voiding
from server.clock import Clock, unix_ms
from server.store import Store, audit, automations, outbox, schema
from server.store.audit import AuditEntry

MAX_REDRIVEN = 1_000
"""Dead letters in one transaction."""

_agent = schema.agent


class Acts:
    def __init__(self, store: Store, clock: Clock = unix_ms) -> None:
        self._db = store.database
        self._clock = clock

    async def void(self, session: str, *, actor: str, reason: str) -> Voiding:
        """Have a session count for nothing and its entries paid back; `voiding` says how. Raises Refused
        when its money has moved, when it is void, and while it is being voided."""
        reason, now_ms = _line(reason), self._clock()
        async with self._db.writing() as tx:
            found = await voiding.begin(self._db, tx, session, reason=reason, now_ms=now_ms)
            detail = {"was": found.was, "outcome": found.outcome, "given_up": found.given_up}
            await audit.note(
                tx,
                actor=actor,
                act="void",
                subject=session,
                reason=reason,
                now_ms=now_ms,
                detail=detail,
            )
        return found

    async def freeze(self, agent: str, *, actor: str, reason: str) -> AuditEntry:
        """Have an agent play no more once what it plays now is over.

        Its automation stops, with the reason, and it can queue no more; what waits for it is taken out of
        the queues, and its entry paid back, within seconds (`server.leaving`). It does finish the sessions
        that it sits in, for the sake of the others there. Raises Refused.
        """
        reason, now_ms = _line(reason), self._clock()
        async with self._db.writing() as tx:
            await _expect(tx, agent, frozen=False)
            await tx.execute(
                update(_agent)
                .where(_agent.c.id == agent)
                .values(frozen_ms=now_ms, frozen_reason=reason)
            )
            words = f"the agent was frozen: {reason}"
            stopped = await automations.stop(tx, agent=agent, reason=words, now_ms=now_ms)
            return await audit.note(
                tx,
                actor=actor,
                act="freeze",
                subject=agent,
                reason=reason,
                now_ms=now_ms,
                detail={"automation_stopped": stopped},
            )

    async def unfreeze(self, agent: str, *, actor: str, reason: str) -> AuditEntry:
        """Let it play again. Its automation stays stopped until its owner starts it. Raises Refused."""
        reason, now_ms = _line(reason), self._clock()
        async with self._db.writing() as tx:
            why = await _expect(tx, agent, frozen=True)
            await tx.execute(
                update(_agent)
                .where(_agent.c.id == agent)
                .values(frozen_ms=None, frozen_reason=None)
            )
            return await audit.note(
                tx,
                actor=actor,
                act="unfreeze",
                subject=agent,
                reason=reason,
                now_ms=now_ms,
                detail={"was_frozen_for": why},
            )

    async def grant_role(self, account: str, role: str, *, actor: str, reason: str) -> AuditEntry:
        """See `roles.grant`. It counts from the account's next request on."""
        reason, now_ms = _line(reason), self._clock()
        async with self._db.writing() as tx:
            await roles.grant(self._db, tx, account, role)
            return await audit.note(
                tx,
                actor=actor,
                act="grant-role",
                subject=account,
                reason=reason,
                now_ms=now_ms,
                detail={"role": role},
            )

    async def revoke_role(self, account: str, role: str, *, actor: str, reason: str) -> AuditEntry:
        """See `roles.revoke`. It counts from the account's next request on."""
        reason, now_ms = _line(reason), self._clock()
        async with self._db.writing() as tx:
            await roles.revoke(tx, account, role, actor=actor)
            return await audit.note(
                tx,
                actor=actor,
                act="revoke-role",
                subject=account,
                reason=reason,
                now_ms=now_ms,
                detail={"role": role},
            )

    async def redrive(self, rows: Sequence[str], *, actor: str, reason: str) -> list[str]:
        """Give dead letters all their attempts again, at once; returns those that were dead. A line of
        the audit log for each. Raises Refused for more than MAX_REDRIVEN."""
        reason, now_ms = _line(reason), self._clock()
        if len(rows) > MAX_REDRIVEN:
            raise Refused("invalid", "too-many", f"at most {MAX_REDRIVEN} dead letters at once")
        driven = []
        async with self._db.writing() as tx:
            for row in rows:
                letter = await outbox.redrive(tx, row)
                if letter is not None:
                    driven.append(row)
                    await audit.note(
                        tx,
                        actor=actor,
                        act="redrive",
                        subject=row,
                        reason=reason,
                        now_ms=now_ms,
                        detail={
                            "session": letter.session,
                            "step": letter.step,
                            "attempts": letter.tried,
                            "error": letter.last_error,
                        },
                    )
        return driven


async def _expect(tx: AsyncConnection, agent: str, *, frozen: bool) -> str | None:
    """Lock the agent; returns the reason for which it is frozen. Raises Refused."""
    query = select(_agent.c.frozen_ms, _agent.c.frozen_reason).where(_agent.c.id == agent)
    # As weak as the update: a hold, which has its automation locked, refers to the agent meanwhile.
    row = (await tx.execute(query.with_for_update(key_share=True))).one_or_none()
    if row is None:
        raise unknown("agent", agent)
    if (row.frozen_ms is not None) != frozen:
        state = "is not frozen" if frozen else f"is frozen: {row.frozen_reason}"
        raise Refused("conflict", "no-change", f"agent {agent} {state}")
    why: str | None = row.frozen_reason
    return why


def _line(reason: str) -> str:
    """A reason as it is kept. Raises Refused."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in reason).split())
    if not 0 < len(clean) <= audit.MAX_REASON:
        raise Refused(
            "invalid", "bad-reason", f"a reason has 1 to {audit.MAX_REASON} printable characters"
        )
    return clean
