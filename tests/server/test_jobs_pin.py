"""The step `pin`: real Redis, real store, the embedded content store as a process, and what happens when it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from chain.content import cid
from chain.content.ipfs import Ipfs
from server.embedded.data_dir import ServiceFailed
from server.jobs import pin
from server.protocol import Step
from server.store import Store
from server.store.pins import NewPin
from tests.chain.blockstore.conftest import Served
from tests.server.aftermath_session import (
    ScriptedPanel,
    Seats,
    events,
    finish,
    no_content,
    view,
    worker,
)
from tests.server.test_jobs_worker import settled, shown, until, working

STEPS = ("settle", "pin", "rate")


@pytest.fixture
async def seats(store: Store) -> Seats:
    return await Seats.registered(store)


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("content"))
    yield served
    served.stop()


@pytest.fixture
async def ipfs(content: Served) -> AsyncIterator[Ipfs]:
    async with Ipfs(content.url) as client:
        yield client


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin, "LOOK_S", 0.02)
    monkeypatch.setattr(pin, "AWAY_S", (0.05,))


async def test_a_sealed_transcript_is_pinned_and_told(
    store: Store, redis: Redis, seats: Seats, content: Served, ipfs: Ipfs
) -> None:
    sessions = [await finish(store, redis, seats, "bid-tac-toe", steps=STEPS) for _ in range(3)]

    async def opened() -> str:
        return content.url

    async with working(worker(store, redis, ScriptedPanel(), open_content=opened)):
        await until(settled(store, *sessions))
    for session in sessions:
        document = await store.sessions.transcript(session)
        assert document is not None
        expected = str(cid.of(document))
        row = await store.pins.get(session)
        assert row is not None
        assert (row.cid, row.bytes, row.season, row.state) == (expected, len(document), 1, "pinned")
        assert await ipfs.cat(cid.parse(row.cid), 2**20) == document
        assert await ipfs.pinned(cid.parse(row.cid))
        seen = await view(redis, session)
        assert [step.name for step in seen.steps] == ["sealed", "settled", "pinned", "rated"]
        assert Step("pinned", "done", expected) in seen.steps
        [told] = await events(redis, session, "pinned")
        assert told.body == {"cid": expected, "bytes": len(document)}
    assert await store.pins.oldest_unpinned_ms() is None


async def test_a_content_store_that_is_away_holds_nobody_up_and_leaves_no_dead_letters(
    store: Store, redis: Redis, seats: Seats, content: Served
) -> None:
    session = await finish(store, redis, seats, "bid-tac-toe", steps=STEPS)
    away = True
    asked = 0

    async def opened() -> str:
        nonlocal asked
        asked += 1
        if away:
            raise ServiceFailed("it does not come up")
        return content.url

    async with working(worker(store, redis, ScriptedPanel(), open_content=opened)):

        async def rated() -> bool:
            states = {row.step: row.state for row in await store.outbox.steps(session)}
            return (states["settle"], states["rate"]) == ("done", "done")

        await until(rated)
        assert shown((await view(redis, session)).steps)["rated"] == "done"
        while asked < 8:
            await asyncio.sleep(0.02)
        [row] = [each for each in await store.outbox.steps(session) if each.step == "pin"]
        assert (row.state, row.attempts) == ("waiting", 0)  # nobody has touched it
        assert await store.pins.oldest_unpinned_ms() is not None
        away = False
        await until(settled(store, session))
    assert await store.pins.get(session)


async def test_a_store_that_refuses_is_asked_again_and_no_attempt_counts(
    store: Store, redis: Redis, seats: Seats, tmp_path: Path
) -> None:
    session = await finish(store, redis, seats, "bid-tac-toe", steps=STEPS)
    full = Served(tmp_path / "full", max_bytes=100)

    async def opened() -> str:
        return full.url

    async def tried() -> bool:
        [row] = [each for each in await store.outbox.steps(session) if each.step == "pin"]
        return row.spared >= 1

    try:
        async with working(
            worker(store, redis, ScriptedPanel(), open_content=opened, job_attempts=1)
        ):
            await until(tried)
            [row] = [each for each in await store.outbox.steps(session) if each.step == "pin"]
    finally:
        full.kill()
    assert (row.state, row.tried) == ("waiting", 0)
    assert "is full" in str(row.last_error)
    assert await store.outbox.dead() == []


async def test_a_session_is_pinned_for_the_season_in_which_it_was_sealed(store: Store) -> None:
    seats = await Seats.registered(store)
    records = [seats.record("bid-tac-toe") for _ in range(2)]
    for record in records:
        await store.sessions.form(record)
    first = await store.pins.put(NewPin(records[0].session, "bafy", 1, sealed_ms=1_000))
    again = await store.pins.put(NewPin(records[0].session, "other", 2, sealed_ms=9_000))
    assert first == again
    await store.new_season.begin(2, actor="operator", reason="test")
    second = await store.pins.put(NewPin(records[1].session, "bafk", 3, sealed_ms=2**52))
    assert (first.season, second.season) == (1, 2)
    assert [(each.season, each.pins, each.bytes) for each in await store.pins.by_season()] == [
        (2, 1, 3),
        (1, 1, 1),
    ]


async def test_what_was_sealed_before_there_were_pins_can_be_asked_for(
    store: Store, redis: Redis, seats: Seats, content: Served
) -> None:
    session = await finish(store, redis, seats, "bid-tac-toe")
    assert await store.pins.ask_for_those_without() == 1
    assert await store.pins.ask_for_those_without() == 0

    async def opened() -> str:
        return content.url

    async with working(worker(store, redis, ScriptedPanel(), open_content=opened)):
        await until(settled(store, session))
    assert await store.pins.get(session)


async def test_draining_does_not_wait_for_a_store_that_is_away(store: Store, redis: Redis) -> None:
    serving = worker(store, redis, ScriptedPanel(), open_content=no_content)
    task = asyncio.create_task(serving.run())
    await asyncio.sleep(0.2)
    async with asyncio.timeout(5):
        await serving.drain()
        await task


async def test_whoever_needs_a_store_at_once_shares_one_connection(content: Served) -> None:
    opened = 0

    async def open_() -> str:
        nonlocal opened
        opened += 1
        await asyncio.sleep(0)
        return content.url

    store = pin.ContentStore(open_)
    first, second = await asyncio.gather(store._connected(), store._connected())
    try:
        assert opened == 2, "both found none"
        assert first is second, "the other one would never be closed"
    finally:
        await store.close()
