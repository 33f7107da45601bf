"""Where live sessions stand, as the lobby shows it. The lobby keeps the spectators' delay; so do we."""

from __future__ import annotations

import msgspec
from redis.asyncio import Redis

from server.live import keys
from server.live.records import ViewSet
from server.protocol import LobbyView

_views = msgspec.msgpack.Decoder(ViewSet)


async def headlines(redis: Redis) -> dict[str, str]:
    """The headline of each session in the lobby; empty where no lobby is published."""
    encoded = await redis.get(keys.views("lobby"))
    if encoded is None:
        return {}
    lobby = _views.decode(encoded).public
    assert isinstance(lobby, LobbyView)
    return {card.session: card.headline for card in (*lobby.live, *lobby.recent)}
