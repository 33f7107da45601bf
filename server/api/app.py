"""The HTTP API as one ASGI app. Listening is uvicorn's business and the composition root's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from chain.content.cid import Cid
from chain.court.commitment import Court
from server import probes
from server.agents.improver import Improver
from server.api import problems
from server.api.asyncapi import asyncapi
from server.api.descriptions import encode
from server.api.idempotent import once
from server.api.openapi import openapi
from server.api.operation import Descriptions, Services, routes
from server.api.request_ids import RequestIds
from server.api.routes import OPERATIONS
from server.api.tolls import Tolls
from server.clock import Clock, unix_ms
from server.config import Config
from server.gauging import Gauging
from server.live.queue import Queues
from server.metrics import Metrics
from server.protocol import QueueCard
from server.readiness import Readiness
from server.store import Store

if TYPE_CHECKING:  # it imports web3, and a simulation needs none
    from server.settlement.contracts import Contracts

PICTURES_AT_ONCE = 2
"""One of the largest takes 64 MiB while it is decoded."""


def create_app(
    *,
    config: Config,
    store: Store,
    redis: Redis,
    gateway_address: Callable[[], str],
    queue_sizes: Callable[[], Awaitable[list[QueueCard]]] | None = None,
    metrics: Metrics | None = None,
    clock: Clock = unix_ms,
    tolls: Tolls | None = None,
    improver: Improver | None = None,
    readiness: Readiness | None = None,
    contracts: Contracts | None = None,
    court: Court | None = None,
    block_of: Callable[[Cid], Awaitable[bytes]] | None = None,
    unpin: Callable[[Cid], Awaitable[None]] | None = None,
) -> Starlette:
    """An app on services that the caller has opened and will close.

    `gateway_address` is asked at each request, since a gateway may take a free port. No CORS headers
    are sent: browsers of other origins cannot read the answers. `readiness` is what `/readyz` tells, `block_of` a block that the
    content store has, `unpin` has it keep something no more, `court` the one that judges sign for.
    """
    queue_sizes = queue_sizes or Queues(redis, tiers_open=config.tiers_open).sizes
    metrics = metrics or Metrics(CollectorRegistry())
    readiness = readiness or Readiness(
        [*probes.services(config, store, redis), *probes.arena(config, store, redis, clock)]
    )
    services = Services(
        config=config,
        store=store,
        redis=redis,
        gateway_address=gateway_address,
        queue_sizes=queue_sizes,
        metrics=metrics,
        clock=clock,
        documents=_descriptions(),
        pictures=asyncio.Semaphore(PICTURES_AT_ONCE),
        readiness=readiness,
        gauging=Gauging(
            metrics=metrics,
            store=store,
            redis=redis,
            queue_sizes=queue_sizes,
            readiness=readiness,
            data_dir=config.data_dir,
            clock=clock,
        ),
        tolls=tolls or Tolls(config),
        improver=improver,
        contracts=contracts,
        court=court,
        block_of=block_of,
        unpin=unpin,
    )
    app = Starlette(
        middleware=[Middleware(RequestIds)],
        routes=routes([once(operation) for operation in OPERATIONS], services),
        exception_handlers={
            HTTPException: problems.of_http_exception,
            Exception: problems.of_failure,
        },
    )
    app.router.redirect_slashes = False  # the document names each path once
    return app


@cache
def _descriptions() -> Descriptions:
    """Of all operations, the same for every app."""
    return Descriptions(encode(openapi(OPERATIONS)), encode(asyncapi()))
