"""The lobby, published on its channel for everybody.

One process publishes the lobby. It tails the feed and keeps a card for each live session in memory,
so its work follows what happens and not how many sessions there are; a new leader rebuilds the cards
from the leases and the views. Everything comes from Redis.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec
import structlog
from redis.asyncio import Redis

from server.clock import Clock, unix_ms
from server.live import keys
from server.live.agents import AgentLog, since_open
from server.live.feed import Lost
from server.live.leader import Leadership
from server.live.records import Appended, FeedItem, LogEvent, ViewSet
from server.protocol import LobbyView, QueueCard, SessionCard, SessionView
from server.store.openings import Waiting
from spaces.seat_names import listed

CHANNEL = "lobby"
DUTY = "lobby"
EVERY_S = 0.5
REPEAT_S = 60
"""An unchanged lobby is published again after this long, which keeps its keys alive."""
TTL_S = 3_600
LIVE_SHOWN = 100
RECENT_SHOWN = 20
OVER_KEPT = 4_096
"""Sessions remembered as over, so that a late item does not bring one back."""
HEADLINE_CHARS = 80
VOID_CHARS = 200
"""Why it was void is told to whoever paid for it."""
_CHUNK = 256

_views = msgspec.msgpack.Decoder(ViewSet)
_logger = structlog.get_logger()


class FeedReader(Protocol):
    """What is used of `live.feed.Feed`."""

    async def ready(self) -> None: ...
    def batches(self) -> AsyncIterator[list[FeedItem]]: ...


class QueueSizes(Protocol):
    """What is used of `live.queue.Queues`."""

    async def sizes(self) -> list[QueueCard]: ...


class Openings(Protocol):
    """What is used of `store.openings.Openings`."""

    async def waiting(self) -> Sequence[Waiting]: ...


class Watchers(Protocol):
    """What is used of `live.presence.Presence`."""

    async def counts(self) -> tuple[dict[str, int], int]: ...


class Cards:
    """The sessions of the lobby. Pure: takes views in any order, the newest by offset stands."""

    def __init__(self, recent: Sequence[SessionCard] = ()) -> None:
        """`recent`: what the last lobby showed as ended."""
        self._live: dict[str, tuple[int, SessionCard]] = {}
        self._recent: dict[str, SessionCard] = {card.session: card for card in reversed(recent)}
        self._over: dict[str, None] = dict.fromkeys(self._recent)

    def take(self, offset: int, view: SessionView) -> None:
        """A session as the public sees it after event `offset`."""
        session = view.session
        if session in self._over:
            if session in self._recent:
                self._recent[session] = _card(view)  # the verdict may have come
            return
        if view.status == "live":
            known = self._live.get(session)
            if known is None or known[0] < offset:
                self._live[session] = (offset, _card(view))
            return
        self._over[session] = None
        if len(self._over) > OVER_KEPT:
            del self._over[next(iter(self._over))]
        if self._live.pop(session, None) is None:
            return  # it ended before we came: no news
        self._recent[session] = _card(view)
        if len(self._recent) > RECENT_SHOWN:
            del self._recent[next(iter(self._recent))]

    def lobby(self, queues: list[QueueCard], counts: dict[str, int], watching: int) -> LobbyView:
        newest = heapq.nlargest(
            LIVE_SHOWN,
            (card for _, card in self._live.values()),
            key=lambda card: (card.opened_ms, card.session),
        )
        return LobbyView(
            live=[
                msgspec.structs.replace(card, watching=counts.get(card.session, 0))
                for card in newest
            ],
            recent=list(reversed(self._recent.values())),
            queues=queues,
            live_count=len(self._live),
            watching=watching,
        )


class LobbyPublisher:
    """One per process; any number may run, one of them publishes."""

    def __init__(
        self,
        *,
        name: str,
        redis: Redis,
        log: AgentLog,
        feed: FeedReader,
        queues: QueueSizes,
        presence: Watchers,
        openings: Openings | None = None,
        clock: Clock = unix_ms,
        delay_ms: int = 0,
    ) -> None:
        """`feed` must not be iterated by anybody else. `openings`: where matches wait for a chain. `delay_ms`: how much later than the seats
        the public may see a session (`config.spectator_delay_ms`)."""
        self._redis = redis
        self._log = log
        self._feed = feed
        self._queues = queues
        self._presence = presence
        self._openings = openings
        self._clock = clock
        self._delay_ms = delay_ms
        self._stopping = asyncio.Event()
        self._leadership = Leadership(
            redis,
            key=keys.leader(DUTY),
            fence=keys.leader_fence(DUTY),
            name=name,
            stopping=self._stopping,
        )
        self._seen: deque[tuple[int, str, ViewSet]] = deque()
        """What has passed in the feed: when the public may see it, and the channel."""
        self._published = 0

    async def run(self) -> None:
        """Publish whenever we lead, until cancelled or drained."""
        await self._leadership.lead(self._term)

    async def drain(self) -> None:
        """Let another process publish at once; `run` returns within EVERY_S."""
        self._stopping.set()

    async def _term(self) -> None:
        while not self._stopping.is_set():
            tail = asyncio.create_task(self._tail())
            try:
                await self._publish_until(tail)
            except Lost as error:
                _logger.warning("lobby rebuilt", reason=str(error))
            finally:
                tail.cancel()
                await asyncio.gather(tail, return_exceptions=True)

    async def _tail(self) -> None:
        """Note the public view of each session that changes."""
        async for items in self._feed.batches():
            now_ms = self._clock()
            for item in items:
                if isinstance(item, Appended) and item.views is not None:
                    self._note(now_ms, item.channel, item.views)

    def _note(self, now_ms: int, channel: str, views: ViewSet) -> None:
        if channel.startswith("session:"):
            self._seen.append((now_ms + self._delay_ms, channel, views))

    def _take_due(self, cards: Cards, now_ms: int) -> None:
        """Of what a session has shown since the last time, the first (it may be new to us) and the newest
        tell all; the others are never opened."""
        due: dict[str, list[ViewSet]] = {}
        while self._seen and self._seen[0][0] <= now_ms:
            _, channel, views = self._seen.popleft()
            shown = due.setdefault(channel, [])
            if len(shown) < 2:
                shown.append(views)
            elif views.offset > shown[1].offset:
                shown[1] = views
        for shown in due.values():
            for views in shown:
                view = views.public
                assert isinstance(view, SessionView), "a session's channel shows a session"
                cards.take(views.offset, view)

    async def _publish_until(self, tail: asyncio.Task[None]) -> None:
        """Rebuild the cards, then publish each EVERY_S. Raises what ends the tail."""
        self._seen.clear()
        ready = asyncio.create_task(self._feed.ready())
        await asyncio.wait({tail, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if tail.done():
            tail.result()
        # from here on whatever changes is in the feed, also while we rebuild
        cards = Cards(await self._last_recent())
        await self._rebuild()
        last: LobbyView | None = None
        last_ms = 0
        while not self._stopping.is_set():
            now_ms = self._clock()
            self._take_due(cards, now_ms)
            lobby = cards.lobby(await self._sizes(now_ms), *await self._presence.counts())
            if lobby != last or now_ms - last_ms >= REPEAT_S * 1_000:
                await self._publish(lobby)
                last, last_ms = lobby, now_ms
            await asyncio.wait({tail}, timeout=EVERY_S)
            if tail.done():
                tail.result()

    async def _sizes(self, now_ms: int) -> list[QueueCard]:
        queues = await self._queues.sizes()
        if self._openings is None:
            return queues
        return with_openings(queues, await self._openings.waiting(), now_ms)

    async def _last_recent(self) -> list[SessionCard]:
        head = await self._log.head(CHANNEL)
        lobby = head.views.public if head is not None and head.views is not None else None
        return lobby.recent if isinstance(lobby, LobbyView) else []

    async def _rebuild(self) -> None:
        """Read the view of every session that has a lease."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for shard in range(keys.SHARDS):
                pipeline.zrange(keys.leases(shard), 0, -1)
            shards = await pipeline.execute()
        names = [keys.session_channel(raw.decode()) for shard in shards for raw in shard]
        for start in range(0, len(names), _CHUNK):
            async with self._redis.pipeline(transaction=False) as pipeline:
                for name in names[start : start + _CHUNK]:
                    pipeline.get(keys.views(name))
                found = await pipeline.execute()
            for name, raw in zip(names[start : start + _CHUNK], found, strict=True):
                if raw is not None:
                    self._note(self._clock(), name, _views.decode(raw))

    async def _publish(self, lobby: LobbyView) -> None:
        head = await self._log.head(CHANNEL)
        self._published += 1
        batch = f"{self._leadership.mark.decode()}:{self._published}"
        event = LogEvent(t=since_open(head, self._clock()), by="host", type="changed")
        await self._log.publish(CHANNEL, batch, [event], lobby, TTL_S)


def with_openings(
    queues: Sequence[QueueCard], waiting: Sequence[Waiting], now_ms: int
) -> list[QueueCard]:
    """The queues, with their matches that wait for the chain; those in which nothing else waits come last."""
    cards = {(queue.space, queue.tier_micros): queue for queue in queues}
    for each in waiting:
        queue = each.space, each.tier_micros
        cards[queue] = msgspec.structs.replace(
            cards.get(queue) or QueueCard(*queue, waiting=0),
            opening=each.sessions,
            opening_s=max(0, now_ms - each.since_ms) // 1_000,
        )
    return list(cards.values())


def _card(view: SessionView) -> SessionCard:
    return SessionCard(
        session=view.session,
        space=view.space,
        seats=view.seats,
        headline=_result(view) or view.headline,
        opened_ms=view.opened_ms,
        tier_micros=view.tier_micros,
        status=view.status,
    )


def _result(view: SessionView) -> str:
    """Who won, by name, once rules or judges have said so; else nothing. A best place that several
    share is no win, as in the ratings."""
    outcome = view.outcome or {}
    if view.status == "void":
        return f"void: {outcome.get('reason', '')}"[:VOID_CHARS]
    if view.verdict is not None:
        ranks = view.verdict.ranks
        best = [seat.name for seat in view.seats if ranks[seat.seat] == 1]
        how = "by verdict"
    elif outcome.get("returns") is not None:
        returns = outcome["returns"]
        best = [seat.name for seat in view.seats if returns[seat.seat] == max(returns)]
        ended = str(outcome["termination"]).replace("-", " ")
        how = "" if ended == "complete" else f"by {ended}"
    else:
        return ""
    if len(best) == len(view.seats):
        found = "draw"
    else:
        found = f"{best[0]} won" if len(best) == 1 else f"{listed(best)} share the lead"
    return f"{found} {how}".rstrip()[:HEADLINE_CHARS]
