"""The feed tells everything once, in order, or says that it cannot."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from server.live import keys
from server.live.feed import COUNT, Feed, Lost
from server.live.log import LiveLog
from server.live.records import Appended, FeedItem, LogEvent, Piece, Reply
from server.protocol import AgentView


class Reader:
    """A task that follows the feed."""

    def __init__(self, redis: Redis) -> None:
        self.items: list[FeedItem] = []
        self.feed = Feed(redis)
        self.gate = asyncio.Event()
        self.gate.set()
        self.task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async with contextlib.aclosing(self.feed.batches()) as batches:
            async for batch in batches:
                self.items += batch
                await self.gate.wait()

    async def see(self, count: int) -> list[FeedItem]:
        async with asyncio.timeout(10):
            while len(self.items) < count:
                await asyncio.sleep(0.005)
        return self.items


@pytest.fixture
async def reader(redis: Redis) -> AsyncIterator[Reader]:
    reader = Reader(redis)
    await reader.feed.ready()
    yield reader
    reader.task.cancel()
    await asyncio.gather(reader.task, return_exceptions=True)


def event(n: int) -> LogEvent:
    return LogEvent(n, "host", "changed", {"n": n})


async def test_what_is_appended_is_told_with_its_views(redis: Redis, reader: Reader) -> None:
    log = LiveLog(redis)
    view = AgentView("a", [], [], [])
    await log.publish("agent:a", "b", [event(0), event(1)], view, 60)
    [item] = await reader.see(1)
    assert isinstance(item, Appended)
    assert (item.channel, item.first, item.events) == ("agent:a", 0, (event(0), event(1)))
    assert item.views is not None
    assert (item.views.offset, item.views.public) == (1, view)
    head = await log.head("agent:a")
    assert head is not None
    assert item.epoch == head.epoch


@pytest.mark.parametrize("count", [1, 15, 16, 17, 300])
async def test_a_batch_of_any_size_is_readable(redis: Redis, reader: Reader, count: int) -> None:
    """Its MessagePack array is put together by the script."""
    events = [event(n) for n in range(count)]
    await LiveLog(redis).publish("agent:a", "b", events, None, 60)
    [item] = await reader.see(1)
    assert isinstance(item, Appended)
    assert item.events == tuple(events)
    assert item.views is None


async def test_all_shards_are_followed_in_order(redis: Redis, reader: Reader) -> None:
    log = LiveLog(redis)
    channels = [f"agent:a{n}" for n in range(64)]
    assert len({keys.shard(channel) for channel in channels}) == keys.SHARDS
    for n in range(5):
        await asyncio.gather(
            *(log.publish(channel, f"b{n}", [event(n)], None, 60) for channel in channels)
        )
    items = await reader.see(5 * len(channels))
    for channel in channels:
        firsts = [i.first for i in items if isinstance(i, Appended) and i.channel == channel]
        assert firsts == [0, 1, 2, 3, 4]


async def test_pieces_and_replies_pass_too(redis: Redis, reader: Reader) -> None:
    log = LiveLog(redis)
    piece = Piece("session:S1", 0, 3, 12, "yo")
    reply = Reply("gw", "act", "S1", "over", "the session is over")
    await log.piece(piece)
    await log.reply(reply)
    assert await reader.see(2) == [piece, reply]


async def test_it_starts_at_the_present(redis: Redis) -> None:
    log = LiveLog(redis)
    await log.publish("agent:a", "old", [event(0)], None, 60)
    reader = Reader(redis)
    await reader.feed.ready()
    await log.publish("agent:a", "new", [event(1)], None, 60)
    [item] = await reader.see(1)
    assert isinstance(item, Appended)
    assert item.first == 1
    reader.task.cancel()
    await asyncio.gather(reader.task, return_exceptions=True)


async def flood(redis: Redis, count: int) -> None:
    async with redis.pipeline(transaction=False) as pipeline:
        for n in range(count):
            pipeline.xadd(
                keys.feed(keys.shard("agent:a")),
                {"i": b"\x81\xa4type\xa5other" if n % 2 else b"junk"},
                maxlen=keys.FEED_MAXLEN,
                approximate=True,
            )
        await pipeline.execute()


async def test_a_slow_reader_is_told_that_it_lost_its_place(redis: Redis, reader: Reader) -> None:
    log = LiveLog(redis)
    await log.publish("agent:a", "b", [event(0)], None, 60)
    reader.gate.clear()
    await reader.see(1)
    await flood(redis, 2 * keys.FEED_MAXLEN)
    reader.gate.set()
    with pytest.raises(Lost):
        await asyncio.wait_for(reader.task, 10)


async def test_also_when_the_shard_was_empty_before(redis: Redis, reader: Reader) -> None:
    reader.gate.clear()
    other = next(
        f"agent:b{n}" for n in range(99) if keys.shard(f"agent:b{n}") != keys.shard("agent:a")
    )
    await LiveLog(redis).publish(other, "b", [event(0)], None, 60)
    await reader.see(1)
    await flood(redis, 2 * keys.FEED_MAXLEN)
    reader.gate.set()
    with pytest.raises(Lost):
        await asyncio.wait_for(reader.task, 10)


async def test_a_reader_that_is_only_a_little_behind_goes_on(redis: Redis, reader: Reader) -> None:
    log = LiveLog(redis)
    await log.publish("agent:a", "b", [event(0)], None, 60)
    reader.gate.clear()
    await reader.see(1)
    await flood(redis, 2 * COUNT)  # unreadable, so skipped
    await log.publish("agent:a", "c", [event(1)], None, 60)
    reader.gate.set()
    items = await reader.see(2)
    assert isinstance(items[1], Appended)
    assert items[1].events == (event(1),)


async def test_it_needs_no_connection_of_the_pool(redis: Redis, reader: Reader) -> None:
    """A blocking read must not take a connection away from everybody else."""
    pool = redis.connection_pool
    assert len(pool._in_use_connections) == 0
