"""How many frames a second one core writes to 1,000 real connections, and what peers do.

Three servers run in this process under the same uvloop, each with a crowd of 1,000 clients in a
process of its own; rounds alternate between them, so that whatever else the machine does falls on all
alike. What counts is the CPU time of this process: loopback delivers a segment within the sender's
write, so the kernel's work is in it. A message is 512 bytes of payload.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.server import ServerConnection, broadcast, serve

from benchmarks.crowd import crowd, raise_file_limit
from benchmarks.stage import CHANNEL, EPOCH, HELLO, Staged, staged
from server.live.records import LogEvent
from server.protocol import JSON_SUBPROTOCOL, Event, Update

CONNECTIONS = 1_000
PAYLOAD_BYTES = 512
ROUNDS = 120
WARM_UP = 10
COALESCED = 10
"""Events a tick in the second measurement, about 300 bytes each."""
PAUSE_S = 0.012
"""Between rounds: the gateway's tick, and time for the crowd to read."""

FRAMES_BAR = 90_000
EVENTS_BAR = 500_000


class Contender(NamedTuple):
    name: str
    round: Callable[[], Awaitable[None]]
    """Sends one message to every client, down to the sockets."""


def event(number: int, payload: int) -> LogEvent:
    """An event whose update has about `payload` bytes of JSON; exactly, for offsets of 3 digits."""
    bare = Update(CHANNEL, EPOCH, 100, [Event(100, number, "deadline", "host", {"x": ""})])
    filler = payload - len(msgspec.json.encode(bare))
    return LogEvent(number, "host", "deadline", {"x": "x" * filler})


async def run(redis_url: str) -> list[dict[str, Any]]:
    raise_file_limit()
    async with contextlib.AsyncExitStack() as stack:
        ours = await stack.enter_async_context(_gateway())
        peers = [
            await stack.enter_async_context(_broadcast()),
            await stack.enter_async_context(_starlette()),
        ]
        contenders = [Contender("gateway", lambda: _tell(ours, 1, PAYLOAD_BYTES)), *peers]
        cpu = await _compete(contenders)
        coalesced = await _compete([Contender("gateway", lambda: _tell(ours, COALESCED, 300))])
    rates = {name: CONNECTIONS / seconds for name, seconds in cpu.items()}
    rate = rates.pop("gateway")
    fast = rate >= FRAMES_BAR
    faster = rate >= 1.25 * rates["websockets.broadcast"]
    fastest = rate >= 1.5 * rates["starlette_send_loop"]
    events = CONNECTIONS * COALESCED / coalesced["gateway"]
    return [
        {
            "name": "fanout_frames_per_s_core",
            "value": round(rate),
            "unit": "frames/s",
            "bar": FRAMES_BAR,
            "met": fast and faster and fastest,
            "peers": {name: round(peer) for name, peer in rates.items()},
        },
        {
            "name": "fanout_coalesced_events_per_s_core",
            "value": round(events),
            "unit": "events/s",
            "bar": EVENTS_BAR,
            "met": events >= EVENTS_BAR,
            "peers": {},
        },
    ]


async def _compete(contenders: list[Contender]) -> dict[str, float]:
    """Median CPU seconds of a round of each."""
    seconds: dict[str, list[float]] = {each.name: [] for each in contenders}
    for number in range(WARM_UP + ROUNDS):
        for each in contenders:
            began = time.process_time()
            await each.round()
            if number >= WARM_UP:
                seconds[each.name].append(time.process_time() - began)
            await asyncio.sleep(PAUSE_S)
    return {name: sorted(times)[len(times) // 2] for name, times in seconds.items()}


async def _flushed() -> None:
    # uvloop writes at the end of the iteration in which transport.write() was called.
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def _tell(ours: Staged, count: int, payload: int) -> None:
    """One read of the feed brings `count` events."""
    target = ours.frames_written + CONNECTIONS
    ours.stage.tell([event(number, payload) for number in range(count)])
    while ours.frames_written < target:  # noqa: ASYNC110 (an Event would be in what is measured)
        await asyncio.sleep(0)
    await _flushed()


@contextlib.asynccontextmanager
async def _gateway() -> AsyncIterator[Staged]:
    async with (
        staged() as ours,
        crowd(ours.port, CONNECTIONS, hello=HELLO, subprotocol=JSON_SUBPROTOCOL),
    ):
        await ours.joined(CONNECTIONS)
        yield ours


@contextlib.asynccontextmanager
async def _broadcast() -> AsyncIterator[Contender]:
    """websockets' own broadcast(), deflate off as it is with us."""

    async def handler(connection: ServerConnection) -> None:
        await connection.wait_closed()

    message = "x" * PAYLOAD_BYTES
    quiet = logging.getLogger("benchmarks.websockets")
    quiet.setLevel(logging.CRITICAL)
    async with serve(
        handler, "127.0.0.1", 0, compression=None, ping_interval=None, logger=quiet, close_timeout=1
    ) as server:

        async def one_round() -> None:
            broadcast(server.connections, message)
            await _flushed()

        async with crowd(server.sockets[0].getsockname()[1], CONNECTIONS):
            yield Contender("websockets.broadcast", one_round)


@contextlib.asynccontextmanager
async def _starlette() -> AsyncIterator[Contender]:
    """What the tutorials show: await send_text() for one socket after the other."""
    sockets: set[WebSocket] = set()

    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        sockets.add(socket)
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await socket.receive_text()
        sockets.discard(socket)

    config = uvicorn.Config(
        Starlette(routes=[WebSocketRoute("/", endpoint)]),
        port=0,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        log_level="critical",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    message = "x" * PAYLOAD_BYTES

    async def one_round() -> None:
        for socket in sockets:
            await socket.send_text(message)
        await _flushed()

    task = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 (uvicorn has but the flag)
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with crowd(port, CONNECTIONS):
            while len(sockets) < CONNECTIONS:  # noqa: ASYNC110 (once, before measuring)
                await asyncio.sleep(0.01)
            yield Contender("starlette_send_loop", one_round)
    finally:
        server.should_exit = True
        await task
