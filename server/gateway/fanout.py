"""From items of the feed to bytes in sockets: once per tick, encoded once, never awaiting.

Ten events joined into one write cost a tenth of ten writes, so what arrives within TICK_S goes out
together; a gateway that has been idle for that long flushes at once. Nothing in here may block: a
reader that does not read is cut off instead of waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from itertools import repeat

import structlog

from server.channel import Item
from server.clock import Clock
from server.gateway.connection import Peer
from server.gateway.followed import Followed
from server.gateway.stream import Audience
from server.protocol import CloseCode, ServerMessage, Watching

TICK_S = 0.010
"""Least time between two flushes."""

_log = structlog.get_logger()

Letters = list[tuple[Peer, ServerMessage]]
"""Messages for single connections, sent with the tick: the answers to actions."""


class Fanout:
    """`room` is how many unread bytes a connection may have before it is cut off (3001);
    `on_passed` is told of each item that took effect and gives the letters it causes;
    `on_gap` is told of a channel whose log must be read again."""

    def __init__(
        self,
        clock: Clock,
        *,
        room: int,
        on_passed: Callable[[Followed, Item], Letters],
        on_gap: Callable[[Followed], None],
    ) -> None:
        self._clock = clock
        self._room = room
        self._on_passed = on_passed
        self._on_gap = on_gap
        self._loop = asyncio.get_running_loop()
        self._dirty: dict[Followed, None] = {}
        self._flushed_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.frames_written = 0

    def mark(self, followed: Followed) -> None:
        """Flush this channel's queue with the next tick."""
        self._dirty[followed] = None
        self._schedule()

    def mark_all(self, followed: Iterable[Followed]) -> None:
        self._dirty.update(dict.fromkeys(followed))
        self._schedule()

    def _schedule(self) -> None:
        if not self._dirty or self._timer is not None:
            return
        wait = self._flushed_at + TICK_S - self._loop.time()
        if wait <= 0:
            self.flush()
        else:
            self._timer = self._loop.call_later(wait, self.flush)

    def flush(self) -> None:
        """One tick: advance every channel that something happened on, then write."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._flushed_at = self._loop.time()
        dirty, self._dirty = self._dirty, {}
        writes: list[tuple[Audience, bytes]] = []
        letters: Letters = []
        for followed in dirty:
            self._advance(followed, writes, letters)
        self._deliver(writes, letters)

    def settle(self, followed: Followed) -> None:
        """Flush one channel now, so that its history is what all its members have been sent."""
        self._dirty.pop(followed, None)
        writes: list[tuple[Audience, bytes]] = []
        letters: Letters = []
        self._advance(followed, writes, letters)
        self._deliver(writes, letters)

    def _advance(
        self, followed: Followed, writes: list[tuple[Audience, bytes]], letters: Letters
    ) -> None:
        try:
            self._advance_live(followed, writes, letters)
            if followed.late is not None:
                self._advance_late(followed, writes)
        except Exception:
            # One channel that cannot be rendered must not silence the others.
            _log.exception("cannot render a channel", channel=followed.channel)

    def _advance_live(
        self, followed: Followed, writes: list[tuple[Audience, bytes]], letters: Letters
    ) -> None:
        step = followed.live.advance()
        writes += step.writes
        now = self._clock()
        for item in step.passed:
            letters += self._on_passed(followed, item)
            if followed.late is not None:
                followed.line.push(now + followed.delay_ms, item)
        if step.gap:
            self._on_gap(followed)

    def _advance_late(self, followed: Followed, writes: list[tuple[Audience, bytes]]) -> None:
        assert followed.late is not None
        now = self._clock()
        followed.late.queue += followed.line.due(now)
        writes += followed.late.advance().writes
        due = followed.line.next_due()
        if due is not None and followed.timer is None:
            followed.timer = self._loop.call_later((due - now) / 1000, self._wake, followed)

    def _wake(self, followed: Followed) -> None:
        followed.timer = None
        self.mark(followed)

    def _deliver(self, writes: list[tuple[Audience, bytes]], letters: Letters) -> None:
        if len(writes) == 1 and not letters:
            [(audience, data)] = writes
            self._write(zip(audience.members, repeat(data)))
            return
        if not writes and not letters:
            return
        # Seats come first: they play against a clock, spectators do not.
        writes.sort(key=lambda write: write[0].viewer is None)
        mail: dict[Peer, list[bytes]] = {}
        for audience, data in writes:
            for peer in audience.members:
                mail.setdefault(peer, []).append(data)
        for peer, message in letters:
            mail.setdefault(peer, []).append(peer.codec.frame(message))
        self._write((peer, b"".join(frames)) for peer, frames in mail.items())

    def _write(self, mail: Iterable[tuple[Peer, bytes]]) -> None:
        slow: list[Peer] = []
        count = 0
        room = self._room
        for peer, data in mail:
            transport = peer.transport
            if transport.get_write_buffer_size() > room:
                slow.append(peer)
            elif peer.listening:  # else it hung up within this very tick
                transport.write(data)
                count += 1
        self.frames_written += count
        # libuv takes the time at the start of an iteration and computes from it how long to sleep at
        # the end: after a long one every timer would be late by as long as our writes took. One
        # more iteration makes it look at the clock again.
        self._loop.call_soon(_nothing)
        # Cut off after the loop: it takes them out of the audiences that are walked above.
        for peer in slow:
            peer.cut(CloseCode.SLOW_READER, "unread output passed the byte bound")

    def watching(self, followed: Followed, count: int) -> None:
        """Tell a session's audience how many watch it, if that has changed."""
        if followed.watching == count:
            return
        followed.watching = count
        message = Watching(channel=followed.channel, count=count)
        writes = [(a, a.codec.frame(message)) for a in followed.audiences() if a.members]
        self._deliver(writes, [])


def _nothing() -> None:
    pass
