"""The channels this gateway follows: opened on first use, read again at a gap, let go when idle.

Opening goes: the feed is being read, items for the channel are held back; head and log are read; the
held items follow, known ones skipped. So there is neither hole nor double between snapshot and feed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Protocol

import structlog

from server.channel import UNBORN, Item, Start
from server.gateway.connection import Peer
from server.gateway.followed import Followed
from server.gateway.render import Visible, empty_view, seats_of
from server.live.log import Head
from server.live.records import Appended, LogEvent, SessionRecord, ViewSet
from server.protocol import Error

LINGER_S = 10.0
"""A channel that nobody follows is kept this long: readers come back."""
READS_AT_ONCE = 16
"""Logs read at the same time when many channels must be read again."""
RETRY_S = (0.05, 0.2, 0.5, 1.0, 2.0)
"""Waits between attempts to read a log while Redis is away; the last one repeats."""

_log = structlog.get_logger()


class Log(Protocol):
    """What is needed of `server.live.log.LiveLog`."""

    async def head(self, channel: str) -> Head | None: ...
    async def read(self, channel: str, first: int, count: int) -> list[LogEvent]: ...
    async def record(self, session: str) -> SessionRecord | None: ...


class Channels:
    """`on_ready` is called when a channel has been read and its queue is to be flushed at once."""

    def __init__(
        self,
        log: Log,
        feed_ready: Callable[[], Awaitable[None]],
        *,
        limit: int,
        visible: Visible,
        on_ready: Callable[[Followed], None],
    ) -> None:
        self._log = log
        self._feed_ready = feed_ready
        self._limit = limit
        self._visible = visible
        self._on_ready = on_ready
        self._followed: dict[str, Followed] = {}
        self._tasks: set[asyncio.Task[bool]] = set()
        self._reads = asyncio.Semaphore(READS_AT_ONCE)
        self._lives = 0
        """Lives of the feed: what was read during another one may have a hole after it."""

    def get(self, channel: str) -> Followed | None:
        return self._followed.get(channel)

    def all(self) -> Iterable[Followed]:
        return self._followed.values()

    def __len__(self) -> int:
        return len(self._followed)

    async def follow(self, channel: str) -> Followed | None:
        """The channel, ready to join; None when there is no such channel. Raises what the log
        raises. Cancelling is safe: others may wait for the same opening."""
        followed = self._followed.get(channel)
        if followed is None:
            followed = self._followed[channel] = Followed(channel, self._limit, self._visible)
            followed.opening = self._spawn(self._open(followed))
        if followed.opening is not None and not await asyncio.shield(followed.opening):
            return None
        return followed

    async def _open(self, followed: Followed) -> bool:
        try:
            items = await self._state(followed, first_time=True)
        except BaseException:
            self._followed.pop(followed.channel, None)
            raise
        if not items:
            self._followed.pop(followed.channel, None)
            return False
        self._release(followed, items)
        followed.opening = None
        return True

    def lost(self) -> None:
        """The feed has lost its place: everything followed must be read again."""
        self._lives += 1
        for followed in self._followed.values():
            if followed.ready:
                self.reread(followed)

    def reread(self, followed: Followed) -> None:
        """Something is missing: hold what arrives back, and read the log again."""
        followed.ready = False
        followed.live.queue.clear()
        self._spawn(self._mend(followed))

    async def _mend(self, followed: Followed) -> bool:
        failures = 0
        while self._followed.get(followed.channel) is followed:
            try:
                items = await self._state(followed, first_time=False)
                if items:
                    self._release(followed, items)
                else:
                    self._vanished(followed)
                return bool(items)
            except Exception as error:
                if failures == 0:
                    _log.warning(
                        "cannot read a log again yet", channel=followed.channel, error=str(error)
                    )
                wait = RETRY_S[min(failures, len(RETRY_S) - 1)]
                await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311 (jitter)
                failures += 1
        return False

    def _vanished(self, followed: Followed) -> None:
        """The log has lapsed, or Redis has lost its data: let the channel go, and say so."""
        if self._followed.get(followed.channel) is followed:
            del self._followed[followed.channel]
        _log.warning("a followed log is gone", channel=followed.channel)
        reason = "this channel is gone; subscribe again to see whether it is back"
        for audience in followed.audiences():
            for peer in list(audience.members):
                peer.subscriptions.pop(followed.channel, None)
                audience.members.discard(peer)
                peer.say(Error("unknown-channel", reason, ref=followed.channel))

    def _release(self, followed: Followed, items: list[Item]) -> None:
        held, followed.held = followed.held, []
        followed.live.queue += items + held
        followed.ready = True
        for item in items:
            if isinstance(item, Start):
                followed.seats = seats_of(item.views)
        self._on_ready(followed)

    async def _state(self, followed: Followed, *, first_time: bool) -> list[Item]:
        """Items that bring the channel's history up to date with its log; none if there is no such
        channel (any more)."""
        async with self._reads:
            while True:
                life = self._lives
                await self._feed_ready()
                items = await self._read(followed)
                if first_time and followed.channel.startswith("session:") and items:
                    await self._read_delay(followed)
                if life == self._lives:
                    return items

    async def _read_delay(self, followed: Followed) -> None:
        # The record holds the seed. The gateway takes one number from it and lets it go.
        record = await self._log.record(followed.channel.removeprefix("session:"))
        if record is not None and record.spectator_delay_ms > 0 and followed.late is None:
            followed.delay(record.spectator_delay_ms, self._limit, self._visible)

    async def _read(self, followed: Followed) -> list[Item]:
        channel, history = followed.channel, followed.live.history
        head = await self._log.head(channel)
        if head is None or head.views is None:
            empty = empty_view(channel)
            if empty is None:
                return []
            if followed.live.unborn:
                return [Appended(channel, UNBORN, 0, (), None)]  # nothing new
            nothing = ViewSet.of(-1, empty)
            return [Start(UNBORN, nothing, 0, (), resync=history is not None)]
        if history is not None and history.epoch == head.epoch and history.next <= head.offset + 1:
            events = await self._events(channel, history.next, head.offset)
            if events is not None:
                return [Appended(channel, head.epoch, history.next, events, head.views)]
        return await self._afresh(followed, head, head.views)

    async def _afresh(self, followed: Followed, head: Head, views: ViewSet) -> list[Item]:
        """A start from the head, with what the log still holds before it."""
        channel, unborn = followed.channel, followed.live.unborn
        first = max(0, min(head.offset + 1 - self._limit, views.offset + 1))
        events = await self._events(channel, first, head.offset)
        if events is None:
            first, events = head.offset + 1, ()
        empty = empty_view(channel)
        if unborn and first == 0 and events and empty is not None:
            # Whoever waited for this channel's first event is told all of them, not just the sum.
            nothing = ViewSet.of(-1, empty)
            return [
                Start(head.epoch, nothing, 0, (), resync=False),
                Appended(channel, head.epoch, 0, events, views),
            ]
        older = events[: max(0, views.offset + 1 - first)]
        resync = followed.live.history is not None and not unborn
        start = Start(head.epoch, views, first, older, resync)
        tail = events[len(older) :]
        if not tail:
            return [start]
        return [start, Appended(channel, head.epoch, views.offset + 1, tail, None)]

    async def _events(self, channel: str, first: int, last: int) -> tuple[LogEvent, ...] | None:
        """Events `first` .. `last` of the log, or None when not all are held any more."""
        count = last - first + 1
        try:
            events = await self._log.read(channel, first, count)
        except LookupError:
            return None
        return tuple(events) if len(events) == count else None

    def drop_idle(self, now: float) -> None:
        """Stop following what nobody has needed for LINGER_S (loop time)."""
        for followed in list(self._followed.values()):
            if not followed.ready or followed.holds or followed.watchers():
                followed.idle_since = None
            elif followed.idle_since is None:
                followed.idle_since = now
            elif now - followed.idle_since > LINGER_S:
                del self._followed[followed.channel]

    def leave(self, peer: Peer) -> None:
        """Take a connection out of all its audiences. Idempotent."""
        for _, audience in peer.subscriptions.values():
            audience.members.discard(peer)
        peer.subscriptions.clear()

    def _spawn(self, work: Coroutine[Any, Any, bool]) -> asyncio.Task[bool]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[bool]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits for it is told; nobody has to

    async def aclose(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
