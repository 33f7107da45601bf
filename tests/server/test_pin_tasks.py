"""What operators are asked to keep: numbered without holes, told once on the channel, paged by the API."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from chain.content import cid
from chain.content.cid import Cid
from chain.content.errors import NotThere
from server.api.app import create_app
from server.config import Config
from server.jobs.pin_tasks import PinTasksPublisher
from server.live.log import LiveLog, Moved
from server.pin_tasks import CHANNEL, SHOWN
from server.protocol import PinsView
from server.store import Store, open_store
from server.store.engine import open_database
from server.store.migrate import migrate
from server.store.pin_tasks import NewPinTask
from server.store.pins import NewPin
from tests.server.aftermath_session import Seats, finish


def task(number: int, kind: str = "epoch") -> NewPinTask:
    block = b"block %d" % number
    return NewPinTask(str(cid.of(block)), len(block), kind, f"epoch:{number}")  # type: ignore[arg-type]


async def numbers(store: Store, after: int = 0, by_ms: int | None = None) -> list[int]:
    return [row.number for row in await store.pin_tasks.after(after, 1_000, by_ms=by_ms)]


def publisher(
    store: Store, redis: Redis, now_ms: int = 2**42, delay_ms: int = 0
) -> PinTasksPublisher:
    return PinTasksPublisher(
        store=store, log=LiveLog(redis), clock=lambda: now_ms, replicas=3, delay_ms=delay_ms
    )


async def test_numbers_have_no_holes_however_many_give_at_once(store_url: str) -> None:
    stores = [await open_store(store_url) for _ in range(3)]
    try:
        each = [[task(n) for n in range(start, start + 8)] for start in (0, 4, 8, 2, 10, 0)]
        giving = [stores[n % 3].pin_tasks.give(tasks) for n, tasks in enumerate(each)]
        await asyncio.gather(*giving)
        assert await numbers(stores[0]) == list(range(1, 19))
        assert await stores[0].pin_tasks.last() == 18
        await stores[0].pin_tasks.give([task(0), task(3)])
        assert await stores[0].pin_tasks.last() == 18
    finally:
        for store in stores:
            await store.close()


async def test_each_task_is_told_once_by_whoever_is_first(store: Store, redis: Redis) -> None:
    one, other = publisher(store, redis), publisher(store, redis)
    assert not await one.publish()  # nothing to tell: the channel is not made
    await store.pin_tasks.give([task(n) for n in range(5)])
    told = await asyncio.gather(one.publish(), other.publish(), return_exceptions=True)
    assert all(each is False or isinstance(each, Moved) for each in told)
    await store.pin_tasks.give([task(5)])
    assert not await other.publish()
    log = LiveLog(redis)
    head = await log.head(CHANNEL)
    assert head is not None
    assert head.views is not None
    events = await log.read(CHANNEL, 0, 100)
    assert [event.body["number"] for event in events] == [1, 2, 3, 4, 5, 6]
    assert {event.type for event in events} == {"pin"}
    view = head.views.public
    assert isinstance(view, PinsView)
    assert (len(view.tasks), view.replicas) == (6, 3)
    assert view.tasks[0].cid == task(0).cid


async def test_a_channel_that_lapsed_begins_with_the_newest(store: Store, redis: Redis) -> None:
    await store.pin_tasks.give([task(n) for n in range(SHOWN + 10)])
    while await publisher(store, redis).publish():
        pass
    events = await LiveLog(redis).read(CHANNEL, 0, 1_000)
    assert [event.body["number"] for event in events] == list(range(11, SHOWN + 11))


async def test_operators_are_not_ahead_of_spectators(store: Store, redis: Redis) -> None:
    await store.pin_tasks.give([task(1)])
    [row] = await store.pin_tasks.after(0, 10)
    assert await numbers(store, by_ms=row.given_ms - 1) == []
    early = publisher(store, redis, row.given_ms + 999, delay_ms=1_000)
    assert not await early.publish()
    assert await LiveLog(redis).head(CHANNEL) is None
    await publisher(store, redis, row.given_ms + 1_000, delay_ms=1_000).publish()
    assert await LiveLog(redis).head(CHANNEL) is not None


async def test_the_api_pages_tasks_and_hands_out_their_bytes(store: Store, redis: Redis) -> None:
    seats = await Seats.registered(store)
    session = await finish(store, redis, seats, "bid-tac-toe", steps=("settle",))
    document = await store.sessions.transcript(session)
    assert document is not None
    id_ = str(cid.of(document))
    await store.pins.put(NewPin(session, id_, len(document), 1))
    await store.pins.put(NewPin(session, id_, len(document), 1))
    await store.pin_tasks.give([task(1), task(2)])
    app = create_app(config=Config(), store=store, redis=redis, gateway_address=lambda: "")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://arena"
    ) as http:
        page = (await http.get("/v1/pins", params={"limit": 2})).json()
        assert [each["number"] for each in page["tasks"]] == [1, 2]
        assert page["tasks"][0]["kind"] == "transcript"
        assert page["tasks"][0]["session"] == session
        assert (page["next"], page["replicas"]) == (2, 3)
        page = (await http.get("/v1/pins", params={"after": 2})).json()
        assert ([each["number"] for each in page["tasks"]], page["next"]) == ([3], None)
        answer = await http.get(f"/v1/content/{id_}")
        assert (answer.status_code, answer.content) == (200, document)
        again = await http.get(f"/v1/content/{id_}", headers={"If-None-Match": f'"{id_}"'})
        assert again.status_code == 304
        for name, code in (
            (task(1).cid, "not-here"),
            (task(9).cid, "unknown-cid"),
            ("x", "unknown-cid"),
        ):
            answer = await http.get(f"/v1/content/{name}")
            assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_payouts_that_newer_ones_replaced_come_out_of_the_content_store(
    store: Store, redis: Redis
) -> None:
    await store.pin_tasks.give([task(1, "payouts"), task(2, "payouts"), task(3, "epoch")])

    async def block_of(id_: Cid) -> bytes:
        if str(id_) == task(2).cid:
            raise NotThere("nobody has it")
        return b"block 1"

    app = create_app(
        config=Config(), store=store, redis=redis, gateway_address=lambda: "", block_of=block_of
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://arena"
    ) as http:
        answer = await http.get(f"/v1/content/{task(1).cid}")
        assert (answer.status_code, answer.content) == (200, b"block 1")
        for missing in (task(2).cid, task(3).cid):
            assert (await http.get(f"/v1/content/{missing}")).status_code == 404


@pytest.mark.parametrize("query", ["after=-1", "limit=0", "limit=101", "before=3"])
async def test_nonsense_is_refused(query: str, store: Store, redis: Redis) -> None:
    app = create_app(config=Config(), store=store, redis=redis, gateway_address=lambda: "")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://arena"
    ) as http:
        assert (await http.get(f"/v1/pins?{query}")).status_code == 400


async def test_documents_of_epochs_are_asked_for_too_and_those_made_anew(store: Store) -> None:
    await store.document_pins.put("epoch", "7", task(1).cid, 7, 1)
    await store.document_pins.put("epoch", "7", task(1).cid, 7, 1)
    await store.document_pins.put("result", "01J8", task(2).cid, 7, 1)
    await store.document_pins.replace("epoch", "7", task(3).cid, 8)
    rows = await store.pin_tasks.after(0, 10)
    found = [(row.number, row.kind, row.session, row.cid) for row in rows]
    assert found == [
        (1, "epoch", "epoch:7", task(1).cid),
        (2, "result", "01J8", task(2).cid),
        (3, "epoch", "epoch:7", task(3).cid),
    ]


async def test_what_was_pinned_before_there_were_tasks_is_asked_for(empty_url: str) -> None:
    database = open_database(empty_url)
    try:
        await migrate(database, "0021")
        async with database.writing() as tx:
            values = "('result', '01J8', 'bafy2', 5, 1, 'pinned', 20), ('epoch', '3', 'bafy1', 4, 1, 'pinned', 10)"
            await tx.execute(text(f"INSERT INTO document_pin VALUES {values}"))
        await migrate(database)
        async with database.reading() as tx:
            rows = (
                await tx.execute(
                    text("SELECT number, cid, kind, session FROM pin_task ORDER BY number")
                )
            ).all()
        assert [tuple(row) for row in rows] == [
            (1, "bafy1", "epoch", "epoch:3"),
            (2, "bafy2", "result", "01J8"),
        ]
    finally:
        await database.close()
