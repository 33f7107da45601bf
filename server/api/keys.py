"""API keys: of an account, with scopes, and of an agent, to play as it.

A key is shown once, when it is made. Nobody gives a key more than he may do himself, and a key of an agent gives
none at all: whoever got hold of it must not be able to outlive its revocation.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.agents.words import one_line
from server.api import problems
from server.api.operation import Operation, Services, as_json, read_body, read_id
from server.api.principal import authorize, owned_agent
from server.api.problems import Problem
from server.store.keys import Key, Scope, TooManyKeys

Label = Annotated[str, Meta(min_length=1, max_length=64)]


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key of the account to be made."""

    label: Label
    """Where it is used, so that you know which one to revoke."""
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=8)]
    """Of those that you have yourself: `read` what is yours, `play`, `manage` agents and keys, move `money`."""


class NewAgentKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key to be made that plays as one agent and can do nothing else."""

    label: Label = "play"
    """Where it is used, so that you know which one to revoke."""


class KeyCard(msgspec.Struct, frozen=True):
    """A key, without what opens anything."""

    id: str
    label: str
    scopes: list[str]
    agent: str | None
    """The agent that it plays as; null for a key of the account."""
    created_ms: int
    """Unix milliseconds."""


class MadeKey(KeyCard, frozen=True):
    """A new key. It is shown this once; keep it."""

    key: str
    """Send it as `Authorization: Bearer`; an agent's key is the `key` of `hello`, too. Secret."""


class KeyList(msgspec.Struct, frozen=True):
    """Keys that are not revoked, oldest first."""

    keys: list[KeyCard]


async def create(services: Services, request: Request) -> Response:
    caller = await authorize(services, request, "manage")
    new = await read_body(request, NewKey)
    missing = sorted(set(new.scopes) - caller.scopes)
    if missing:
        raise Problem(403, "insufficient-scope", f"a key gets no scope of yours: {missing[0]}")
    return await _made(services, caller.account, new.scopes, new.label, None)


async def create_for_agent(services: Services, request: Request) -> Response:
    caller, identity = await owned_agent(services, request, "manage")
    new = await read_body(request, NewAgentKey)
    return await _made(services, caller.account, ["play"], new.label, identity.agent)


async def account_keys(services: Services, request: Request) -> Response:
    caller = await authorize(services, request, "manage")
    return _listed(await services.store.keys.of_account(caller.account))


async def agent_keys(services: Services, request: Request) -> Response:
    caller, identity = await owned_agent(services, request, "manage")
    return _listed(await services.store.keys.of_agent(caller.account, identity.agent))


async def revoke(services: Services, request: Request) -> Response:
    caller = await authorize(services, request, "manage")
    return await _revoked(services, request, caller.account, None)


async def revoke_for_agent(services: Services, request: Request) -> Response:
    caller, identity = await owned_agent(services, request, "manage")
    return await _revoked(services, request, caller.account, identity.agent)


async def _made(
    services: Services, account: str, scopes: list[Scope], label: str, agent: str | None
) -> Response:
    readable = one_line(label)[:64]
    if not readable:
        raise Problem(422, "bad-label", "a label needs at least one printable character")
    try:
        key, clear = await services.store.keys.issue(account, scopes, readable, agent=agent)
    except TooManyKeys as error:
        raise Problem(409, "too-many-keys", str(error)) from None
    made = MadeKey(**msgspec.structs.asdict(_card(key)), key=clear)
    return as_json(made, 201, Cache_Control="no-store")


def _listed(keys: list[Key]) -> Response:
    return as_json(KeyList([_card(key) for key in keys]), Cache_Control="no-store")


def _card(key: Key) -> KeyCard:
    return KeyCard(key.id, key.label, key.scopes, key.agent, key.created_ms)


async def _revoked(
    services: Services, request: Request, account: str, agent: str | None
) -> Response:
    name = read_id(request, "key")
    if not await services.store.keys.revoke(name, account=account, agent=agent):
        raise problems.not_found("key", name)
    return Response(status_code=204)


_OF_AGENT = {404: "no such agent of the account"}
_BAD_LABEL = {
    409: "there are too many keys; revoke one first",
    422: "nothing readable is left of the label",
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="createKey",
        path="/v1/keys",
        method="POST",
        handler=create,
        summary="Make a key of the account",
        answer=MadeKey,
        status=201,
        cost=10,
        body=NewKey,
        scopes=("manage",),
        problems=_BAD_LABEL | {403: "the login or key has not the scope, or not one it would give"},
        tag="identity",
    ),
    Operation(
        id="listKeys",
        path="/v1/keys",
        handler=account_keys,
        summary="The keys of the account",
        answer=KeyList,
        scopes=("manage",),
        tag="identity",
    ),
    Operation(
        id="revokeKey",
        path="/v1/keys/{key}",
        method="DELETE",
        handler=revoke,
        summary="Revoke a key of the account",
        status=204,
        scopes=("manage",),
        problems={404: "no such key of the account"},
        tag="identity",
    ),
    Operation(
        id="createAgentKey",
        path="/v1/agents/{agent}/keys",
        method="POST",
        handler=create_for_agent,
        summary="Make a key that plays as the agent",
        answer=MadeKey,
        status=201,
        cost=10,
        body=NewAgentKey,
        scopes=("manage",),
        problems=_OF_AGENT | _BAD_LABEL,
        tag="identity",
    ),
    Operation(
        id="listAgentKeys",
        path="/v1/agents/{agent}/keys",
        handler=agent_keys,
        summary="The keys that play as the agent",
        answer=KeyList,
        scopes=("manage",),
        problems=_OF_AGENT,
        tag="identity",
    ),
    Operation(
        id="revokeAgentKey",
        path="/v1/agents/{agent}/keys/{key}",
        method="DELETE",
        handler=revoke_for_agent,
        summary="Revoke a key of the agent; what plays with it is cut off within seconds",
        status=204,
        scopes=("manage",),
        problems={404: "no such agent of the account, or no such key of the agent"},
        tag="identity",
    ),
)
