"""An owner's agents over HTTP: which there are, and what they are made of.

They are changed in `editing` and copied in `copying`, whose answers are made here, too.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.agents import spec as specs
from server.agents.shelf import shelf_of
from server.agents.spec import Shelf, VersionSpec
from server.api import problems
from server.api.agents import (
    VersionQuery,
    avatar_path,
)
from server.api.operation import Operation, Services, as_json, read_query
from server.api.principal import authorize, owned_agent
from server.api.tags import revision_tag
from server.identity import Identity, Kind
from server.store.owned import OwnedAgent


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
    return answered(services, await in_full(services, identity))


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


async def in_full(services: Services, identity: Identity) -> OwnedAgent:
    """The agent with all that it is made of. Raises Problem 404."""
    found = await services.store.owned.get(identity.agent)
    if found is None:
        raise problems.not_found("agent", identity.agent)
    return found


def _is_of(agent: OwnedAgent, only: str | None) -> bool:
    """A key of one agent shows no other."""
    return only in (None, agent.agent)


def answered(services: Services, agent: OwnedAgent) -> Response:
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


NOT_YOURS = {404: "no such agent of yours"}
MAKING = {
    409: "the account has an agent of that name (`name-taken`), or too many (`too-many-agents`)",
    429: "too many versions were made in 24 hours (`too-many-versions`); see Retry-After",
}

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
        problems=NOT_YOURS,
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
        problems={400: "a parameter is unknown or out of range", **NOT_YOURS},
        tag="agents",
    ),
)
