"""Operators hand in the lists of what they have attested: those that stand on the chain, and no others."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest
from redis.asyncio import Redis

from server.api.app import create_app
from server.config import Config
from server.jobs.faults import NotNow
from server.store import Store
from server.store.operators import add_batch

OPERATOR = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
LIST = b"\x07" * 320
PATH = f"/v1/operators/{OPERATOR}/batches/3/list"


class Content:
    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.away = False

    async def keep(self, block: bytes) -> None:
        if self.away:
            raise NotNow("it does not answer")
        self.kept.append(block)


@pytest.fixture
async def attested(store: Store) -> None:
    """Batch 3, whose list is to be had in an hour."""
    values = {
        "operator": OPERATOR,
        "batch": 3,
        "root": "00" * 32,
        "leaves": 2,
        "list_digest": hashlib.sha256(LIST).hexdigest(),
        "number": 9,
        "block_hash": "0x",
    }
    async with store.database.writing() as tx:
        await add_batch(tx, values, 2**42)


@pytest.fixture
def content() -> Content:
    return Content()


@pytest.fixture
async def http(store: Store, redis: Redis, content: Content) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        config=Config(),
        store=store,
        redis=redis,
        gateway_address=lambda: "",
        keep_block=content.keep,
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://arena") as client:
        yield client


@pytest.mark.usefixtures("attested")
async def test_a_list_that_is_attested_is_kept_and_looked_at_at_once(
    http: httpx.AsyncClient, store: Store, content: Content
) -> None:
    assert await store.operators.due_batches(2**41, 8) == []
    assert (await http.put(PATH, content=LIST)).status_code == 204
    assert content.kept == [LIST]
    [due] = await store.operators.due_batches(2**41, 8)
    assert (due.batch, due.tries) == (3, 0)
    await store.operators.refuse(due, 1)
    assert (await http.put(PATH, content=b"whatever")).status_code == 204
    assert content.kept == [LIST]  # it is over


@pytest.mark.usefixtures("attested")
async def test_another_list_and_another_batch_are_refused(
    http: httpx.AsyncClient, content: Content
) -> None:
    answer = await http.put(PATH, content=LIST[1:])
    assert (answer.status_code, answer.json()["code"]) == (422, "other-list")
    for path in (
        PATH.replace("/3/", "/4/"),
        PATH.replace("/3/", "/03/"),
        PATH.replace("/3/", f"/{10**20}/"),
        PATH.replace(OPERATOR, "0x" + "11" * 20),
        PATH.replace(OPERATOR, "nobody"),
    ):
        answer = await http.put(path, content=LIST)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-batch")
    assert (await http.put(PATH, content=bytes(2**20 + 1))).status_code == 413
    assert content.kept == []


@pytest.mark.usefixtures("attested")
async def test_a_content_store_that_is_away_is_told(
    http: httpx.AsyncClient, store: Store, content: Content
) -> None:
    content.away = True
    assert (await http.put(PATH, content=LIST)).status_code == 503
    assert await store.operators.due_batches(2**41, 8) == []
