"""Connections to Redis, with the defaults that redis-py 5.3.1 lacks.

A pool that waits instead of failing when it is exhausted, time-outs everywhere, and short retries for
a server that restarts. Everything sent through these connections is either read-only or harmless
when it runs twice, so retrying is safe. `WATCH` pipelines are not used: cancelled, they leak pool
connections in redis-py 5.3.1 (redis-py#4123).
"""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
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


def open_redis(url: str, *, max_connections: int = 64) -> Redis:
    """A client that connects on its first command. The caller closes it with
    `aclose(close_connection_pool=True)`."""
    return Redis(
        connection_pool=BlockingConnectionPool.from_url(
            url,
            max_connections=max_connections,
            timeout=POOL_WAIT_S,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=CONNECT_S,
            health_check_interval=HEALTH_CHECK_S,
            retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 2),
            retry_on_error=[RedisConnectionError],
        )
    )


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
