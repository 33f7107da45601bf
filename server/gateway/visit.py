"""One connection from its opening handshake to its last log line: hello, then requests in order.

A connection's requests are served one after the other, so a client's order is kept and a flood waits
in its own socket. Nothing that a client sends may end more than its own connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from websockets.exceptions import ConnectionClosed

from server.clock import Clock
from server.config import Config
from server.gateway.connection import Peer
from server.gateway.door import Door
from server.gateway.frames import BadMessage
from server.gateway.requests import COSTS, Refused, Requests
from server.gateway.tolls import Tolls
from server.identity import Identity, key_hash
from server.metrics import Metrics
from server.protocol import ClientMessage, CloseCode, Error, Hello, Ping, Welcome

REQUEST_S: Final = 15.0
"""No request takes longer, unless a backing service hangs."""
UNAVAILABLE_RETRY_MS: Final = 1_000
MAX_STRIKES: Final = 100
"""Messages in a row without the credits for them, after which the connection is closed (3503)."""

Identify = Callable[[str], Awaitable[Identity | None]]
_log = structlog.get_logger()


class Reception:
    """Serves connections; `visit` is the handler that websockets calls for each."""

    def __init__(
        self,
        *,
        config: Config,
        clock: Clock,
        door: Door,
        requests: Requests,
        tolls: Tolls,
        identify: Identify,
        metrics: Metrics,
    ) -> None:
        self._metrics = metrics
        self._config = config
        self._clock = clock
        self._door = door
        self._requests = requests
        self._tolls = tolls
        self._identify = identify

    async def visit(self, peer: Peer) -> None:
        """Returns when the connection is closed or has been dismissed."""
        peer.listening = True
        try:
            await self._visit(peer)
        except ConnectionClosed:
            pass
        except Exception:
            # Ours to mend, and this connection's alone: the others must not notice.
            _log.exception("connection failed", connection=peer.name)
            peer.dismiss(CloseCode.INTERNAL_ERROR, "internal error")
        finally:
            self._report(peer)

    async def _visit(self, peer: Peer) -> None:
        if not peer.supported:
            peer.dismiss(CloseCode.UNSUPPORTED_SUBPROTOCOL, "offer agon.v1.json or agon.v1.msgpack")
            return
        refusal = self._door.refusal(peer)
        if refusal is not None:
            peer.dismiss(CloseCode.TOO_MANY_CONNECTIONS, refusal)
            return
        try:
            async with asyncio.timeout(self._config.hello_timeout_ms / 1000):
                while peer.ended is None and not peer.greeted:
                    await self._greet(peer)
        except TimeoutError:
            if peer.known:  # it said hello; it is we who could not answer
                peer.dismiss(CloseCode.BEHIND, "hello could not be answered in time", 1_000)
            else:
                peer.dismiss(CloseCode.HELLO_TIMEOUT, "no hello in time")
        while peer.ended is None:
            message = await self._receive(peer)
            if message is not None and self._paid(peer, message):
                await self._serve(peer, message)

    async def _receive(self, peer: Peer) -> ClientMessage | None:
        """The next message, or None when it could not be read. Raises ConnectionClosed."""
        raw = await peer.recv()
        peer.received += 1
        try:
            message = peer.codec.read(raw)
            self._metrics.messages_in.labels(type(message).__name__.lower()).inc()
            return message
        except BadMessage as error:
            self._metrics.messages_in.labels("bad").inc()
            if peer.greeted and peer.patience.spend(1, peer.loop.time()) == 0:
                peer.say(Error("bad-message", str(error)))
            else:
                peer.dismiss(CloseCode.BAD_MESSAGE, str(error))
            return None

    async def _greet(self, peer: Peer) -> None:
        message = await self._receive(peer)
        if message is None:
            return
        if not isinstance(message, Hello):
            if self._paid(peer, message):
                peer.say(Error("not-hello", "say hello first"))
            return
        peer.known = True
        await self._afford(peer, COSTS[Hello])
        try:
            identity = None if message.key is None else await self._identify(message.key)
            if identity is not None:
                # Before the welcome, so that an agent that was welcomed hears of its affairs.
                await self._requests.prepare(identity)
        except ConnectionClosed:
            raise
        except Exception as error:
            self._unavailable(peer, error)
            return
        if message.key is not None and identity is None:
            peer.dismiss(CloseCode.UNAUTHORIZED, "the key is unknown or revoked")
            return
        peer.identity = identity
        peer.key = "" if message.key is None else key_hash(message.key)
        peer.client = "".join(c for c in message.client if c.isprintable())
        await self._welcome(peer)

    async def _welcome(self, peer: Peer) -> None:
        refusal = self._door.identify(peer)
        if refusal is not None:
            peer.dismiss(CloseCode.TOO_MANY_CONNECTIONS, refusal)
            return
        peer.greeted = True
        agent = peer.identity.agent if peer.identity else None
        peer.say(Welcome(peer.name, agent, self._clock(), self._config.ping_interval_s))
        if peer.identity is not None:
            await self._requests.follow_own(peer, peer.identity)

    async def _afford(self, peer: Peer, cost: int) -> None:
        """Pay for a hello, when there are credits for it: a crowd behind one address is let in at its
        pace, since clients do not say hello again when it is refused."""
        wait_ms = self._tolls.charge(peer, cost, peer.loop.time())
        while wait_ms:
            await asyncio.sleep(wait_ms / 1000)
            wait_ms = self._tolls.charge(peer, cost, peer.loop.time())

    def _paid(self, peer: Peer, message: ClientMessage) -> bool:
        """Charge the message; tell the client when to come back if it cannot pay."""
        now = peer.loop.time()
        if isinstance(message, Ping):
            wait_ms = peer.pings.spend(1, now)
        else:
            wait_ms = self._tolls.charge(peer, COSTS[type(message)], now)
        if wait_ms == 0:
            peer.strikes = 0
            return True
        peer.strikes += 1
        if peer.strikes > MAX_STRIKES:
            peer.dismiss(CloseCode.RATE_LIMITED, "kept sending although told to wait")
        else:
            peer.say(Error("rate-limited", "out of credits", wait_ms, _ref(message)))
        return False

    async def _serve(self, peer: Peer, message: ClientMessage) -> None:
        try:
            async with asyncio.timeout(REQUEST_S):
                await self._requests.serve(peer, message)
        except Refused as refused:
            peer.say(refused.error)
        except ConnectionClosed:
            raise
        except Exception as error:
            self._unavailable(peer, error, _ref(message))

    def _unavailable(self, peer: Peer, error: Exception, ref: str = "") -> None:
        """A backing service failed: the client may try again, the connection goes on."""
        _log.warning(
            "request failed", connection=peer.name, error=f"{type(error).__name__}: {error}"
        )
        reason = "a backing service does not answer; try again"
        peer.say(Error("unavailable", reason, UNAVAILABLE_RETRY_MS, ref))

    def _report(self, peer: Peer) -> None:
        code, reason = peer.ended or (peer.close_code or 1006, peer.close_reason or "")
        self._metrics.closed.labels(str(code)).inc()
        _log.info(
            "connection",
            connection=peer.name,
            agent=peer.identity.agent if peer.identity else None,
            client=peer.client,
            subprotocol=peer.codec.name,
            received=peer.received,
            seconds=round(peer.loop.time() - peer.opened, 1),
            code=code,
            reason=reason[:100],
        )


def _ref(message: ClientMessage) -> str:
    """What an error about this message refers to."""
    for field in ("id", "channel", "ticket", "offer", "session", "space"):
        value = getattr(message, field, None)
        if isinstance(value, str):
            return value
    return ""
