"""Every request has an id: the client's `X-Request-Id`, or one of ours, in its answer and in our log lines.

What a client sends is taken only if it is short and plain, since it is written into logs.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars, unbind_contextvars

from server.identity import new_id

HEADER = "X-Request-Id"
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")
BOUND_LATER = ("account", "agent")
"""What handlers bind once they know who asks."""


class RequestIds:
    """ASGI middleware, around everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        name = given if _PLAIN.fullmatch(given) else new_id()

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = name
            await send(message)

        with bound_contextvars(request=name):
            try:
                await self._app(scope, receive, named)
            finally:
                unbind_contextvars(*BOUND_LATER)
