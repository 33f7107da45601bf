"""A killed redis-server has kept what it has confirmed, also on a disk that is slow to sync."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from server.embedded import redis as embedded_redis
from server.embedded.data_dir import DataDir

WRITE_S = 2.5
"""A background sync begins within the first second; in the two after it everysec keeps writes back."""

_SLOW_SYNC = """
#define _GNU_SOURCE
#include <unistd.h>
#include <sys/syscall.h>
/* Only threads beside the main one: a sync there delays answers, it does not break promises. */
static int slow(void) { if (syscall(SYS_gettid) != getpid()) sleep(4); return 0; }
int fdatasync(int fd) { return slow(); }
int fsync(int fd) { return slow(); }
"""


@pytest.fixture
def slow_sync(tmp_path: Path) -> str:
    """A library to preload, with which background syncs take 4 s."""
    compiler = shutil.which("gcc")
    if compiler is None or os.uname().sysname != "Linux":
        pytest.skip("needs Linux and gcc")
    source, library = tmp_path / "slow.c", tmp_path / "slow.so"
    source.write_text(_SLOW_SYNC)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    return str(library)


@pytest.mark.slow
async def test_what_is_confirmed_outlives_a_kill(
    tmp_path: Path, slow_sync: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DataDir(str(tmp_path / "data")) as data:
        with monkeypatch.context() as patched:
            patched.setenv("LD_PRELOAD", slow_sync)
            url = await embedded_redis.start(data)
        async with Redis.from_url(url) as client:
            server = int((await client.info("server"))["process_id"])
            assert slow_sync in Path(f"/proc/{server}/maps").read_text(), "the disk is slow"
            confirmed, until_s = 0, time.monotonic() + WRITE_S
            while time.monotonic() < until_s:
                await client.set("confirmed", confirmed + 1)
                confirmed += 1
            os.kill(server, signal.SIGKILL)
        url = await embedded_redis.start(data)
        async with Redis.from_url(url) as client:
            assert int(await client.get("confirmed") or 0) == confirmed
