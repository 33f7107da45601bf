"""Action to spectator through the whole arena: websocket, gateway, Redis, host, Redis, gateway, websocket.

An idle arena in a process of its own plays Bid Tac Toe one action at a time; the clock runs from the
sending of `act` to the arrival, on a spectator's connection, of the event it caused.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from server import protocol as p

SAMPLES = 400
BAR_MS = 20.0
START_S = 30.0
PAUSE_S = (0.02, 0.06)
"""Between actions; longer than the gateway's and the early tick's least intervals."""

_decode = msgspec.json.Decoder(p.ServerMessage).decode


async def run(redis_url: str) -> list[dict[str, Any]]:
    """`action_to_spectator_p99_ms`, with the median beside it."""
    async with _arena(redis_url) as api:
        samples: list[float] = []
        for number in range(SAMPLES):
            samples += await _play(api, number)
            if len(samples) >= SAMPLES:
                break
    p99 = statistics.quantiles(samples, n=100)[98]
    return [
        {
            "name": "action_to_spectator_p99_ms",
            "value": round(p99, 2),
            "unit": "ms",
            "bar": BAR_MS,
            "met": p99 <= BAR_MS,
            "p50": round(statistics.median(samples), 2),
            "samples": len(samples),
        }
    ]


async def _play(api: str, number: int) -> list[float]:
    """Two bots play one session, one action at a time; milliseconds of each action."""
    seats = [_Bot(api, f"latency-{number}-{seat}") for seat in range(2)]
    async with asyncio.TaskGroup() as group:
        for bot in seats:
            group.create_task(bot.join())
    session = seats[0].session
    samples: list[float] = []
    async with _watch(api, session) as spectator:
        rng = random.Random(number)
        while True:
            view = await spectator.settled()
            if view.status != "live":
                break
            decision = next(each for each in view.decisions if not each.done)
            seat = next(bot for bot in seats if bot.agent == view.seats[decision.seat].agent)
            text = _choose(view, decision, rng)
            await asyncio.sleep(rng.uniform(*PAUSE_S))  # idle: no tick or flush has just been
            started = time.perf_counter()
            await _send(
                seat.socket,
                p.Act(f"{session}:{view.turn}:{decision.seat}", session, view.turn, text),
            )
            await spectator.event_by(f"seat:{decision.seat}")
            samples.append((time.perf_counter() - started) * 1_000)
    for bot in seats:
        await bot.close()
    return samples


def _choose(view: p.SessionView, decision: p.OpenDecision, rng: random.Random) -> str:
    if decision.kind == "bid":
        return json.dumps({"bid": rng.randint(0, view.state["chips"][decision.seat] // 4)})
    free = [cell for cell, mark in enumerate(view.state["board"]) if mark == "."]
    return json.dumps({"cell": rng.choice(free)})


class _Bot:
    """A raw client that finds a seat; afterwards its incoming messages are read and dropped."""

    def __init__(self, api: str, name: str) -> None:
        self._api, self._name = api, name
        self.agent = self.session = ""
        self.socket: ClientConnection
        self._drain: asyncio.Task[None]

    async def join(self) -> None:
        async with httpx.AsyncClient(base_url=self._api, trust_env=False) as http:
            made = (await http.post("/v1/agents", json={"name": self._name})).json()
            url = (await http.get("/v1/gateway")).json()["url"]
        self.agent = made["agent"]
        self.socket = await connect(url, subprotocols=[Subprotocol(p.JSON_SUBPROTOCOL)])
        await _send(self.socket, p.Hello(key=made["key"]))
        await _send(self.socket, p.Enqueue("bid-tac-toe"))
        while not self.session:
            match _decode(await self.socket.recv()):
                case p.Snapshot(view=p.AgentView() as view) | p.Update(view=p.AgentView() as view):
                    for offer in view.offers:
                        await _send(self.socket, p.Confirm(offer.offer))
                    self.session = view.seated[0].session if view.seated else ""
        self._drain = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for _ in self.socket:
            pass

    async def close(self) -> None:
        await self.socket.close()
        await self._drain


class _Spectator:
    """A connection that follows one session; `view` is the newest it was shown."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.view: p.SessionView | None = None

    async def event_by(self, by: str) -> None:
        """Return when an event that this seat caused has arrived."""
        while not any(event.by == by for event in await self._take()):
            pass

    async def settled(self) -> p.SessionView:
        """The newest view in which somebody must decide, or the last one."""
        while self.view is None or (
            self.view.status == "live" and all(each.done for each in self.view.decisions)
        ):
            await self._take()
        return self.view

    async def _take(self) -> list[p.Event]:
        match _decode(await self._socket.recv()):
            case p.Snapshot(view=p.SessionView() as view):
                self.view = view
            case p.Update(events=events, view=p.SessionView() as view):
                self.view = view
                return events
        return []


@asynccontextmanager
async def _watch(api: str, session: str) -> AsyncIterator[_Spectator]:
    async with httpx.AsyncClient(base_url=api, trust_env=False) as http:
        url = (await http.get("/v1/gateway")).json()["url"]
    async with connect(url, subprotocols=[Subprotocol(p.JSON_SUBPROTOCOL)]) as socket:
        await _send(socket, p.Hello())
        await _send(socket, p.Subscribe(f"session:{session}"))
        yield _Spectator(socket)


async def _send(socket: ClientConnection, message: p.ClientMessage) -> None:
    await socket.send(msgspec.json.encode(message).decode())


@asynccontextmanager
async def _arena(redis_url: str) -> AsyncIterator[str]:
    with tempfile.TemporaryDirectory(prefix="agon-latency-") as folder:
        ready = Path(folder) / "ready.json"
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server.cli", "serve", "--house", "none"),
            *("--role", "api,gateway,matchmaker,host", "--ready-file", str(ready)),
            stderr=asyncio.subprocess.DEVNULL,
            env=os.environ
            | {
                "AGON_REDIS_URL": redis_url,
                "AGON_DATA_DIR": folder,
                "AGON_API_PORT": "0",
                "AGON_GATEWAY_PORT": "0",
                "AGON_REGISTRATIONS_PER_MIN": "100000",
            },
        )
        try:
            async with asyncio.timeout(START_S):
                while not ready.exists():  # noqa: ASYNC110 - another process makes it
                    await asyncio.sleep(0.05)
            yield json.loads(ready.read_text())["api"]
        finally:
            child.terminate()
            await child.wait()
