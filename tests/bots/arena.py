"""A small arena for the bots' tests: a real websocket server that says what the test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from bots.api import Api
from server.protocol import (
    JSON_SUBPROTOCOL,
    MSGPACK_SUBPROTOCOL,
    AgentView,
    ClientMessage,
    Event,
    Hello,
    Offer,
    OpenDecision,
    SeatCard,
    Seating,
    ServerMessage,
    SessionView,
    Snapshot,
    Update,
    Welcome,
)

AGENT = "01AGENT"
SESSION = "01SESSION"
KEY = "agon_0123456789abcdef"
TIMEOUT_S = 15.0

M = TypeVar("M")


class Line:
    """The arena's end of one connection."""

    def __init__(self, websocket: ServerConnection) -> None:
        self.websocket = websocket
        binary = websocket.subprotocol == MSGPACK_SUBPROTOCOL
        module: Any = msgspec.msgpack if binary else msgspec.json
        self._encode = module.encode
        self._decode = module.Decoder(ClientMessage).decode
        self._binary = binary

    async def say(self, message: ServerMessage) -> None:
        data = self._encode(message)
        await self.websocket.send(data if self._binary else data.decode())

    async def hear(self) -> ClientMessage:
        async with asyncio.timeout(TIMEOUT_S):
            message: ClientMessage = self._decode(await self.websocket.recv())
        return message

    async def expect(self, kind: type[M]) -> M:
        """The next message of a kind; others before it are skipped."""
        while True:
            message = await self.hear()
            if isinstance(message, kind):
                return message

    async def heard_nothing_but(self, *kinds: type[Any], for_s: float = 0.3) -> bool:
        try:
            async with asyncio.timeout(for_s):
                while True:
                    if not isinstance(self._decode(await self.websocket.recv()), kinds):
                        return False
        except TimeoutError:
            return True

    async def greet(self, view: AgentView | None = None) -> Hello:
        """Welcome the bot and show it its own channel."""
        hello = await self.expect(Hello)
        await self.say(
            Welcome(connection="c1", agent=AGENT, server_ms=1_000_000, ping_interval_s=20)
        )
        await self.say(Snapshot(f"agent:{AGENT}", "e1", 0, view or agent_view()))
        return hello


class Arena:
    """Hands over one connection after the other, in the order in which they come in."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[Line] = asyncio.Queue()
        self.url = ""
        self.connections = 0

    async def handle(self, websocket: ServerConnection) -> None:
        self.connections += 1
        await self._lines.put(Line(websocket))
        await websocket.wait_closed()

    async def line(self) -> Line:
        async with asyncio.timeout(TIMEOUT_S):
            return await self._lines.get()


@asynccontextmanager
async def arena() -> AsyncIterator[Arena]:
    running = Arena()
    server: Server
    async with serve(
        running.handle,
        "127.0.0.1",
        0,
        subprotocols=[Subprotocol(JSON_SUBPROTOCOL), Subprotocol(MSGPACK_SUBPROTOCOL)],
        compression=None,
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        running.url = f"ws://127.0.0.1:{port}"
        yield running


class FoundArena(Api):
    """An API that knows only where the gateway is."""

    def __init__(self, url: str) -> None:
        super().__init__("http://arena.test")
        self.gateway_url = url
        self.asked = 0

    async def gateway(self) -> str:
        self.asked += 1
        return self.gateway_url


def agent_view(
    *seated: str, offers: tuple[str, ...] = (), tickets: tuple[str, ...] = ()
) -> AgentView:
    return AgentView(
        agent=AGENT,
        seated=[Seating(session, "bid-tac-toe", 0) for session in seated],
        offers=[Offer(offer, "t1", "bid-tac-toe", 0, 2_000_000) for offer in offers],
        tickets=list(tickets),
    )


def session_view(
    turn: int = 1,
    attempt: int = 1,
    *,
    decisions: bool = True,
    fault: str | None = None,
    status: Any = "live",
    session: str = SESSION,
    **more: Any,
) -> SessionView:
    """Seat 0's view in which it owes a bid."""
    decision = OpenDecision(0, "bid", deadline_ms=1_030_000, attempt=attempt, fault=fault)
    fields: dict[str, Any] = {
        "session": session,
        "space": "bid-tac-toe",
        "rules": "bid-tac-toe/1",
        "status": status,
        "opened_ms": 1_000_000,
        "seats": [SeatCard(0, AGENT, "Me", "v1"), SeatCard(1, "01RIVAL", "Rival\x1b[31m", "v1")],
        "state": {"board": "." * 9, "chips": [100, 100], "phase": "bid"},
        "headline": "ply 0",
        "turn": turn,
        "decisions": [decision] if decisions else [],
        "you": 0,
    }
    return SessionView(**(fields | more))


def ended_view(**more: Any) -> SessionView:
    outcome = {"termination": "line", "returns": [1, -1]}
    return session_view(decisions=False, **({"status": "ended", "outcome": outcome} | more))


def snapshot(offset: int, view: SessionView) -> Snapshot:
    return Snapshot(f"session:{view.session}", "e1", offset, view)


def update(offset: int, view: SessionView, type_: str = "turn") -> Update:
    return Update(f"session:{view.session}", "e1", offset, [Event(offset, 0, type_)], view)


def update_agent(offset: int, *seated_in: str, **more: Any) -> Update:
    view = agent_view(*seated_in, **more)
    return Update(f"agent:{AGENT}", "e1", offset, [Event(offset, 0, "changed")], view)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not condition():
            await asyncio.sleep(0.005)
