"""Agents as their owners see and change them.

A version is one spec. An edit that changes the spec makes the next version, unless an earlier version is
the same to the letter: then that one plays again, with the rating it has earned. So nobody sheds a bad
rating by going away and coming back, and no two versions of an agent are one contestant.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.agents import spec as specs
from server.agents.limits import Limits
from server.clock import Clock
from server.identity import Kind
from server.store import names, schema
from server.store.agents import NameTaken, UnknownAgent, check_limits, version_row
from server.store.engine import Database
from server.store.lineages import is_retired

_a, _v = schema.agent, schema.agent_version
MAX_AGENTS = 1_000
"""Listed of one account, the archived included, newest first."""


class StaleRevision(Exception):
    """Somebody has changed the agent since the caller saw it; `revision` is what stands."""

    def __init__(self, agent: str, seen: int, revision: int) -> None:
        super().__init__(
            f"agent {agent!r} was changed meanwhile: it is at revision {revision}, you saw {seen}"
        )
        self.revision = revision


class OwnedAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent, for its owner."""

    agent: str
    owner: str
    name: str
    about: str
    kind: Kind
    version: str
    number: int
    """Of the version that plays."""
    spec: str
    """Of that version, canonical JSON."""
    revision: int
    created_ms: int
    archived_ms: int | None
    frozen_ms: int | None
    frozen_reason: str | None


class VersionRow(msgspec.Struct, frozen=True):
    number: int
    version: str
    spec: str
    created_ms: int


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit changes; None leaves it. Texts are clean, the spec is canonical."""

    name: str | None = None
    about: str | None = None
    kind: Kind | None = None
    spec: str | None = None


class Owned:
    """Every method is one transaction. The caller has checked whose agent it is."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def of(self, account: str) -> list[OwnedAgent]:
        """The account's agents, newest first."""
        query = _owned().where(_a.c.owner == account).order_by(_a.c.id.desc()).limit(MAX_AGENTS)
        async with self._db.reading() as tx:
            return [_agent(row) for row in (await tx.execute(query)).all()]

    async def get(self, agent: str) -> OwnedAgent | None:
        async with self._db.reading() as tx:
            return await _one(tx, _a.c.id == agent)

    async def versions(
        self, agent: str, *, before: int | None = None, limit: int = 100
    ) -> list[VersionRow]:
        """Newest first; `before` is the last number of the page before."""
        query = (
            select(_v.c.number, _v.c.id, _v.c.spec, _v.c.created_ms)
            .where(_v.c.agent == agent)
            .order_by(_v.c.number.desc())
            .limit(limit)
        )
        if before is not None:
            query = query.where(_v.c.number < before)
        async with self._db.reading() as tx:
            return [VersionRow(*row) for row in (await tx.execute(query)).all()]

    async def edit(
        self, agent: str, changes: Changes, limits: Limits, *, seen: int | None = None
    ) -> OwnedAgent:
        """Change it and return it as it is now. An edit that changes nothing is none.

        `seen` is the revision that the caller has seen. Raises UnknownAgent, StaleRevision, InvalidName,
        NameTaken, BadSpec where its adapter was retired meanwhile, and TooMany where a new version is one too many.
        """
        try:
            async with self._db.writing() as tx:
                was = await self._locked(tx, agent, seen)
                values = _edited(was, changes)
                if changes.spec is not None and changes.spec != was.spec:
                    if await is_retired(tx, specs.read(changes.spec).adapter):
                        raise specs.BadSpec(
                            "adapter: it was retired, and its files have been let go"
                        )
                    values["plays"] = await self._version(tx, was, changes.spec, limits)
                return await _save(tx, was, values)
        except IntegrityError:
            raise NameTaken(f"you already have an agent named {changes.name!r}") from None

    async def archive(self, agent: str, *, seen: int | None = None) -> OwnedAgent:
        """It plays no more; what it is seated in is played to its end. Raises as `edit`."""
        async with self._db.writing() as tx:
            was = await self._locked(tx, agent, seen)
            return await _save(tx, was, {"archived_ms": was.archived_ms or self._clock()})

    async def restore(self, agent: str, limits: Limits, *, seen: int | None = None) -> OwnedAgent:
        """It may play again. Raises as `edit`, and TooMany where the account has too many."""
        async with self._db.writing() as tx:
            was = await self._locked(tx, agent, seen)
            if was.archived_ms is None:
                return was
            await check_limits(tx, was.owner, limits, self._clock(), agents=1, versions=0)
            return await _save(tx, was, {"archived_ms": None})

    async def _locked(self, tx: AsyncConnection, agent: str, seen: int | None) -> OwnedAgent:
        """The agent, which nobody else changes until the transaction ends."""
        await tx.execute(select(_a.c.id).where(_a.c.id == agent).with_for_update(key_share=True))
        was = await _one(tx, _a.c.id == agent)
        if was is None:
            raise UnknownAgent(f"unknown agent {agent!r}")
        if seen not in (None, was.revision):
            raise StaleRevision(agent, seen, was.revision)
        return was

    async def _version(
        self, tx: AsyncConnection, was: OwnedAgent, spec: str, limits: Limits
    ) -> int:
        """The number of the version with that spec, made now if there is none."""
        query = select(_v.c.number, _v.c.spec).where(_v.c.agent == was.agent)
        made: dict[str, int] = {text: number for number, text in (await tx.execute(query)).all()}
        if spec in made:
            return made[spec]
        now_ms = self._clock()
        await check_limits(tx, was.owner, limits, now_ms, agents=0, versions=1)
        number = 1 + max(made.values())
        await tx.execute(_v.insert().values(version_row(was.agent, number, spec, now_ms)))
        return number


def _edited(was: OwnedAgent, changes: Changes) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if changes.name is not None:
        name = names.clean(changes.name)
        values |= {"name": name, "name_key": names.fold(name)}
    if changes.about is not None:
        values["about"] = changes.about
    if changes.kind is not None:
        values["kind"] = changes.kind
    return values


async def _save(tx: AsyncConnection, was: OwnedAgent, values: dict[str, Any]) -> OwnedAgent:
    """Write what differs; the agent as it is then."""
    standing = msgspec.structs.asdict(was) | {"plays": was.number, "name_key": names.fold(was.name)}
    different = {name: value for name, value in values.items() if standing[name] != value}
    if not different:
        return was
    different["revision"] = was.revision + 1
    await tx.execute(update(_a).where(_a.c.id == was.agent).values(different))
    now = await _one(tx, _a.c.id == was.agent)
    assert now is not None, "locked"
    return now


async def _one(tx: AsyncConnection, which: ColumnElement[bool]) -> OwnedAgent | None:
    row = (await tx.execute(_owned().where(which))).one_or_none()
    return None if row is None else _agent(row)


def _owned() -> Select[Any]:
    return select(
        _a.c.id.label("agent"),
        _a.c.owner,
        _a.c.name,
        _a.c.about,
        _a.c.kind,
        _v.c.id.label("version"),
        _v.c.number,
        _v.c.spec,
        _a.c.revision,
        _a.c.created_ms,
        _a.c.archived_ms,
        _a.c.frozen_ms,
        _a.c.frozen_reason,
    ).join_from(_a, _v, (_v.c.agent == _a.c.id) & (_v.c.number == _a.c.plays))


def _agent(row: Any) -> OwnedAgent:
    return OwnedAgent(**row._mapping)
