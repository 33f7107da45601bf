"""What a tick of a host costs while 2,000 sessions are live.

One host at 10 Hz holds 2,000 sessions of Bid Tac Toe; bots in another process (`host_load`) act about
once a second in each, so a tick has some 200 actions, and replace each session that ends, some 70 a
second, so the host also claims, restores and seals. Early ticks are switched off (`tick_min_ms` = `tick_ms`): each tick
takes all that came in 100 ms, which is the hardest case. Work is wall time from the start of the tick
to the last append being in Redis, so it holds what Redis and the other tasks of the loop take.
Sealing writes to nowhere: the store is measured elsewhere.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.host_load import HOST
from server import garbage
from server.clock import unix_ms
from server.config import Config
from server.host import Host, Sealed
from server.live.connection import open_redis
from server.live.inbox import Inbox
from server.live.lease import Leases
from server.live.log import LiveLog

SESSIONS = 2_000
TICK_MS = 100
WARM_S = 15.0
"""The first sessions begin together; until now their turns have spread."""
MEASURE_S = 20.0
BAR = 0.5


async def run(redis_url: str) -> list[dict[str, Any]]:
    """The row of `make bench`."""
    return [await host_2000_matches_tick_fraction_p99(redis_url)]


async def host_2000_matches_tick_fraction_p99(redis_url: str) -> dict[str, Any]:
    """99th percentile of tick work as a fraction of the tick. Flushes the Redis database."""
    works: list[float] = []
    redis = open_redis(redis_url)
    await redis.flushdb()
    host = Host(
        name=HOST,
        log=LiveLog(redis),
        inbox=Inbox(redis),
        leases=Leases(redis),
        seal_session=_nowhere,
        config=Config(
            tick_ms=TICK_MS, tick_min_ms=TICK_MS, host_capacity=SESSIONS + 100, data_dir="unused"
        ),
        clock=unix_ms,
        observe_tick=lambda work_s, _: works.append(work_s),
    )
    load = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "benchmarks.host_load", redis_url, str(SESSIONS)),
        cwd=Path(__file__).parents[1],
    )
    playing = asyncio.create_task(host.run())
    try:
        async with asyncio.timeout(120):
            while host.stats.sessions < SESSIONS * 0.99:
                assert load.returncode is None, "the load has ended"
                await asyncio.sleep(0.1)
        garbage.tune()  # as `agon serve` does
        await asyncio.sleep(WARM_S)
        works.clear()
        events, sealed, sessions = host.stats.events, host.stats.sealed, host.stats.sessions
        await asyncio.sleep(MEASURE_S)
        sessions = min(sessions, host.stats.sessions)
        events, sealed = host.stats.events - events, host.stats.sealed - sealed
        measured = works[:]
        assert load.returncode is None, "the load has ended"
    finally:
        load.kill()
        await load.wait()
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await redis.flushdb()
        await redis.aclose(close_connection_pool=True)
    fraction = percentile(measured, 0.99) * 1_000 / TICK_MS
    return {
        "name": "host_2000_matches_tick_fraction_p99",
        "value": round(fraction, 3),
        "unit": "of the tick",
        "bar": BAR,
        "met": fraction <= BAR,
        "median": round(percentile(measured, 0.5) * 1_000 / TICK_MS, 3),
        "ticks": len(measured),
        "sessions": sessions,
        "events_per_s": round(events / MEASURE_S),
        "sealed_per_s": round(sealed / MEASURE_S),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


async def _nowhere(sealed: Sealed) -> None:
    """A store that costs nothing."""
