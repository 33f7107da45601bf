"""The whole arena over several processes: a killed host costs nobody anything."""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect

from server import protocol as p
from server.clock import unix_ms
from spaces import registry, transcript
from tests.chaos.arena_processes import processes

PAIRS = 4
PACE_S = 0.15

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(p.ServerMessage).decode


class Contestant:
    """A raw client that plays one session at random and remembers what was acknowledged."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.session = ""
        self.seat = -1
        self.acked: dict[str, dict[str, Any]] = {}
        self.refused: list[p.Rejected] = []
        self._sent: dict[str, dict[str, Any]] = {}
        self._rng = random.Random(name)

    async def play(self, api: str) -> None:
        async with httpx.AsyncClient(base_url=api, trust_env=False) as http:
            key = (await http.post("/v1/agents", json={"name": self.name})).json()["key"]
            url = (await http.get("/v1/gateway")).json()["url"]
        async with connect(url, subprotocols=[p.JSON_SUBPROTOCOL]) as socket:  # type: ignore[list-item]
            await self._send(socket, p.Hello(key=key))
            await self._send(socket, p.Enqueue("bid-tac-toe"))
            async for frame in socket:
                assert isinstance(frame, str)
                if await self._take(socket, _decode(frame)):
                    return

    async def _send(self, socket: ClientConnection, message: p.ClientMessage) -> None:
        await socket.send(_encode(message).decode())

    async def _take(self, socket: ClientConnection, message: p.ServerMessage) -> bool:
        """True once the session is over."""
        match message:
            case p.Accepted(id=act):
                self.acked[act] = self._sent[act]
            case p.Rejected():
                self.refused.append(message)
            case p.Snapshot(view=p.AgentView() as view) | p.Update(view=p.AgentView() as view):
                for offer in view.offers:
                    await self._send(socket, p.Confirm(offer.offer))
                if view.seated and not self.session:
                    self.session, self.seat = view.seated[0].session, view.seated[0].seat
                    await self._send(socket, p.Subscribe(f"session:{self.session}"))
            case p.Snapshot(view=p.SessionView() as view) | p.Update(view=p.SessionView() as view):
                if view.status != "live":
                    return True
                await self._act(socket, view)
        return False

    async def _act(self, socket: ClientConnection, view: p.SessionView) -> None:
        for decision in view.decisions:
            act = f"{view.session}:{view.turn}:{self.seat}:{decision.attempt}"
            if decision.seat != self.seat or decision.done or act in self._sent:
                continue
            await asyncio.sleep(PACE_S)
            if decision.kind == "bid":
                action = {"bid": self._rng.randint(0, view.state["chips"][self.seat] // 3)}
            else:
                action = {
                    "cell": self._rng.choice(
                        [i for i, c in enumerate(view.state["board"]) if c == "."]
                    )
                }
            self._sent[act] = action
            await self._send(socket, p.Act(act, view.session, view.turn, _encode(action).decode()))


class Spectator:
    """Follows sessions and notes every offset it is shown."""

    def __init__(self) -> None:
        self.offsets: dict[str, list[int]] = {}
        self.resyncs = 0
        self.ended: set[str] = set()

    async def watch(self, api: str) -> None:
        async with httpx.AsyncClient(base_url=api, trust_env=False) as http:
            url = (await http.get("/v1/gateway")).json()["url"]
        async with connect(url, subprotocols=[p.JSON_SUBPROTOCOL]) as socket:  # type: ignore[list-item]
            await socket.send(_encode(p.Hello()).decode())
            await socket.send(_encode(p.Subscribe("lobby")).decode())
            async for frame in socket:
                assert isinstance(frame, str)
                message = _decode(frame)
                match message:
                    case (
                        p.Snapshot(view=p.LobbyView() as lobby)
                        | p.Update(view=p.LobbyView() as lobby)
                    ):
                        for card in lobby.live:
                            if card.session not in self.offsets:
                                self.offsets[card.session] = []
                                await socket.send(
                                    _encode(p.Subscribe(f"session:{card.session}")).decode()
                                )
                    case p.Snapshot(view=p.SessionView() as view):
                        self.resyncs += message.resync
                        self.offsets[view.session] = [message.offset]
                    case p.Update(channel=channel, events=events):
                        session = channel.removeprefix("session:")
                        if session in self.offsets:
                            self.offsets[session] += [event.offset for event in events]
                            self.ended |= {session for event in events if event.type == "end"}


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_lost_host_hands_its_sessions_over(tmp_path: Path, how: signal.Signals) -> None:
    with processes(
        tmp_path, edge=["api", "gateway", "matchmaker"], one=["host"], two=["host"]
    ) as running:
        api = running["edge"].addresses()["api"]
        spectator = Spectator()
        contestants = [Contestant(f"c{number}") for number in range(2 * PAIRS)]
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            watching = group.create_task(spectator.watch(api))
            playing = [group.create_task(each.play(api)) for each in contestants]
            await asyncio.sleep(1.5)
            killed_ms = unix_ms()
            await asyncio.to_thread(running["one"].end, how)
            await asyncio.gather(*playing)
            while len(spectator.ended) < PAIRS:
                await asyncio.sleep(0.1)
            watching.cancel()

        assert spectator.resyncs == 0
        for session, offsets in spectator.offsets.items():
            assert offsets == list(range(offsets[0], offsets[0] + len(offsets))), session
        assert not [
            refusal for each in contestants for refusal in each.refused if refusal.code == "late"
        ]
        went_on = 0
        async with httpx.AsyncClient(base_url=api, trust_env=False) as http:
            for session in {each.session for each in contestants}:
                document = await _sealed(http, session)
                read = transcript.read(document)
                transcript.replay(read)
                went_on += read.sealed_ms > killed_ms
                for each in contestants:
                    if each.session == session:
                        played = [
                            entry.body["action"]
                            for entry in read.entries
                            if entry.type == "action" and entry.by == f"seat:{each.seat}"
                        ]
                        acked = [_typed(action) for action in each.acked.values()]
                        rest = iter(played)
                        assert all(action in rest for action in acked), "an acked action is missing"
        assert went_on >= PAIRS - 1, "the host died while matches were on"


def _typed(action: dict[str, Any]) -> dict[str, Any]:
    """What was sent, in the form in which a transcript keeps it."""
    space = registry.get("bid-tac-toe")
    kind = "bid" if "bid" in action else "mark"
    return space.encode_action(space.parse(kind, _encode(action).decode()))


async def _sealed(http: httpx.AsyncClient, session: str) -> bytes:
    async with asyncio.timeout(20):
        while True:
            answer = await http.get(f"/v1/sessions/{session}/transcript")
            if answer.is_success:
                return answer.content
            await asyncio.sleep(0.1)
