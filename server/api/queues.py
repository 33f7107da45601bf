"""Who waits where."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.api.operation import Services, as_json
from server.protocol import QueueCard


class QueueList(msgspec.Struct, frozen=True):
    """The queues in which somebody waits."""

    queues: list[QueueCard]


async def queues(services: Services, request: Request) -> Response:
    return as_json(QueueList(await services.queue_sizes()), Cache_Control="no-store")
