"""An owner's agents over HTTP: what they are made of, editing, archiving, copies, files.

What has been edited is read back by the answer. An edit may say which revision was seen (`If-Match`, or
`revision` in the body); what somebody else has changed since is then refused and not overwritten.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.agents import portable
from server.agents import spec as specs
from server.agents.portable import MAX_FILE_BYTES, AgentFile
from server.agents.shelf import limits_of, shelf_of
from server.agents.spec import Shelf, VersionSpec
from server.agents.words import about_of
from server.api import problems
from server.api.agents import (
    About,
    Name,
    RegisteredAgent,
    VersionQuery,
    avatar_path,
    canonical,
    refusals,
    registered,
)
from server.api.operation import Operation, Services, as_json, read_body, read_query
from server.api.principal import authorize, owned_agent
from server.api.problems import Problem
from server.api.tags import revision_tag, seen_revision
from server.identity import Identity, Kind
from server.live.queue import Queues, UnknownTicket
from server.store.agents import Draft
from server.store.automations import NoAutomation
from server.store.owned import Changes, OwnedAgent

Revision = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class OwnAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent as its owner sees it: with all that it is made of."""

    agent: str
    name: str
    about: str
    avatar: str
    """The path of its picture."""
    kind: Kind
    version: str
    """The version that plays now, `<agent>@v<number>`."""
    number: int
    spec: VersionSpec
    """What that version plays by. Secret."""
    spaces: list[str]
    """What it plays here, by its spec."""
    revision: int
    """Rises with every edit; the answer's entity tag."""
    created_ms: int
    archived_ms: int | None
    frozen_ms: int | None
    frozen_reason: str | None
    """Why an admin has stopped it."""


class OwnAgents(msgspec.Struct, frozen=True):
    """All of an account's agents, newest first, the archived among them."""

    agents: list[OwnAgent]


class OwnVersion(msgspec.Struct, frozen=True):
    version: str
    number: int
    spec: VersionSpec
    created_ms: int


class OwnVersions(msgspec.Struct, frozen=True):
    """Newest first."""

    versions: list[OwnVersion]
    next: int | None
    """`before` for the next page; null on the last one."""


class AgentEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays as it is."""

    name: Name | None = None
    about: About | None = None
    kind: Kind | None = None
    """Who plays it from the next session on. What it is seated in is finished by who was seated; it leaves
    every queue."""
    spec: VersionSpec | None = None
    """All of the spec: what is left out of it becomes the arena's choice again. Another spec is the next
    version, or the earlier one that was just so; it plays from the next session on."""
    revision: Revision | None = None
    """The revision that you have seen; an agent that was changed since is left alone (409)."""


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    revision: Revision | None = None
    """The revision that you have seen; an agent that was changed since is left alone (409)."""


class Copy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    """Of the copy."""


class ImportQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name | None = None
    """What the agent shall be called, instead of the file's name for it."""


async def agents(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "read", "manage")
    shelf = shelf_of(services.config)
    found = await services.store.owned.of(principal.account)
    return as_json(
        OwnAgents([_shown(each, shelf) for each in found if _is_of(each, principal.agent)]),
        Cache_Control="no-store",
    )


async def agent(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "read")
    return _answer(services, await _found(services, identity))


async def versions(services: Services, request: Request) -> Response:
    query = read_query(request, VersionQuery)
    _, identity = await owned_agent(services, request, "read")
    rows = await services.store.owned.versions(
        identity.agent, before=query.before, limit=query.limit
    )
    page = [
        OwnVersion(row.version, row.number, specs.read(row.spec), row.created_ms) for row in rows
    ]
    following = page[-1].number if len(page) == query.limit and page[-1].number > 1 else None
    return as_json(OwnVersions(page, following), Cache_Control="no-store")


async def edit(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    wanted = await read_body(request, AgentEdit)
    seen = seen_revision(request, wanted.revision)
    with refusals():
        changes = Changes(
            name=wanted.name,
            about=None if wanted.about is None else about_of(wanted.about),
            kind=wanted.kind,
            spec=None if wanted.spec is None else canonical(wanted.spec, shelf_of(services.config)),
        )
        now = await services.store.owned.edit(
            identity.agent, changes, limits_of(services.config), seen=seen
        )
    if (now.kind == "hosted") != identity.hosted:
        await leave_queues(services, identity.agent)
    return _answer(services, now)


async def archive(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    wanted = await read_body(request, Seen)
    with refusals():
        now = await services.store.owned.archive(
            identity.agent, seen=seen_revision(request, wanted.revision)
        )
    with contextlib.suppress(NoAutomation):
        await services.store.automations.turn_off(identity.agent)
    await leave_queues(services, identity.agent)
    return _answer(services, now)


async def restore(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    wanted = await read_body(request, Seen)
    with refusals():
        now = await services.store.owned.restore(
            identity.agent,
            limits_of(services.config),
            seen=seen_revision(request, wanted.revision),
        )
    return _answer(services, now)


async def clone(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    wanted = await read_body(request, Copy)
    was = await _found(services, identity)
    if was.frozen_ms is not None:
        why = was.frozen_reason or "no reason was given"
        raise Problem(409, "frozen", f"agent {was.agent} is frozen: {why}; it cannot be copied")
    face = await services.store.avatars.get(was.agent)
    draft = Draft(
        name=wanted.name,
        about=was.about,
        kind=was.kind,
        specs=(was.spec,),
        avatar=None if face is None else face.png,
    )
    with refusals():
        made = await services.store.agents.make(draft, was.owner, limits_of(services.config))
    return registered(*made)


async def export(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "read")
    was = await _found(services, identity)
    rows = await services.store.owned.versions(was.agent, limit=portable.MAX_VERSIONS)
    face = await services.store.avatars.get(was.agent)
    plays = [(was.number, was.spec)]
    file = portable.pack(
        name=was.name,
        about=was.about,
        kind=was.kind,
        number=was.number,
        versions=[*plays, *((row.number, row.spec) for row in rows if row.number != was.number)],
        png=None if face is None else face.png,
    )
    named = f'attachment; filename="{was.agent}.agent.json"'
    return as_json(file, Cache_Control="no-store", Content_Disposition=named)


async def import_(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "manage")
    query = read_query(request, ImportQuery)
    file = await read_body(request, AgentFile, MAX_FILE_BYTES)
    with refusals():
        async with services.pictures:
            draft = await asyncio.to_thread(portable.unpack, file, shelf_of(services.config))
        if query.name is not None:
            draft = msgspec.structs.replace(draft, name=query.name)
        made = await services.store.agents.make(
            draft, principal.account, limits_of(services.config)
        )
    return registered(*made)


async def leave_queues(services: Services, agent: str) -> None:
    """Let a changed agent wait nowhere: what it is seated in goes on, what it waits for does not.

    Whoever is queued again meanwhile is let in as the agent is then.
    """
    queues = Queues(services.redis)
    for hold in await services.store.entries.of_agent(agent):
        if hold.state == "held":
            with contextlib.suppress(UnknownTicket):  # it has become a seat, or is gone already
                await queues.dequeue(hold.ticket, agent)
                await services.store.entries.release(hold.ticket)


async def _found(services: Services, identity: Identity) -> OwnedAgent:
    found = await services.store.owned.get(identity.agent)
    if found is None:
        raise problems.not_found("agent", identity.agent)
    return found


def _is_of(agent: OwnedAgent, only: str | None) -> bool:
    """A key of one agent shows no other."""
    return only in (None, agent.agent)


def _answer(services: Services, agent: OwnedAgent) -> Response:
    shown = _shown(agent, shelf_of(services.config))
    return as_json(shown, Cache_Control="no-store", ETag=revision_tag(agent.revision))


def _shown(agent: OwnedAgent, shelf: Shelf) -> OwnAgent:
    spec = specs.read(agent.spec)
    return OwnAgent(
        agent=agent.agent,
        name=agent.name,
        about=agent.about,
        avatar=avatar_path(agent.agent),
        kind=agent.kind,
        version=agent.version,
        number=agent.number,
        spec=spec,
        spaces=list(specs.plays(spec, shelf)),
        revision=agent.revision,
        created_ms=agent.created_ms,
        archived_ms=agent.archived_ms,
        frozen_ms=agent.frozen_ms,
        frozen_reason=agent.frozen_reason,
    )


_NOT_YOURS = {404: "no such agent of yours"}
_MAKING = {
    409: "the account has an agent of that name (`name-taken`), or too many (`too-many-agents`)",
    429: "too many versions were made in 24 hours (`too-many-versions`); see Retry-After",
}
_EDITING = {409: "it was changed since you saw it (`stale-version`)"}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="listOwnAgents",
        path="/v1/me/agents",
        handler=agents,
        summary="Your agents and what they are made of",
        answer=OwnAgents,
        scopes=("read", "manage"),
        tag="agents",
    ),
    Operation(
        id="getOwnAgent",
        path="/v1/me/agents/{agent}",
        handler=agent,
        summary="One agent of yours and what it is made of; its entity tag is its revision",
        answer=OwnAgent,
        scopes=("read",),
        problems=_NOT_YOURS,
        tag="agents",
    ),
    Operation(
        id="listOwnVersions",
        path="/v1/me/agents/{agent}/versions",
        handler=versions,
        summary="The specs of an agent of yours, newest first",
        answer=OwnVersions,
        query=VersionQuery,
        scopes=("read",),
        problems={400: "a parameter is unknown or out of range", **_NOT_YOURS},
        tag="agents",
    ),
    Operation(
        id="editAgent",
        path="/v1/agents/{agent}",
        method="PATCH",
        handler=edit,
        summary="Change an agent; another spec is another version with a rating of its own",
        answer=OwnAgent,
        body=AgentEdit,
        if_match=True,
        idempotent=True,
        scopes=("manage",),
        problems=_NOT_YOURS
        | {
            409: "it was changed since you saw it (`stale-version`), or the name is taken (`name-taken`)",
            422: "the name, the words or the spec cannot be used",
            429: _MAKING[429],
        },
        tag="agents",
    ),
    Operation(
        id="archiveAgent",
        path="/v1/agents/{agent}/archive",
        method="POST",
        handler=archive,
        summary="Let an agent play no more: its automation ends, it leaves its queues, its record stays",
        answer=OwnAgent,
        body=Seen,
        if_match=True,
        idempotent=True,
        scopes=("manage",),
        problems=_NOT_YOURS | _EDITING,
        tag="agents",
    ),
    Operation(
        id="restoreAgent",
        path="/v1/agents/{agent}/restore",
        method="POST",
        handler=restore,
        summary="Take an agent out of the archive",
        answer=OwnAgent,
        body=Seen,
        if_match=True,
        idempotent=True,
        scopes=("manage",),
        problems=_NOT_YOURS
        | {
            409: "it was changed since you saw it (`stale-version`), or there are `too-many-agents`"
        },
        tag="agents",
    ),
    Operation(
        id="cloneAgent",
        path="/v1/agents/{agent}/clone",
        method="POST",
        handler=clone,
        summary="Make another agent of the spec that plays now; its rating begins anew",
        answer=RegisteredAgent,
        status=201,
        body=Copy,
        cost=25,
        scopes=("manage",),
        problems=_NOT_YOURS
        | _MAKING
        | {409: f"{_MAKING[409]}, or it is frozen (`frozen`)", 422: "the name cannot be used"},
        tag="agents",
    ),
    Operation(
        id="exportAgent",
        path="/v1/agents/{agent}/export",
        handler=export,
        summary="An agent of yours as one file, `agon-agent/1`: words, picture, specs. Keep it secret",
        answer=AgentFile,
        scopes=("read",),
        problems=_NOT_YOURS,
        tag="agents",
    ),
    Operation(
        id="importAgent",
        path="/v1/agents/import",
        method="POST",
        handler=import_,
        summary="Make an agent of a file; it is checked as anything that strangers send",
        answer=RegisteredAgent,
        status=201,
        query=ImportQuery,
        body=AgentFile,
        max_body_bytes=MAX_FILE_BYTES,
        cost=25,
        scopes=("manage",),
        problems=_MAKING | {422: "the file is not one for this arena (`bad-file`), or its name"},
        tag="agents",
    ),
)
