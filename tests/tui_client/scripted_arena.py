"""An arena on a real websocket that does what a test says: sends, loses, closes, resumes.

It speaks `server.protocol` as a gateway does (snapshot, tail, resume by position), and answers
`GET /v1/gateway` on the same port. Losing messages is what a real gateway never does.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from server.protocol import (
    MSGPACK_SUBPROTOCOL,
    ClientMessage,
    Error,
    Hello,
    Position,
    ServerMessage,
    Snapshot,
    Subscribe,
    Unsubscribe,
    Update,
    Welcome,
)


class _Log(msgspec.Struct):
    snapshot: Snapshot
    updates: list[Update]


class ScriptedArena:
    """Start with `async with`; `url` is what a client is given."""

    def __init__(self) -> None:
        self.hellos: list[Hello] = []
        self.subscribes: list[Subscribe] = []
        self.server_ms = 0
        """The clock that `welcome` tells; 0 leaves the test's own clock unskewed."""
        self.forget = False
        """Answer every resume with a snapshot marked `resync`."""
        self.refuse_code: int | None = None
        """Close each new connection with this code instead of welcoming it."""
        self.unavailable = 0
        """How many of the next subscribes are refused for the moment."""
        self._logs: dict[str, _Log] = {}
        self._followers: dict[ServerConnection, set[str]] = {}
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(ClientMessage).decode
        self._moved = asyncio.Event()
        self._server: Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> ScriptedArena:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shut()

    async def listen(self) -> None:
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            subprotocols=[Subprotocol(MSGPACK_SUBPROTOCOL)],
            process_request=self._http,
            compression=None,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _http(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path != "/v1/gateway":
            return None
        body = {"url": f"ws://127.0.0.1:{self.port}", "protocols": [MSGPACK_SUBPROTOCOL]}
        return connection.respond(HTTPStatus.OK, json.dumps(body))

    async def _serve(self, socket: ServerConnection) -> None:
        self._followers[socket] = set()
        try:
            async for frame in socket:
                assert isinstance(frame, bytes)
                await self._answer(socket, self._decode(frame))
        except ConnectionClosed:
            pass  # the client left without a goodbye
        finally:
            del self._followers[socket]
            self._touch()

    async def _answer(self, socket: ServerConnection, message: ClientMessage) -> None:
        match message:
            case Hello():
                self.hellos.append(message)
                if self.refuse_code is not None:
                    await socket.close(self.refuse_code, "not today")
                    return
                await self._send(socket, Welcome("c", None, self.server_ms, 20))
            case Subscribe():
                self.subscribes.append(message)
                await self._subscribed(socket, message)
            case Unsubscribe():
                self._followers[socket].discard(message.channel)
            case _:
                raise AssertionError(f"a spectator does not send {message}")
        self._touch()

    async def _subscribed(self, socket: ServerConnection, message: Subscribe) -> None:
        if self.unavailable:
            self.unavailable -= 1
            await self._send(socket, Error("unavailable", "not now", 10, message.channel))
            return
        log = self._logs.get(message.channel)
        if log is None:
            await self._send(
                socket, Error("unknown-channel", "no such channel", ref=message.channel)
            )
            return
        self._followers[socket].add(message.channel)
        for answer in self._catch_up(log, message.since):
            await self._send(socket, answer)

    def _catch_up(self, log: _Log, since: Position | None) -> list[ServerMessage]:
        if since is not None and not self.forget and since.epoch == log.snapshot.epoch:
            return [update for update in log.updates if update.offset > since.offset]
        last = log.updates[-1] if log.updates else log.snapshot
        assert last.view is not None
        return [Snapshot(last.channel, last.epoch, last.offset, last.view, since is not None)]

    async def _send(self, socket: ServerConnection, message: ServerMessage) -> None:
        await socket.send(self._encode(message))

    def _touch(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def open(self, snapshot: Snapshot) -> None:
        """A channel exists from now on."""
        self._logs[snapshot.channel] = _Log(snapshot, [])

    async def say(self, message: ServerMessage, *, lost: bool = False) -> None:
        """Send to who follows the channel; an update is kept for resuming. `lost`: do not send."""
        if isinstance(message, Update):
            self._logs[message.channel].updates.append(message)
        channel = getattr(message, "channel", None)
        for socket, channels in list(self._followers.items()):
            if not lost and (channel is None or channel in channels):
                await self._send(socket, message)

    async def close_all(self, code: int, reason: str = "") -> None:
        for socket in list(self._followers):
            await socket.close(code, reason)

    async def followed(self, channel: str, times: int = 1) -> list[Subscribe]:
        """Wait until a channel was subscribed to so many times; its subscribes."""
        async with asyncio.timeout(5):
            while True:
                found = [said for said in self.subscribes if said.channel == channel]
                if len(found) >= times:
                    return found
                await self._moved.wait()

    def follows(self, channel: str) -> bool:
        return any(channel in channels for channels in self._followers.values())
