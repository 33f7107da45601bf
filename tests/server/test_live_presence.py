"""Watchers are counted over all gateways that still report."""

from __future__ import annotations

from redis.asyncio import Redis

from server.live import keys
from server.live.presence import Presence


async def test_counts_are_summed(redis: Redis) -> None:
    presence = Presence(redis)
    assert await presence.counts() == ({}, 0)
    await presence.report("gw-1", {"S1": 2, "S2": 1}, 10)
    await presence.report("gw-2", {"S1": 3, "total": 4}, 5)
    assert await presence.counts() == ({"S1": 5, "S2": 1, "total": 4}, 15)


async def test_a_report_replaces_the_last_one(redis: Redis) -> None:
    presence = Presence(redis)
    await presence.report("gw-1", {"S1": 2}, 10)
    await presence.report("gw-1", {}, 1)
    assert await presence.counts() == ({}, 1)


async def test_a_silent_gateway_is_forgotten(redis: Redis) -> None:
    presence = Presence(redis)
    await presence.report("gw-1", {"S1": 2}, 10)
    assert 0 < await redis.ttl(keys.presence("gw-1")) <= keys.PRESENCE_TTL_S
    await redis.delete(keys.presence("gw-1"))
    await redis.zadd(keys.presence_index(), {"gw-1": 1})
    await presence.report("gw-2", {"S1": 1}, 1)
    assert await presence.counts() == ({"S1": 1}, 1)
    assert await redis.zrange(keys.presence_index(), 0, -1) == [b"gw-2"]
