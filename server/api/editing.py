"""Changing an owner's agent over HTTP: editing, archiving, restoring.

What has been edited is read back by the answer. An edit may say which revision was seen (`If-Match`, or
`revision` in the body); what somebody else has changed since is then refused and not overwritten.
"""

from __future__ import annotations

import contextlib
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.agents.shelf import limits_of, shelf_of
from server.agents.spec import VersionSpec
from server.agents.words import about_of
from server.api.agents import About, Name, canonical, refusals
from server.api.operation import Operation, Services, read_body
from server.api.owned import MAKING, NOT_YOURS, OwnAgent, answered
from server.api.principal import owned_agent
from server.api.tags import seen_revision
from server.identity import Kind
from server.live.queue import Queues, UnknownTicket
from server.store.automations import NoAutomation
from server.store.owned import Changes

Revision = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class AgentEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays as it is."""

    name: Name | None = None
    about: About | None = None
    kind: Kind | None = None
    """Who plays it from the next session on. What it is seated in is finished by who was seated; it leaves
    every queue."""
    spec: VersionSpec | None = None
    """All of the spec: what is left out of it becomes the arena's choice again. Another spec is the next
    version, or the earlier one that was just so; it plays from the next session on. Its adapter may stay, go, or be
    one that was promoted for this agent and model before (`getLineage`)."""
    revision: Revision | None = None
    """The revision that you have seen; an agent that was changed since is left alone (409)."""


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    revision: Revision | None = None
    """The revision that you have seen; an agent that was changed since is left alone (409)."""


async def edit(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    wanted = await read_body(request, AgentEdit)
    seen = seen_revision(request, wanted.revision)
    mine = await services.store.lineages.adapters(identity.agent) if wanted.spec else ()
    with refusals():
        changes = Changes(
            name=wanted.name,
            about=None if wanted.about is None else about_of(wanted.about),
            kind=wanted.kind,
            spec=None
            if wanted.spec is None
            else canonical(wanted.spec, shelf_of(services.config), mine),
        )
        now = await services.store.owned.edit(
            identity.agent, changes, limits_of(services.config), seen=seen
        )
    if (now.kind == "hosted") != identity.hosted:
        await leave_queues(services, identity.agent)
    return answered(services, now)


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
    return answered(services, now)


async def restore(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    wanted = await read_body(request, Seen)
    with refusals():
        now = await services.store.owned.restore(
            identity.agent,
            limits_of(services.config),
            seen=seen_revision(request, wanted.revision),
        )
    return answered(services, now)


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


_EDITING = {409: "it was changed since you saw it (`stale-version`)"}

OPERATIONS: tuple[Operation, ...] = (
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
        problems=NOT_YOURS
        | {
            409: "it was changed since you saw it (`stale-version`), or the name is taken (`name-taken`)",
            422: "the name, the words or the spec cannot be used",
            429: MAKING[429],
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
        problems=NOT_YOURS | _EDITING,
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
        problems=NOT_YOURS
        | {
            409: "it was changed since you saw it (`stale-version`), or there are `too-many-agents`"
        },
        tag="agents",
    ),
)
