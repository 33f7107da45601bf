"""A channel that this gateway follows: its streams, and what it must know of a session's seats."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Literal

import msgspec

from server.channel import DelayLine, Item
from server.gateway.render import Visible
from server.gateway.stream import Audience, Stream
from server.protocol import OpenDecision, SeatCard


class Glance(msgspec.Struct, frozen=True):
    """What a gateway must know of a session's public view now, for decisions of its own."""

    session: str
    status: Literal["live", "ended", "void"]
    turn: int = 0
    decisions: list[OpenDecision] = []


_glance = msgspec.msgpack.Decoder(Glance).decode


class Followed:
    """One followed channel: its live stream and, for a delayed session, the late one."""

    def __init__(self, channel: str, limit: int, visible: Visible) -> None:
        self.channel = channel
        self.live = Stream(channel, limit, visible)
        self.late: Stream | None = None
        self.line: DelayLine[Item] = DelayLine()
        self.delay_ms = 0
        self.seats: dict[str, SeatCard] = {}
        """By agent; none in what is no session."""
        self._glanced: tuple[msgspec.Raw, Glance] | None = None
        self.ready = False
        """False while the log is read: what arrives is held back."""
        self.held: list[Item] = []
        self.holds = 0
        """Actions that wait for their answer on this channel."""
        self.watching = 0
        """Watchers over all gateways, as last told to the audience."""
        self.idle_since: float | None = None
        self.opening: asyncio.Task[bool] | None = None
        self.timer: asyncio.TimerHandle | None = None
        """Wakes the fan-out when the delay line has something due."""

    def delay(self, delay_ms: int, limit: int, visible: Visible) -> None:
        """Spectators of this session see everything `delay_ms` later. Before anyone has joined."""
        self.delay_ms = delay_ms
        self.late = Stream(self.channel, limit, visible)

    def take(self, item: Item) -> None:
        (self.live.queue if self.ready else self.held).append(item)

    def place(self, agent: str | None) -> tuple[Stream, int | None]:
        """The stream and viewer of an agent, or of a spectator (None)."""
        card = None if agent is None else self.seats.get(agent)
        if card is None and self.late is not None:
            return self.late, None
        return self.live, None if card is None else card.seat

    def audiences(self) -> Iterable[Audience]:
        yield from self.live.audiences.values()
        if self.late is not None:
            yield from self.late.audiences.values()

    def spectators(self) -> int:
        """Connections that are shown the public view: everybody but the seats."""
        return sum(len(each.members) for each in self.audiences() if each.viewer is None)

    def watchers(self) -> int:
        return len(self.live) + (0 if self.late is None else len(self.late))

    @property
    def session(self) -> Glance | None:
        """Where a session stands now, undelayed: not for readers. None for what is no session."""
        history = self.live.history
        if history is None or not self.seats:
            return None
        packed = history.views.packed_public
        if self._glanced is None or self._glanced[0] is not packed:
            self._glanced = (packed, _glance(packed))
        return self._glanced[1]
