"""One matchmaker's term as the leader of one queue: tail the changes, form, offer, seat.

The pool in memory is only a copy; whatever a term leaves behind, offers half confirmed and sessions
half formed, lies in Redis and is finished by the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog
from redis.exceptions import RedisError

from server.clock import Clock
from server.config import Config
from server.forming import Opener
from server.live.agents import AgentChannels
from server.live.led_queue import Change, Ending, LedQueue
from server.live.log import Moved
from server.live.queue import Published
from server.live.queue_names import Queue
from server.live.records import OfferRecord
from server.matchmaking import Pool, explain
from server.protocol import Offer
from server.seatings import Seatings
from spaces import registry

TICK_MS = 100
"""While anybody waits: windows widen and offers expire on this grid; changes are seen at once."""
IDLE_MS = 500
"""While nobody does."""
FORM_LIMIT = 64
"""Offers made in one round."""
ANSWER_LIMIT = 1_000
"""Questions answered in one round; the rest wait for the next."""
OLDEST_EVERY_MS = 1_000
YIELD_EVERY = 256
TELL_LIMIT = 256
"""Agents told of ended offers in one round."""
TELL_AGAIN_MS = 500
"""After some of them could not be told."""

Left = Callable[[Sequence[str]], Awaitable[None]]
"""Told of tickets that have left their queue without becoming seats: their entries are to go back."""

_logger = structlog.get_logger()


class QueueTerm:
    """Construct one for each term; `run` it once."""

    def __init__(
        self,
        *,
        queue: Queue,
        led: LedQueue,
        agents: AgentChannels,
        opener: Opener,
        config: Config,
        clock: Clock,
        stopping: asyncio.Event,
        left: Left,
    ) -> None:
        self._left = left
        self._queue = queue
        self._led = led
        self._agents = agents
        self._config = config
        self._clock = clock
        self._stopping = stopping
        self._pool = Pool(registry.get(queue.space).seats, paid=queue.tier_micros > 0)
        self._offers: dict[str, OfferRecord] = {}
        self._broken: set[str] = set()
        self._asked: dict[str, None] = {}
        self._untold: list[Ending] = []
        self._tell_from_ms = 0
        self._seatings = Seatings(queue=queue, led=led, opener=opener, config=config, clock=clock)
        self._oldest_noted_ms = 0
        self._backlog = False

    async def run(self) -> None:
        """Lead until `stopping` is set; then finish what is being seated. Raises NotLeader or
        redis.exceptions.RedisError, which end the term. Cancelling it is safe."""
        try:
            await self._take_over()
            while not self._stopping.is_set():
                await self._round()
            await self._seatings.finish()
        finally:
            await self._seatings.cancel()
            await self._led.close()

    async def _take_over(self) -> None:
        found = await self._led.load()
        for number, ticket in enumerate(found.waiting):
            self._pool.add(ticket)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)  # 50,000 take a second; the lease must be renewed meanwhile
        for offer in (*found.open, *found.complete, *found.broken):
            self._offers[offer.offer] = offer
        self._broken.update(offer.offer for offer in found.broken)
        for offer in found.complete:
            self._seat(offer.offer)
        # the last leader may have died before it told them; a repeated notice is dropped
        self._untold += found.untold
        await _all(self._tell_of_offer(offer) for offer in found.open)
        _logger.info(
            "queue taken over",
            queue=self._queue.key,
            waiting=len(found.waiting),
            offers=len(found.open),
            complete=len(found.complete),
            untold=len(found.untold),
        )

    async def _round(self) -> None:
        for change in await self._led.changes(self._block_ms()):
            self._apply(change)
        self._reap()
        await self._dissolve()
        await self._tell_of_endings()
        await self._offer()
        await self._answer()
        await self._note_oldest()

    def _block_ms(self) -> int | None:
        """How long to wait for news before windows and clocks are looked at again."""
        if self._backlog:
            return None
        busy = len(self._pool) or self._offers or self._untold
        return TICK_MS if busy else IDLE_MS

    def _apply(self, change: Change) -> None:
        match change.kind:
            case "join":
                self._pool.add(change.record())
            case "leave":
                self._pool.remove(change.name())
            case "ask":
                self._asked[change.name()] = None
            case "complete":
                self._seat(change.name())
            case "decline" if change.name() in self._offers:
                self._broken.add(change.name())

    async def _offer(self) -> None:
        """Make offers of what the pool proposes."""
        now_ms = self._clock()
        offers = [
            OfferRecord(
                offer=self._queue.new_name(),
                space=self._queue.space,
                tier_micros=self._queue.tier_micros,
                tickets=proposal.tickets,
                confirmed=(),
                expires_ms=now_ms + self._config.confirm_ms,
            )
            for proposal in self._pool.form(now_ms, FORM_LIMIT)
        ]
        self._backlog = len(offers) == FORM_LIMIT
        if not offers:
            return
        made = []
        for offer, gone in zip(offers, await self._led.take(offers), strict=True):
            if gone:
                self._wait_again(offer, {t.ticket for t in offer.tickets} - gone)
            else:
                self._offers[offer.offer] = offer
                made.append(offer)
        await _all(self._tell_of_offer(offer) for offer in made)

    async def _tell_of_offer(self, offer: OfferRecord) -> None:
        for ticket in offer.tickets:
            await self._agents.offered(
                ticket.agent,
                Offer(
                    offer=offer.offer,
                    ticket=ticket.ticket,
                    space=offer.space,
                    tier_micros=offer.tier_micros,
                    expires_ms=offer.expires_ms,
                ),
            )

    async def _dissolve(self) -> None:
        """End offers that were declined or not confirmed in time."""
        now_ms = self._clock()
        due = [
            offer
            for name, offer in self._offers.items()
            if name not in self._seatings and (offer.expires_ms <= now_ms or name in self._broken)
        ]
        for offer in due:
            broken = offer.offer in self._broken
            endings = await self._led.dissolve(offer, everybody=broken)
            if endings is None:
                self._seat(offer.offer)  # the last confirmation came a moment before
                continue
            self._broken.discard(offer.offer)
            del self._offers[offer.offer]
            self._wait_again(offer, {ending.ticket for ending in endings if ending.back})
            self._untold += endings

    async def _tell_of_endings(self) -> None:
        """Tell agents that their offers have ended. Who cannot be told now is told later, by this
        leader or the next, and keeps nobody else waiting."""
        if not self._untold or self._clock() < self._tell_from_ms:
            return
        due, later = self._untold[:TELL_LIMIT], self._untold[TELL_LIMIT:]
        results = await asyncio.gather(
            *(self._agents.expired(e.agent, e.offer, e.ticket, back=e.back) for e in due),
            return_exceptions=True,
        )
        told: list[Ending] = []
        failed: list[Ending] = []
        for ending, result in zip(due, results, strict=True):
            if isinstance(result, RedisError | Moved):
                failed.append(ending)
            elif isinstance(result, BaseException):
                raise result
            else:
                told.append(ending)
        await self._give_back([ending.ticket for ending in told if not ending.back])
        self._untold = later + failed
        if failed:
            self._tell_from_ms = self._clock() + TELL_AGAIN_MS
            _logger.warning("agents not told yet", queue=self._queue.key, count=len(failed))
        await self._led.told(told)

    async def _give_back(self, tickets: list[str]) -> None:
        try:
            await self._left(tickets)
        except Exception as error:  # whatever the store raises: the sweep of holds does it later
            _logger.warning("entries not released yet", queue=self._queue.key, error=repr(error))

    def _wait_again(self, offer: OfferRecord, names: set[str] | frozenset[str]) -> None:
        """Tickets go back to their old places: they keep the time at which they joined."""
        for ticket in offer.tickets:
            if ticket.ticket in names:
                self._pool.add(ticket)

    def _seat(self, name: str) -> None:
        offer = self._offers.get(name)
        if offer is not None:
            self._seatings.start(offer)

    def _reap(self) -> None:
        """Forget what is seated. Raises NotLeader."""
        for name in self._seatings.reap():
            self._offers.pop(name, None)

    async def _answer(self) -> None:
        """Tell those who asked where they stand."""
        now_ms = self._clock()
        standings = {}
        for ticket in list(self._asked)[:ANSWER_LIMIT]:
            del self._asked[ticket]
            standing = explain(self._pool, ticket, now_ms)
            if standing is not None:
                standings[ticket] = Published(at_ms=now_ms, standing=standing)
        if standings:
            await self._led.answer(standings)

    async def _note_oldest(self) -> None:
        now_ms = self._clock()
        if now_ms - self._oldest_noted_ms >= OLDEST_EVERY_MS:
            self._oldest_noted_ms = now_ms
            await self._led.note_oldest(self._pool.oldest_ms())


async def _all(work: Iterable[Awaitable[None]]) -> None:
    """Await all of it, then raise the first error: nothing is left running behind it."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
