"""Embedded services are real, shared, and never outlive the processes that use them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.embedded import redis as embedded_redis
from server.embedded.data_dir import DataDir

ROOT = Path(__file__).parents[2]

_USER = """
import asyncio, sys
from server.embedded import redis
from server.embedded.data_dir import DataDir

async def main():
    with DataDir(sys.argv[1]) as data:
        print(await redis.start(data), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def _user(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _USER, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def _end(process: subprocess.Popen[str], how: signal.Signals) -> None:
    process.send_signal(how)
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()


async def _server_pid(url: str) -> int:
    client = Redis.from_url(url)
    try:
        return int((await client.info("server"))["process_id"])
    finally:
        await client.aclose()


def _gone(pid: int, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


async def test_redis_is_shared_and_ends_after_the_last_user_was_killed(tmp_path: Path) -> None:
    first, url = _user(tmp_path)
    second, same = _user(tmp_path)
    try:
        assert url == same != ""
        pid = await _server_pid(url)
        _end(first, signal.SIGKILL)
        assert not _gone(pid, within_s=1.0), "the second user still needs it"
        assert await _server_pid(url) == pid
    finally:
        if first.poll() is None:
            _end(first, signal.SIGKILL)
        _end(second, signal.SIGKILL)
    assert _gone(pid, within_s=10.0), "redis-server outlived all its users"


async def test_a_killed_redis_comes_back_with_its_data(tmp_path: Path) -> None:
    with DataDir(tmp_path) as data:
        url = await embedded_redis.start(data)
        client = Redis.from_url(url)
        await client.set("kept", b"1")
        os.kill(await _server_pid(url), signal.SIGKILL)
        await client.aclose()
        assert await _eventually_get(url, "kept") == b"1"


async def test_a_redis_that_is_too_busy_to_answer_is_not_started_beside_itself(
    tmp_path: Path,
) -> None:
    with DataDir(tmp_path) as data:
        url = await embedded_redis.start(data)
        pid = await _server_pid(url)
        os.kill(pid, signal.SIGSTOP)
        try:
            again = asyncio.create_task(embedded_redis.start(data))
            await asyncio.wait({again}, timeout=4)
            assert not again.done(), "it answers although it is stopped: there are two"
        finally:
            os.kill(pid, signal.SIGCONT)
        assert await again == url
        assert await _server_pid(url) == pid


async def _eventually_get(url: str, key: str) -> bytes | None:
    """The value, once the server answers again."""
    for _ in range(200):
        await asyncio.sleep(0.05)
        client = Redis.from_url(url)
        try:
            value: bytes | None = await client.get(key)
            return value
        except RedisError:
            continue
        finally:
            await client.aclose()
    pytest.fail("redis-server did not come back")


def test_a_long_data_dir_still_gets_a_socket_that_fits(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    with DataDir(deep) as data:
        socket = data.socket("redis.sock")
        assert len(str(socket)) < 104
        assert socket.parent.stat().st_mode & 0o077 == 0


def test_a_data_dir_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with DataDir(tmp_path) as data:
        assert data.path.stat().st_mode & 0o077 == 0
