"""The thread to the arena: connects, says hello, follows what the state wants, comes back.

Holds no state of the arena: whatever arrives is handed to `dispatch`, and what to follow is read
from `wanted` (see `tui_client.state`). After a disconnect it subscribes again with the positions
that the state has reached, so the gateway replays what was missed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Literal
from urllib.parse import urlsplit

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from server.protocol import (
    MSGPACK_SUBPROTOCOL,
    ClientMessage,
    Error,
    Goodbye,
    Hello,
    ServerMessage,
    Subscribe,
    Unsubscribe,
    Welcome,
)
from tui_client.state import PASSING, Connected, Disconnected, Input, Want
from tui_client.text import clean

CLIENT = "agon-watch/1"
FIRST_CONNECT_S = 10.0
"""How long a client that has never been connected keeps trying."""
OPEN_TIMEOUT_S = 5.0
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""The largest snapshot we take."""
BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 8.0
STEADY_S = 5.0
"""A connection that held longer than this was a good one."""
RETRY_S = 1.0
"""The least wait before a subscribe that was refused for the moment is sent again."""
DRAIN_JITTER_S = 0.3
"""Spreads those who come back at the same time."""

_FINAL_CODES = range(3500, 4000)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class WatchError(Exception):
    """Watching is impossible; the message is for people and says what to do."""


class NoArena(WatchError):
    """Nothing answers there, or only that it cannot yet: an arena that boots looks like this."""


class _Gateway(msgspec.Struct, frozen=True):
    """`GET /v1/gateway`."""

    url: str
    protocols: list[str] = []


async def locate(api_url: str) -> str:
    """The gateway's websocket address, from the arena's HTTP API.

    Raises WatchError when `api_url` is no URL, when there is no arena there (NoArena, while there
    may be one soon), or when it speaks no protocol of ours.
    """
    trust_env = _host(api_url) not in _LOOPBACK
    try:
        async with httpx.AsyncClient(timeout=OPEN_TIMEOUT_S, trust_env=trust_env) as client:
            response = await client.get(f"{api_url.rstrip('/')}/v1/gateway", follow_redirects=True)
            response.raise_for_status()
            gateway = msgspec.json.decode(response.content, type=_Gateway)
    except httpx.InvalidURL:
        raise _no_url(api_url) from None
    except (httpx.HTTPError, msgspec.MsgspecError, UnicodeError) as error:
        kind = NoArena if _passes(error) else WatchError
        raise kind(
            f"no arena at {clean(api_url, 200)}: start one with `agon serve`, or name another with --url"
        ) from None
    if gateway.protocols and MSGPACK_SUBPROTOCOL not in gateway.protocols:
        spoken = ", ".join(clean(name, 40) for name in gateway.protocols[:8])
        raise WatchError(f"the arena at {clean(api_url, 200)} speaks {spoken}: update agon")
    return gateway.url


def _host(api_url: str) -> str:
    """Raises WatchError for a text that is no URL of a web server."""
    try:
        parts = urlsplit(api_url)
        _ = parts.port  # read for its ValueError alone
    except ValueError:
        raise _no_url(api_url) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _no_url(api_url)
    return parts.hostname


def _no_url(given: str) -> WatchError:
    return WatchError(f"{clean(given, 200)!r} is no arena's URL: expected http://host:port")


def _passes(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error
    return isinstance(error, httpx.TransportError)


class Connection:
    """One client's connection. `run` it as a task; call `changed` when `wanted` may differ."""

    def __init__(
        self,
        *,
        api_url: str,
        key: str | None,
        dispatch: Callable[[Input], None],
        wanted: Callable[[], Mapping[str, Want]],
        rng: random.Random,
    ) -> None:
        self._api_url = api_url
        self._key = key
        self._dispatch = dispatch
        self._wanted = wanted
        self._rng = rng
        self._encode = msgspec.msgpack.Encoder().encode
        self._decoder: msgspec.msgpack.Decoder[ServerMessage] = msgspec.msgpack.Decoder(
            ServerMessage
        )
        self._changed = asyncio.Event()
        self._followed: dict[str, int] = {}
        """Of the present connection: channel -> `asks` of the want that was subscribed to."""
        self._failures = 0
        """Connections in a row that failed or fell at once."""
        self._told_s = 0.0
        """How long the last goodbye asked us to stay away."""
        self._ever = False

    def changed(self) -> None:
        """Compare what is followed with what is wanted, soon."""
        self._changed.set()

    async def run(self) -> None:
        """Stay connected until cancelled, or until the arena forbids to come back.

        Raises WatchError when no connection came about within FIRST_CONNECT_S.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        while True:
            ended = await self._once()
            self._dispatch(ended)
            if ended.final:
                return
            if not self._ever and loop.time() - started > FIRST_CONNECT_S:
                raise WatchError(
                    f"no gateway answers for the arena at {clean(self._api_url, 200)} "
                    f"({ended.reason}): look at it with `agon doctor`"
                )
            await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        """Seconds until the next attempt: what a goodbye said, else a doubling range; with jitter."""
        told, self._told_s = self._told_s, 0.0
        if told or self._failures == 0:
            return told + self._rng.uniform(0, DRAIN_JITTER_S)
        top = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(self._failures, 10))
        return self._rng.uniform(top / 4, top)

    async def _once(self) -> Disconnected:
        """One connection, from its opening to its end."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        ended = await self._attempt()
        # One that held for a while starts the waits anew; one that fell at once does not.
        self._failures = 0 if loop.time() - started > STEADY_S else self._failures + 1
        return ended

    async def _attempt(self) -> Disconnected:
        try:
            url = await locate(self._api_url)
            proxy: Literal[True] | None = None if urlsplit(url).hostname in _LOOPBACK else True
            async with connect(
                url,
                subprotocols=[Subprotocol(MSGPACK_SUBPROTOCOL)],
                compression=None,
                max_size=MAX_MESSAGE_BYTES,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=1,
                proxy=proxy,
            ) as socket:
                return await self._converse(socket)
        except WatchError as error:
            return Disconnected(str(error))
        except ConnectionClosed as closed:
            return self._closed(closed)
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, ValueError) as error:
            return Disconnected(clean(str(error), 120) or type(error).__name__)

    def _closed(self, closed: ConnectionClosed) -> Disconnected:
        code = closed.rcvd.code if closed.rcvd else 1006
        reason = clean(closed.rcvd.reason, 120) if closed.rcvd else ""
        return Disconnected(reason or f"closed with {code}", final=code in _FINAL_CODES)

    async def _converse(self, socket: ClientConnection) -> Disconnected:
        await self._send(socket, Hello(key=self._key, client=CLIENT))
        follower: asyncio.Task[None] | None = None
        try:
            async for frame in socket:
                message = self._read(frame)
                if isinstance(message, Welcome) and follower is None:
                    self._ever = True
                    self._dispatch(Connected())
                    follower = asyncio.create_task(self._follow(socket), name="watch-follow")
                if message is not None:
                    self._dispatch(message)
                    self._changed.set()
                if isinstance(message, Error) and message.code in PASSING:
                    self._again_later(message)
                if isinstance(message, Goodbye):
                    self._told_s = min(message.reconnect_in_ms / 1_000, BACKOFF_MAX_S)
            return Disconnected("the gateway closed the connection")
        finally:
            if follower is not None:
                follower.cancel()
                with suppress(asyncio.CancelledError, ConnectionClosed):
                    await follower

    def _again_later(self, refused: Error) -> None:
        """A subscribe that could not be served now is sent once more, when the arena said so."""
        followed = self._followed  # of this connection: a later one subscribes to everything anyway
        if refused.ref not in followed:
            return

        def again() -> None:
            followed.pop(refused.ref, None)
            self.changed()

        wait_s = max(refused.retry_after_ms / 1_000, RETRY_S)
        asyncio.get_running_loop().call_later(wait_s, again)

    def _read(self, frame: str | bytes) -> ServerMessage | None:
        """A frame's message; None for one that a newer arena may send and we cannot read.

        Skipping is safe: a skipped update leaves a gap in the offsets, and a gap is asked for again.
        """
        try:
            return self._decoder.decode(frame if isinstance(frame, bytes) else frame.encode())
        except msgspec.MsgspecError:
            return None

    async def _follow(self, socket: ClientConnection) -> None:
        """Keep the subscriptions of this connection equal to what is wanted."""
        followed = self._followed = {}
        while True:
            self._changed.clear()
            wanted = dict(self._wanted())
            for channel in followed.keys() - wanted.keys():
                del followed[channel]
                await self._send(socket, Unsubscribe(channel=channel))
            for channel, want in wanted.items():
                if followed.get(channel) == want.asks:
                    continue
                if channel in followed:
                    await self._send(socket, Unsubscribe(channel=channel))
                followed[channel] = want.asks
                await self._send(socket, Subscribe(channel=channel, since=want.since))
            await self._changed.wait()

    async def _send(self, socket: ClientConnection, message: ClientMessage) -> None:
        await socket.send(self._encode(message))
