"""Accounts, agents, their versions and their keys."""

from __future__ import annotations

from typing import Literal

import msgspec
from sqlalchemy import Select, select, update
from sqlalchemy.exc import IntegrityError

from server.clock import Clock
from server.identity import Identity, key_hash, new_id, new_key
from server.store import names, schema
from server.store.engine import Database

Kind = Literal["remote", "hosted"]


class NameTaken(ValueError):
    """The owner has an agent of that name already."""


class UnknownAgent(LookupError):
    """There is no such agent."""


class AgentCard(msgspec.Struct, frozen=True):
    """What everybody may know about an agent."""

    agent: str
    name: str
    kind: Kind
    version: str
    """The version that plays now, `<agent>@v<number>`."""
    created_ms: int


class Agents:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def register(
        self, name: str, owner: str | None = None, kind: Kind = "remote"
    ) -> tuple[Identity, str]:
        """A new agent in its first version, and its key, which is not kept and cannot be shown again.

        `owner` is an account, made here when it is new; without one the agent gets its own. The caller
        has checked that it may act for `owner`. Raises InvalidName, NameTaken.
        """
        name = names.clean(name)
        agent, key, now = new_id(), new_key(), self._clock()
        identity = Identity(
            agent, name, version_id(agent, 1), owner or new_id(), hosted=kind == "hosted"
        )
        try:
            await self._add(identity, kind, key, now)
        except IntegrityError:
            raise NameTaken(f"the owner already has an agent named {name!r}") from None
        return identity, key

    async def _add(self, identity: Identity, kind: Kind, key: str, now: int) -> None:
        async with self._db.writing() as tx:
            await tx.execute(
                self._db.insert(schema.account)
                .values(id=identity.owner, created_ms=now)
                .on_conflict_do_nothing()
            )
            await tx.execute(
                schema.agent.insert().values(
                    id=identity.agent,
                    owner=identity.owner,
                    name=identity.name,
                    name_key=names.fold(identity.name),
                    kind=kind,
                    plays=1,
                    created_ms=now,
                )
            )
            await tx.execute(
                schema.agent_version.insert().values(
                    id=identity.version, agent=identity.agent, number=1, spec="{}", created_ms=now
                )
            )
            await tx.execute(schema.api_key.insert().values(_playing(identity, key, now)))

    async def by_key(self, key: str) -> Identity | None:
        """Who the key speaks for; None when it is unknown or revoked."""
        return await self._identity(
            _identities()
            .join(schema.api_key, schema.api_key.c.agent == schema.agent.c.id)
            .where(schema.api_key.c.hash == key_hash(key), schema.api_key.c.revoked_ms.is_(None))
        )

    async def get(self, agent: str) -> Identity | None:
        return await self._identity(_identities().where(schema.agent.c.id == agent))

    async def names_of(self, owner: str) -> dict[str, str]:
        """The names of all agents of an account, the archived ones included, by id; oldest first."""
        a = schema.agent
        query = select(a.c.id, a.c.name).where(a.c.owner == owner).order_by(a.c.id)
        async with self._db.reading() as tx:
            return {row.id: row.name for row in await tx.execute(query)}

    async def named(self, owner: str, name: str) -> Identity | None:
        """The owner's agent that a registration of `name` would collide with."""
        return await self._identity(
            _identities().where(
                schema.agent.c.owner == owner,
                schema.agent.c.name_key == names.fold(names.clean(name)),
            )
        )

    async def card(self, agent: str) -> AgentCard | None:
        a, v = schema.agent, schema.agent_version
        query = (
            select(a.c.id, a.c.name, a.c.kind, v.c.id, a.c.created_ms)
            .join(v, (v.c.agent == a.c.id) & (v.c.number == a.c.plays))
            .where(a.c.id == agent)
        )
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else AgentCard(*row)

    async def issue_key(self, agent: str) -> str:
        """One more key for an agent, shown once. Raises UnknownAgent."""
        key, identity = new_key(), await self.get(agent)
        if identity is None:
            raise UnknownAgent(f"unknown agent {agent!r}")
        async with self._db.writing() as tx:
            await tx.execute(schema.api_key.insert().values(_playing(identity, key, self._clock())))
        return key

    async def revoke(self, key: str) -> bool:
        """The key opens nothing from now on. False when there was nothing to revoke."""
        async with self._db.writing() as tx:
            result = await tx.execute(
                update(schema.api_key)
                .where(
                    schema.api_key.c.hash == key_hash(key), schema.api_key.c.revoked_ms.is_(None)
                )
                .values(revoked_ms=self._clock())
            )
        return result.rowcount == 1

    async def _identity(self, query: Select[str, str, str, str, str]) -> Identity | None:
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        if row is None:
            return None
        agent, name, version, owner, kind = row
        return Identity(agent, name, version, owner, hosted=kind == "hosted")


def _playing(identity: Identity, key: str, now_ms: int) -> dict[str, object]:
    """The row of a key that speaks for one agent and can do nothing but play."""
    return {
        "hash": key_hash(key),
        "id": new_id(),
        "account": identity.owner,
        "agent": identity.agent,
        "scopes": "play",
        "label": "play",
        "created_ms": now_ms,
    }


def version_id(agent: str, number: int) -> str:
    """Unique, and what follows the `@` is what people call it."""
    return f"{agent}@v{number}"


def _identities() -> Select[str, str, str, str, str]:
    a, v = schema.agent, schema.agent_version
    return select(a.c.id, a.c.name, v.c.id, a.c.owner, a.c.kind).join(
        v, (v.c.agent == a.c.id) & (v.c.number == a.c.plays)
    )
