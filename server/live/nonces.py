"""Nonces to be signed in with: each given once, used once, forgotten after five minutes."""

from __future__ import annotations

import secrets
import string

from redis.asyncio import Redis

from server.live import keys
from server.signin import NONCE_TTL_S

_ALPHABET = string.ascii_letters + string.digits
_CHARS = 22
"""131 bits."""


class Nonces:
    """Kept in Redis, so that any API process takes what another gave."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def give(self) -> str:
        nonce = "".join(secrets.choice(_ALPHABET) for _ in range(_CHARS))
        await self._redis.set(keys.signin_nonce(nonce), 1, ex=NONCE_TTL_S)
        return nonce

    async def use(self, nonce: str) -> bool:
        """True for the first who asks of a nonce that was given; False for everybody else."""
        return await self._redis.getdel(keys.signin_nonce(nonce)) is not None
