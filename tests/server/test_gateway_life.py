"""Slow readers, spectator delay, presence, keepalive, outages of Redis, and draining."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from server.live.connection import open_redis
from server.live.records import LogEvent
from server.protocol import (
    Act,
    CloseCode,
    Error,
    Goodbye,
    Partial,
    Ping,
    Pong,
    Position,
    Snapshot,
    Update,
    Watching,
    Writing,
)
from tests.conftest import _redis_server
from tests.server.gateway_arena import Arena, Client, Table, arena_of, running


def big(i: int) -> LogEvent:
    return LogEvent(t=i, by="host", type="deadline", body={"filler": "x" * 20_000, "i": i})


@contextlib.asynccontextmanager
async def stalled(arena: Arena, table: Table) -> AsyncIterator[Client]:
    """A client that follows a session and then reads no more, with small buffers on its side."""
    host, port = arena.gateways[0].address.removeprefix("ws://").split(":")
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
    async with arena.socket(sock=sock) as raw:
        client = Client(raw)
        await client.hello()
        await client.snapshot(table.channel)
        raw.transport.pause_reading()
        yield client
        raw.transport.abort()


async def test_a_slow_reader_is_cut_off_and_others_lose_nothing(redis: Redis) -> None:
    async with arena_of(redis, send_buffer_bytes=256 * 1024) as arena:
        table = await arena.table()
        total = 400
        with capture_logs() as logs:
            async with arena.client() as steady, stalled(arena, table):
                await steady.snapshot(table.channel)
                reading = asyncio.create_task(steady.offsets_until(table.channel, total))
                for i in range(total):
                    await table.append(big(i))
                offsets = await reading
        assert offsets == list(range(1, total + 1))
        ends = {log["code"] for log in logs if log["event"] == "connection"}
        assert CloseCode.SLOW_READER in ends


async def test_a_replay_that_would_choke_is_a_snapshot(redis: Redis) -> None:
    async with arena_of(redis, send_buffer_bytes=64 * 1024) as arena:
        table = await arena.table()
        async with arena.client() as client:
            epoch = (await client.snapshot(table.channel)).epoch
        for i in range(10):
            await table.append(big(i))
        async with arena.client() as client:
            snapshot = await client.snapshot(table.channel, Position(epoch, 0))
            assert (snapshot.resync, snapshot.offset) == (True, 10)


async def test_spectators_see_a_delayed_session_later_than_its_seats(redis: Redis) -> None:
    delay_s = 0.6
    async with arena_of(redis) as arena:
        play = await arena.play("rap-battle", delay_ms=int(delay_s * 1000))
        table = play.table
        [decision] = play.match.views().public.decisions  # type: ignore[union-attr]
        started = time.monotonic()
        async with (
            arena.client(f"agent{decision.seat}") as seat,
            arena.client() as spectator,
        ):
            await spectator.subscribe(table.channel)
            await seat.snapshot(table.channel)
            assert time.monotonic() - started < delay_s
            late = await spectator.expect(Snapshot)
            assert time.monotonic() - started >= delay_s * 0.9
            assert late.offset == 1

            acted = time.monotonic()
            await seat.send(Partial(table.session, play.match.turn, 0, "one bar"))
            await seat.expect(Writing)
            await seat.send(Act("a1", table.session, play.match.turn, "one bar\ntwo\nthree\nfour"))
            await play.step()
            await seat.expect(Update)
            assert time.monotonic() - acted < delay_s
            await spectator.expect(Writing)
            assert time.monotonic() - acted >= delay_s * 0.9
            update = await spectator.expect(Update)
            assert update.events[0].offset == 2

            async with arena.client() as second:  # the delayed state is there for the next one
                begun = time.monotonic()
                await second.snapshot(table.channel)
                assert time.monotonic() - begun < delay_s


async def test_a_delayed_resume_replays_no_more_than_has_been_let_out(redis: Redis) -> None:
    async with arena_of(redis) as arena:
        table = await arena.table(delay_ms=500)
        async with arena.client() as spectator:
            snapshot = await spectator.snapshot(table.channel)
            await table.ticks(2)
            await spectator.subscribe(table.channel, Position(snapshot.epoch, 0))
            await spectator.send(Ping(1))
            await spectator.expect(Pong)
            assert not any(isinstance(message, Update) for message in spectator.seen)
            assert await spectator.offsets_until(table.channel, 2) == [1, 2]


async def test_watchers_are_counted_over_all_gateways(redis: Redis) -> None:
    async with arena_of(redis) as arena, running(arena.gateway("gateway-2")):
        table = await arena.table()
        async with arena.client(at=0) as here, arena.client(at=1) as there:
            await here.snapshot(table.channel)
            await there.snapshot(table.channel)
            for client in (here, there):
                await client.expect(Watching, lambda m: m.count == 2)
            await there.socket.close()
            await here.expect(Watching, lambda m: m.count == 1)


async def test_who_does_not_answer_pings_is_ended(redis: Redis) -> None:
    async with arena_of(redis) as arena:
        fast = arena.gateway("gateway-2", ping_interval_s=1)
        with capture_logs() as logs:
            async with running(fast), arena.client(at=1) as awake:
                async with arena.client(at=1) as asleep:
                    asleep.socket.transport.pause_reading()
                    await asyncio.sleep(3.5)
                    asleep.socket.transport.abort()
                await awake.send(Ping(1))
                await awake.expect(Pong)
        codes = [log["code"] for log in logs if log["event"] == "connection"]
        assert codes.count(CloseCode.IDLE) == 1


async def test_draining_sends_everybody_elsewhere(redis: Redis) -> None:
    async with arena_of(redis, drain_ms=1_000) as arena, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(arena.client()) for _ in range(5)]
        drained = asyncio.create_task(arena.gateways[0].drain())
        for client in clients:
            goodbye = await client.expect(Goodbye)
            assert goodbye.code == CloseCode.DRAINING
            assert goodbye.reconnect_in_ms >= 1
            assert await client.closed() == CloseCode.DRAINING
        await asyncio.wait_for(drained, 2)
        with pytest.raises(OSError):  # noqa: PT011 (refused, by whatever errno)
            async with arena.socket():
                pass


async def test_draining_does_not_wait_for_those_who_do_not_read(redis: Redis) -> None:
    async with arena_of(redis, drain_ms=300) as arena:
        table = await arena.table()
        async with stalled(arena, table):
            began = time.monotonic()
            await arena.gateways[0].drain()
            assert time.monotonic() - began < 1.5


@pytest.fixture
def mortal_redis(tmp_path: Path) -> Iterator[str]:
    """A Redis of this test alone, whose socket may be moved out of reach."""
    path = tmp_path / "r.sock"
    process = subprocess.Popen(
        [
            *(_redis_server(), "--port", "0", "--unixsocket", str(path), "--dir", str(tmp_path)),
            *("--save", "", "--appendonly", "no"),
        ],
        stdout=subprocess.DEVNULL,
    )
    while not path.exists():
        time.sleep(0.02)
    yield f"unix://{path}"
    process.terminate()
    process.wait(10)


async def test_connections_outlive_an_outage_of_redis(
    mortal_redis: str,
) -> None:
    redis = open_redis(mortal_redis)
    try:
        async with arena_of(redis) as arena, arena.client() as client:
            table = await arena.table()
            await client.snapshot(table.channel)
            unix = Path(mortal_redis.removeprefix("unix://"))
            aside = unix.with_suffix(".aside")
            await redis.connection_pool.disconnect()
            await redis.client_kill_filter(_type="normal", skipme=False)
            unix.rename(aside)  # nobody gets through any more; the data stays
            await redis.connection_pool.disconnect()
            await client.subscribe("session:some-other")
            error = await client.expect(Error)
            assert (error.code, error.ref) == ("unavailable", "session:some-other")
            assert error.retry_after_ms > 0
            await client.send(Ping(1))
            await client.expect(Pong)
            aside.rename(unix)
            await table.ticks(3)
            assert await client.offsets_until(table.channel, 3) == [1, 2, 3]
    finally:
        await redis.aclose(close_connection_pool=True)
