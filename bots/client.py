"""The shell around `bots.link`: one websocket at a time, over and over, until it is told to stop.

A `Client` finds the gateway through the HTTP API before each attempt (a gateway that went away may
have been replaced by one at another address), speaks `agon.v1.json` or `agon.v1.msgpack`, and hands
what it hears to a callback, in order. The callback must not block; it runs in the event loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from bots.api import is_loopback
from bots.errors import UNREADABLE, ArenaUnreachable, NotAnArena
from bots.interrupt import Interrupted, unless
from bots.journal import Sparing
from bots.link import Link, News
from bots.reconnect import Reconnect
from bots.requests import Request
from server.protocol import JSON_SUBPROTOCOL, MSGPACK_SUBPROTOCOL, ClientMessage, ServerMessage

MAX_FRAME_BYTES = 8 * 1024 * 1024
"""The largest message taken from an arena: a snapshot of a long session, with room to spare."""
OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
HTTP_REFUSALS = frozenset({300, 301, 302, 303, 307, 308, 400, 401, 403, 404})
"""Handshake answers that trying again would not change."""


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Codec:
    """One of the two subprotocols."""

    def __init__(self, name: Literal["json", "msgpack"]) -> None:
        self.subprotocol = JSON_SUBPROTOCOL if name == "json" else MSGPACK_SUBPROTOCOL
        self._binary = name == "msgpack"
        module = msgspec.msgpack if self._binary else msgspec.json
        self._encode = module.Encoder().encode
        self._decode = module.Decoder(ServerMessage).decode

    def encode(self, message: ClientMessage) -> bytes | str:
        data: bytes = self._encode(message)
        return data if self._binary else data.decode()

    def decode(self, frame: bytes | str) -> ServerMessage:
        """Raises UNREADABLE for what this version of the protocol does not know."""
        message: ServerMessage = self._decode(frame.encode() if isinstance(frame, str) else frame)
        return message


class _Connect(connect):
    """Follows no redirect: the API says where the gateway is, and only that address was checked."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class Client:
    """Keeps a `Link` connected. `run` returns after `close`, and raises BotError."""

    def __init__(
        self,
        link: Link,
        locate: Callable[[], Awaitable[str]],
        on_news: Callable[[News], None],
        reconnect: Reconnect,
        *,
        codec: Codec | None = None,
        patience_s: float | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """`locate` gives the gateway's address and may raise ArenaUnreachable (retried) or another
        BotError (not). `patience_s` bounds the wait for the first connection; None waits for ever.
        `say` is told about lost connections, in words for people.
        """
        self._link = link
        self._locate = locate
        self._on_news = on_news
        self._reconnect = reconnect
        self._codec = codec or Codec("json")
        self._patience_s = patience_s
        self._say = say
        self._say_waiting = Sparing(say)
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._ever = False

    # ------------------------------------------------------------------ for the bot, in the loop

    def request(self, request: Request) -> None:
        """See `Link.request`."""
        self._link.request(request)
        self._wake.set()

    def follow(self, channel: str) -> None:
        self._link.follow(channel)
        self._wake.set()

    def unfollow(self, channel: str) -> None:
        self._link.unfollow(channel)
        self._wake.set()

    def write(self, session: str, turn: int, piece: str) -> None:
        self._link.write(session, turn, piece)
        self._wake.set()

    def restart(self, session: str, turn: int) -> None:
        self._link.restart(session, turn)
        self._wake.set()

    def arena_ms(self) -> int:
        return self._link.arena_ms(monotonic_ms())

    def close(self) -> None:
        """Make `run` return: what is queued is sent, then the connection is closed with 1000. While
        there is no connection, none is waited for."""
        self._closing.set()
        self._wake.set()

    # ------------------------------------------------------------------ the loop of connections

    async def run(self) -> None:
        """Connect, and again, until `close`. Cancelling closes the connection."""
        began = time.monotonic()
        while not self._closing.is_set():
            started = time.monotonic()
            code, reason, wait_ms = None, "", 0
            try:
                websocket = await unless(self._closing, self._open())
                code, reason = await self._connection(websocket)
            except Interrupted:
                return
            except (ArenaUnreachable, OSError, TimeoutError, InvalidHandshake) as error:
                self._check(error, time.monotonic() - began)
                wait_ms = round(1000 * getattr(error, "retry_after_s", 0))
            else:
                if (goodbye := self._link.goodbye) is not None:
                    code, reason = goodbye.code, goodbye.reason
                    wait_ms = goodbye.reconnect_in_ms
            self._reconnect.settled(time.monotonic() - started)
            if self._closing.is_set():
                return
            delay = self._reconnect.delay_s(code, reason, wait_ms)
            self._say_waiting(
                f"not connected ({reason or code or 'no answer'}), again in {delay:.1f} s"
            )
            await self._pause(delay)

    def _check(self, error: Exception, waited_s: float) -> None:
        """Raise what trying again would not mend, or what has lasted longer than our patience."""
        if isinstance(error, InvalidStatus) and error.response.status_code in HTTP_REFUSALS:
            raise NotAnArena(f"the gateway refuses the handshake: {error}") from error
        if not self._ever and self._patience_s is not None and waited_s > self._patience_s:
            if isinstance(error, ArenaUnreachable):
                raise error
            raise ArenaUnreachable(f"the gateway does not answer: {error}") from error

    async def _pause(self, delay_s: float) -> None:
        try:
            async with asyncio.timeout(delay_s):
                await self._closing.wait()
        except TimeoutError:
            pass

    # ------------------------------------------------------------------ one connection

    async def _open(self) -> ClientConnection:
        url = await self._locate()
        try:
            return await _Connect(
                url,
                subprotocols=[Subprotocol(self._codec.subprotocol)],
                compression=None,
                proxy=None if is_loopback(url) else True,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                max_size=MAX_FRAME_BYTES,
            )
        except InvalidURI as error:
            raise NotAnArena(f"the gateway's address cannot be used: {error}") from error

    async def _connection(self, websocket: ClientConnection) -> tuple[int | None, str]:
        """Talk until the connection ends; its close code (None when it broke) and reason."""
        try:
            self._link.opened(monotonic_ms())
            await self._talk(websocket)
        finally:
            self._link.closed()
            await websocket.close()
        return websocket.close_code if websocket.close_code != 1006 else None, (
            websocket.close_reason or ""
        )

    async def _talk(self, websocket: ClientConnection) -> None:
        """Read and write side by side; whichever ends first ends the other."""
        reader = asyncio.create_task(self._read(websocket))
        writer = asyncio.create_task(self._write(websocket))
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            reader.cancel()
            writer.cancel()
            results = await asyncio.gather(reader, writer, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, ConnectionClosed):
                raise result

    async def _read(self, websocket: ClientConnection) -> None:
        async for frame in websocket:
            try:
                message = self._codec.decode(frame)
            except UNREADABLE as error:
                # A newer arena's, most likely: what we know still works.
                self._say(f"skipped a message that this version does not know ({error})")
                continue
            for news in self._link.receive(message, monotonic_ms()):
                self._ever = True
                self._say_waiting.over()
                self._on_news(news)
            self._wake.set()

    async def _write(self, websocket: ClientConnection) -> None:
        while True:
            self._wake.clear()
            for message in self._link.to_send(monotonic_ms()):
                await websocket.send(self._codec.encode(message))
            if self._closing.is_set():
                return
            now = monotonic_ms()
            if self._link.dead(now):
                self._say("the connection is silent; giving it up")
                websocket.transport.abort()  # a close handshake would wait for the dead
                return
            try:
                async with asyncio.timeout(max(0, self._link.next_wakeup() - now) / 1000):
                    await self._wake.wait()
            except TimeoutError:
                pass
