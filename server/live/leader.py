"""One process at a time does a duty: leadership by a lease in Redis, with a fencing token.

The lease makes two leaders unlikely; the token makes them harmless. Scripts that only a leader may
run compare the leader's mark with the key (`queue_take.lua`), so one that was paused past its lease
changes nothing. Time is Redis's own, so processes need not agree on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.live import keys
from server.live.scripts import script

_SEEK = script("leader_seek.lua")
_RENEW = script("leader_renew.lua")

RETRY_S = 1.0
"""Wait after work that failed, at most; a broken leader must not spin."""

_logger = structlog.get_logger()


class NotLeader(Exception):
    """Somebody else leads by now, or nobody: what was to be written has not been written."""


class Leadership:
    """The wish of one process to do one duty. Give each duty of a process its own."""

    def __init__(
        self,
        redis: Redis,
        *,
        key: str,
        fence: str,
        name: str,
        ttl_ms: int = keys.LEADER_TTL_MS,
        stopping: asyncio.Event | None = None,
    ) -> None:
        """`key` and `fence` lie in one cluster slot; `name` is for people who read the key. Once
        `stopping` is set, leadership is no longer sought; work that is being done must see to its
        own end."""
        self._redis = redis
        self._key = key
        self._fence = fence
        self._name = name
        self._ttl_ms = ttl_ms
        self._stopping = stopping or asyncio.Event()
        self._mark = b""

    @property
    def key(self) -> str:
        return self._key

    @property
    def mark(self) -> bytes:
        """What the key holds while we lead; scripts compare it. Empty before the first time."""
        return self._mark

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` whenever we lead, until it returns by itself or `stopping` is set; then let the
        next one lead at once.

        When the lease is lost `work` is cancelled, and started anew once we lead again; when it
        raises, the same after a moment. Cancelling this leaves the lease to lapse, as a crash would.
        """
        while not self._stopping.is_set():
            try:
                if await self.seek():
                    _logger.info("leads", duty=self._key, mark=self._mark.decode())
                    if await self._hold(work):
                        return
                    _logger.warning("leads no more", duty=self._key, mark=self._mark.decode())
                else:
                    # not all at once when the lease lapses
                    await self._pause(self._ttl_ms / 3_000 * random.uniform(0.8, 1.0))  # noqa: S311
            except (RedisError, OSError) as error:
                _logger.warning("cannot lead", duty=self._key, error=str(error))
                await self._pause(RETRY_S)

    async def seek(self) -> bool:
        """Try once to become the leader; whoever succeeds must renew or use `lead`."""
        mark = await _SEEK.run(self._redis, [self._key, self._fence], [self._name, self._ttl_ms])
        if mark is None:
            return False
        self._mark = mark
        return True

    async def resign(self) -> None:
        """Let somebody else lead now. Harmless when we do not."""
        await _RENEW.run(self._redis, [self._key], [self._mark, 0])

    async def _hold(self, work: Callable[[], Awaitable[None]]) -> bool:
        """True when the work came to its own end, False when the lease was lost or it failed."""
        task = asyncio.ensure_future(work())
        try:
            until = time.monotonic() + self._ttl_ms / 1_000
            while True:
                await asyncio.wait({task}, timeout=self._ttl_ms / 3_000)
                if task.done():
                    return await self._ended(task)
                asked = time.monotonic()
                try:
                    if not await _RENEW.run(self._redis, [self._key], [self._mark, self._ttl_ms]):
                        return False
                    until = asked + self._ttl_ms / 1_000
                except (RedisError, OSError):
                    if time.monotonic() >= until:  # perhaps only for us; then another leads by now
                        return False
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _ended(self, task: asyncio.Future[None]) -> bool:
        error = task.exception()
        if error is None:
            await self.resign()
            return True
        if not isinstance(error, NotLeader | RedisError | OSError):
            _logger.error("leading failed", duty=self._key, exc_info=error)
        else:
            _logger.warning("leading failed", duty=self._key, error=str(error))
        await self._pause(RETRY_S)
        await self.resign()
        return False

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
