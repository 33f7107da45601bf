"""The traps of redis-py 5.3.1 that our connections must not fall into."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import DataError

from server.live.connection import apart, open_redis


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    client = open_redis(redis_url, max_connections=8)
    yield client
    await client.aclose(close_connection_pool=True)


async def write_for_ever(client: Redis) -> None:
    while True:
        async with client.pipeline(transaction=False) as pipeline:
            for n in range(3):
                pipeline.set(f"k{n}", "x" * 100)
            await pipeline.execute()
        await client.get("k0")


async def test_a_cancelled_task_ends(client: Redis) -> None:
    """A swallowed cancellation would leave a task that nobody can end."""
    for _ in range(40):
        tasks = [asyncio.create_task(write_for_ever(client)) for _ in range(8)]
        await asyncio.sleep(random.random() * 0.01)
        for task in tasks:
            task.cancel()
        _, pending = await asyncio.wait(tasks, timeout=5)
        assert not pending


async def test_cancelling_leaks_no_connection(client: Redis) -> None:
    await test_a_cancelled_task_ends(client)
    answers: list[Any] = await asyncio.wait_for(
        asyncio.gather(*(client.ping() for _ in range(64))), 5
    )
    assert all(answers)


async def test_more_tasks_than_connections_wait_for_their_turn(client: Redis) -> None:
    async def one(n: int) -> Any:
        await client.set(f"n{n}", n)
        return await client.get(f"n{n}")

    answers = await asyncio.gather(*map(one, range(200)))
    assert answers == [str(n).encode() for n in range(200)]


async def test_a_blocking_reader_is_apart(client: Redis) -> None:
    readers = [apart(client) for _ in range(16)]
    reads = asyncio.gather(*(each.xread({"nothing": "$"}, block=500) for each in readers))
    await asyncio.sleep(0.05)
    assert await asyncio.wait_for(client.ping(), 0.4), "16 blocked readers, a pool of 8"
    assert await reads == [[]] * 16
    for each in readers:
        await each.aclose(close_connection_pool=True)


async def test_a_server_that_closed_our_connections_is_reached_again(client: Redis) -> None:
    await asyncio.gather(*(client.ping() for _ in range(8)))
    await client.client_kill_filter(_type="normal", skipme=True)
    assert all(await asyncio.gather(*(client.ping() for _ in range(16))))


@pytest.mark.parametrize("value", ["ä", b"\x00\xff", 7, -1.5, "a b", ""])
async def test_values_arrive_as_redis_py_writes_them(
    redis: Redis, client: Redis, value: str | bytes | float
) -> None:
    await client.set("ours", value)
    await redis.set("theirs", value)
    assert await redis.get("ours") == await redis.get("theirs")
    assert await client.xinfo_stream("stream") if await client.xadd("stream", {"a": value}) else 0


async def test_what_is_no_value_is_refused(client: Redis) -> None:
    with pytest.raises(DataError, match="not a value"):
        await client.set("k", {"a": 1})  # type: ignore[arg-type]
    assert await client.ping()
