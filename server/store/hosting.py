"""What the runner needs of the store: whom it is to play, with which spec, and keys to play with."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Select, select, union, update

from server.clock import Clock
from server.identity import HOUSE_OWNER, key_hash, new_id, new_key
from server.store import money, schema
from server.store.agents import HOST_KEY_MS, HOST_SCOPE, UnknownAgent
from server.store.engine import Database

_a, _v, _k = schema.agent, schema.agent_version, schema.api_key
_MAY_PLAY = _a.c.kind == "hosted", _a.c.archived_ms.is_(None), _a.c.frozen_ms.is_(None)


class Due(msgspec.Struct, frozen=True):
    """A hosted agent that has something to play, or soon may."""

    agent: str
    name: str


class Hosting:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def due(self) -> list[Due]:
        """Owners' agents that the runner is to play: hosted ones whose automation is on or that wait in a
        queue, and whatever sits in a live session to which it was seated as hosted, also when it has been
        archived, frozen or taken over since. In the order of their ids.

        The house's own agents are not among them: they queue by themselves (`bots.house`).
        """
        automation, hold = money.automation, money.hold
        e, s = schema.entry, schema.session
        # Each begins where there are few: what runs, what waits, what is live.
        runs = _guests().join_from(automation, _a, _a.c.id == automation.c.agent)
        waits = _guests().join_from(hold, _a, _a.c.id == hold.c.agent)
        sits = _guests().join_from(s, e, e.c.session == s.c.id).join(_a, _a.c.id == e.c.agent)
        found = union(
            runs.where(automation.c.state == "on", *_MAY_PLAY),
            waits.where(hold.c.state == "held", *_MAY_PLAY),
            sits.where(s.c.status.in_(("formed", "live")), e.c.kind == "hosted"),
        )
        async with self._db.reading() as tx:
            rows = (await tx.execute(found)).all()
        return sorted((Due(*row) for row in rows), key=lambda each: each.agent)

    async def spec(self, version: str) -> str | None:
        """The spec of a version, canonical JSON; it never changes."""
        async with self._db.reading() as tx:
            found: str | None = await tx.scalar(select(_v.c.spec).where(_v.c.id == version))
        return found

    async def key(self, agent: str) -> str:
        """A key for the runner, good for HOST_KEY_MS. Raises UnknownAgent."""
        key = new_key()
        async with self._db.writing() as tx:
            owner = await tx.scalar(select(_a.c.owner).where(_a.c.id == agent))
            if owner is None:
                raise UnknownAgent(f"unknown agent {agent!r}")
            await tx.execute(
                _k.insert().values(
                    hash=key_hash(key),
                    id=new_id(),
                    account=owner,
                    agent=agent,
                    scopes=HOST_SCOPE,
                    label=HOST_SCOPE,
                    created_ms=self._clock(),
                )
            )
        return key

    async def revoke(self, keys: Iterable[str]) -> None:
        """These keys of the runner open nothing from now on; those too old to open anything are removed."""
        now_ms = self._clock()
        hashes = [key_hash(key) for key in keys]
        ours = _k.c.scopes == HOST_SCOPE
        async with self._db.writing() as tx:
            if hashes:
                await tx.execute(
                    update(_k).where(ours, _k.c.hash.in_(hashes)).values(revoked_ms=now_ms)
                )
            await tx.execute(_k.delete().where(ours, _k.c.created_ms < now_ms - 2 * HOST_KEY_MS))


def _guests() -> Select[str, str]:
    return select(_a.c.id, _a.c.name).where(_a.c.owner != HOUSE_OWNER)
