"""What an agent has going on, as events and a view on `agent:{id}`.

Several processes write to one agent's channel: gateways (`queued`, `dequeued`), the leaders of the
queues it waits in (`offer`, `offer_expired`, `opening`, `seated`), hosts (`left`), the automations' loop
(`automation`), who plays gates (`gate`). Each folds its events into the view that stands there and appends both in one script
that refuses when the channel has moved meanwhile, so no writer undoes another's change.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from redis.asyncio import Redis
from ulid import ULID

from server.clock import Clock, unix_ms
from server.live import keys
from server.live.log import Head, LiveLog, Moved
from server.live.queue_names import session_of
from server.live.records import LogEvent, TicketRecord
from server.protocol import AgentView, AutomationCard, GateCard, Offer, Opening, Seating, View

ATTEMPTS = 32
"""Each failed attempt means that another writer has succeeded; an agent never has this many."""


class AgentLog(Protocol):
    """What is used of `LiveLog`."""

    async def head(self, channel: str) -> Head | None: ...

    async def publish(
        self,
        channel: str,
        batch: str,
        events: Sequence[LogEvent],
        views: View,
        ttl_s: int,
        *,
        base: int | None = None,
    ) -> int: ...


class AgentChannels:
    """Every method is idempotent: the batch's name says what happened, and counts once among the
    channel's last 64. Raises redis.exceptions.RedisError while Redis is away."""

    def __init__(self, redis: Redis, log: AgentLog | None = None, clock: Clock = unix_ms) -> None:
        self._log: AgentLog = log or LiveLog(redis)
        self._clock = clock

    async def notify(self, agent: str, batch: str, events: Sequence[LogEvent]) -> None:
        """Append events to the agent's channel, with the view that follows from them.

        Their `t` is set here.
        """
        channel = keys.agent_channel(agent)
        for _ in range(ATTEMPTS):
            head = await self._log.head(channel)
            t = since_open(head, self._clock())
            events = [msgspec.structs.replace(event, t=t) for event in events]
            view = fold(_standing(agent, head), events)
            base = -1 if head is None else head.offset
            try:
                await self._log.publish(channel, batch, events, view, keys.AGENT_TTL_S, base=base)
                return
            except Moved:
                await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311
        raise Moved(f"{channel} moved {ATTEMPTS} times while it was written to")

    async def queued(self, ticket: TicketRecord) -> None:
        body = {"ticket": ticket.ticket, "space": ticket.space, "tier_micros": ticket.tier_micros}
        await self._one(ticket.agent, f"queued:{ticket.ticket}", "queued", body)

    async def dequeued(self, agent: str, ticket: str, reason: str = "") -> None:
        """`reason`: why, where the arena took it out."""
        body = {"ticket": ticket, "reason": reason} if reason else {"ticket": ticket}
        await self._one(agent, f"dequeued:{ticket}", "dequeued", body)

    async def gone(self, agent: str, ticket: str) -> None:
        """The ticket waits no more. Says `dequeued` only where the agent's view has it still: a
        gateway died before it told, or told of the ticket when it had gone already."""
        head = await self._log.head(keys.agent_channel(agent))
        if ticket in _standing(agent, head).tickets:
            await self._one(agent, f"gone:{ticket}", "dequeued", {"ticket": ticket})

    async def offered(self, agent: str, offer: Offer) -> None:
        body = msgspec.to_builtins(offer)
        await self._one(agent, f"offer:{offer.offer}", "offer", body)

    async def expired(self, agent: str, offer: str, ticket: str, *, back: bool) -> None:
        """`back`: the ticket waits again, in its old place; else it is gone."""
        body = {"offer": offer, "ticket": ticket, "back": back}
        await self._one(agent, f"expired:{offer}", "offer_expired", body)

    async def opening(self, agent: str, opening: Opening, *, offer: str, ticket: str) -> None:
        """The match is made; the chain is to take its entries before it begins."""
        body = {**msgspec.to_builtins(opening), "offer": offer, "ticket": ticket}
        await self._one(agent, f"opening:{opening.session}", "opening", body)

    async def seated(
        self, agent: str, seating: Seating, *, offer: str = "", ticket: str = ""
    ) -> None:
        body = {**msgspec.to_builtins(seating), "offer": offer, "ticket": ticket}
        await self._one(agent, f"seated:{seating.session}", "seated", body)

    async def left(self, agent: str, session: str, reason: str = "") -> None:
        """The session is over: sealed, void or given up. To be called for every seat. `reason`: why nothing could be
        played."""
        body = {"session": session, "reason": reason} if reason else {"session": session}
        await self._one(agent, f"left:{session}", "left", body)

    async def automation(self, agent: str, card: AutomationCard) -> None:
        """The agent's automation has started or stopped."""
        batch = f"automation:{card.run}:{card.state}"
        await self._one(agent, batch, "automation", msgspec.to_builtins(card))

    async def gate(self, agent: str, card: GateCard, batch: str) -> None:
        """A candidate of the agent's is tested, or has been; `batch` names the state."""
        await self._one(agent, batch, "gate", msgspec.to_builtins(card))

    async def _one(self, agent: str, batch: str, kind: str, body: dict[str, Any]) -> None:
        await self.notify(agent, batch, [LogEvent(t=0, by="host", type=kind, body=body)])


def since_open(head: Head | None, now_ms: int) -> int:
    """Milliseconds since the channel was opened: its epoch is a ULID, which tells when."""
    return 0 if head is None else max(0, now_ms - ULID.from_str(head.epoch).milliseconds)


def fold(view: AgentView, events: Sequence[LogEvent]) -> AgentView:
    """The view after `events`. Pure; a repeated event changes nothing, an unknown one neither."""
    for event in events:
        view = _after(view, event.type, event.body)
    return view


def _after(view: AgentView, kind: str, body: dict[str, Any]) -> AgentView:
    seated, offers, tickets = view.seated, view.offers, view.tickets
    automation, opening, gate = view.automation, view.opening, view.gate
    match kind:
        case "queued":
            tickets = [*_without(tickets, body["ticket"]), body["ticket"]]
        case "dequeued":
            tickets = _without(tickets, body["ticket"])
            offers = [offer for offer in offers if offer.ticket != body["ticket"]]
        case "offer":
            offer = msgspec.convert(body, Offer)
            offers = [*(o for o in offers if o.offer != offer.offer), offer]
        case "offer_expired":
            offers = [offer for offer in offers if offer.offer != body["offer"]]
            tickets = tickets if body["back"] else _without(tickets, body["ticket"])
        case "opening" | "seated":
            session = body["session"]
            opening = [each for each in opening if each.session != session]
            if kind == "opening":
                opening.append(msgspec.convert(body, Opening))
            else:
                seating = msgspec.convert(body, Seating)
                seated = [*(s for s in seated if s.session != session), seating]
            # who opens a session that another has formed knows neither its offer nor its tickets
            spent = [offer for offer in offers if session_of(offer.offer) == session]
            offers = [offer for offer in offers if offer not in spent]
            for name in (body["ticket"], *(offer.ticket for offer in spent)):
                tickets = _without(tickets, name)
        case "left":
            seated = [s for s in seated if s.session != body["session"]]
            opening = [each for each in opening if each.session != body["session"]]
        case "automation":
            automation = msgspec.convert(body, AutomationCard)
        case "gate":
            gate = msgspec.convert(body, GateCard)
    return AgentView(view.agent, seated, offers, tickets, automation, opening, gate)


def _without(tickets: list[str], ticket: str) -> list[str]:
    return [each for each in tickets if each != ticket]


def _standing(agent: str, head: Head | None) -> AgentView:
    """The agent's view at the head of its channel; an empty one where there is none."""
    view = None if head is None or head.views is None else head.views.public
    if isinstance(view, AgentView):
        return view
    return AgentView(agent=agent, seated=[], offers=[], tickets=[])
