"""Leases: which host plays which session, with a fencing token that only ever rises.

A lease that is not renewed in time may be taken by another host; until somebody does, its holder may
still renew it. What a late holder writes is refused by its token, not by its clock.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from redis.asyncio import Redis

from server.live import keys
from server.live.scripts import Call, script

_CLAIM = script("claim.lua")
_CLAIM_ONE = script("claim_one.lua")
_RENEW = script("renew.lua")
_RELEASE = script("release.lua")


class Leases:
    """Every method raises redis.exceptions.RedisError while Redis is away."""

    def __init__(self, redis: Redis, *, ttl_ms: int = keys.LEASE_TTL_MS) -> None:
        self._redis = redis
        self.ttl_ms = ttl_ms

    async def claim(self, host: str, limit: int) -> list[tuple[str, int]]:
        """Lease at most `limit` free or abandoned sessions: (session, fencing token) pairs.

        Asks the shards in random order, each for its part of the limit, so that one call seldom
        takes everything there is and several hosts share. After a cancelled or failed call leases
        may be held without being known; they expire.
        """
        shards = random.sample(range(keys.SHARDS), min(limit, keys.SHARDS))
        calls: list[Call] = [
            (_keys(shard), [host, self.ttl_ms, limit // len(shards)]) for shard in shards
        ]
        claimed: list[tuple[str, int]] = []
        for answer in await _CLAIM.run_all(self._redis, calls):
            sessions, tokens = answer[::2], answer[1::2]
            claimed += [(s.decode(), int(t)) for s, t in zip(sessions, tokens, strict=True)]
        return claimed

    async def claim_one(self, host: str, session: str) -> int | None:
        """Lease this session if it is free or abandoned; its fencing token, or None."""
        shard = keys.shard(keys.session_channel(session))
        token: int | None = await _CLAIM_ONE.run(
            self._redis, _keys(shard), [host, self.ttl_ms, session]
        )
        return token

    async def holders(self, sessions: Sequence[str]) -> dict[str, str]:
        """Which host leases each session; those that nobody does are left out. For people: a lease may
        have lapsed, and be free to take, while nobody has taken it."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for session in sessions:
                shard = keys.shard(keys.session_channel(session))
                pipeline.hget(keys.lease_owners(shard), session)
            marks = await pipeline.execute() if sessions else []
        hosts = {
            session: mark.decode().partition(":")[2]
            for session, mark in zip(sessions, marks, strict=True)
            if mark is not None
        }
        return {session: host for session, host in hosts.items() if host}

    async def renew(self, host: str, held: Mapping[str, int]) -> set[str]:
        """Prolong the leases `{session: token}`; returns those that are lost."""
        lost: set[str] = set()
        calls = [(_keys(n), [host, self.ttl_ms, *pairs]) for n, pairs in _by_shard(held).items()]
        for answer in await _RENEW.run_all(self._redis, calls):
            lost.update(session.decode() for session in answer)
        return lost

    async def release(self, host: str, held: Mapping[str, int]) -> None:
        """Give leases back, so that another host may take them at once. Those lost are ignored."""
        await self._give_up(host, held, gone=False)

    async def forget(self, host: str, held: Mapping[str, int]) -> None:
        """Nobody is to lease these again: what they were for is gone from Redis."""
        await self._give_up(host, held, gone=True)

    async def _give_up(self, host: str, held: Mapping[str, int], *, gone: bool) -> None:
        calls = [(_keys(n), [host, int(gone), *pairs]) for n, pairs in _by_shard(held).items()]
        await _RELEASE.run_all(self._redis, calls)

    async def beat(self, host: str) -> None:
        """The host is alive; for `agon doctor`."""
        now_s, micros = await self._redis.time()
        await self._redis.zadd(keys.hosts(), {host: now_s * 1_000 + micros // 1_000})


def _keys(shard: int) -> list[str]:
    return [keys.leases(shard), keys.lease_owners(shard)]


def _by_shard(held: Mapping[str, int]) -> dict[int, list[str | int]]:
    """Shard -> session, token, session, token, …"""
    pairs: dict[int, list[str | int]] = {}
    for session, token in held.items():
        pairs.setdefault(keys.shard(keys.session_channel(session)), []).extend((session, token))
    return pairs
