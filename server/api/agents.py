"""Making an agent, and what is known of one."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.api import problems
from server.api.operation import Services, as_json, client_address, read_body, read_id
from server.api.principal import authorize, bearer
from server.api.problems import Problem
from server.api.registrations import admit
from server.protocol import Id
from server.store.agents import NameTaken
from server.store.names import InvalidName


class NewAgent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agent to be made."""

    name: Annotated[str, Meta(min_length=1, max_length=256)]
    """At most 32 characters are kept of it, after control and invisible ones are taken out."""
    owner: Id | None = None
    """The account that shall own it: your own, so send a login, or a key of it or one of its agents, as
    `Authorization: Bearer`. Without `owner` and key the agent gets an account of its own."""


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


async def register(services: Services, request: Request) -> Response:
    if not services.config.open_registration:
        raise Problem(403, "registration-closed", "this arena does not register agents over HTTP")
    new = await read_body(request, NewAgent)
    owner = await _owner(services, request, new)
    await admit(services.redis, client_address(request), services.config.registrations_per_min)
    try:
        identity, key = await services.store.agents.register(new.name, owner)
    except InvalidName as error:
        raise Problem(422, "bad-name", str(error)) from None
    except NameTaken as error:
        raise Problem(409, "name-taken", f"{error}; choose another name") from None
    made = RegisteredAgent(identity.agent, identity.version, identity.name, identity.owner, key)
    return as_json(made, 201, Cache_Control="no-store", Location=f"/v1/agents/{identity.agent}")


async def agent(services: Services, request: Request) -> Response:
    name = read_id(request, "agent")
    card = await services.store.agents.card(name)
    if card is None:
        raise problems.not_found("agent", name)
    return as_json(card)


async def _owner(services: Services, request: Request, new: NewAgent) -> str | None:
    """The account that the request may register for; None for a new one. Raises Problem 401 or 403.

    A key of one of the account's agents is enough: an account without a wallet has no other.
    """
    if new.owner is None and bearer(request) is None:
        return None
    caller = await authorize(services, request, "play", "manage")
    if new.owner not in (None, caller.account):
        raise Problem(403, "not-your-account", "the key is of another account than `owner`")
    return caller.account
