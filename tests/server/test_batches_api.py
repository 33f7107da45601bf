"""Operators hand in the lists of what they have attested: those that stand on the chain, and no others."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from redis.asyncio import Redis

from chain.client.node import Head
from chain.content.cid import Cid
from chain.content.errors import IpfsError, NotThere, TooLarge
from server.api.app import create_app
from server.config import Config
from server.operators.lists import FIRST_WAIT_MS, TRIES, Lists
from server.store import Store, keeping
from server.store.operators import LISTS_WAIT, add_batch, expose, forget_batch

OPERATOR = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
LIST = b"\x07" * 320
PATH = f"/v1/operators/{OPERATOR}/batches/3/list"


@pytest.fixture
async def attested(store: Store) -> None:
    """Batch 3 and 5, whose lists are to be had in an hour."""
    for batch in (3, 5):
        await attest(store, batch)


async def attest(store: Store, batch: int, leaves: int = 2, data: bytes = LIST) -> None:
    values = {
        "operator": OPERATOR,
        "batch": batch,
        "root": "00" * 32,
        "leaves": leaves,
        "list_digest": hashlib.sha256(data).hexdigest(),
        "number": 9,
        "block_hash": "0x",
    }
    async with store.database.writing() as tx:
        await add_batch(tx, values, 2**42)


@pytest.fixture
async def http(store: Store, redis: Redis) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        config=Config(),
        store=store,
        redis=redis,
        gateway_address=lambda: "",
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://arena") as client:
        yield client


async def kept(store: Store) -> list[bytes]:
    batches = await store.operators.batches(OPERATOR)
    found = [await store.operators.handed_in(each) for each in batches]
    return [each for each in found if each is not None]


@pytest.mark.usefixtures("attested")
async def test_a_list_that_is_attested_is_kept_until_it_is_read(
    http: httpx.AsyncClient, store: Store
) -> None:
    assert await store.operators.due_batches(2**41, 8) == []
    for _ in range(2):
        assert (await http.put(PATH, content=LIST)).status_code == 204
    assert await kept(store) == [LIST]
    [due] = await store.operators.due_batches(2**41, 8)
    assert (due.batch, due.tries) == (3, 0)
    await store.operators.refuse(due, 1)
    assert (await http.put(PATH, content=b"whatever")).status_code == 204
    assert await kept(store) == []  # it is over


async def test_few_lists_of_an_operator_wait_here(http: httpx.AsyncClient, store: Store) -> None:
    """A megabyte for the gas of one attestation would fill the arena's disk for some dollars."""
    for batch in range(LISTS_WAIT + 1):
        await attest(store, batch)
    paths = [PATH.replace("/3/", f"/{batch}/") for batch in range(LISTS_WAIT + 1)]
    for path in paths[:-1]:
        assert (await http.put(path, content=LIST)).status_code == 204
    answer = await http.put(paths[-1], content=LIST)
    assert (answer.status_code, answer.json()["code"]) == (409, "lists-wait")
    assert len(await kept(store)) == LISTS_WAIT
    [due] = await store.operators.due_batches(2**41, 8)
    assert await store.operators.record(due, 1, [], None)
    assert len(await kept(store)) == LISTS_WAIT - 1
    assert (await http.put(paths[-1], content=LIST)).status_code == 204
    assert len(await kept(store)) == LISTS_WAIT


@pytest.mark.usefixtures("attested")
async def test_a_list_with_a_lie_stays_until_that_is_shown(
    http: httpx.AsyncClient, store: Store
) -> None:
    assert (await http.put(PATH, content=LIST)).status_code == 204
    [due] = await store.operators.due_batches(2**41, 8)
    assert await store.operators.record(due, 1, [], 1)
    assert await kept(store) == [LIST]
    other = PATH.replace("/3/", "/5/")
    assert (await http.put(other, content=LIST)).status_code == 204, "it is read"
    async with store.database.writing() as tx:
        await expose(tx, OPERATOR, 3, 12)
        await forget_batch(tx, OPERATOR, 5)
    assert await kept(store) == []


async def test_a_thousand_lies_fill_no_disk(http: httpx.AsyncClient, store: Store) -> None:
    for batch in range(LISTS_WAIT + 3):
        await attest(store, batch)
        path = PATH.replace("/3/", f"/{batch}/")
        assert (await http.put(path, content=LIST)).status_code == 204
        [due] = await store.operators.due_batches(2**41, 8)
        assert await store.operators.record(due, 1, [], 1)
    assert len(await kept(store)) == LISTS_WAIT


@pytest.mark.usefixtures("attested")
async def test_another_list_and_another_batch_are_refused(
    http: httpx.AsyncClient, store: Store
) -> None:
    await attest(store, 6, leaves=3)
    await attest(store, 7, leaves=6_554)
    for path, content in (
        (PATH, LIST[1:]),
        (PATH.replace("/3/", "/6/"), LIST),
        (PATH.replace("/3/", "/7/"), LIST),
    ):
        answer = await http.put(path, content=content)
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
    assert await kept(store) == []


@pytest.mark.usefixtures("attested")
async def test_a_reorganisation_takes_the_list_with_its_batch(
    http: httpx.AsyncClient, store: Store
) -> None:
    assert (await http.put(PATH, content=LIST)).status_code == 204
    async with store.database.writing() as tx:
        await forget_batch(tx, OPERATOR, 3)
    assert await kept(store) == []


class Meanwhile:
    """A node that nobody has given the list, and that takes its time to say so."""

    def __init__(self, happens: Callable[[], Awaitable[object]], says: IpfsError) -> None:
        self._happens = happens
        self._says = says

    async def block(self, id_: Cid) -> bytes:
        await self._happens()
        raise self._says


class Chain:
    async def block(self, number: int) -> Head | None:
        return Head(number, "0x", "0x", timestamp=1, base_fee=1)


def looking(store: Store, node: Meanwhile, at_ms: int) -> Lists:
    return Lists(operators=store.operators, ipfs=node, node=Chain(), clock=lambda: at_ms)


@pytest.mark.usefixtures("attested")
@pytest.mark.parametrize("tries", [0, TRIES - 1])
@pytest.mark.parametrize("says", [NotThere("nobody has it"), TooLarge("a hundred megabytes")])
async def test_a_list_handed_in_while_it_is_looked_for_is_read_at_once(
    http: httpx.AsyncClient, store: Store, says: IpfsError, tries: int
) -> None:
    """The arena asks its node, which knows nothing of the list, and meanwhile its operator brings it: once, for it was taken."""
    await forget(store, 5)
    [batch] = await store.operators.batches(OPERATOR)
    for _ in range(tries):
        await store.operators.put_off(batch, 2**42)
        [batch] = await store.operators.batches(OPERATOR)

    async def brought() -> None:
        assert (await http.put(PATH, content=LIST)).status_code == 204

    assert await looking(store, Meanwhile(brought, says), 2**42).round() == 1
    [due] = await store.operators.due_batches(2**41, 8)
    assert (due.batch, due.tries) == (3, tries)
    assert await kept(store) == [LIST]


@pytest.mark.usefixtures("attested")
async def test_a_list_that_nobody_brings_is_looked_for_later(store: Store) -> None:
    await forget(store, 5)
    now_ms = 2**42

    async def nothing() -> None:
        return

    lists = looking(store, Meanwhile(nothing, NotThere("nobody has it")), now_ms)
    assert await lists.round() == 1
    assert await store.operators.due_batches(now_ms + FIRST_WAIT_MS - 1, 8) == []
    [due] = await store.operators.due_batches(now_ms + FIRST_WAIT_MS, 8)
    assert (due.batch, due.tries) == (3, 1)


@pytest.mark.usefixtures("attested")
async def test_a_list_that_is_just_being_handed_in_is_not_put_off(store: Store) -> None:
    """Of two transactions beside each other the later one sees what the earlier one kept."""
    [batch, _] = await store.operators.batches(OPERATOR)
    row = {"operator": OPERATOR, "batch": 3, "data": LIST}
    table = keeping.operator_batch
    async with store.database.writing() as tx:
        await tx.execute(table.update().where(table.c.batch == 3).values(due_ms=7))
        late = asyncio.create_task(store.operators.put_off(batch, 2**42))
        await asyncio.sleep(0.2)
        await tx.execute(keeping.operator_list.insert().values(row))
    assert not await late
    assert [each.batch for each in await store.operators.due_batches(7, 8)] == [3]


async def forget(store: Store, batch: int) -> None:
    async with store.database.writing() as tx:
        await forget_batch(tx, OPERATOR, batch)
