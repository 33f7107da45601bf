"""Is it up, is it of use, and how does it do: for load balancers and Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import msgspec
import structlog
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from server.api.operation import Services, as_json
from server.api.problems import Problem
from server.store import StoreError

PROBE_TIMEOUT_S = 3.0

_log = structlog.get_logger()
_FAILURES = (StoreError, SQLAlchemyError, RedisError, OSError, TimeoutError)


class Health(msgspec.Struct, frozen=True):
    """All is well."""

    status: str = "ok"


async def healthz(services: Services, request: Request) -> Response:
    """The process answers. Asks nobody, so that a sick database does not restart every process."""
    return as_json(Health(), Cache_Control="no-store")


async def readyz(services: Services, request: Request) -> Response:
    """Redis and the database answer, too. Raises Problem 503 that names those that do not."""
    names = ("redis", "database")
    answers = await asyncio.gather(
        _probe("redis", services.redis.ping()), _probe("database", services.store.ping())
    )
    if failed := [name for name, answer in zip(names, answers, strict=True) if not answer]:
        raise Problem(
            503,
            "not-ready",
            f"does not answer: {', '.join(failed)}; `agon doctor` says more",
            headers={"Retry-After": "5", "Cache-Control": "no-store"},
            failed=failed,
        )
    return as_json(Health(), Cache_Control="no-store")


async def metrics(services: Services, request: Request) -> Response:
    """This process's metrics, plus what is counted in the backing services."""
    await asyncio.gather(
        _probe("database", _count_jobs(services)), _probe("redis", _count_waiting(services))
    )
    return Response(generate_latest(services.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _count_jobs(services: Services) -> None:
    for state, count in (await services.store.outbox.counts()).items():
        services.metrics.jobs.labels(state).set(count)


async def _count_waiting(services: Services) -> None:
    cards = await services.queue_sizes()
    services.metrics.waiting.clear()
    for card in cards:
        services.metrics.waiting.labels(card.space, str(card.tier_micros)).set(card.waiting)


async def _probe(name: str, asking: Awaitable[Any]) -> bool:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            await asking
    except _FAILURES as error:
        _log.warning("http.probe_failed", service=name, error=str(error))
        return False
    return True
