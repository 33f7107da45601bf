"""The door of a vLLM server: lets in who has the key, to what the gateway needs, and to nothing else.

    VLLM_API_KEY=… PYTHONPATH=…/training/serving/door vllm serve … --middleware agon_door.Door

vLLM's own key guards `/v1` alone. With run-time loading on, `POST /adapters` loads adapters too, without a key, and can
put other weights under a name that is being served (`load_inplace`); `/invocations` answers prompts. Only the standard
library: it runs in the Python that has vLLM, and not us.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

OPEN = frozenset(
    {
        *(("GET", "/health"), ("GET", "/v1/models"), ("GET", "/metrics")),
        *(("POST", "/v1/chat/completions"), ("POST", "/v1/completions")),
        *(("POST", "/v1/load_lora_adapter"), ("POST", "/v1/unload_lora_adapter")),
    }
)


class Door:
    """ASGI middleware. Raises ValueError when there is no key to ask for."""

    def __init__(self, app: App) -> None:
        self._app = app
        key = os.environ.get("VLLM_API_KEY", "")
        if not key:
            raise ValueError("set VLLM_API_KEY: without a key anybody could load adapters")
        self._wanted = f"Bearer {key}".encode()

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        said = b"".join(value for name, value in scope["headers"] if name == b"authorization")
        if scope["type"] != "http" or (scope["method"], scope["path"]) not in OPEN:
            return await _refuse(send, 404)
        if not hmac.compare_digest(said, self._wanted):
            return await _refuse(send, 401)
        return await self._app(scope, receive, send)


async def _refuse(send: Callable[[Message], Awaitable[None]], status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})
