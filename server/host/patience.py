"""Waiting for Redis: what is sent to it may be repeated, so an outage costs time and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

_logger = structlog.get_logger()
T = TypeVar("T")

AWAY = (RedisError, OSError)
"""Redis cannot be reached or cannot serve."""
BACKOFF_S = (0.05, 0.1, 0.2, 0.5)
"""Waits between attempts; the last one repeats."""


async def pause(failures: int) -> None:
    """Wait after the `failures`-th failure in a row, counted from 0."""
    await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])


async def persist(
    call: Callable[[], Awaitable[T]], what: str, give_up: Callable[[], bool] = lambda: False
) -> T:
    """Repeat `call` until Redis has served it. Raises its error once `give_up` says so."""
    failures = 0
    while True:
        try:
            return await call()
        except AWAY as error:
            if give_up():
                raise
            if failures == 0:
                _logger.warning("redis does not serve, waiting", what=what, error=str(error))
            await pause(failures)
            failures += 1
