"""The agent's end of the wire, without I/O: what to say, what was heard, what must be said again.

A `Link` outlives its connections. The shell calls `opened` when a connection stands, `receive` for
each message, `closed` when it is gone; it sends what `to_send` returns, and calls again no later
than `next_wakeup`. All times are integer milliseconds of one monotonic clock.

What the Link promises:
- Channels arrive without a gap. After a reconnect it asks from its position on; an update that does
  not continue the position is not passed on, the channel is asked for again instead.
- A submitted action or signature is repeated, with its id, until it is accepted or rejected.
- After `rate-limited` nothing is sent before the arena wants it; the refused request is then repeated.
"""

from __future__ import annotations

from collections import deque

import msgspec

from bots.drafts import Drafts
from bots.requests import Lasting, Request, Requests
from server.protocol import (
    MAX_INBOUND_BYTES,
    Abandon,
    Accepted,
    Act,
    ClientMessage,
    Error,
    Event,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Position,
    Rejected,
    ServerMessage,
    Snapshot,
    Subscribe,
    Ticket,
    Unsubscribe,
    Update,
    View,
    Watching,
    Welcome,
    Writing,
)

SILENCE_PINGS = 3
"""This many ping intervals without a word, and the connection counts as dead."""
DEFAULT_WAIT_MS = 1_000
"""For a `busy` or `rate-limited` that does not say when to come back."""
TRY_AGAIN = frozenset({"rate-limited", "busy", "unavailable"})


class Welcomed(msgspec.Struct, frozen=True):
    """A connection stands; what was asked for on the last one besides actions is forgotten."""

    agent: str | None


class Moved(msgspec.Struct, frozen=True):
    """A channel moved on. `events` is empty for a snapshot; `view` is None inside a replay."""

    channel: str
    events: tuple[Event, ...]
    view: View | None
    resync: bool = False


News = Welcomed | Moved | Ticket | Accepted | Rejected | Error


class Link:
    """One agent's conversation with the arena, over any number of connections."""

    def __init__(self, key: str | None, client: str = "agon-bots") -> None:
        self._hello = Hello(key=key, client=client)
        self._positions: dict[str, Position | None] = {}
        self._requests = Requests()
        self._outbox: deque[ClientMessage] = deque()
        self._drafts = Drafts()
        self._greeted = False
        self._hold_ms = 0
        self._heard_ms = 0
        self._ping_ms = 0
        self._ping_every_ms = 20_000
        self._offset_ms: int | None = None
        self.agent: str | None = None
        self.goodbye: Goodbye | None = None

    # ------------------------------------------------------------------ what the shell tells

    def opened(self, now: int) -> None:
        """A new connection stands: `hello` goes first, the rest after `welcome`."""
        self._outbox = deque([self._hello])
        self._greeted = False
        self._hold_ms = 0
        self._heard_ms = now
        self._ping_ms = now + self._ping_every_ms
        self.goodbye = None

    def closed(self) -> None:
        """The connection is gone. Only actions and subscriptions outlive it."""
        self._greeted = False
        self._outbox.clear()
        self._requests.disconnected()
        self._drafts.rewind()

    def receive(self, message: ServerMessage, now: int) -> list[News]:
        """Take one message; what it means for the bot."""
        self._heard_ms = now
        match message:
            case Welcome():
                return self._welcome(message, now)
            case Snapshot():
                return self._snapshot(message)
            case Update():
                return self._update(message)
            case Accepted() | Rejected():
                return [message] if self._requests.answered("act", message.id) else []
            case Ticket():
                self._requests.answered("enqueue", f"{message.space}/{message.tier_micros}")
                self._requests.answered("explain", message.ticket)
                if message.state == "gone":
                    self._requests.answered("dequeue", message.ticket)
                return [message]
            case Error():
                return self._error(message, now)
            case Pong():
                self._set_clock(message.server_ms, now)
            case Goodbye():
                self.goodbye = message
            case Writing() | Watching():
                pass  # for spectators
        return []

    def to_send(self, now: int) -> list[ClientMessage]:
        """Everything that may be sent now, in order."""
        if self._greeted:
            if now < self._hold_ms:
                return []
            self._outbox.extend(self._requests.due(now))
            self._outbox.extend(self._drafts.due(now))
            if now >= self._ping_ms:
                self._ping_ms = now + self._ping_every_ms
                self._outbox.append(Ping())
        messages = list(self._outbox)
        self._outbox.clear()
        for message in messages:
            if isinstance(message, Lasting):
                self._requests.sent(message, now)
        return messages

    def next_wakeup(self) -> int:
        """The time at which `to_send` or `dead` may have something new to say."""
        if not self._greeted:
            return self._silent_ms()
        times = [self._ping_ms, self._requests.next_due(), self._drafts.next_due()]
        soonest = min(time for time in times if time is not None)
        return min(max(soonest, self._hold_ms), self._silent_ms())

    def dead(self, now: int) -> bool:
        """True when nothing was heard for so long that the connection must be given up."""
        return now >= self._silent_ms()

    def arena_ms(self, now: int) -> int:
        """The arena's clock (unix ms), on which deadlines are given; 0 before the first welcome."""
        return 0 if self._offset_ms is None else now + self._offset_ms

    # ------------------------------------------------------------------ what the bot wants

    def request(self, request: Request) -> None:
        """Ask; the same request twice, before its answer, is asked once.

        Between connections only actions and signatures are kept: what the rest was about must be looked at anew.
        Raises ValueError for an action larger than a frame may be.
        """
        if isinstance(request, Act | Abandon):
            size = len(msgspec.json.encode(request))
            if size > MAX_INBOUND_BYTES:
                raise ValueError(f"an answer of {size} bytes; at most {MAX_INBOUND_BYTES} fit")
            self._drafts.drop(request.session)
        if self._greeted or isinstance(request, Lasting):
            new = self._requests.add(request)
            if new and self._greeted:
                self._outbox.append(request)

    def follow(self, channel: str) -> None:
        """Subscribe, on this connection and on those that come after."""
        if channel not in self._positions:
            self._positions[channel] = None
            self.request(Subscribe(channel=channel))

    def unfollow(self, channel: str) -> None:
        """Stop following; for a session, unanswered actions in it are given up, too."""
        if channel in self._positions:
            del self._positions[channel]
            self._requests.answered("subscribe", channel)
            self._requests.give_up(channel.removeprefix("session:"))
            if self._greeted:
                self._outbox.append(Unsubscribe(channel=channel))

    def write(self, session: str, turn: int, piece: str) -> None:
        """Add to the answer that is being written; sent in larger pieces, at a bearable pace."""
        self._drafts.write(session, turn, piece)

    def restart(self, session: str, turn: int) -> None:
        """The answer is being written anew."""
        self._drafts.restart(session, turn)

    # ------------------------------------------------------------------ inside

    def _welcome(self, message: Welcome, now: int) -> list[News]:
        self._greeted = True
        self.agent = message.agent
        self._ping_every_ms = max(1, message.ping_interval_s) * 1000
        self._ping_ms = now + self._ping_every_ms
        self._set_clock(message.server_ms, now)
        own = None if message.agent is None else f"agent:{message.agent}"
        for channel, position in self._positions.items():
            if channel != own:  # the arena subscribes us to our own by itself
                self._requests.add(Subscribe(channel=channel, since=_resumable(position)))
        self._outbox.extend(self._requests)
        if own is not None:
            self._positions.setdefault(own, None)
        return [Welcomed(message.agent)]

    def _snapshot(self, message: Snapshot) -> list[News]:
        if message.channel not in self._positions:
            return []  # unfollowed while it was under way
        self._requests.answered("subscribe", message.channel)
        self._positions[message.channel] = Position(message.epoch, message.offset)
        return [Moved(message.channel, (), message.view, message.resync)]

    def _update(self, message: Update) -> list[News]:
        if message.channel not in self._positions:
            return []
        position = self._positions[message.channel]
        if position is None or position.epoch != message.epoch:
            self._ask_again(message.channel, None)
            return []
        if message.offset < position.offset:
            return []  # older than what we have
        fresh = [event for event in message.events if event.offset > position.offset]
        offsets = [event.offset for event in fresh]
        if offsets != list(range(position.offset + 1, message.offset + 1)):
            self._ask_again(message.channel, position)
            return []  # a gap
        self._requests.answered("subscribe", message.channel)
        self._positions[message.channel] = Position(message.epoch, message.offset)
        return [Moved(message.channel, tuple(fresh), message.view)]

    def _ask_again(self, channel: str, since: Position | None) -> None:
        self._positions[channel] = since
        self.request(Subscribe(channel=channel, since=_resumable(since)))

    def _error(self, error: Error, now: int) -> list[News]:
        meant = self._requests.meant_by(error)
        if error.code in TRY_AGAIN:
            back_ms = now + (error.retry_after_ms or DEFAULT_WAIT_MS)
            if error.code == "rate-limited":
                self._hold_ms = max(self._hold_ms, back_ms)
            self._requests.repeat(meant or self._requests.keys(), back_ms)
            return []
        for key in meant:
            self._requests.answered(*key)
        return [error]

    def _set_clock(self, server_ms: int, now: int) -> None:
        self._offset_ms = server_ms - now

    def _silent_ms(self) -> int:
        return self._heard_ms + SILENCE_PINGS * self._ping_every_ms


def _resumable(position: Position | None) -> Position | None:
    """A channel whose log does not exist yet stands at -1: there is nothing to continue."""
    return position if position is not None and position.offset >= 0 else None
