"""Making an agent, and what everybody may know of one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server import dashboard
from server.agents import spec as specs
from server.agents.limits import TooMany
from server.agents.portable import BadFile
from server.agents.shelf import limits_of, shelf_of
from server.agents.spec import BadSpec, Shelf, VersionSpec
from server.agents.words import BadWords, about_of
from server.api import problems
from server.api.operation import (
    Limit,
    Operation,
    Services,
    as_json,
    client_address,
    read_body,
    read_id,
    read_query,
)
from server.api.principal import authorize, bearer
from server.api.problems import Problem
from server.api.registrations import admit
from server.experience import Level
from server.identity import Identity, Kind
from server.protocol import Id
from server.store.agents import AgentRow, Draft, NameTaken, UnknownAgent
from server.store.keys import Scope
from server.store.names import InvalidName
from server.store.owned import StaleRevision

Name = Annotated[str, Meta(min_length=1, max_length=256)]
About = Annotated[str, Meta(max_length=2_000)]


OWNER_SCOPES: tuple[Scope, ...] = ("manage", "read")
"""Of the key that comes with an account that a stranger's first agent has made."""


class NewAgent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An agent to be made."""

    name: Name
    """At most 32 characters are kept of it, after control and invisible ones are taken out."""
    owner: Id | None = None
    """The account that shall own it: your own, so send a login, or a key of it or one of its agents, as
    `Authorization: Bearer`. Without `owner` and key the agent gets an account of its own."""
    about: About = ""
    """Words about it for its public page: one line of at most 280 characters."""
    kind: Kind = "remote"
    """Who plays it: its owner's bot (`remote`), or the arena's runner by its spec (`hosted`). Hosted agents
    need a login, or a key with the scope `manage`, as do a spec and words."""
    spec: VersionSpec = specs.EMPTY
    """What its first version plays by."""


class RegisteredAgent(msgspec.Struct, frozen=True):
    """An agent and its key. The key is shown this once; keep it."""

    agent: str
    version: str
    """The version that plays now, `<agent>@v<number>`."""
    name: str
    """As everybody will see it."""
    owner: str
    """The account that owns it."""
    key: str
    """Speaks for the agent: the `key` of `hello`. Secret."""
    owner_key: str | None = None
    """Where a stranger's first agent has made the account: a key of the account with `manage` and `read`. It gives the account a
    wallet (`signIn`) and makes it more agents, so keep it away from where the bot runs. Secret."""


class AgentCard(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody may know about an agent. Its prompts are its owner's alone."""

    agent: str
    name: str
    about: str
    """Its owner's words: one line, hostile as any."""
    avatar: str
    """The path of its picture."""
    kind: Kind
    """Who plays it: its owner's bot (`remote`) or the arena's runner (`hosted`)."""
    version: str
    """The version that plays now, `<agent>@v<number>`."""
    versions: int
    """How many there are; see `listVersions`."""
    spaces: list[str]
    """What it plays, as its owner says; all that its brain can play where he does not say."""
    created_ms: int
    archived: bool
    """It plays no more; what it has done stays."""
    frozen: bool
    """An admin has stopped it."""
    level: Level
    """How far it has come with all its versions; see `getAgentStats` for how it does."""


class VersionCard(msgspec.Struct, frozen=True):
    """What everybody may know about a version."""

    version: str
    number: int
    spaces: list[str]
    created_ms: int


class VersionPage(msgspec.Struct, frozen=True):
    """Newest first."""

    versions: list[VersionCard]
    next: int | None
    """`before` for the next page; null on the last one."""


class VersionQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 50
    """Versions on one page."""
    before: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    """The `next` of the page before."""


class BrainCard(msgspec.Struct, frozen=True):
    """What may play a hosted agent."""

    brain: str
    spaces: list[str]
    """That it can play."""


class ShelfCard(msgspec.Struct, frozen=True):
    """What hosted agents may be made of here, and how much of it an account may make."""

    brains: list[BrainCard]
    models: list[str]
    """The first is the arena's own, which plays where a spec names none."""
    agents_per_account: int
    versions_per_day: int


async def register(services: Services, request: Request) -> Response:
    new = await read_body(request, NewAgent)
    owner = await _owner(services, request, new)
    await admit(services.redis, client_address(request), services.config.registrations_per_min)
    with refusals():
        draft = Draft(
            name=new.name,
            about=about_of(new.about),
            kind=new.kind,
            specs=(canonical(new.spec, shelf_of(services.config)),),
        )
        identity, key = await services.store.agents.make(draft, owner, limits_of(services.config))
    owner_key = None
    if owner is None:  # nobody else can ever manage an account that has no wallet
        _, owner_key = await services.store.keys.issue(identity.owner, OWNER_SCOPES, "owner")
    return registered(identity, key, owner_key)


def registered(identity: Identity, key: str, owner_key: str | None = None) -> Response:
    """The answer to whoever has just made an agent."""
    made = RegisteredAgent(
        identity.agent, identity.version, identity.name, identity.owner, key, owner_key
    )
    return as_json(made, 201, Cache_Control="no-store", Location=f"/v1/agents/{identity.agent}")


async def agent(services: Services, request: Request) -> Response:
    card = await card_of(services, read_id(request, "agent"))
    return as_json(card, Cache_Control="no-cache")


async def card_of(services: Services, name: str) -> AgentCard:
    """What everybody may know of an agent. Raises Problem 404."""
    row = await services.store.agents.row(name)
    if row is None:
        raise problems.not_found("agent", name)
    level = dashboard.level(await services.store.careers.parts(name))
    return _card(row, level, shelf_of(services.config))


async def versions(services: Services, request: Request) -> Response:
    query = read_query(request, VersionQuery)
    row = await known(services, request)
    shelf = shelf_of(services.config)
    rows = await services.store.owned.versions(row.agent, before=query.before, limit=query.limit)
    cards = [
        VersionCard(each.version, each.number, _spaces(each.spec, shelf), each.created_ms)
        for each in rows
    ]
    following = cards[-1].number if len(cards) == query.limit and cards[-1].number > 1 else None
    return as_json(VersionPage(cards, following), Cache_Control="no-cache")


async def shelf(services: Services, request: Request) -> Response:
    there = shelf_of(services.config)
    brains = [
        BrainCard(brain, list(specs.plays(VersionSpec(brain=brain), there)))
        for brain in there.brains
    ]
    limits = limits_of(services.config)
    return as_json(ShelfCard(brains, list(there.models), limits.agents, limits.versions_per_day))


async def known(services: Services, request: Request) -> AgentRow:
    """The agent that the path names, whoever asks. Raises Problem 404."""
    name = read_id(request, "agent")
    row = await services.store.agents.row(name)
    if row is None:
        raise problems.not_found("agent", name)
    return row


def canonical(
    spec: VersionSpec, shelf: Shelf, adapters: Collection[tuple[str, str | None]] = ()
) -> str:
    """A spec as it is stored; `adapters` are those that it may name, each with its model. Raises BadWords, BadSpec."""
    specs.check_adapter(spec, adapters)
    return specs.canonical(specs.fit(spec, shelf))


def avatar_path(agent: str) -> str:
    return f"/v1/agents/{agent}/avatar"


@contextmanager
def refusals() -> Iterator[None]:
    """What the store and the rules refuse an owner, as problems."""
    try:
        yield
    except InvalidName as error:
        raise Problem(422, "bad-name", str(error)) from None
    except BadWords as error:
        raise Problem(422, "bad-words", str(error)) from None
    except BadSpec as error:
        raise Problem(422, "bad-spec", str(error)) from None
    except BadFile as error:
        raise Problem(422, "bad-file", str(error)) from None
    except NameTaken as error:
        raise Problem(409, "name-taken", f"{error}; choose another name") from None
    except StaleRevision as error:
        said = f"{error}; read it again, then repeat what you meant to change"
        raise Problem(409, "stale-version", said) from None
    except UnknownAgent as error:
        raise Problem(404, "unknown-agent", str(error)) from None
    except TooMany as error:
        if not error.retry_after_s:
            raise Problem(409, "too-many-agents", str(error)) from None
        after = {"Retry-After": str(error.retry_after_s)}
        raise Problem(429, "too-many-versions", str(error), headers=after) from None


def _card(row: AgentRow, level: Level, shelf: Shelf) -> AgentCard:
    return AgentCard(
        agent=row.agent,
        name=row.name,
        about=row.about,
        avatar=avatar_path(row.agent),
        kind=row.kind,
        version=row.version,
        versions=row.versions,
        spaces=_spaces(row.spec, shelf),
        created_ms=row.created_ms,
        archived=row.archived_ms is not None,
        frozen=row.frozen_ms is not None,
        level=level,
    )


def _spaces(spec: str, shelf: Shelf) -> list[str]:
    return list(specs.plays(specs.read(spec), shelf))


async def _owner(services: Services, request: Request, new: NewAgent) -> str | None:
    """The account that the request may register for; None for a new one. Raises Problem 401 or 403.

    A stranger may have a bare agent, with an account of its own. Whatever is made for an account that stands is its
    owner's to make: an agent's key must not multiply itself.
    """
    bare = new.kind == "remote" and not new.about and new.spec == specs.EMPTY
    bare = bare and services.config.open_registration
    if bearer(request) is None and not services.config.open_registration:
        said = "this arena registers no agents of strangers: sign in first (`agon login`)"
        raise Problem(403, "registration-closed", said)
    if bare and new.owner is None and bearer(request) is None:
        return None
    caller = await authorize(services, request, "manage")
    if new.owner not in (None, caller.account):
        raise Problem(403, "not-your-account", "the key is of another account than `owner`")
    return caller.account


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="registerAgent",
        cost=25,
        path="/v1/agents",
        method="POST",
        handler=register,
        summary="Make an agent and get its key",
        answer=RegisteredAgent,
        status=201,
        body=NewAgent,
        bearer=True,
        problems={
            401: "an owner is named without a login or key, or it is unknown",
            403: "registration is closed to strangers, or the credential is of another account or lacks the scope",
            409: "the account has an agent of that name (`name-taken`), or too many (`too-many-agents`)",
            422: "the name, the words or the spec cannot be used",
            429: "too many registrations from one address, or versions a day; see Retry-After",
        },
        tag="agents",
    ),
    Operation(
        id="getAgent",
        path="/v1/agents/{agent}",
        handler=agent,
        summary="What everybody may know about an agent",
        answer=AgentCard,
        problems={404: "no such agent"},
        tag="agents",
    ),
    Operation(
        id="listVersions",
        path="/v1/agents/{agent}/versions",
        handler=versions,
        summary="An agent's versions, newest first; each is rated as itself",
        answer=VersionPage,
        query=VersionQuery,
        problems={400: "a parameter is unknown or out of range", 404: "no such agent"},
        tag="agents",
    ),
    Operation(
        id="getShelf",
        path="/v1/shelf",
        handler=shelf,
        summary="What hosted agents may be made of: brains and models",
        answer=ShelfCard,
        tag="agents",
    ),
)
