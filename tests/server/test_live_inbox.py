"""Actions reach the host that leases their session, or the gateway learns that nobody does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from server.live import keys
from server.live.inbox import Inbox
from server.live.lease import Leases
from server.live.records import Inbound


def action(session: str = "S1", act: str = "a") -> Inbound:
    return Inbound(session, 0, act, 1, "bid: 1", "gateway-1")


@pytest.fixture
async def inbox(redis: Redis) -> AsyncIterator[Inbox]:
    inbox = Inbox(redis)
    yield inbox
    await inbox.aclose()


async def lease(redis: Redis, session: str, host: str) -> int:
    await redis.zadd(keys.leases(keys.shard(keys.session_channel(session))), {session: 0})
    [(_, token)] = await Leases(redis).claim(host, 16)
    return token


async def test_it_reaches_the_host_that_leases(redis: Redis, inbox: Inbox) -> None:
    await lease(redis, "S1", "host-1")
    assert await inbox.submit(action())
    assert await inbox.take("host-1", 10) == [action()]
    assert await inbox.take("host-1", 10) == []


async def test_nobody_leases(redis: Redis, inbox: Inbox) -> None:
    assert not await inbox.submit(action())
    token = await lease(redis, "S1", "host-1")
    await Leases(redis).release("host-1", {"S1": token})
    assert not await inbox.submit(action())


async def test_it_follows_a_session_to_its_next_host(redis: Redis, inbox: Inbox) -> None:
    token = await lease(redis, "S1", "host-1")
    assert await inbox.submit(action(act="a"))
    await Leases(redis).release("host-1", {"S1": token})
    await lease(redis, "S1", "host-2")
    assert await inbox.submit(action(act="b"))
    other = Inbox(redis)
    assert await other.take("host-2", 10) == [action(act="b")]
    await other.aclose()


async def test_a_waiting_host_is_woken(redis: Redis, inbox: Inbox) -> None:
    await lease(redis, "S1", "host-1")
    waiting = asyncio.create_task(inbox.take("host-1", 2_000))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await inbox.submit(action())
    assert await waiting == [action()]
    assert time.monotonic() - began < 0.5


async def test_a_cancelled_take_loses_nothing(redis: Redis, inbox: Inbox) -> None:
    await lease(redis, "S1", "host-1")
    taken: list[Inbound | BaseException] = []
    for n in range(20):
        taking = asyncio.create_task(inbox.take("host-1", 2_000))
        await asyncio.sleep(0.005)
        taking.cancel()
        for result in await asyncio.gather(taking, return_exceptions=True):
            taken += result if isinstance(result, list) else []
        await inbox.submit(action(act=f"a{n}"))
    taken += await inbox.take("host-1", 10)
    assert taken == [action(act=f"a{n}") for n in range(20)]


async def test_many_sessions_arrive_in_order(redis: Redis, inbox: Inbox) -> None:
    sessions = [f"S{n}" for n in range(40)]
    for session in sessions:
        await lease(redis, session, "host-1")
    for n in range(3):
        for session in sessions:
            assert await inbox.submit(action(session, f"{session}-{n}"))
    taken: list[Inbound] = []
    async with asyncio.timeout(5):
        while len(taken) < 120:
            taken += await inbox.take("host-1", 10)
    for session in sessions:
        mine = [each.act for each in taken if each.session == session]
        assert mine == [f"{session}-{n}" for n in range(3)]


async def test_an_unreadable_message_stops_nothing(redis: Redis, inbox: Inbox) -> None:
    await lease(redis, "S1", "host-1")
    await redis.xadd(keys.inbox(keys.shard("session:S1"), "host-1"), {"m": b"\xc1"})
    await inbox.submit(action())
    assert await inbox.take("host-1", 10) == [action()]


async def test_an_inbox_expires_with_its_host(redis: Redis, inbox: Inbox) -> None:
    await lease(redis, "S1", "host-1")
    await inbox.submit(action())
    assert 0 < await redis.ttl(keys.inbox(keys.shard("session:S1"), "host-1")) <= keys.INBOX_TTL_S
