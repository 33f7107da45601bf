from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from server.api.idempotent import once
from server.api.operation import (
    Descriptions,
    Operation,
    Services,
    as_json,
    read_body,
    routes,
)
from server.api.problems import Problem
from server.api.tolls import Tolls
from server.clock import unix_ms
from server.config import Config
from server.gauging import Gauging
from server.metrics import Metrics
from server.readiness import Readiness
from server.store import Store, open_store
from server.store.replies import KEPT_MS, LOST_MS


class Deed(msgspec.Struct):
    what: str


class Doer:
    """An operation that counts how often it was done, and does what the test says meanwhile."""

    def __init__(self) -> None:
        self.done = 0
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.fails: Exception | None = None

    async def __call__(self, services: Services, request: Request) -> Response:
        deed = await read_body(request, Deed)
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.fails is not None:
            raise self.fails
        self.done += 1
        return as_json({"deed": deed.what, "number": self.done}, 201, Location=f"/{self.done}")


class Clock:
    def __init__(self) -> None:
        self.now_ms = unix_ms()

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def doer() -> Doer:
    return Doer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(store_url: str, clock: Clock) -> AsyncIterator[Store]:
    opened = await open_store(store_url, clock)
    yield opened
    await opened.close()


@pytest.fixture
async def api(
    store: Store, redis: Redis, doer: Doer, clock: Clock
) -> AsyncIterator[httpx.AsyncClient]:
    operation = Operation(
        id="do",
        path="/do",
        method="POST",
        handler=doer,
        summary="",
        tag="",
        scopes=("play",),
        idempotent=True,
    )
    config, metrics, readiness = Config(), Metrics(CollectorRegistry()), Readiness()
    services = Services(
        config=config,
        store=store,
        redis=redis,
        gateway_address=lambda: "",
        queue_sizes=lambda: asyncio.sleep(0, []),
        metrics=metrics,
        clock=clock,
        documents=Descriptions(b"", b""),
        pictures=asyncio.Semaphore(1),
        readiness=readiness,
        gauging=Gauging(
            metrics=metrics,
            store=store,
            redis=redis,
            queue_sizes=lambda: asyncio.sleep(0, []),
            readiness=readiness,
            data_dir="",
            clock=clock,
        ),
        tolls=Tolls(config),
    )
    app = Starlette(routes=routes([once(operation)], services))
    transport = httpx.ASGITransport(app)
    _, key = await store.agents.register("Ember")
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://arena", headers=headers
    ) as c:
        yield c


async def do(
    api: httpx.AsyncClient, key: str | None = "once", what: str = "a", **headers: str
) -> httpx.Response:
    sent = headers if key is None else {"Idempotency-Key": key} | headers
    return await api.post("/do", json={"what": what}, headers=sent)


def code(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json().get("code")


async def test_the_same_request_is_answered_alike_and_done_once(
    api: httpx.AsyncClient, doer: Doer
) -> None:
    first, second = await do(api), await do(api)
    assert doer.done == 1
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["location"] == second.headers["location"] == "/1"
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"


async def test_another_key_or_none_does_it_again(api: httpx.AsyncClient, doer: Doer) -> None:
    for key in ("once", "twice", None, None):
        assert (await do(api, key)).status_code == 201
    assert doer.done == 4


async def test_the_same_key_with_another_request_is_refused(
    api: httpx.AsyncClient, doer: Doer
) -> None:
    await do(api)
    assert code(await do(api, what="b")) == (422, "idempotency-mismatch")
    assert doer.done == 1


async def test_many_at_once_do_it_once(api: httpx.AsyncClient, doer: Doer) -> None:
    doer.meanwhile = lambda: asyncio.sleep(0.2)
    answers = await asyncio.gather(*(do(api) for _ in range(6)))
    assert doer.done == 1
    assert sorted(code(answer) for answer in answers)[0] == (201, None)
    refused = [answer for answer in answers if answer.status_code != 201]
    assert {code(answer) for answer in refused} <= {(409, "in-progress")}
    assert all(answer.headers["retry-after"] == "1" for answer in refused)
    assert (await do(api)).headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("error", [Problem(409, "unfunded", "no money"), RuntimeError("a defect")])
async def test_what_came_to_nothing_leaves_its_key_free(
    api: httpx.AsyncClient, doer: Doer, error: Exception
) -> None:
    doer.fails = error
    assert (await do(api)).status_code in (409, 500)
    doer.fails = None
    assert (await do(api, what="b")).status_code == 201


async def test_a_cancelled_request_leaves_its_key_free(api: httpx.AsyncClient, doer: Doer) -> None:
    doer.meanwhile = lambda: asyncio.sleep(60)
    task = asyncio.create_task(do(api))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    doer.meanwhile = None
    assert (await do(api)).status_code == 201


async def test_a_claim_whose_process_died_goes_to_the_next(
    api: httpx.AsyncClient, doer: Doer, store: Store, clock: Clock
) -> None:
    await do(api, "other")
    # As `_first` leaves it when the process dies: claimed and never answered.
    claim = store.replies.claim

    async def dying(account: str, key: str, request: str) -> None:
        await claim(account, key, request)
        raise OSError("the process has died")

    store.replies.claim = dying  # type: ignore[method-assign]
    assert (await do(api)).status_code == 503
    store.replies.claim = claim  # type: ignore[method-assign]
    assert code(await do(api)) == (409, "in-progress")
    clock.now_ms += LOST_MS
    assert (await do(api)).status_code == 201
    assert (await do(api)).headers["idempotent-replayed"] == "true"
    assert doer.done == 2


async def test_an_answer_is_remembered_for_a_day(
    api: httpx.AsyncClient, doer: Doer, clock: Clock
) -> None:
    await do(api)
    clock.now_ms += KEPT_MS
    await do(api)
    assert doer.done == 1
    clock.now_ms += 1
    await do(api)
    assert doer.done == 2


async def test_keys_are_each_account_s_own(
    api: httpx.AsyncClient, doer: Doer, store: Store
) -> None:
    await do(api)
    _, stranger = await store.agents.register("Frost")
    assert (await do(api, Authorization=f"Bearer {stranger}")).json()["number"] == 2
    assert (await do(api, Authorization="Bearer " + "x" * 20)).status_code == 401


async def test_an_answer_is_not_told_to_whoever_may_not_ask(
    api: httpx.AsyncClient, doer: Doer, store: Store
) -> None:
    await do(api)
    me = await store.keys.holder(api.headers["Authorization"][7:])
    assert me is not None
    _, reader = await store.keys.issue(me.account, ["read"], "reader")
    assert code(await do(api, Authorization=f"Bearer {reader}")) == (403, "insufficient-scope")
    _, key = await store.agents.register("Cinder", me.account)
    answer = await do(api, Authorization=f"Bearer {key}")
    assert code(answer) == (422, "idempotency-mismatch"), "the key of another agent"


@pytest.mark.parametrize("key", ["", "x" * 129, "tab\there", "\xe9"])
async def test_a_key_is_short_and_printable(api: httpx.AsyncClient, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    answer = await api.post("/do", json={"what": "a"}, headers=headers)
    assert code(answer) == (400, "bad-idempotency-key")
