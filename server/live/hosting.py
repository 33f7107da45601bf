"""Which runner plays which hosted agent: a claim in Redis for each, that lapses with its process.

Two runners that play one agent for a moment do no harm, since the ids of their actions are the same; they
would pay for the model twice. So a claim needs no fencing.
"""

from __future__ import annotations

from collections.abc import Collection

from redis.asyncio import Redis

from server.live import keys
from server.live.scripts import script

_CLAIM = script("hosting_claim.lua")


class Claims:
    """Of one process. Raises redis.exceptions.RedisError while Redis is away."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._name = name

    async def claim(self, agents: Collection[str]) -> set[str]:
        """Those of the agents that this process plays for the next HOSTING_TTL_MS; to be repeated in time."""
        return await self._claim(agents, keys.HOSTING_TTL_MS)

    async def drop(self, agents: Collection[str]) -> None:
        """Let others play them at once."""
        await self._claim(agents, 0)

    async def _claim(self, agents: Collection[str], ttl_ms: int) -> set[str]:
        calls = [([keys.hosting(agent)], [self._name, ttl_ms]) for agent in agents]
        answers = await _CLAIM.run_all(self._redis, calls)
        return {agent for agent, ours in zip(agents, answers, strict=True) if ours}
