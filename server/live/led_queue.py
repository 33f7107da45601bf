"""A queue from the side of the matchmaker that leads it.

Every write names the leader's mark and is refused by Redis once somebody else leads, so a
matchmaker that was paused past its lease cannot take a ticket twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from redis.asyncio import Redis

from server.live import keys
from server.live.connection import apart
from server.live.leader import Leadership, NotLeader
from server.live.queue import Published
from server.live.queue_names import Queue
from server.live.records import OfferRecord, SessionRecord, TicketRecord
from server.live.scripts import script

_TAKE = script("queue_take.lua")
_DISSOLVE = script("queue_dissolve.lua")
_FORM = script("queue_form.lua")
_FINISH = script("queue_finish.lua")
_ANSWER = script("queue_answer.lua")

READ_COUNT = 512
"""Changes of one read: some 10 ms of work."""
OLDEST_TTL_S = 5
_SCAN_COUNT = 1_000

_encode = msgspec.msgpack.Encoder().encode
_tickets = msgspec.msgpack.Decoder(TicketRecord)
_offers = msgspec.msgpack.Decoder(OfferRecord)
_records = msgspec.msgpack.Decoder(SessionRecord)


class Change(NamedTuple):
    """What happened in the queue: `join` (a record), `leave`, `ask` (a ticket's name), `complete`
    (all have confirmed), `decline` (an offer's name)."""

    kind: str
    value: bytes

    def record(self) -> TicketRecord:
        return _tickets.decode(self.value)

    def name(self) -> str:
        return self.value.decode()


class Ending(NamedTuple):
    """What an agent is to be told: that an offer to it has ended, and whether its ticket waits again."""

    agent: str
    offer: str
    ticket: str
    back: bool


class Found(NamedTuple):
    """What lies in a queue when a leader takes over."""

    waiting: list[TicketRecord]
    open: list[OfferRecord]
    complete: list[OfferRecord]
    """All have confirmed; perhaps the session is formed already, perhaps not."""
    broken: list[OfferRecord]
    """Somebody declined."""
    untold: list[Ending]
    """Of offers that have ended: who has perhaps not heard of it."""


class LedQueue:
    """For one term of leadership: make a new one each time. Close it.

    Writes raise NotLeader; everything raises redis.exceptions.RedisError while Redis is away.
    """

    def __init__(self, redis: Redis, queue: Queue, leadership: Leadership) -> None:
        self._redis = redis
        self._queue = queue
        self._leadership = leadership
        self._reader = apart(redis)
        self._at = b"0-0"
        self._key = {
            name: key(queue.key)
            for name, key in {
                "tickets": keys.queue_tickets,
                "agents": keys.queue_agents,
                "held": keys.queue_held,
                "offers": keys.queue_offers,
                "seats": keys.queue_seats,
                "forming": keys.queue_forming,
                "untold": keys.queue_untold,
                "standing": keys.queue_standing,
                "changes": keys.queue_changes,
                "oldest": keys.queue_oldest,
            }.items()
        }

    async def close(self) -> None:
        await self._reader.aclose(close_connection_pool=True)

    async def load(self) -> Found:
        """All that lies here. Changes from before this call may appear again in `changes`."""
        newest = await self._reader.xrevrange(self._key["changes"], count=1)
        self._at = newest[0][0] if newest else b"0-0"
        async with self._reader.pipeline(transaction=True) as pipeline:
            for name in ("held", "offers", "seats", "untold"):
                pipeline.hgetall(self._key[name])
            in_offers, records, confirmations, untold = await pipeline.execute()
        tickets = [
            _tickets.decode(raw)
            async for _, raw in self._reader.hscan_iter(self._key["tickets"], count=_SCAN_COUNT)
        ]
        found = Found(
            waiting=[each for each in tickets if each.ticket.encode() not in in_offers],
            open=[],
            complete=[],
            broken=[],
            untold=[_ending(field.decode(), value.decode()) for field, value in untold.items()],
        )
        for raw in records.values():
            offer = _offers.decode(raw)
            if confirmations.get(offer.offer.encode()) == b"0":
                found.complete.append(offer)
            elif all(_seat(offer, ticket) in confirmations for ticket in offer.tickets):
                found.open.append(offer)
            else:
                found.broken.append(offer)
        return found

    async def changes(self, block_ms: int | None) -> list[Change]:
        """What has happened since the last call; waits up to `block_ms` for the first change, or
        not at all."""
        answer = await self._reader.xread(
            {self._key["changes"]: self._at}, count=READ_COUNT, block=block_ms
        )
        changes: list[Change] = []
        for _, rows in answer:
            self._at = rows[-1][0]
            changes += [Change(fields[b"k"].decode(), fields[b"v"]) for _, fields in rows]
        return changes

    async def take(self, offers: Sequence[OfferRecord]) -> list[frozenset[str]]:
        """Move the tickets of each offer out of the queue. The answer names, for each, the tickets
        that wait no more: where there are any, that offer was not made."""
        names = self._names("tickets", "held", "offers", "seats", "standing")
        calls = [(names, [self._mark, o.offer, _encode(o), *_pairs(o)]) for o in offers]
        answers = await _TAKE.run_all(self._redis, calls)
        return [
            frozenset() if self._lead(answer) == 1 else frozenset(t.decode() for t in answer)
            for answer in answers
        ]

    async def dissolve(self, offer: OfferRecord, *, everybody: bool) -> list[Ending] | None:
        """End an offer. The tickets of those who confirmed wait again, or of `everybody` who has not
        left. None: all have confirmed meanwhile, and the offer stands.

        Its agents must be told what the answer says; until `told`, every leader finds it in `load`.
        """
        names = self._names("tickets", "agents", "held", "offers", "seats", "untold")
        args = [self._mark, offer.offer, int(everybody), *_pairs(offer)]
        answer = self._lead(await _DISSOLVE.run(self._redis, names, args))
        if answer == 0:
            return None
        if answer == 1:
            return []
        return [
            Ending(ticket.agent, offer.offer, ticket.ticket, back=back == 1)
            for ticket, back in zip(offer.tickets, answer, strict=True)
        ]

    async def told(self, endings: Sequence[Ending]) -> None:
        """Forget endings of which their agents have heard."""
        if endings:
            fields = [f"{ending.offer} {ending.agent}" for ending in endings]
            forgetting: Any = self._redis.hdel(self._key["untold"], *fields)
            await forgetting

    async def fix(self, offer: OfferRecord, record: SessionRecord) -> SessionRecord | None:
        """The record with which the offer's session is formed: `record`, or the one that an earlier
        attempt has fixed. None: the offer has become a session before and is forgotten."""
        names = self._names("offers", "seats", "forming")
        args = [self._mark, offer.offer, _encode(record)]
        answer = self._lead(await _FORM.run(self._redis, names, args))
        return None if answer == 0 else _records.decode(answer)

    async def finish(self, offer: OfferRecord) -> None:
        """Forget an offer that has become a session, and its tickets."""
        names = self._names("tickets", "agents", "held", "offers", "seats", "forming")
        self._lead(await _FINISH.run(self._redis, names, [self._mark, offer.offer, *_pairs(offer)]))

    async def answer(self, standings: Mapping[str, Published]) -> None:
        """Publish standings, by ticket."""
        args = [part for ticket, each in standings.items() for part in (ticket, _encode(each))]
        await _ANSWER.run(self._redis, [self._key["tickets"], self._key["standing"]], args)

    async def note_oldest(self, since_ms: int | None) -> None:
        """Tell the lobby since when the longest waiting ticket waits."""
        if since_ms is None:
            await self._redis.delete(self._key["oldest"])
        else:
            await self._redis.set(self._key["oldest"], since_ms, ex=OLDEST_TTL_S)

    @property
    def _mark(self) -> bytes:
        return self._leadership.mark

    def _names(self, *names: str) -> list[str]:
        return [self._leadership.key, *(self._key[name] for name in names)]

    def _lead(self, answer: Any) -> Any:
        if answer == -1:
            raise NotLeader(f"queue {self._queue.key} is led by somebody else")
        return answer


def _pairs(offer: OfferRecord) -> list[str]:
    return [part for ticket in offer.tickets for part in (ticket.ticket, ticket.agent)]


def _ending(field: str, value: str) -> Ending:
    """As `queue_dissolve.lua` writes it."""
    offer, _, agent = field.partition(" ")
    ticket, _, back = value.partition(" ")
    return Ending(agent, offer, ticket, back=back == "1")


def _seat(offer: OfferRecord, ticket: TicketRecord) -> bytes:
    return f"{offer.offer} {ticket.agent}".encode()
