from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from redis.asyncio import Redis

from server.api.problems import Problem
from server.api.routes import OPERATIONS
from server.api.tolls import SHARES_OF_ADDRESS, Tolls
from server.config import Config
from server.store import Store
from tests.server.test_api import client_of, problem

CREDITS = 10
POOR = Config(http_credits=CREDITS, http_credits_per_s=1)


@pytest.fixture
async def api(store: Store, redis: Redis) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, redis, config=POOR, tolls=Tolls(POOR, lambda: 0.0)) as client:
        yield client


async def test_whoever_is_out_of_credits_is_told_when_to_come_back(api: httpx.AsyncClient) -> None:
    for _ in range(CREDITS * SHARES_OF_ADDRESS):
        assert (await api.get("/v1/spaces")).status_code == 200
    refused = await api.get("/v1/spaces")
    problem(refused, 429, "rate-limited")
    assert refused.headers["retry-after"] == "1"
    assert (await api.get("/healthz")).status_code == 200, "what machines ask is free"


async def test_an_account_pays_for_itself_wherever_it_comes_from(
    api: httpx.AsyncClient, store: Store
) -> None:
    ember, key = await store.agents.register("Ember")
    _, sibling = await store.agents.register("Cinder", ember.owner)
    _, stranger = await store.agents.register("Frost")
    asked = [{"Authorization": f"Bearer {each}"} for each in (key, sibling)]
    for number in range(CREDITS):
        assert (await api.get("/v1/me", headers=asked[number % 2])).status_code == 200
    for headers in asked:
        problem(await api.get("/v1/me", headers=headers), 429, "rate-limited")
    other = await api.get("/v1/me", headers={"Authorization": f"Bearer {stranger}"})
    assert other.status_code == 200


async def test_guessing_keys_is_paid_for_by_the_address(api: httpx.AsyncClient) -> None:
    codes = []
    for number in range(CREDITS * SHARES_OF_ADDRESS + 1):
        headers = {"Authorization": f"Bearer agon_{number:043}"}
        codes.append((await api.get("/v1/me", headers=headers)).status_code)
    assert codes[:-1] == [401] * (CREDITS * SHARES_OF_ADDRESS)
    assert codes[-1] == 429


async def test_signing_in_and_registering_are_dearer(api: httpx.AsyncClient) -> None:
    for _ in range(4):
        assert (await api.post("/v1/signin/nonce")).status_code == 201
    problem(await api.post("/v1/signin/nonce"), 429, "rate-limited")


async def test_a_credential_that_nobody_asked_for_makes_nothing_cheaper(
    api: httpx.AsyncClient,
) -> None:
    headers = {"Authorization": "Bearer agon_" + "x" * 43}
    for _ in range(4):
        assert (await api.post("/v1/signin/nonce", headers=headers)).status_code == 201
    problem(await api.post("/v1/signin/nonce", headers=headers), 429, "rate-limited")


def test_one_ipv6_network_has_one_purse() -> None:
    tolls = Tolls(POOR, lambda: 0.0)
    for number in range(SHARES_OF_ADDRESS):
        tolls.charge_address(f"2001:db8:1:2::{number}", CREDITS)
    with pytest.raises(Problem) as caught:
        tolls.charge_address("2001:db8:1:2:ffff::", 1)
    assert caught.value.status == 429
    tolls.charge_address("2001:db8:1:3::", 1)


def test_every_operation_but_those_of_machines_has_a_price_that_can_be_paid() -> None:
    for operation in OPERATIONS:
        assert operation.quiet == (operation.credits == 0), operation.id
        assert operation.credits <= Config().http_credits, operation.id
