"""Copies of an owner's agents over HTTP: a second one beside the first, and files to carry one elsewhere."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.agents import portable
from server.agents import spec as specs
from server.agents.portable import MAX_FILE_BYTES, AgentFile
from server.agents.shelf import limits_of, shelf_of
from server.api.agents import Name, RegisteredAgent, refusals, registered
from server.api.operation import Operation, Services, as_json, read_body, read_query
from server.api.owned import MAKING, NOT_YOURS, in_full
from server.api.principal import authorize, owned_agent
from server.api.problems import Problem
from server.store.agents import Draft


class Copy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    """Of the copy."""


class ImportQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name | None = None
    """What the agent shall be called, instead of the file's name for it."""


async def clone(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    wanted = await read_body(request, Copy)
    was = await in_full(services, identity)
    if was.frozen_ms is not None:
        why = was.frozen_reason or "no reason was given"
        raise Problem(409, "frozen", f"agent {was.agent} is frozen: {why}; it cannot be copied")
    face = await services.store.avatars.get(was.agent)
    draft = Draft(
        name=wanted.name,
        about=was.about,
        kind=was.kind,
        specs=(specs.canonical(specs.bare(specs.read(was.spec))),),
        avatar=None if face is None else face.png,
    )
    with refusals():
        made = await services.store.agents.make(draft, was.owner, limits_of(services.config))
    return registered(*made)


async def export(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "read")
    was = await in_full(services, identity)
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


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="cloneAgent",
        path="/v1/agents/{agent}/clone",
        method="POST",
        handler=clone,
        summary="Make another agent of the spec that plays now, without its adapter; its rating begins anew",
        answer=RegisteredAgent,
        status=201,
        body=Copy,
        cost=25,
        scopes=("manage",),
        problems=NOT_YOURS
        | MAKING
        | {409: f"{MAKING[409]}, or it is frozen (`frozen`)", 422: "the name cannot be used"},
        tag="agents",
    ),
    Operation(
        id="exportAgent",
        path="/v1/agents/{agent}/export",
        handler=export,
        summary="An agent of yours as one file, `agon-agent/1`: words, picture, specs. Keep it secret",
        answer=AgentFile,
        scopes=("read",),
        problems=NOT_YOURS,
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
        problems=MAKING | {422: "the file is not one for this arena (`bad-file`), or its name"},
        tag="agents",
    ),
)
