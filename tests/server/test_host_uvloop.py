"""The host's tick under the event loop it runs on in earnest, whose timers fire a little early."""

from __future__ import annotations

import asyncio

import pytest

from server.live.connection import open_redis
from tests.server.live_play import FAST, Shelf, host_on

uvloop = pytest.importorskip("uvloop", reason="not made for this system")


def test_an_idle_host_ticks_once_per_grid_time(redis_url: str) -> None:
    async def ticks_in_a_second() -> int:
        redis = open_redis(redis_url)
        await redis.flushdb()
        host = host_on(redis, Shelf().keep, "uv-host")
        task = asyncio.create_task(host.run())
        await asyncio.sleep(0.1)
        before = host.stats.ticks
        await asyncio.sleep(1)
        ticks = host.stats.ticks - before
        await host.drain()
        await task
        await redis.aclose(close_connection_pool=True)
        return ticks

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        ticks = runner.run(ticks_in_a_second())
    assert FAST.tick_ms == 20
    # A busy machine may skip grid times; more ticks than these never belong to the grid.
    assert 40 <= ticks <= 60
