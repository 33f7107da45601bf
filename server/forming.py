"""From a confirmed offer to a session that hosts can lease.

The id of the session follows from the offer, and its record (seed, salts, seats) is fixed in the
queue before anything is written elsewhere, so any number of attempts by any number of matchmakers
form one session: every step after that is idempotent.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from server.live.agents import AgentChannels
from server.live.queue_names import session_of
from server.live.records import LogEvent, OfferRecord, SeatRecord, SessionRecord, ViewSet
from server.match import initial_views, open_event
from server.protocol import Opening, Seating
from spaces import registry
from spaces.seed import SEED_BYTES

SALT_BYTES = 32
PROVISIONAL_SIGMA_MILLI = 6_500
"""Above this a rating is not shown beside a name. Ten rated sessions of two seats bring a newcomer's
sigma of 8_333 about here (openskill PlackettLuce, defaults)."""

FormSession = Callable[[SessionRecord], Awaitable[SessionRecord]]
"""Writes a session to the store, once; returns the record that stands there."""
Opened = Callable[[str], Awaitable[None]]


class SessionLog(Protocol):
    """What is used of `LiveLog`."""

    async def open_session(
        self, record: SessionRecord, event: LogEvent, views: ViewSet
    ) -> None: ...


def draw_record(offer: OfferRecord, *, now_ms: int, spectator_delay_ms: int) -> SessionRecord:
    """A session for the offer's agents: seats in an order nobody can foresee, a fresh secret seed."""
    tickets = list(offer.tickets)
    secrets.SystemRandom().shuffle(tickets)
    seats = tuple(
        SeatRecord(
            seat=seat,
            agent=ticket.agent,
            name=ticket.name,
            version=ticket.version,
            owner=ticket.owner,
            salt=secrets.token_bytes(SALT_BYTES),
            rating_milli=shown_rating(ticket.mu_milli, ticket.sigma_milli),
            ticket=ticket.ticket,
            kind=ticket.kind,
        )
        for seat, ticket in enumerate(tickets)
    )
    return SessionRecord(
        session=session_of(offer.offer),
        space=offer.space,
        rules=registry.get(offer.space).rules,
        params={},
        tier_micros=offer.tier_micros,
        opened_ms=now_ms,
        seed=secrets.token_bytes(SEED_BYTES),
        seats=seats,
        spectator_delay_ms=spectator_delay_ms,
    )


class Opener:
    """Opens formed sessions and seats their agents. Every method may be repeated."""

    def __init__(
        self,
        *,
        log: SessionLog,
        agents: AgentChannels,
        form_session: FormSession,
        opened: Opened | None,
        escrowed: bool = False,
    ) -> None:
        """`escrowed`: a paid session that is formed is not opened here, since it waits for the escrow (`gate`)."""
        self._log = log
        self._agents = agents
        self._form_session = form_session
        self._opened = opened
        self._escrowed = escrowed

    async def form(self, record: SessionRecord, offer: OfferRecord) -> None:
        """Write the session to the store, then open it as it stands there: a Redis that has lost its last
        writes may have had it formed with other seats before, and by those it is paid. Where the escrow has to open it
        first, its agents are told so."""
        standing = await self._form_session(record)
        tickets = {ticket.agent: ticket.ticket for ticket in offer.tickets}
        if self._escrowed and standing.tier_micros:
            await self._tell_of_opening(standing, offer.offer, tickets)
        else:
            await self.open(standing, offer=offer.offer, tickets=tickets)

    async def _tell_of_opening(
        self, record: SessionRecord, offer: str, tickets: dict[str, str]
    ) -> None:
        await asyncio.gather(
            *(
                self._agents.opening(
                    seat.agent,
                    Opening(
                        session=record.session,
                        space=record.space,
                        seat=seat.seat,
                        tier_micros=record.tier_micros,
                        since_ms=record.opened_ms,
                    ),
                    offer=offer,
                    ticket=tickets.get(seat.agent, ""),
                )
                for seat in record.seats
            )
        )

    async def open(
        self,
        record: SessionRecord,
        *,
        offer: str = "",
        tickets: dict[str, str] | None = None,
    ) -> None:
        """Give a formed session its live log, and tell its agents."""
        await self._log.open_session(record, open_event(record), initial_views(record))
        await asyncio.gather(
            *(
                self._agents.seated(
                    seat.agent,
                    Seating(session=record.session, space=record.space, seat=seat.seat),
                    offer=offer,
                    ticket=(tickets or {}).get(seat.agent, ""),
                )
                for seat in record.seats
            )
        )
        if self._opened is not None:
            await self._opened(record.session)

    async def call_off(self, offer: OfferRecord) -> None:
        """Tell the agents of an offer that no session comes of it, and that they wait no more."""
        for ticket in offer.tickets:
            await self._agents.expired(ticket.agent, offer.offer, ticket.ticket, back=False)

    async def reopen(self, records: Sequence[SessionRecord]) -> None:
        """Open sessions that were formed, and perhaps not opened, by a matchmaker that died."""
        for record in records:
            await self.open(record)


def shown_rating(mu_milli: int, sigma_milli: int) -> int | None:
    """What stands beside a name: mu - 3 sigma, or None while provisional."""
    if sigma_milli > PROVISIONAL_SIGMA_MILLI:
        return None
    return mu_milli - 3 * sigma_milli
