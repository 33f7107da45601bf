"""The queues, from the side of those who wait: gateways and the API.

Nothing ever moves between queues. All of a queue lies in Redis and every change is one Lua script,
so tickets and offers do not need the matchmaker to be alive: agents join, leave and confirm while
nobody leads, and the next leader finds it all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from redis.asyncio import Redis

from server.clock import Clock, unix_ms
from server.live import keys
from server.live.agents import AgentChannels
from server.live.queue_names import Queue, known_queues
from server.live.records import TicketRecord
from server.live.scripts import script
from server.matchmaking import Standing
from server.protocol import QueueCard, Ticket

CHANGES_MAXLEN = 65_536
"""Changes kept for the leader. A leader reads them many times a second; a new one reads the whole
queue, so only a leader that has lost its lease can fall behind this far."""
STANDING_FRESH_MS = 1_000
"""A published standing answers `explain` for this long; then the leader is asked again."""
ANSWER_MS = 1_500
"""How long `explain` waits for the leader."""
_POLL_MS = 50
_ASK_EVERY = 10
_NOBODY_LEADS = "nobody leads this queue right now; your place is kept"

_ENQUEUE = script("queue_enqueue.lua")
_DEQUEUE = script("queue_dequeue.lua")
_CONFIRM = script("queue_confirm.lua")
_ASK = script("queue_ask.lua")
_ABANDON = script("queue_abandon.lua")

_tickets = msgspec.msgpack.Decoder(TicketRecord)


class AlreadyQueued(Exception):
    """The agent waits in this queue already, with `ticket`."""

    def __init__(self, ticket: TicketRecord) -> None:
        super().__init__(f"already queued in {ticket.space} with ticket {ticket.ticket}")
        self.ticket = ticket


class UnknownTicket(LookupError):
    """No such ticket of this agent, or not any more."""


class UnknownOffer(LookupError):
    """No such offer to this agent, or not any more."""


class Published(msgspec.Struct, frozen=True):
    """A standing as the leader wrote it."""

    at_ms: int
    standing: Standing


_published = msgspec.msgpack.Decoder(Published)


class Queues:
    """Stateless, so one may be shared by all tasks of a process.

    Raises redis.exceptions.RedisError while Redis is away; repeating a call is harmless then.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        agents: AgentChannels | None = None,
        tiers_open: Sequence[int] = (0,),
        clock: Clock = unix_ms,
    ) -> None:
        """`tiers_open` says which queues `sizes` lists (`config.tiers_open`)."""
        self._redis = redis
        self._agents = agents or AgentChannels(redis, clock=clock)
        self._tiers_open = tuple(tiers_open)
        self._clock = clock

    async def enqueue(self, ticket: TicketRecord) -> TicketRecord:
        """Let the agent wait. A ticket without a name is given one; returns it under its name. Raises
        AlreadyQueued, after telling the agent of the ticket that it has: whoever wrote that one may
        have died before it told."""
        queue = Queue(ticket.space, ticket.tier_micros)
        if not ticket.ticket:
            ticket = msgspec.structs.replace(ticket, ticket=queue.new_name())
        raw = await _ENQUEUE.run(
            self._redis,
            [
                keys.queue_tickets(queue.key),
                keys.queue_agents(queue.key),
                keys.queue_changes(queue.key),
            ],
            [ticket.agent, ticket.ticket, msgspec.msgpack.encode(ticket), CHANGES_MAXLEN],
        )
        if raw is not None:
            standing = _tickets.decode(raw)
            # the same name: Redis was asked twice because its first answer was lost
            if standing.ticket != ticket.ticket:
                await self._agents.queued(standing)
                raise AlreadyQueued(standing)
        await self._agents.queued(ticket)
        return ticket

    async def dequeue(self, ticket: str, agent: str, reason: str = "") -> Ticket:
        """Stop waiting; during an offer this declines it. The agent is told the `reason`, where it is not its own
        wish. Raises UnknownTicket, also when every seat of the offer has been confirmed, since then the match is on."""
        queue = self._queue_of(ticket)
        answer = await _DEQUEUE.run(
            self._redis,
            [
                keys.queue_tickets(queue.key),
                keys.queue_agents(queue.key),
                keys.queue_held(queue.key),
                keys.queue_seats(queue.key),
                keys.queue_changes(queue.key),
                keys.queue_standing(queue.key),
            ],
            [ticket, agent, CHANGES_MAXLEN],
        )
        if answer == b"unknown":
            await self._agents.gone(agent, ticket)
            raise UnknownTicket(f"ticket {ticket!r} of agent {agent!r} does not wait")
        if answer == b"seated":
            raise UnknownTicket(f"ticket {ticket!r} has become a seat; all agents have confirmed")
        await self._agents.dequeued(agent, ticket, reason)
        return _ticket(queue, ticket, "gone")

    async def led(self, queue: Queue) -> bool:
        """Whether some matchmaker leads it now; for a moment nobody may, between two leaders."""
        leaders: int = await self._redis.exists(keys.queue_leader(queue.key))
        return leaders == 1

    async def abandon(self, ticket: str, agent: str, reason: str) -> bool:
        """Forget a ticket of a queue that nobody leads any more, also where all seats of its match are confirmed.
        False, and nothing has changed, where somebody leads it or the agent does not wait with the ticket."""
        queue = self._queue_of(ticket)
        gone: int = await _ABANDON.run(
            self._redis,
            [
                keys.queue_leader(queue.key),
                keys.queue_tickets(queue.key),
                keys.queue_agents(queue.key),
                keys.queue_held(queue.key),
                keys.queue_offers(queue.key),
                keys.queue_seats(queue.key),
                keys.queue_forming(queue.key),
                keys.queue_standing(queue.key),
            ],
            [ticket, agent],
        )
        if gone:
            await self._agents.dequeued(agent, ticket, reason)
        return gone == 1

    async def absent(self, tickets: Sequence[str]) -> list[str]:
        """Those of the tickets that neither wait nor are offered a seat nor are being seated."""
        if not tickets:
            return []
        async with self._redis.pipeline(transaction=False) as pipeline:
            for ticket in tickets:
                pipeline.hexists(keys.queue_tickets(Queue.of(ticket).key), ticket)
            found = await pipeline.execute()
        return [ticket for ticket, there in zip(tickets, found, strict=True) if not there]

    async def confirm(self, offer: str, agent: str) -> int:
        """Take the offered seat; returns how many agents have yet to confirm. Raises UnknownOffer."""
        try:
            queue = Queue.of(offer)
        except ValueError:
            raise UnknownOffer(f"no offer {offer!r}") from None
        missing: int = await _CONFIRM.run(
            self._redis,
            [keys.queue_seats(queue.key), keys.queue_changes(queue.key)],
            [offer, agent, CHANGES_MAXLEN],
        )
        if missing < 0:
            raise UnknownOffer(f"offer {offer!r} to agent {agent!r} does not stand (any more)")
        return missing

    async def explain(self, ticket: str, agent: str) -> Ticket:
        """Where the ticket stands and why it is not matched yet. Raises UnknownTicket.

        The leader of the queue computes a standing when it is asked, so those who do not ask cost
        nothing; an answer serves for a second.
        """
        queue = self._queue_of(ticket)
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.hget(keys.queue_tickets(queue.key), ticket)
            pipeline.hget(keys.queue_held(queue.key), ticket)
            pipeline.hget(keys.queue_standing(queue.key), ticket)
            raw, held, published = await pipeline.execute()
        record = None if raw is None else _tickets.decode(raw)
        if record is None or record.agent != agent:
            await self._agents.gone(agent, ticket)
            raise UnknownTicket(f"ticket {ticket!r} of agent {agent!r} does not wait")
        waited_ms = max(0, self._clock() - record.joined_ms)
        if held is not None:
            return await self._explain_offer(queue, record, held.decode(), waited_ms)
        standing = self._fresh(published) or await self._asked(queue, ticket)
        if standing is None:
            standing = Standing(position=0, waiting=0, window_milli=0, reason=_NOBODY_LEADS)
        return Ticket(
            ticket=ticket,
            space=queue.space,
            tier_micros=queue.tier_micros,
            state="waiting",
            position=standing.position,
            waiting=standing.waiting,
            waited_ms=waited_ms,
            window_milli=standing.window_milli,
            reason=standing.reason,
        )

    async def sizes(self) -> list[QueueCard]:
        """Every known queue, also the empty ones: how many wait, and the longest for how long."""
        queues = known_queues(self._tiers_open)
        async with self._redis.pipeline(transaction=False) as pipeline:
            for queue in queues:
                pipeline.hlen(keys.queue_tickets(queue.key))
                pipeline.hlen(keys.queue_held(queue.key))
                pipeline.get(keys.queue_oldest(queue.key))
            answers = await pipeline.execute()
        now_ms = self._clock()
        cards = []
        for index, queue in enumerate(queues):
            tickets, held, oldest = answers[3 * index : 3 * index + 3]
            waiting = max(0, tickets - held)
            since = int(oldest) if oldest and waiting else now_ms
            cards.append(
                QueueCard(
                    space=queue.space,
                    tier_micros=queue.tier_micros,
                    waiting=waiting,
                    longest_wait_s=max(0, now_ms - since) // 1_000,
                )
            )
        return cards

    def _queue_of(self, ticket: str) -> Queue:
        try:
            return Queue.of(ticket)
        except ValueError:
            raise UnknownTicket(f"no ticket {ticket!r}") from None

    async def _explain_offer(
        self, queue: Queue, record: TicketRecord, offer: str, waited_ms: int
    ) -> Ticket:
        seats = keys.queue_seats(queue.key)
        answer: Any = self._redis.hmget(seats, [offer, f"{offer} {record.agent}"])
        missing, own = await answer
        if own != b"1":
            reason = "a match is found; confirm your seat"
        elif missing == b"0":
            reason = "all have confirmed; the match is about to begin"
        else:
            reason = f"you have confirmed; {int(missing or 1)} to go"
        ticket = _ticket(queue, record.ticket, "offered")
        return msgspec.structs.replace(ticket, waited_ms=waited_ms, reason=reason)

    def _fresh(self, raw: bytes | None) -> Standing | None:
        """A published standing that is new enough. Clocks that disagree only cost a question."""
        if raw is None:
            return None
        published = _published.decode(raw)
        fresh = abs(self._clock() - published.at_ms) < STANDING_FRESH_MS
        return published.standing if fresh else None

    async def _asked(self, queue: Queue, ticket: str) -> Standing | None:
        """Ask the leader; None when nobody answers in time or the ticket has gone.

        A leader that has just taken over does not see older questions, so it is asked repeatedly.
        """
        standing_key = keys.queue_standing(queue.key)
        names = [keys.queue_tickets(queue.key), standing_key, keys.queue_changes(queue.key)]
        for poll in range(ANSWER_MS // _POLL_MS):
            if poll % _ASK_EVERY == 0:
                waits = await _ASK.run(self._redis, names, [ticket, CHANGES_MAXLEN])
                if not waits:
                    return None
            await asyncio.sleep(_POLL_MS / 1_000)
            answer: Any = self._redis.hget(standing_key, ticket)
            raw = await answer
            if raw is not None:
                return _published.decode(raw).standing
        return None


def _ticket(queue: Queue, ticket: str, state: Literal["offered", "gone"]) -> Ticket:
    return Ticket(ticket=ticket, space=queue.space, tier_micros=queue.tier_micros, state=state)
