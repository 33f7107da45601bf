"""Takes out of the queues what waits where nobody will ever match it, and gives the entries back.

A fee tier that the operator closes, or a Space that is withdrawn, leaves its queues behind with all who wait in them: no
matchmaker leads them any more. A matchmaker whose own configuration does not know a queue empties it once nobody else has led
it for a while; others may be configured otherwise, and a restart leaves a queue without a leader for some seconds.

Where all seats of a match are confirmed, nobody will form it either. Should a leader come back just then, it finds the entries
gone, and forms nothing (`store.pots.EntriesGone`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import structlog

from server.clock import Clock
from server.entering import Entrance
from server.ledger import tiers
from server.live.queue import UnknownTicket
from server.live.queue_names import Queue
from server.store.holds import HoldRow

PATIENCE_MS = 60_000
"""A queue that nobody has led for this long is closed."""
AT_ONCE = 256
"""Tickets taken out in one sweep."""

_logger = structlog.get_logger()


class Holds(Protocol):
    """What is used of `store.entries.Entries`."""

    async def held_outside(
        self, spaces: Collection[str], tiers: Collection[int], limit: int
    ) -> list[HoldRow]: ...


class Rooms(Protocol):
    """What is used of `live.queue.Queues`."""

    async def led(self, queue: Queue) -> bool: ...
    async def abandon(self, ticket: str, agent: str, reason: str) -> bool: ...


class Closing:
    """Any number of processes may sweep at once. One per process: it remembers how long it has seen nobody lead."""

    def __init__(
        self,
        *,
        entries: Holds,
        queues: Rooms,
        entrance: Entrance,
        spaces: Sequence[str],
        tiers_open: Sequence[int],
        clock: Clock,
        patience_ms: int = PATIENCE_MS,
    ) -> None:
        """`spaces` are offered and `tiers_open` are open as far as this process knows."""
        self._entries = entries
        self._queues = queues
        self._entrance = entrance
        self._spaces = tuple(spaces)
        self._tiers_open = tuple(tiers_open)
        self._clock = clock
        self._patience_ms = patience_ms
        self._unled_since: dict[Queue, int] = {}

    async def sweep(self) -> None:
        """Raises what Redis and the store raise; to be called again then."""
        held = await self._entries.held_outside(self._spaces, self._tiers_open, AT_ONCE)
        closed = await self._closed({_queue(hold) for hold in held})
        for hold in held:
            if _queue(hold) in closed:
                await self._empty(hold)

    async def _closed(self, queues: Collection[Queue]) -> set[Queue]:
        now_ms = self._clock()
        since = {
            queue: self._unled_since.get(queue, now_ms)
            for queue in queues
            if not await self._queues.led(queue)
        }
        self._unled_since = since
        return {queue for queue, at_ms in since.items() if now_ms - at_ms >= self._patience_ms}

    async def _empty(self, hold: HoldRow) -> None:
        reason = self._reason(hold)
        try:
            await self._entrance.leave(hold.ticket, hold.agent, reason)
        except UnknownTicket:  # all seats are confirmed; or it has gone, and `Holds` releases it
            if not await self._queues.abandon(hold.ticket, hold.agent, reason):
                return
            await self._entrance.release(hold.ticket)
        _logger.info("taken out of a closed queue", agent=hold.agent, ticket=hold.ticket)

    def _reason(self, hold: HoldRow) -> str:
        """For the owner."""
        if hold.space not in self._spaces:
            return f"{hold.space} is not offered here any more; the entry has been given back"
        return (
            f"no queue takes entries of {tiers.amount(hold.tier_micros)} USDC here any more;"
            " the entry has been given back"
        )


def _queue(hold: HoldRow) -> Queue:
    return Queue(hold.space, hold.tier_micros)
