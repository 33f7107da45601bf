"""Takes who may not play any more out of the queues, and gives the entries back.

An agent is frozen or archived by one statement on its row; what it has waiting is found here, by its
holds, so nothing is forgotten when whoever froze it dies right after. It cannot come back: the hold is
refused (`store.entries`). An agent that all others wait for, since every seat is confirmed, plays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from server.live.queue import UnknownTicket
from server.protocol import Ticket
from server.store.holds import HoldRow

AT_ONCE = 256
"""Tickets taken out in one sweep."""

_WHY = "the agent is frozen or archived; the entry has been given back"

_logger = structlog.get_logger()


class Holds(Protocol):
    """What is used of `store.entries.Entries`."""

    async def held_by_stopped(self, limit: int) -> list[HoldRow]: ...


class Leaving:
    """Any number of processes may sweep at once."""

    def __init__(
        self, *, entries: Holds, leave: Callable[[str, str, str], Awaitable[Ticket]]
    ) -> None:
        """`leave` is `Entrance.leave`."""
        self._entries = entries
        self._leave = leave

    async def sweep(self) -> None:
        """Raises what Redis and the store raise; to be called again then."""
        for hold in await self._entries.held_by_stopped(AT_ONCE):
            try:
                await self._leave(hold.ticket, hold.agent, _WHY)
            except UnknownTicket:
                continue  # it became a seat just now, or was gone: then its hold is released by itself
            _logger.info("taken out of the queue", agent=hold.agent, ticket=hold.ticket)
