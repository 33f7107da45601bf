"""Takes who may not play any more out of the queues, and gives the entries back.

An agent is frozen or archived by one statement on its row; what it has waiting is found here, by its
holds, so nothing is forgotten when whoever froze it dies right after. It cannot come back: the hold is
refused (`store.entries`). An agent that all others wait for, since every seat is confirmed, plays.

So it is with what a run of an automation has entered once that has ended. The automations' loop takes it out sooner, but
looks once: an entry that was on its way into the queue just then is found here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from server.live.queue import UnknownTicket
from server.protocol import Ticket
from server.store.holds import HoldRow

AT_ONCE = 256
"""Tickets taken out in one sweep."""

_AT_REST = "the agent is frozen or archived; the entry has been given back"
_ENDED = "the automation's run has ended; the entry has been given back"

_logger = structlog.get_logger()


class Holds(Protocol):
    """What is used of `store.entries.Entries`."""

    async def held_by_stopped(self, limit: int) -> list[HoldRow]: ...
    async def held_by_ended_runs(self, limit: int) -> list[HoldRow]: ...


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
        await self._take_out(await self._entries.held_by_stopped(AT_ONCE), _AT_REST)
        await self._take_out(await self._entries.held_by_ended_runs(AT_ONCE), _ENDED)

    async def _take_out(self, held: Sequence[HoldRow], why: str) -> None:
        for hold in held:
            try:
                await self._leave(hold.ticket, hold.agent, why)
            except UnknownTicket:
                continue  # it became a seat just now, or is not there (yet): `Holds` releases what never comes
            _logger.info("taken out of the queue", agent=hold.agent, ticket=hold.ticket)
