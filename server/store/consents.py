"""What owners allow of the trainings of their agents, by Space."""

from __future__ import annotations

from sqlalchemy import select

from server.clock import Clock
from server.store import schema
from server.store.engine import Database
from server.store.learning import training_consent as _c
from server.training.eligibility import Consent


class Consents:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def of_agent(self, agent: str) -> dict[str, Consent]:
        """By Space; those alone that were ever set."""
        query = select(_c).where(_c.c.agent == agent).order_by(_c.c.space)
        async with self._db.reading() as tx:
            return {
                row.space: Consent(on=row.on, budget_s=row.budget_s)
                for row in await tx.execute(query)
            }

    async def put(self, agent: str, space: str, consent: Consent) -> None:
        """From now on. Idempotent. The agent exists."""
        insert = self._db.insert(_c)
        new = {"on": consent.on, "budget_s": consent.budget_s, "changed_ms": self._clock()}
        async with self._db.writing() as tx:
            await tx.execute(
                insert.values(agent=agent, space=space, **new).on_conflict_do_update(
                    index_elements=["agent", "space"], set_=new
                )
            )

    async def wanted(self, after: tuple[str, str], limit: int) -> list[tuple[str, str, Consent]]:
        """(agent, Space, consent) of those that are on, of agents that play; at most `limit` behind `after`, in their order."""
        a = schema.agent
        agent, space = after
        behind = (_c.c.agent > agent) | ((_c.c.agent == agent) & (_c.c.space > space))
        query = (
            select(_c)
            .join(a, a.c.id == _c.c.agent)
            .where(_c.c.on, behind, a.c.archived_ms.is_(None), a.c.frozen_ms.is_(None))
            .order_by(_c.c.agent, _c.c.space)
            .limit(limit)
        )
        async with self._db.reading() as tx:
            return [
                (row.agent, row.space, Consent(on=row.on, budget_s=row.budget_s))
                for row in await tx.execute(query)
            ]
