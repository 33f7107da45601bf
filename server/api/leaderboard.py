"""Who leads."""

from __future__ import annotations

import msgspec
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response

from server import board as boards
from server.api import problems
from server.api.operation import Limit, Services, as_json, read_id, read_query
from server.live import keys
from server.live.boards import shown_board
from server.live.log import LiveLog
from server.protocol import BoardView
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
    board = await services.store.ratings.board(space, query.limit)
    return as_json(boards.follow(await _shown(services, space), board, services.clock()))


async def _shown(services: Services, space: str) -> BoardView | None:
    """What stands in the live channel, for who moved; the board itself needs no Redis."""
    try:
        return shown_board(await LiveLog(services.redis).head(keys.board_channel(space)))
    except (RedisError, OSError):
        return None
