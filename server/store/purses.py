"""Owners' own transfers: between their account and their agents, and never out of an agent that is frozen.

The agent's row is locked against a freeze until the money has moved: of the two at once one comes first. Transfers lock it
against each other, too: they could share it, but then a freeze would wait for as long as one always follows another.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.ledger import Result, Transfer
from server.store import ledger, schema
from server.store.engine import Database

_a = schema.agent


class AgentFrozen(Exception):
    """An admin has frozen the agent: what it has stays where it is."""

    def __init__(self, agent: str, reason: str | None) -> None:
        super().__init__(
            f"agent {agent} is frozen: {reason or 'no reason was given'};"
            " what it has stays in its purse until the arena unfreezes it"
        )


class Purses:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def move(self, transfer: Transfer, source: str | None) -> Result:
        """Let the transfer happen, if it may. Idempotent by its id: one that was made before its agent was frozen stands.

        `source` is the agent whose purse is debited; None: the owner's own. Raises AgentFrozen, and then nothing has moved.
        """
        async with self._db.writing() as tx:
            frozen = None if source is None else await _frozen(tx, source)
            [result] = await ledger.submit(self._db, tx, [transfer], self._clock())
            if frozen is not None and result is not Result.EXISTS:
                raise frozen
        return result


async def _frozen(tx: AsyncConnection, agent: str) -> AgentFrozen | None:
    query = select(_a.c.frozen_ms, _a.c.frozen_reason).where(_a.c.id == agent)
    row = (await tx.execute(query.with_for_update(key_share=True))).one()
    return None if row.frozen_ms is None else AgentFrozen(agent, row.frozen_reason)
