"""The channel `pins`: what operators are asked to keep, told soon after it was asked for, each task once."""

from __future__ import annotations

import asyncio

import msgspec
import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from server.clock import Clock
from server.identity import new_id
from server.live import keys
from server.live.agents import since_open
from server.live.log import LiveLog, Moved
from server.live.records import LogEvent
from server.pin_tasks import CHANNEL, SHOWN, as_task, shown_tasks
from server.protocol import PinsView
from server.store import Store

EVERY_S = 0.5
TOGETHER = 128
"""Tasks in one update."""

_logger = structlog.get_logger()


class PinTasksPublisher:
    """Any number of processes may publish: each goes on from what stands in the channel, and only if it still stands there."""

    def __init__(
        self, *, store: Store, log: LiveLog, clock: Clock, replicas: int, delay_ms: int = 0
    ) -> None:
        """`delay_ms`: how much later than the seats the public may see a session."""
        self._store = store
        self._log = log
        self._clock = clock
        self._replicas = replicas
        self._delay_ms = delay_ms

    async def run(self) -> None:
        """Until cancelled. What fails is tried again."""
        failing = False
        while True:
            try:
                more = await self.publish()
                failing = False
            except Moved:
                more = True  # somebody else has told some
            except (RedisError, SQLAlchemyError, OSError) as error:
                if not failing:
                    _logger.warning("pin tasks not published", error=str(error))
                failing, more = True, False
            if not more:
                await asyncio.sleep(EVERY_S)

    async def publish(self) -> bool:
        """Tell the next tasks; True where there may be more at once. Raises Moved when another was faster."""
        head = await self._log.head(CHANNEL)
        shown = shown_tasks(head)
        now_ms = self._clock()
        seen = shown[-1].number if shown else await self._begin()
        rows = await self._store.pin_tasks.after(seen, TOGETHER, by_ms=now_ms - self._delay_ms)
        if not rows:
            return False
        tasks = [as_task(row) for row in rows]
        t = since_open(head, now_ms)
        events = [LogEvent(t, "host", "pin", msgspec.to_builtins(task)) for task in tasks]
        view = PinsView([*shown, *tasks][-SHOWN:], self._replicas)
        base = -1 if head is None else head.offset
        await self._log.publish(CHANNEL, new_id(), events, view, keys.AGENT_TTL_S, base=base)
        return len(rows) == TOGETHER

    async def _begin(self) -> int:
        """Where a channel begins that was never there or has lapsed: with the newest tasks."""
        return max(0, await self._store.pin_tasks.last() - SHOWN)
