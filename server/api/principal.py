"""Who makes a request, and what it may do: the one place where a credential becomes a `Principal`.

Credentials come as `Authorization: Bearer` alone: a login (all scopes), a key of an account (the scopes
it was made with), or a key of an agent (`play`, and that agent alone). Whatever else the header holds
is 401, also where none would have been needed: a misspelt key must not silently act as nobody.
"""

from __future__ import annotations

import re
from typing import cast

from msgspec import Struct
from starlette.requests import Request
from structlog.contextvars import bind_contextvars

from server.api import problems
from server.api.operation import Services, read_id
from server.api.problems import Problem
from server.api.tolls import READING
from server.identity import Identity, is_login
from server.store.accounts import Role
from server.store.keys import SCOPES, Scope

_BEARER = re.compile(r"Bearer +([\x21-\x7e]{16,128})", re.IGNORECASE)


class Principal(Struct, frozen=True):
    """On whose behalf a request is made."""

    account: str
    scopes: frozenset[str]
    """Of `read`, `play`, `manage`, `money`."""
    roles: frozenset[str]
    """The account's, of `admin`, `judge`, `operator`. See `authorize_role` before relying on one."""
    agent: str | None
    """The agent whose key was sent; None for a login or a key of the account."""


async def authenticate(services: Services, request: Request) -> Principal:
    """Who makes the request, and pays for it. Raises Problem 401 or 429. Asked again, it knows already."""
    state = request.state
    if not hasattr(state, "principal"):
        found = await _principal(services, request)
        services.tolls.charge_account(found.account, getattr(state, "credits", READING))
        state.principal = found
        # In every log line of the request from here on; `request_ids` takes it out again.
        named = {} if found.agent is None else {"agent": found.agent}
        bind_contextvars(account=found.account, **named)
    return cast(Principal, state.principal)


async def _principal(services: Services, request: Request) -> Principal:
    credential = bearer(request)
    if credential is None:
        raise _unauthorized("send a login or a key as `Authorization: Bearer`")
    if is_login(credential):
        login = await services.store.logins.account_of(credential)
        if login is None:
            raise _unauthorized("the login is unknown, expired or ended; sign in again")
        account, roles = login
        return Principal(account, SCOPES, roles, None)
    holder = await services.store.keys.holder(credential)
    if holder is None:
        raise _unauthorized("the key is unknown or revoked")
    return Principal(holder.account, holder.scopes, holder.roles, holder.agent)


async def authorize(services: Services, request: Request, *scopes: Scope) -> Principal:
    """Who makes the request, with a credential that has the scope, or one of the scopes where several
    are given. Raises Problem 401 or 403."""
    principal = await authenticate(services, request)
    if principal.scopes.isdisjoint(scopes):
        wanted = " or ".join(f"`{scope}`" for scope in scopes)
        challenge = f'Bearer error="insufficient_scope", scope="{" ".join(scopes)}"'
        raise Problem(
            403,
            "insufficient-scope",
            f"this needs a login or a key with the scope {wanted}",
            headers={"WWW-Authenticate": challenge},
        )
    return principal


async def authorize_role(services: Services, request: Request, role: Role) -> Principal:
    """Who makes the request, of an account with the role. Raises Problem 401 or 403.

    The credential needs the scope `manage`, too: an administrator's bot is no administrator.
    """
    principal = await authorize(services, request, "manage")
    if role not in principal.roles:
        raise Problem(403, "insufficient-role", f"this needs an account with the role `{role}`")
    return principal


async def owned_agent(
    services: Services, request: Request, scope: Scope, *, path: str = "agent"
) -> tuple[Principal, Identity]:
    """The agent that the path names, of the caller's account.

    Raises Problem 401 or 403, and 404 `unknown-agent` alike for what is another's, for what a key of
    another agent must not touch, and for what does not exist.
    """
    principal = await authorize(services, request, scope)
    name = read_id(request, path)
    identity = await services.store.agents.get(name)
    if (
        identity is None
        or identity.owner != principal.account
        or principal.agent not in (None, identity.agent)
    ):
        raise problems.not_found("agent", name)
    return principal, identity


def bearer(request: Request) -> str | None:
    """The credential as it was sent; None where there is none. Raises Problem 401 where it is garbled."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    match = _BEARER.fullmatch(header.strip())
    if match is None:
        raise _unauthorized("the header is not `Authorization: Bearer <login or key>`")
    return match[1]


def _unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
