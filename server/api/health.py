"""Is it up, is it of use, and how does it do: for load balancers and Prometheus."""

from __future__ import annotations

from typing import Literal

import msgspec
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from server.api.operation import Services, as_json, read_query
from server.api.problems import Problem
from server.readiness import Finding


class Health(msgspec.Struct, frozen=True):
    """All is well."""

    status: str = "ok"


class ReadyQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    arena: bool = False
    """Answer 503 also for what other processes of the arena should do: for monitoring, not for load
    balancers."""


class Ready(msgspec.Struct, frozen=True):
    """This process is of use."""

    status: Literal["ok", "degraded"]
    """`degraded`: something is wrong with the arena that other processes must mend."""
    failed: list[str]
    """The checks that are not well."""
    checks: list[Finding]


async def healthz(services: Services, request: Request) -> Response:
    """The process answers. Asks nobody, so that a sick database does not restart every process."""
    return as_json(Health(), Cache_Control="no-store")


async def readyz(services: Services, request: Request) -> Response:
    """Whether requests should be sent here. Raises Problem 503 that names what is wrong."""
    query = read_query(request, ReadyQuery)
    found = await services.readiness.look()
    return as_json(ready(found, arena=query.arena), Cache_Control="no-store")


def ready(found: list[Finding], *, arena: bool) -> Ready:
    """What is answered. Raises Problem 503."""
    failed = [each for each in found if not each.ok]
    if any(each.own or arena for each in failed):
        said = "; ".join(f"{each.name}: {each.words}" for each in failed)
        raise Problem(
            503,
            "not-ready",
            f"{said}; `agon doctor` says more",
            headers={"Retry-After": "5", "Cache-Control": "no-store"},
            failed=[each.name for each in failed],
        )
    return Ready("degraded" if failed else "ok", [each.name for each in failed], found)


async def metrics(services: Services, request: Request) -> Response:
    """This process's metrics, and what is counted in the backing services."""
    await services.gauging.refresh()
    return Response(generate_latest(services.metrics.registry), media_type=CONTENT_TYPE_LATEST)
