"""Which sessions an agent may learn from: settled ones of its own in one Space, the newest first."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import exists, select, tuple_

from server.store import gating, money, schema
from server.store.engine import Database

_e, _s, _r = schema.entry, schema.session, money.result


class Place(NamedTuple):
    """Where a page ended."""

    sealed_ms: int
    session: str


class LessonsToLearn:
    """Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def page(
        self,
        agent: str,
        space: str,
        *,
        since_ms: int,
        until_ms: int,
        after: Place | None,
        limit: int,
    ) -> list[Place]:
        """The next of the sessions that were sealed after `since_ms` and up to `until_ms`; the last of them is
        the place for the next page. Voided ones are not among them, nor a gate's matches: candidates
        would learn from their own examination."""
        query = (
            select(_s.c.sealed_ms, _s.c.id)
            .join(_e, _e.c.session == _s.c.id)
            .join(_r, _r.c.session == _s.c.id)
            .where(
                _e.c.agent == agent,
                _s.c.space == space,
                _s.c.sealed_ms > since_ms,
                _s.c.sealed_ms <= until_ms,
                _r.c.status == "settled",
                ~exists().where(gating.gate_match.c.session == _s.c.id),
            )
            .order_by(_s.c.sealed_ms.desc(), _s.c.id.desc())
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(_s.c.sealed_ms, _s.c.id) < tuple_(*after))
        async with self._db.reading() as tx:
            return [Place(*row) for row in await tx.execute(query)]
