"""Who leads."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.api import problems
from server.api.operation import Limit, Services, as_json, read_id, read_query
from spaces import registry


class BoardQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 100
    """Rows."""


async def leaderboard(services: Services, request: Request) -> Response:
    space = read_id(request, "space")
    query = read_query(request, BoardQuery)
    try:
        registry.get_offered(space)
    except registry.UnknownSpace:
        raise problems.not_found("space", space) from None
    return as_json(await services.store.ratings.board(space, query.limit))
