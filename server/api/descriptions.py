"""The API describes itself: the same documents as in `docs/`."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from server.api.operation import Services


def encode(document: dict[str, Any]) -> bytes:
    """Readable and stable JSON with a final newline."""
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


async def openapi_json(services: Services, request: Request) -> Response:
    return Response(services.documents.openapi, media_type="application/json")


async def asyncapi_json(services: Services, request: Request) -> Response:
    return Response(services.documents.asyncapi, media_type="application/json")
