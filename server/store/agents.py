"""Agents and who may play as them. What their owners change is in `owned`, the runner's keys in `hosting`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, Select, bindparam, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.agents.limits import DAY_MS, Limits
from server.clock import Clock
from server.convoy import Convoy
from server.identity import Identity, Kind, key_hash, new_id, new_key
from server.store import accounts, names, schema
from server.store.avatars import avatar_row
from server.store.engine import Database

HOST_SCOPE = "host"
"""The one scope of a key of the runner; no owner can give or have it."""
HOST_KEY_MS = 24 * 3600 * 1000
"""A key of the runner opens nothing when it is older: a runner that was killed revokes none."""

_a, _v, _k = schema.agent, schema.agent_version, schema.api_key


class NameTaken(ValueError):
    """The owner has an agent of that name already."""


class UnknownAgent(LookupError):
    """There is no such agent."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An agent to be made. The texts are clean (`server.agents.words`), the specs canonical and different."""

    name: str
    about: str = ""
    kind: Kind = "remote"
    specs: Sequence[str] = ("{}",)
    """Of its versions, from the first on."""
    plays: int = 1
    """The number of the version that plays."""
    avatar: bytes | None = None
    """A stored PNG (`server.agents.avatar.read`)."""


class Standing(msgspec.Struct, frozen=True):
    """Whether an agent may play now, and in which version."""

    identity: Identity
    archived: bool
    frozen: str | None
    """An admin's reason; None: it is not frozen."""


class AgentRow(msgspec.Struct, frozen=True):
    """What stands of an agent, but for its owner."""

    agent: str
    name: str
    about: str
    kind: Kind
    version: str
    """The version that plays now, `<agent>@v<number>`."""
    versions: int
    spec: str
    """Of that version. Its prompts are its owner's alone."""
    created_ms: int
    archived_ms: int | None
    frozen_ms: int | None


class Agents:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._asking: Convoy[str, Standing | None] = Convoy(self._standings, lambda agent: agent)

    async def close(self) -> None:
        """Let what is asked for come to its end. Idempotent."""
        await self._asking.close()

    async def register(
        self, name: str, owner: str | None = None, kind: Kind = "remote"
    ) -> tuple[Identity, str]:
        """A new agent whose owner tells nothing of it; see `make`."""
        return await self.make(Draft(name=name, kind=kind), owner)

    async def make(
        self, draft: Draft, owner: str | None = None, limits: Limits | None = None
    ) -> tuple[Identity, str]:
        """A new agent and its key, which is not kept and cannot be shown again.

        `owner` is an account, made here when it is new; without one the agent gets its own. The caller
        has checked that it may act for `owner`. Raises InvalidName, NameTaken, and TooMany where the
        account is at one of `limits`.
        """
        name = names.clean(draft.name)
        agent, key = new_id(), new_key()
        identity = Identity(
            agent,
            name,
            version_id(agent, draft.plays),
            owner or new_id(),
            hosted=draft.kind == "hosted",
        )
        try:
            async with self._db.writing() as tx:
                await self._add(tx, identity, draft, limits)
                await tx.execute(_k.insert().values(_playing(identity, key, self._clock())))
        except IntegrityError:
            raise NameTaken(f"you already have an agent named {name!r}") from None
        return identity, key

    async def _add(
        self, tx: AsyncConnection, identity: Identity, draft: Draft, limits: Limits | None
    ) -> None:
        now = self._clock()
        await tx.execute(
            self._db.insert(schema.account)
            .values(id=identity.owner, created_ms=now)
            .on_conflict_do_nothing()
        )
        if limits is not None:
            await check_limits(tx, identity.owner, limits, now, agents=1, versions=len(draft.specs))
        await tx.execute(
            _a.insert().values(
                id=identity.agent,
                owner=identity.owner,
                name=identity.name,
                name_key=names.fold(identity.name),
                about=draft.about,
                kind=draft.kind,
                plays=draft.plays,
                created_ms=now,
            )
        )
        rows = [
            version_row(identity.agent, number, spec, now)
            for number, spec in enumerate(draft.specs, 1)
        ]
        await tx.execute(_v.insert(), rows)
        if draft.avatar is not None:
            await tx.execute(
                schema.avatar.insert().values(avatar_row(identity.agent, draft.avatar, now))
            )

    async def by_key(self, key: str) -> Identity | None:
        """Who the key speaks for; None when it is unknown, revoked, or a runner's that is too old."""
        query = (
            _identities()
            .add_columns(_k.c.scopes, _k.c.created_ms)
            .join(_k, _k.c.agent == _a.c.id)
            .where(_k.c.hash == key_hash(key), _k.c.revoked_ms.is_(None))
        )
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        if row is None:
            return None
        *found, scopes, created_ms = row
        if scopes not in (HOST_SCOPE, "play"):
            return None
        runner = scopes == HOST_SCOPE
        if runner and created_ms + HOST_KEY_MS < self._clock():
            return None
        return msgspec.structs.replace(_identity(*found), runner=runner)

    async def get(self, agent: str) -> Identity | None:
        return await self._one(_identities().where(_a.c.id == agent))

    async def names_of(self, owner: str) -> dict[str, str]:
        """The names of all agents of an account, the archived ones included, by id; oldest first."""
        query = select(_a.c.id, _a.c.name).where(_a.c.owner == owner).order_by(_a.c.id)
        async with self._db.reading() as tx:
            return {row.id: row.name for row in await tx.execute(query)}

    async def named(self, owner: str, name: str) -> Identity | None:
        """The owner's agent that a registration of `name` would collide with."""
        key = names.fold(names.clean(name))
        return await self._one(_identities().where(_a.c.owner == owner, _a.c.name_key == key))

    async def standing(self, agent: str) -> Standing | None:
        """Whether it may play, as of now: keys outlive archiving, freezing and changes of kind."""
        return await self._asking.ride(agent)

    async def _standings(self, agents: Sequence[str]) -> list[Standing | Exception | None]:
        async with self._db.looking() as tx:
            rows = await tx.execute(_as_of_now, {"agents": list(agents)})
            found = {row[0]: _standing(row) for row in rows}
        return [found.get(agent) for agent in agents]

    async def row(self, agent: str) -> AgentRow | None:
        made = select(func.count()).where(_v.c.agent == _a.c.id).correlate(_a).scalar_subquery()
        columns: list[Any] = [
            _a.c.id.label("agent"),
            _a.c.name,
            _a.c.about,
            _a.c.kind,
            _v.c.id.label("version"),
            made.label("versions"),
            _v.c.spec,
            _a.c.created_ms,
            _a.c.archived_ms,
            _a.c.frozen_ms,
        ]
        query = select(*columns).join_from(
            _a, _v, (_v.c.agent == _a.c.id) & (_v.c.number == _a.c.plays)
        )
        async with self._db.reading() as tx:
            row = (await tx.execute(query.where(_a.c.id == agent))).one_or_none()
        return None if row is None else AgentRow(**row._mapping)

    async def issue_key(self, agent: str) -> str:
        """One more key for an agent, shown once. Raises UnknownAgent."""
        key, identity = new_key(), await self.get(agent)
        if identity is None:
            raise UnknownAgent(f"unknown agent {agent!r}")
        async with self._db.writing() as tx:
            await tx.execute(_k.insert().values(_playing(identity, key, self._clock())))
        return key

    async def revoke(self, key: str) -> bool:
        """The key opens nothing from now on. False when there was nothing to revoke."""
        async with self._db.writing() as tx:
            result = await tx.execute(
                update(_k)
                .where(_k.c.hash == key_hash(key), _k.c.revoked_ms.is_(None))
                .values(revoked_ms=self._clock())
            )
        return result.rowcount == 1

    async def _one(self, query: Select[str, str, str, str, str]) -> Identity | None:
        async with self._db.reading() as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else _identity(*row)


async def check_limits(
    tx: AsyncConnection, owner: str, limits: Limits, now_ms: int, *, agents: int, versions: int
) -> None:
    """Before so many are made of each. Raises TooMany. Locks the account, so that two that count at once do
    not both find room for the last one."""
    await accounts.lock(tx, owner)
    if agents:
        active = select(func.count()).where(_a.c.owner == owner, _a.c.archived_ms.is_(None))
        limits.check_agents(await tx.scalar(active) or 0)
    if versions:
        since = now_ms - DAY_MS
        made = (
            select(func.count(), func.min(_v.c.created_ms))
            .join_from(_v, _a, _v.c.agent == _a.c.id)
            .where(_a.c.owner == owner, _v.c.created_ms > since)
        )
        count, oldest_ms = (await tx.execute(made)).one()
        limits.check_versions(count, versions, oldest_ms, now_ms)


def version_id(agent: str, number: int) -> str:
    """Unique, and what follows the `@` is what people call it."""
    return f"{agent}@v{number}"


def version_row(agent: str, number: int, spec: str, now_ms: int) -> dict[str, object]:
    return {
        "id": version_id(agent, number),
        "agent": agent,
        "number": number,
        "spec": spec,
        "created_ms": now_ms,
    }


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


def _identities() -> Select[str, str, str, str, str]:
    return select(_a.c.id, _a.c.name, _v.c.id, _a.c.owner, _a.c.kind).join_from(
        _a, _v, (_v.c.agent == _a.c.id) & (_v.c.number == _a.c.plays)
    )


_as_of_now = (
    _identities()
    .add_columns(_a.c.archived_ms, _a.c.frozen_ms, _a.c.frozen_reason)
    .where(_a.c.id.in_(bindparam("agents", expanding=True)))
)


def _standing(row: Row[*tuple[Any, ...]]) -> Standing:
    *found, archived_ms, frozen_ms, reason = row
    frozen = None if frozen_ms is None else reason or "no reason was given"
    return Standing(_identity(*found), archived_ms is not None, frozen)


def _identity(agent: str, name: str, version: str, owner: str, kind: str) -> Identity:
    return Identity(agent, name, version, owner, hosted=kind == "hosted")
