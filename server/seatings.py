"""The confirmed offers of one queue on their way to being sessions.

Each has a task, which tries until the store and the log have the session: the agents have confirmed,
so it must come. What is unfinished when a term ends is done by the next leader.
"""

from __future__ import annotations

import asyncio

import structlog

from server.clock import Clock
from server.config import Config
from server.forming import Opener, draw_record
from server.live.leader import NotLeader
from server.live.led_queue import LedQueue
from server.live.queue_names import Queue
from server.live.records import OfferRecord
from server.store.pots import NotFormed

AT_ONCE = 64
"""Sessions being written to the store at the same time."""
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waits between attempts while the store is away; the last one repeats."""

_logger = structlog.get_logger()


class Seatings:
    """Owns its tasks; `cancel` it at the end."""

    def __init__(
        self, *, queue: Queue, led: LedQueue, opener: Opener, config: Config, clock: Clock
    ) -> None:
        self._queue = queue
        self._led = led
        self._opener = opener
        self._config = config
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._at_once = asyncio.Semaphore(AT_ONCE)

    def __contains__(self, offer: str) -> bool:
        return offer in self._tasks

    def start(self, offer: OfferRecord) -> None:
        """Make a session of an offer that all have confirmed; nothing if that is under way."""
        if offer.offer not in self._tasks:
            self._tasks[offer.offer] = asyncio.create_task(self._until_it_works(offer))

    def reap(self) -> list[str]:
        """The offers that have become sessions since the last call. Raises NotLeader."""
        done = [name for name, task in self._tasks.items() if task.done()]
        for name in done:
            self._tasks.pop(name).result()
        return done

    async def finish(self) -> None:
        """Wait for all that are under way. Raises NotLeader."""
        if self._tasks:
            await asyncio.wait(self._tasks.values())
        self.reap()

    async def cancel(self) -> None:
        """Give up what is under way, for the next leader to finish."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _until_it_works(self, offer: OfferRecord) -> None:
        attempt = 0
        while True:
            try:
                async with self._at_once:
                    await self._once(offer)
                return
            except NotLeader:
                raise
            except NotFormed as error:
                # It cannot be paid, so it cannot be played; who can pay may queue again.
                _logger.error("session not formed", offer=offer.offer, reason=str(error))
                await self._led.finish(offer)
                await self._opener.call_off(offer)
                return
            except Exception as error:  # whatever the store raises
                wait_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                _logger.warning(
                    "session not formed yet", offer=offer.offer, error=repr(error), retry_s=wait_s
                )
                attempt += 1
                await asyncio.sleep(wait_s)

    async def _once(self, offer: OfferRecord) -> None:
        drawn = draw_record(
            offer, now_ms=self._clock(), spectator_delay_ms=self._config.spectator_delay_ms
        )
        record = await self._led.fix(offer, drawn)
        if record is None:
            return
        await self._opener.form(record, offer)
        await self._led.finish(offer)
        _logger.info(
            "session formed",
            session=record.session,
            queue=self._queue.key,
            agents=[seat.agent for seat in record.seats],
            waited_ms=[self._clock() - ticket.joined_ms for ticket in offer.tickets],
        )
