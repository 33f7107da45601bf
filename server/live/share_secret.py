"""The secret of a day's views of share links: made by whoever needs it first, and forgotten.

It is kept in Redis alone, so that what the database keeps of a view cannot be turned back into a
network once the secret is gone. Losing it early costs challenges under way and a day's uniqueness, and
what a day may earn is bounded all the same.
"""

from __future__ import annotations

import secrets

from redis.asyncio import Redis

from server.live import keys
from server.shares import SECRET_BYTES


async def share_secret(redis: Redis, day: str) -> bytes:
    """32 bytes, the same for every process on that day."""
    key = keys.share_secret(day)
    async with redis.pipeline(transaction=True) as pipe:
        pipe.set(key, secrets.token_bytes(SECRET_BYTES), ex=keys.SHARE_SECRET_TTL_S, nx=True)
        pipe.get(key)
        _, secret = await pipe.execute()
    return bytes(secret)
