"""The feed: all that is appended anywhere in the arena, read by one blocking XREAD over all shards.

A reader that falls more than FEED_MAXLEN items behind on a shard, or whose Redis came back with an
older past, has missed something: it is told so by `Lost` and never sees a silent hole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, ResponseError

from server.live import keys
from server.live.connection import UNREACHABLE, apart
from server.live.decoding import decoded
from server.live.records import FeedItem

_logger = structlog.get_logger()
_decode: Callable[[bytes], FeedItem] = msgspec.msgpack.Decoder(FeedItem).decode

BLOCK_MS = 1_000
COUNT = 256
"""Items of one shard in one read. Less than FEED_MAXLEN: see `_check_trimmed`."""
RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Waits between attempts while Redis is away; the last one repeats."""

_Id = tuple[int, int]


class Lost(Exception):
    """The reader's place in the feed is gone. Call `batches` again, then read every followed
    channel's head and log anew."""


class Feed:
    """One reader of the feed; `batches` may be iterated by one task at a time."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._fixed = asyncio.Event()

    async def ready(self) -> None:
        """Return when a running `batches` has fixed its positions: what is appended after this is
        yielded."""
        await self._fixed.wait()

    async def batches(self) -> AsyncGenerator[list[FeedItem], None]:
        """All items from now on, one list per read, in each shard's order. Ends only by Lost or
        cancellation; goes on by itself when Redis was away and came back with all its data."""
        reader = apart(self._redis)
        failures = 0
        try:
            at = await self._present(reader)
            self._fixed.set()
            while True:
                try:
                    if failures:
                        await self._check_past(reader, at)
                    answer = await reader.xread(
                        {keys.feed(shard): _text(place) for shard, place in at.items()},
                        count=COUNT,
                        block=BLOCK_MS,
                    )
                    if answer:
                        before = dict(at)
                        items = _advance(at, answer)
                        await self._check_trimmed(reader, before, answer)
                        yield items
                    failures = 0
                except (*UNREACHABLE, BusyLoadingError) as error:
                    await _wait(failures, error)
                    failures += 1
        finally:
            self._fixed.clear()
            await reader.aclose(close_connection_pool=True)

    async def _present(self, reader: Redis) -> dict[int, _Id]:
        """The last item of every shard, as soon as Redis can be asked."""
        failures = 0
        while True:
            try:
                return {shard: await _last(reader, shard) for shard in range(keys.SHARDS)}
            except (*UNREACHABLE, BusyLoadingError) as error:
                await _wait(failures, error)
                failures += 1

    async def _check_past(self, reader: Redis, at: dict[int, _Id]) -> None:
        """Redis was away: raise Lost when it came back without what we have already seen."""
        for shard, place in at.items():
            if await _last(reader, shard) < place:
                raise Lost(f"feed {shard} came back without its end")

    async def _check_trimmed(self, reader: Redis, before: dict[int, _Id], answer: Any) -> None:
        """Raise Lost when items between our place and the first one read may be trimmed.

        A stream is trimmed to no less than FEED_MAXLEN items, so after a read of fewer than COUNT
        nothing after our place can be missing. After a full one, our place must still be held.
        """
        for name, rows in answer:
            if len(rows) < COUNT:
                continue
            place = before[int(name[-3:-1])]
            if place == (0, 0):  # the shard was empty, so only its length can tell
                gone = await reader.xlen(name) >= keys.FEED_MAXLEN
            else:
                oldest = await reader.xrange(name, count=1)
                gone = not oldest or _id(oldest[0][0]) > place
            if gone:
                raise Lost(f"{name.decode()} was trimmed past our place")


def _advance(at: dict[int, _Id], answer: Any) -> list[FeedItem]:
    """Move the places past what was read, and decode it."""
    items: list[FeedItem] = []
    for name, rows in answer:
        at[int(name[-3:-1])] = _id(rows[-1][0])
        items += decoded(_decode, (fields[b"i"] for _, fields in rows))
    return items


async def _last(reader: Redis, shard: int) -> _Id:
    """The newest id a shard's stream has given; (0, 0) before the first."""
    try:
        info = await reader.xinfo_stream(keys.feed(shard))
    except ResponseError:  # no such key
        return (0, 0)
    return _id(info["last-generated-id"])


async def _wait(failures: int, error: Exception) -> None:
    if failures == 0:
        _logger.warning("redis is away, the feed waits", error=str(error))
    await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])


def _id(raw: bytes) -> _Id:
    ms, _, sequence = raw.partition(b"-")
    return int(ms), int(sequence)


def _text(place: _Id) -> str:
    return f"{place[0]}-{place[1]}"
