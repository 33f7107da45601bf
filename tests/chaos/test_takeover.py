"""Kill a host, or Redis, in the middle of play: nothing that was accepted is lost, nobody sees a gap."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.embedded.redis import find_server
from server.live.connection import open_redis
from server.live.feed import Feed
from server.live.records import Appended
from spaces import transcript
from tests.server.live_play import Players, form

SESSIONS = [f"C{n}" for n in range(12)]
ROOT = Path(__file__).parents[2]


class Watcher:
    """What a gateway would have told its clients, from the feed alone."""

    def __init__(self, redis: Redis) -> None:
        self.feed = Feed(redis)
        self.next: dict[str, int] = {}
        self.acked: dict[str, set[str]] = {}
        self.epochs: set[tuple[str, str]] = set()
        self.appended = 0
        self.task = asyncio.create_task(self._follow())

    async def _follow(self) -> None:
        async with contextlib.aclosing(self.feed.batches()) as batches:
            async for batch in batches:
                for item in batch:
                    if isinstance(item, Appended):
                        self._take(item)

    def _take(self, item: Appended) -> None:
        assert item.first == self.next.get(item.channel, 0), f"a gap in {item.channel}"
        self.next[item.channel] = item.first + len(item.events)
        self.epochs.add((item.channel, item.epoch))
        self.appended += len(item.events)
        session = item.channel.removeprefix("session:")
        acts = self.acked.setdefault(session, set())
        acts.update(event.act for event in item.events if event.type == "action" and event.act)


class Servers:
    """A Redis with AOF, and hosts, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shelf = folder / "shelf"
        self.shelf.mkdir()
        self.url = f"unix://{folder}/redis.sock"
        self._redis: subprocess.Popen[bytes] | None = None
        self.hosts: dict[str, subprocess.Popen[bytes]] = {}

    def start_redis(self) -> None:
        socket = self.folder / "redis.sock"
        socket.unlink(missing_ok=True)
        arguments = {
            "--port": "0",
            "--unixsocket": str(socket),
            "--dir": str(self.folder),
            "--save": "",
            "--appendonly": "yes",
            "--appendfsync": "always",
        }
        command = [find_server(), *(word for pair in arguments.items() for word in pair)]
        self._redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def kill_redis(self) -> None:
        assert self._redis is not None
        self._redis.kill()
        self._redis.wait()

    def start_host(self, name: str) -> None:
        script = Path(__file__).with_name("host_process.py")
        command = [sys.executable, str(script), self.url, name, str(self.shelf)]
        with (self.folder / f"{name}.log").open("wb") as out:
            self.hosts[name] = subprocess.Popen(
                command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=out, stderr=out
            )

    def kill_host(self, name: str) -> None:
        self.hosts[name].send_signal(signal.SIGKILL)
        self.hosts[name].wait()

    def stop(self) -> None:
        for process in (*self.hosts.values(), *([self._redis] if self._redis else [])):
            process.kill()
            process.wait()


@pytest.fixture
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory.mktemp("chaos"))
    servers.start_redis()
    try:
        yield servers
    finally:
        servers.stop()


@pytest.fixture
async def client(servers: Servers) -> AsyncIterator[Redis]:
    client = open_redis(servers.url)
    async with asyncio.timeout(10):
        await answering(client)
    yield client
    await client.aclose(close_connection_pool=True)


async def answering(client: Redis) -> None:
    while True:
        with contextlib.suppress(RedisError, OSError):
            await client.ping()
            return
        await asyncio.sleep(0.05)


async def play_through(players: Players, sessions: list[str]) -> None:
    """Like a gateway: Redis may be away, and what is unanswered is sent again."""
    live = set(sessions)
    while live:
        for session in sorted(live):
            with contextlib.suppress(RedisError, OSError):
                if not await players.step(session):
                    live.discard(session)
        await asyncio.sleep(0.03)


async def appended(watcher: Watcher, count: int) -> None:
    while watcher.appended < count:
        assert not watcher.task.done(), watcher.task
        await asyncio.sleep(0.01)


async def checked(servers: Servers, players: Players, watcher: Watcher) -> None:
    """Each session: the log without a hole, and all that was acked in a transcript that replays."""
    assert len(watcher.epochs) == len(SESSIONS), "no log began a second life"
    for session in SESSIONS:
        events = await players.events(session)
        assert len(events) == watcher.next[f"session:{session}"]
        assert [event.type for event in events].count("digest") == 1
        document = (servers.shelf / f"{session}.json").read_bytes()
        replayed = transcript.replay(transcript.read(document))
        assert events[-1].body["digest"] == replayed.digest
        in_log = [event.act for event in events if event.type == "action"]
        assert len(in_log) == len(set(in_log)), "no action counts twice"
        assert watcher.acked[session] == set(in_log)
        played = [e for e in transcript.read(document).entries if e.type == "action"]
        assert len(played) == len(in_log)
    late = [e for s in SESSIONS for e in await players.events(s) if e.type == "deadline"]
    assert late == [], "an outage of ours costs no seat its time"


@pytest.mark.parametrize("seed", [1])
async def test_a_killed_host_loses_nothing(servers: Servers, client: Redis, seed: int) -> None:
    watcher, players = Watcher(client), Players(client, seed)
    await watcher.feed.ready()
    servers.start_host("host-1")
    servers.start_host("host-2")
    try:
        async with asyncio.timeout(60):
            for session in SESSIONS:
                await form(players.log, session)
            playing = asyncio.create_task(play_through(players, SESSIONS))
            await appended(watcher, 5 * len(SESSIONS))
            servers.kill_host("host-1")
            servers.start_host("host-3")
            await appended(watcher, 10 * len(SESSIONS))
            servers.kill_host("host-2")
            await playing
            await appended(watcher, sum([len(await players.events(s)) for s in SESSIONS]))
        await checked(servers, players, watcher)
    finally:
        await players.inbox.aclose()
        watcher.task.cancel()
        await asyncio.gather(watcher.task, return_exceptions=True)


async def test_a_killed_redis_loses_nothing(servers: Servers, client: Redis) -> None:
    watcher, players = Watcher(client), Players(client, 2)
    await watcher.feed.ready()
    servers.start_host("host-1")
    servers.start_host("host-2")
    try:
        async with asyncio.timeout(60):
            for session in SESSIONS:
                await form(players.log, session)
            playing = asyncio.create_task(play_through(players, SESSIONS))
            for part in (4, 8):
                await appended(watcher, part * len(SESSIONS))
                servers.kill_redis()
                time.sleep(0.3)
                servers.start_redis()
                await answering(client)
            await playing
            await appended(watcher, sum([len(await players.events(s)) for s in SESSIONS]))
        await checked(servers, players, watcher)
        assert all(host.poll() is None for host in servers.hosts.values()), "no host died of it"
    finally:
        await players.inbox.aclose()
        watcher.task.cancel()
        await asyncio.gather(watcher.task, return_exceptions=True)
