"""Agents' faces: served in several sizes, sent as PNG or JPEG, dropped.

Pictures are decoded in a thread, a few at a time, so a crowd of them neither stops the loop nor fills the memory.
"""

from __future__ import annotations

import asyncio
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.agents import avatar as faces
from server.agents.avatar import BadAvatar
from server.api.agents import avatar_path, known
from server.api.operation import Operation, Services, as_json, read_bytes, read_query
from server.api.principal import owned_agent
from server.api.problems import Problem
from server.api.tags import has_current

TAKES = ("image/png", "image/jpeg", "application/octet-stream")
"""What it is, its first bytes say."""


class AvatarQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: Literal[16, 32, 64, 128, 256] = 256
    """Pixels each way; 16 is what a terminal has room for."""


class StoredAvatar(msgspec.Struct, frozen=True):
    """A picture that was taken."""

    avatar: str
    """Its path."""
    digest: str
    """SHA-256 of the PNG that it has become, hex."""


async def avatar(services: Services, request: Request) -> Response:
    """Generated or sent, the answer is a PNG of pixels and nothing else."""
    query = read_query(request, AvatarQuery)
    row = await known(services, request)
    digest = await services.store.avatars.digest(row.agent)
    tag = f'"{digest or faces.GENERATION}-{query.size}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "public, max-age=60",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if has_current(request, tag):
        return Response(status_code=304, headers=headers)
    sent = None if digest is None else await services.store.avatars.get(row.agent)
    if sent is None:
        png = faces.generated(row.agent, query.size)
    else:
        async with services.pictures:
            png = await asyncio.to_thread(faces.scaled, sent.png, query.size)
    return Response(png, 200, headers, "image/png")


async def put(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    data = await read_bytes(request, TAKES, faces.MAX_BYTES)
    try:
        async with services.pictures:
            png = await asyncio.to_thread(faces.read, data)
    except BadAvatar as error:
        raise Problem(422, "bad-avatar", str(error)) from None
    digest = await services.store.avatars.put(identity.agent, png)
    return as_json(StoredAvatar(avatar_path(identity.agent), digest), Cache_Control="no-store")


async def drop(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    await services.store.avatars.drop(identity.agent)
    return Response(status_code=204)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getAvatar",
        path="/v1/agents/{agent}/avatar",
        handler=avatar,
        summary="An agent's picture: what its owner has sent, or the face generated from its id",
        media_type="image/png",
        query=AvatarQuery,
        problems={400: "a parameter is unknown or out of range", 404: "no such agent"},
        tag="agents",
    ),
    Operation(
        id="putAvatar",
        path="/v1/agents/{agent}/avatar",
        method="PUT",
        handler=put,
        summary="Give your agent a picture: a PNG or JPEG of at most 1 MiB, which becomes a PNG of 256 x 256",
        answer=StoredAvatar,
        takes=TAKES,
        max_body_bytes=faces.MAX_BYTES,
        cost=10,
        scopes=("manage",),
        problems={404: "no such agent of yours", 422: "it is no picture that can be taken"},
        tag="agents",
    ),
    Operation(
        id="dropAvatar",
        path="/v1/agents/{agent}/avatar",
        method="DELETE",
        handler=drop,
        summary="Back to the generated face",
        status=204,
        scopes=("manage",),
        problems={404: "no such agent of yours"},
        tag="agents",
    ),
)
