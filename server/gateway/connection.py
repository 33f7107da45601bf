"""One websocket connection, as the gateway sees it: written to directly, heard from, cut off.

It is websockets' `ServerConnection` for the opening handshake, for reading and for the closing
handshake. Data frames are written straight to the transport, already framed, because a fan-out must
neither await nor frame once per connection; the price is that unread output is bounded here
(`room`), since nothing below does it for us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import Server, ServerConnection
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from server.credits import Credits
from server.gateway.frames import CODECS, JSON, PING_FRAME, Codec
from server.identity import Identity, new_id
from server.protocol import CloseCode, Goodbye, ServerMessage

if TYPE_CHECKING:
    from server.gateway.followed import Followed
    from server.gateway.stream import Audience

CLOSE_GRACE_S = 2.0
"""Time a client has to answer our close frame before the transport is aborted."""


class Limits:
    """What one connection may cost, shared by all connections of a gateway."""

    __slots__ = ("credits", "credits_per_s", "room")

    def __init__(self, *, room: int, credits: int, credits_per_s: int) -> None:
        self.room = room
        """Bytes of unread output; past them the connection is cut (3001)."""
        self.credits = credits
        self.credits_per_s = credits_per_s


class Peer(ServerConnection):
    """A connected client. Its methods are synchronous: nothing here waits for the network."""

    def __init__(
        self,
        protocol: ServerProtocol,
        server: Server,
        *,
        limits: Limits,
        on_arrival: Callable[[Peer], None],
        on_hang_up: Callable[[Peer], None],
        on_departure: Callable[[Peer], None],
        **options: Any,
    ) -> None:
        super().__init__(protocol, server, **options)
        now = self.loop.time()
        self.name = new_id()
        self.host = ""
        """Where it comes from, as the door counts it."""
        self.codec: Codec = JSON
        self.supported = True
        """False when the client offered subprotocols and none of them is ours."""
        self.identity: Identity | None = None
        self.key = ""
        """SHA-256 of the key it said hello with, hex."""
        self.known = False
        """It has said hello, perhaps not yet answered."""
        self.greeted = False
        """It has been welcomed."""
        self.client = ""
        self.subscriptions: dict[str, tuple[Followed, Audience]] = {}
        self.limits = limits
        self.credits = Credits(limits.credits, limits.credits_per_s, now)
        self.pings = Credits(PING_BURST, PINGS_PER_S, now)
        self.patience = Credits(BAD_MESSAGES, BAD_MESSAGES_PER_S, now)
        self.strikes = 0
        """Messages in a row that were refused for want of credits."""
        self.opened = now
        self.heard = now
        """Loop time of the last bytes from the client."""
        self.received = 0
        self.ended: tuple[int, str] | None = None
        """Why we ended it: close code and reason."""
        self.listening = False
        """Whether data frames may still be written."""
        self._on_arrival = on_arrival
        self._on_hang_up = on_hang_up
        self._on_departure = on_departure

    # ---------------------------------------------------------------- what the network does

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._on_arrival(self)

    def data_received(self, data: bytes) -> None:
        self.heard = self.loop.time()
        super().data_received(data)
        # A close frame or a protocol error has been answered by now: a data frame after it would be
        # a violation, and uvloop raises on a write after write_eof().
        if self.listening and self.protocol.state is not State.OPEN:
            self._hang_up()

    def eof_received(self) -> None:
        super().eof_received()
        self._hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hang_up()
        self._on_departure(self)
        super().connection_lost(exc)

    def _hang_up(self) -> None:
        """No more data frames; leave all audiences now, not when the handler's task gets to run."""
        self.listening = False
        self._on_hang_up(self)

    # ---------------------------------------------------------------- what we do

    def negotiate(self, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        """The client's first choice that we speak; JSON when it offers nothing."""
        for name in offered:
            if name in CODECS:
                self.codec = CODECS[name]
                return name
        self.supported = not offered
        return None

    def say(self, message: ServerMessage) -> None:
        self.write(self.codec.frame(message))

    def write(self, data: bytes) -> None:
        """Write whole frames, unless the connection is ending; cut off a reader that is too slow."""
        if not self.listening:
            return
        if self.transport.get_write_buffer_size() > self.limits.room:
            self.cut(CloseCode.SLOW_READER, "unread output passed the byte bound")
        else:
            self.transport.write(data)

    def probe(self) -> None:
        # Not with Connection.ping(): it awaits drain(), so under backpressure it never gets to time out.
        self.write(PING_FRAME)

    def cut(self, code: CloseCode, reason: str) -> None:
        """End at once. The code is for the log: a reader that does not read cannot be told."""
        self._end(code, reason)
        self.transport.abort()

    def dismiss(self, code: CloseCode | int, reason: str, reconnect_in_ms: int = 0) -> None:
        """Say goodbye and start the closing handshake; aborted when it takes too long."""
        if self.ended is not None:
            return
        open_ = self.protocol.state is State.OPEN
        if open_:
            self.listening = True
            self.say(Goodbye(int(code), reason, reconnect_in_ms))
        if self.ended is not None:  # cut off as a slow reader just now
            return
        self._end(code, reason)
        if open_:
            self.protocol.send_close(code, _close_reason(reason))
            self.send_data()
            self.loop.call_later(CLOSE_GRACE_S, self.transport.abort)

    def _end(self, code: CloseCode | int, reason: str) -> None:
        if self.ended is None:
            self.ended = (int(code), reason)
        self._hang_up()


PING_BURST = 60
PINGS_PER_S = 10
"""`ping` costs no credits; beyond this rate it is answered by `error` like anything else."""
BAD_MESSAGES = 8
BAD_MESSAGES_PER_S = 0.1
"""Unreadable messages one may send before the connection is closed (3501)."""


def _close_reason(reason: str) -> str:
    """At most 123 bytes: a close frame holds 125, two of them the code (RFC 6455 section 5.5)."""
    return reason.encode()[:123].decode(errors="ignore")
