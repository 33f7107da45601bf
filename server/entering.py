"""The one way into a queue: the entry is held first, then the ticket waits.

Gateways use it for bots, and the automations' loop for agents that play by themselves, so whatever binds an
agent binds both. A crash between hold and queue leaves a hold without a ticket, which `Holds` releases.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from server.clock import Clock
from server.escrow_room import EscrowRefused
from server.identity import Identity
from server.ledger import tiers
from server.live.queue import AlreadyQueued
from server.live.queue_names import Queue
from server.live.records import TicketRecord
from server.protocol import Ticket
from server.store.admission import NotPlaying, Unfunded
from server.store.automations import LimitReached
from server.store.holds import HoldRow
from server.store.pots import NotFormed

GRACE_MS = 15_000
"""A hold younger than this may be on its way to the queue."""
AT_ONCE = 1_000
"""Holds looked at in one sweep."""

_logger = structlog.get_logger()


class EntryRefused(Exception):
    """The agent may not enter; `code` is for programs, the message for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class EntryStore(Protocol):
    """What is used of `store.entries.Entries`."""

    async def hold(self, ticket: TicketRecord, run: int | None) -> None: ...
    async def release(self, ticket: str, *, missed: bool = False) -> bool: ...
    async def held(self, older_than_ms: int, after: str, limit: int) -> list[HoldRow]: ...


class WaitingRoom(Protocol):
    """What is used of `live.queue.Queues`."""

    async def enqueue(self, ticket: TicketRecord) -> TicketRecord: ...
    async def dequeue(self, ticket: str, agent: str, reason: str = "") -> Ticket: ...
    async def absent(self, tickets: Sequence[str]) -> list[str]: ...


Covered = Callable[[str, int], Awaitable[None]]
"""Of a Space and a tier. Raises NotFormed where a session of it could not be played now."""


TOO_FEW_JUDGES = "too-few-judges"
"""The judges who stand have too little at stake for the tier now; it passes when more have staked."""


class Entrance:
    """Stateless; one may be shared by all tasks of a process."""

    def __init__(
        self,
        *,
        entries: EntryStore,
        queues: WaitingRoom,
        rating_of: Callable[[str, str], Awaitable[tuple[int, int]]],
        tiers_open: Sequence[int],
        clock: Clock,
        covered: Covered | None = None,
    ) -> None:
        """`rating_of` gives (mu_milli, sigma_milli) of an agent version in a Space. `covered`: with a court, whether its judges
        have enough at stake."""
        self._covered = covered
        self._entries = entries
        self._queues = queues
        self._rating_of = rating_of
        self._tiers_open = frozenset(tiers_open)
        self._clock = clock

    async def enter(
        self, identity: Identity, space: str, tier_micros: int, *, run: int | None = None
    ) -> TicketRecord:
        """Hold the entry and let the agent wait. `space` is offered; `run` is the automation's, when it is
        the automation that wants it: once that run has ended the entry is refused.

        Raises EntryRefused (`tier-closed`, TOO_FEW_JUDGES, `not-playing`, `limit-reached`, `unfunded`, and the codes of `escrow_room`) or
        AlreadyQueued; then nothing is held. Raises what Redis raises while it is away; then a hold may stay for a moment.
        """
        if tier_micros not in self._tiers_open:
            known = tiers.listed(self._tiers_open)
            raise EntryRefused(
                "tier-closed",
                f"no queue takes entries of {tiers.amount(tier_micros)} USDC here; there are {known}",
            )
        await self._check_cover(space, tier_micros)
        mu, sigma = await self._rating_of(identity.version, space)
        ticket = TicketRecord(
            ticket=Queue(space, tier_micros).new_name(),
            agent=identity.agent,
            name=identity.name,
            version=identity.version,
            owner=identity.owner,
            space=space,
            tier_micros=tier_micros,
            mu_milli=mu,
            sigma_milli=sigma,
            joined_ms=self._clock(),
            kind=identity.kind,
        )
        await self._hold(ticket, run)
        try:
            return await self._queues.enqueue(ticket)
        except AlreadyQueued:
            await self._entries.release(ticket.ticket)
            raise

    async def leave(self, ticket: str, agent: str, reason: str = "") -> Ticket:
        """Stop waiting and have the entry back; `reason` is why the arena wants it so. Raises UnknownTicket; see
        `Queues.dequeue`."""
        left = await self._queues.dequeue(ticket, agent, reason)
        await self._entries.release(ticket)
        return left

    async def release(self, ticket: str) -> bool:
        """Give an entry back whose ticket waits no more. False where nothing is held for it."""
        return await self._entries.release(ticket)

    async def _check_cover(self, space: str, tier_micros: int) -> None:
        try:
            if self._covered is not None:
                await self._covered(space, tier_micros)
        except NotFormed as error:
            raise EntryRefused(TOO_FEW_JUDGES, str(error)) from None

    async def _hold(self, ticket: TicketRecord, run: int | None) -> None:
        try:
            await self._entries.hold(ticket, run)
        except NotPlaying as error:
            raise EntryRefused("not-playing", str(error)) from None
        except LimitReached as error:
            raise EntryRefused("limit-reached", str(error)) from None
        except Unfunded as error:
            raise EntryRefused("unfunded", str(error)) from None
        except EscrowRefused as error:
            raise EntryRefused(error.code, str(error)) from None


class Holds:
    """Gives back what is held for tickets that wait no more. Any number of processes may do so at once."""

    def __init__(self, *, entries: EntryStore, queues: WaitingRoom, clock: Clock) -> None:
        self._entries = entries
        self._queues = queues
        self._clock = clock
        self._after = ""
        """The last hold looked at; each sweep goes on from there, and round."""

    async def released(self, tickets: Sequence[str]) -> None:
        """These tickets have left their queue, since their seats were not confirmed. What fails here the
        sweep does."""
        for ticket in tickets:
            await self._entries.release(ticket, missed=True)

    async def sweep(self) -> None:
        """Look at the next AT_ONCE holds. Raises what Redis and the store raise; to be called again then.

        A ticket leaves Redis only once its session is written, which spends its hold, or when it is gone
        for good; so what is held here and absent there is owed to its agent.
        """
        held = await self._entries.held(self._clock() - GRACE_MS, self._after, AT_ONCE)
        for ticket in await self._queues.absent([row.ticket for row in held]):
            if await self._entries.release(ticket):
                _logger.info("entry released", ticket=ticket, reason="its ticket waits no more")
        self._after = held[-1].ticket if len(held) == AT_ONCE else ""
