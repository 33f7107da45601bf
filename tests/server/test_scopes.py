"""Every operation that needs a scope refuses whoever has it not, before it looks at anything else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from redis.asyncio import Redis

from server.api.operation import Operation
from server.api.routes import OPERATIONS
from server.config import Config
from server.store import Store
from server.store.keys import SCOPES
from tests.server.test_api import client_of, problem

GUARDED = [operation for operation in OPERATIONS if operation.scopes]
GENEROUS = Config(http_credits=1_000_000)


@pytest.fixture
async def api(store: Store, redis: Redis) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, redis, config=GENEROUS) as client:
        yield client


async def ask(
    api: httpx.AsyncClient, operation: Operation, credential: str | None
) -> httpx.Response:
    path = re.sub(r"{\w+}", "0" * 26, operation.path)
    headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
    return await api.request(operation.method, path, headers=headers)


async def test_nobody_is_nobody(api: httpx.AsyncClient) -> None:
    for operation in GUARDED:
        for credential in (None, "agon_" + "x" * 43, "agon_login_" + "x" * 43):
            problem(await ask(api, operation, credential), 401, "unauthorized")


async def test_a_key_without_the_scope_is_not_enough(api: httpx.AsyncClient, store: Store) -> None:
    account = (await store.accounts.with_wallet("0x" + "5" * 40)).account
    for operation in GUARDED:
        others = SCOPES - set(operation.scopes)
        if others:
            _, clear = await store.keys.issue(account, others, operation.id[:64])
            problem(await ask(api, operation, clear), 403, "insufficient-scope")


async def test_whatever_changes_something_needs_a_scope_but_for_a_few() -> None:
    """Whoever adds one here says why."""
    open_to_all = {
        "createSignInNonce": "nobody has signed in yet",
        "signIn": "nobody has signed in yet",
        "registerAgent": "a bot registers itself",
        "verifyView": "whoever was shown a link",
        "sendCourtMessage": "a judge signs what it sends, and only who was drawn is heard",
        "putBatchList": "the chain says which bytes are taken, and who has a stake behind them",
    }
    found = {op.id for op in OPERATIONS if op.method != "GET" and not op.scopes}
    assert found == set(open_to_all)
