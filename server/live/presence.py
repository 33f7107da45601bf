"""Who watches: counts per session, summed over all gateways that have reported lately."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from redis.asyncio import Redis

from server.live import keys

_FORGET_S = 60
"""A gateway silent for this long leaves the index."""


class Presence:
    """Raises redis.exceptions.RedisError while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def report(self, gateway: str, counts: Mapping[str, int], total: int) -> None:
        """Replace what `gateway` said before. To be repeated at least each PRESENCE_TTL_S / 2.

        `counts` are watchers by session, `total` all connections of the gateway.
        """
        key = keys.presence(gateway)
        now_s, _ = await self._redis.time()
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.delete(key)
            pipeline.hset(key, mapping={"total": total, **{f"s:{s}": n for s, n in counts.items()}})
            pipeline.expire(key, keys.PRESENCE_TTL_S)
            await pipeline.execute()
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.zadd(keys.presence_index(), {gateway: now_s * 1_000})
            pipeline.zremrangebyscore(keys.presence_index(), 0, (now_s - _FORGET_S) * 1_000)
            await pipeline.execute()

    async def counts(self) -> tuple[dict[str, int], int]:
        """Watchers by session, and all connections, over all gateways."""
        gateways = await self._redis.zrange(keys.presence_index(), 0, -1)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for gateway in gateways:
                pipeline.hgetall(keys.presence(gateway.decode()))
            reports = await pipeline.execute() if gateways else []
        sessions: Counter[str] = Counter()
        total = 0
        for report in reports:
            total += int(report.pop(b"total", 0))
            for field, count in report.items():
                sessions[field.decode().removeprefix("s:")] += int(count)
        return dict(sessions), total
