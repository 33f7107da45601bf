"""Where the live arena is."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.api.operation import Services, as_json
from server.protocol import SUBPROTOCOLS


class GatewayAddress(msgspec.Struct, frozen=True):
    """Where to open a websocket, and how to speak on it. Ask again before each connection."""

    url: str
    """`ws://` or `wss://`."""
    protocols: list[str]
    """Websocket subprotocols; offer one of them."""


async def gateway(services: Services, request: Request) -> Response:
    url = services.config.gateway_public_url or services.gateway_address()
    return as_json(GatewayAddress(url, list(SUBPROTOCOLS)), Cache_Control="no-store")
