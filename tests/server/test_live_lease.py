"""Leases against a real Redis: one holder at a time, tokens that only rise."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from server.live import keys
from server.live.lease import Leases


async def offer(redis: Redis, *sessions: str) -> None:
    for session in sessions:
        await redis.zadd(keys.leases(keys.shard(keys.session_channel(session))), {session: 0})


@pytest.fixture
def leases(redis: Redis) -> Leases:
    return Leases(redis, ttl_ms=200)


async def test_every_session_goes_to_one_host(redis: Redis, leases: Leases) -> None:
    sessions = {f"S{n}" for n in range(200)}
    await offer(redis, *sessions)
    claims = await asyncio.gather(*(leases.claim(f"host-{n}", 1_600) for n in range(4)))
    claimed = [session for claim in claims for session, _ in claim]
    assert len(claimed) == len(sessions)
    assert set(claimed) == sessions


@pytest.mark.parametrize("limit", [1, 5, 16, 40])
async def test_a_claim_is_limited(redis: Redis, leases: Leases, limit: int) -> None:
    await offer(redis, *(f"S{n}" for n in range(200)))
    assert 0 < len(await leases.claim("host-1", limit)) <= limit


async def test_a_renewed_lease_stays(redis: Redis, leases: Leases) -> None:
    await offer(redis, "S1")
    [(session, token)] = await leases.claim("host-1", 16)
    for _ in range(4):
        await asyncio.sleep(0.1)
        assert await leases.renew("host-1", {session: token}) == set()
        assert await leases.claim("host-2", 16) == []


async def test_an_abandoned_lease_is_taken_with_a_higher_token(
    redis: Redis, leases: Leases
) -> None:
    await offer(redis, "S1")
    [(_, first)] = await leases.claim("host-1", 16)
    await asyncio.sleep(0.25)
    [(_, second)] = await leases.claim("host-2", 16)
    assert second > first
    assert await leases.renew("host-1", {"S1": first}) == {"S1"}


async def test_a_late_holder_may_renew_what_nobody_took(redis: Redis, leases: Leases) -> None:
    """Redis was away for longer than a lease lasts: that alone moves nothing."""
    await offer(redis, "S1")
    [(_, token)] = await leases.claim("host-1", 16)
    await asyncio.sleep(0.25)
    assert await leases.renew("host-1", {"S1": token}) == set()
    assert await leases.claim("host-2", 16) == []


async def test_released_is_free_at_once_and_the_token_still_rises(
    redis: Redis, leases: Leases
) -> None:
    await offer(redis, "S1")
    [(_, first)] = await leases.claim("host-1", 16)
    await leases.release("host-1", {"S1": first})
    [(_, second)] = await leases.claim("host-2", 16)
    assert second == first + 1
    await leases.release("host-1", {"S1": first})
    assert await leases.claim("host-3", 16) == [], "an old holder gives nothing away"


async def test_the_same_host_is_fenced_from_its_own_past(redis: Redis, leases: Leases) -> None:
    await offer(redis, "S1")
    [(_, first)] = await leases.claim("host-1", 16)
    await asyncio.sleep(0.25)
    [(_, second)] = await leases.claim("host-1", 16)
    assert await leases.renew("host-1", {"S1": first}) == {"S1"}
    assert await leases.renew("host-1", {"S1": second}) == set()


async def test_a_forgotten_session_is_leased_no_more(redis: Redis, leases: Leases) -> None:
    await offer(redis, "S1")
    [(_, token)] = await leases.claim("host-1", 16)
    await leases.forget("host-1", {"S1": token})
    await asyncio.sleep(0.25)
    assert await leases.claim("host-2", 16) == []


async def test_a_beat_is_on_redis_time(redis: Redis, leases: Leases) -> None:
    await leases.beat("host-1")
    seconds, _ = await redis.time()
    assert abs(await redis.zscore(keys.hosts(), "host-1") / 1_000 - seconds) < 5
