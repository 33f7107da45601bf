"""Connections to Redis, with the defaults that redis-py 5.3.1 lacks.

A pool that waits instead of failing when it is exhausted, time-outs everywhere, and short retries for
a server that restarts. Everything sent through these connections is either read-only or harmless
when it runs twice, so retrying is safe. `WATCH` pipelines are not used: cancelled, they leak pool
connections in redis-py 5.3.1 (redis-py#4123).
"""

from __future__ import annotations

import asyncio
from typing import Any

import hiredis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import DataError
from redis.exceptions import TimeoutError as RedisTimeoutError

ANSWER_S = 10.0
"""No command of ours takes this long; a half-open connection is given up after it."""
CONNECT_S = 3.0
HEALTH_CHECK_S = 15
POOL_WAIT_S = 5
MAX_BLOCK_MS = 2_000
"""Blocking reads ask for less than ANSWER_S."""

UNREACHABLE = (RedisConnectionError, RedisTimeoutError, OSError)
"""What is raised while Redis is away; `redis.exceptions.BusyLoadingError` is among them."""


class _Connection(AbstractConnection):
    """A connection of redis-py 5.3.1 without two of its flaws."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """In C, as redis-py's synchronous connections do; its asyncio ones pack in Python, which took
        a sixth of a host's time."""
        words = args[0].encode().split() if isinstance(args[0], str) else args[0].split()
        try:
            return [hiredis.pack_command((*words, *args[1:]))]
        except TypeError as error:
            raise DataError(f"not a value for redis in {args[0]!r}: {error}") from None

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Write, and end when the task is cancelled.

        redis-py writes through `asyncio.wait_for` when there is a socket time-out, and before Python
        3.12 that swallows a cancellation which comes while the write has just been done (bpo-37658).
        Most writes are done at once, so most tasks cancelled at that moment ran on for ever.
        """
        limit_s, self.socket_timeout = self.socket_timeout, None  # None: written without wait_for
        try:
            async with asyncio.timeout(limit_s):
                await super().send_packed_command(command, check_health)
        except TimeoutError:
            raise RedisTimeoutError("no room to write to redis in time") from None
        finally:
            self.socket_timeout = limit_s


def open_redis(url: str, *, max_connections: int = 64) -> Redis:
    """A client that connects on its first command. The caller closes it with
    `aclose(close_connection_pool=True)`."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=POOL_WAIT_S,
        socket_timeout=ANSWER_S,
        socket_connect_timeout=CONNECT_S,
        health_check_interval=HEALTH_CHECK_S,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 2),
        retry_on_error=[RedisConnectionError],
    )
    # The URL's scheme has chosen the class: TCP, TLS or a unix socket.
    kind = pool.connection_class
    pool.connection_class = type(kind.__name__, (_Connection, kind), {})
    return Redis(connection_pool=pool)


def apart(redis: Redis) -> Redis:
    """A client for one task's blocking reads: one connection of its own, out of nobody's pool.

    The caller closes it with `aclose(close_connection_pool=True)`.
    """
    pool = redis.connection_pool
    return Redis(
        connection_pool=BlockingConnectionPool(
            connection_class=pool.connection_class,
            max_connections=1,
            timeout=POOL_WAIT_S,
            **pool.connection_kwargs,
        )
    )
