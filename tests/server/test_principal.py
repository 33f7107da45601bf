from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, cast

import pytest
from starlette.requests import Request

from server.api.operation import Services
from server.api.principal import Principal, authenticate, authorize, authorize_role, owned_agent
from server.api.problems import Problem
from server.api.tolls import Tolls
from server.config import Config
from server.identity import key_hash, new_key, new_login
from server.store import Store
from server.store.keys import SCOPES

WALLET = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
DAY_MS = 86_400_000


class FewServices:
    """All of the services that a credential needs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.tolls = Tolls(Config())


@pytest.fixture
def services(store: Store) -> Services:
    return cast(Services, FewServices(store))


def request(header: str | None, **path: str) -> Request:
    headers = [] if header is None else [(b"authorization", header.encode())]
    return Request({"type": "http", "headers": headers, "path_params": path})


def by(credential: str, **path: str) -> Request:
    return request(f"Bearer {credential}", **path)


async def refused(work: Awaitable[Any], status: int, code: str) -> Problem:
    with pytest.raises(Problem) as caught:
        await work
    assert (caught.value.status, caught.value.document.code) == (status, code)
    return caught.value


async def test_a_login_may_do_all_that_its_account_may(services: Services) -> None:
    account = await services.store.accounts.with_wallet(WALLET)
    await services.store.accounts.grant(account.account, "judge")
    token, _ = await services.store.logins.begin(account.account, DAY_MS)
    expected = Principal(account.account, SCOPES, frozenset({"judge"}), None)
    assert await authenticate(services, by(token)) == expected
    assert await authorize_role(services, by(token), "judge") == expected
    await refused(authorize_role(services, by(token), "admin"), 403, "insufficient-role")


async def test_an_agent_s_key_plays_as_that_agent_and_no_more(services: Services) -> None:
    ember, key = await services.store.agents.register("Ember")
    cinder, _ = await services.store.agents.register("Cinder", ember.owner)
    expected = Principal(ember.owner, frozenset({"play"}), frozenset(), ember.agent)
    assert await authenticate(services, by(key)) == expected
    denied = await refused(authorize(services, by(key), "money"), 403, "insufficient-scope")
    assert 'scope="money"' in denied.headers["WWW-Authenticate"]
    assert (await owned_agent(services, by(key, agent=ember.agent), "play"))[1] == ember
    sibling = owned_agent(services, by(key, agent=cinder.agent), "play")
    await refused(sibling, 404, "unknown-agent")


async def test_a_key_of_an_account_has_the_scopes_it_was_made_with(services: Services) -> None:
    account = (await services.store.accounts.with_wallet(WALLET)).account
    await services.store.accounts.grant(account, "admin")
    key, clear = await services.store.keys.issue(account, ["read", "play"], "laptop")
    assert (await authorize(services, by(clear), "play")).agent is None
    assert (await authorize(services, by(clear), "manage", "read")).account == account
    # The account is an administrator's; a key without `manage` is not.
    await refused(authorize_role(services, by(clear), "admin"), 403, "insufficient-scope")
    assert not await services.store.keys.revoke(key.id, account="another")
    assert await services.store.keys.revoke(key.id, account=account)
    await refused(authorize(services, by(clear), "play"), 401, "unauthorized")


async def test_another_s_agent_and_none_are_refused_in_the_same_words(services: Services) -> None:
    ember, _ = await services.store.agents.register("Ember")
    _, stranger = await services.store.agents.register("Frost")
    found = []
    for name in (ember.agent, "0" * 26):
        problem = await refused(
            owned_agent(services, by(stranger, agent=name), "play"), 404, "unknown-agent"
        )
        found.append(problem.document.detail.replace(name, "…"))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer short",
        "Basic YWxhZGRpbjpvcGVuc2VzYW1l",
        f"Bearer {new_key()}",
        f"Bearer {new_login()}",
        f"Bearer {new_key()} {new_key()}",
        "Bearer " + "x" * 129,
    ],
    # Names of their own: what is drawn at random would name a test anew in each worker.
    ids=["none", "empty", "no-key", "short", "basic", "key", "login", "two-keys", "long"],
)
async def test_what_is_no_known_credential_is_401(services: Services, header: str | None) -> None:
    problem = await refused(authenticate(services, request(header)), 401, "unauthorized")
    assert problem.headers["WWW-Authenticate"] == "Bearer"


async def test_an_ended_or_expired_login_opens_nothing(services: Services) -> None:
    account = (await services.store.accounts.with_wallet(WALLET)).account
    ended, _ = await services.store.logins.begin(account, DAY_MS)
    expired, _ = await services.store.logins.begin(account, 0)
    assert not await services.store.logins.end(key_hash(ended), account="another")
    assert await services.store.logins.end(key_hash(ended), account=account)
    assert not await services.store.logins.end(key_hash(ended), account=account)
    for token in (ended, expired):
        await refused(authenticate(services, by(token)), 401, "unauthorized")
