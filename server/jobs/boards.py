"""The boards, republished soon after they change: once for many sessions, not once for each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from server.clock import Clock
from server.live.boards import publish_board
from server.live.log import LiveLog, Moved
from server.store import Store

EVERY_S = 1.0
REPEAT_S = 3_600.0
"""An unchanged board is published again after this long, which keeps its keys alive."""

_logger = structlog.get_logger()


class Boards:
    """Any number of processes may publish; every board is read whole from the store."""

    def __init__(self, *, store: Store, log: LiveLog, clock: Clock, spaces: Iterable[str]) -> None:
        self._store = store
        self._log = log
        self._clock = clock
        self._spaces = tuple(spaces)
        self._changed: set[str] = set()

    def moved(self, space: str) -> None:
        """The ratings of a Space have changed."""
        self._changed.add(space)

    async def run(self) -> None:
        """Publish every board, then each that changes, until cancelled."""
        repeat_at = 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if repeat := now >= repeat_at:
                self._changed.update(self._spaces)
                repeat_at = now + REPEAT_S
            await self.publish(repeat=repeat)
            await asyncio.sleep(EVERY_S)

    async def publish(self, *, repeat: bool = False) -> None:
        """Publish the boards that have changed. What fails is published next time."""
        for space in sorted(self._changed):
            self._changed.discard(space)  # first: what changes while we read is published again
            try:
                board = await self._store.ratings.board(space)
                await publish_board(self._log, board, now_ms=self._clock(), repeat=repeat)
            except (RedisError, SQLAlchemyError, OSError, Moved) as error:
                self._changed.add(space)
                _logger.warning("board not published", space=space, error=str(error))
