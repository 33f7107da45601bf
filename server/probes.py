"""What is looked at for `/readyz`: this process's services, and the rest of the arena."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from redis.asyncio import Redis

from server.clock import Clock
from server.config import Config
from server.identity import new_id
from server.live import keys
from server.live.queue_names import known_queues
from server.readiness import Check, Unready
from server.store import OtherSchema, Store

MIN_FREE_BYTES = 256 * 1024 * 1024
"""With less than this on the disk of data_dir, the next write may be the one that fails."""
HOST_AWAY_MS = 5_000
"""A host that has not beaten for this long is gone."""
STUCK_MS = 60_000
"""A step that could be done and was not for this long: no worker does it, or too few."""
STILL_S = 10.0
"""What this process does over and over has stopped when it was not done for this long."""


def services(config: Config, store: Store, redis: Redis) -> list[Check]:
    """What this process itself needs: to write into Redis and the database, a schema it knows, a disk."""
    process = new_id()

    async def writes_redis() -> None:
        await redis.set(keys.probe(process), 1, ex=keys.PROBE_TTL_S)

    async def writes_database() -> None:
        try:
            await store.probe()
        except OtherSchema:
            raise Unready("it has another schema than this program wants") from None

    async def free_disk() -> None:
        free = await asyncio.to_thread(free_bytes, config.data_dir)
        if free is not None and free < MIN_FREE_BYTES:
            raise Unready(f"{free // 2**20} MiB are free where data_dir is")

    return [
        Check("redis", True, writes_redis),
        Check("database", True, writes_database),
        Check("disk", True, free_disk),
    ]


def arena(config: Config, store: Store, redis: Redis, clock: Clock) -> list[Check]:
    """What other processes do: hosts, matchmakers, workers."""

    async def hosts() -> None:
        seconds, micros = await redis.time()  # hosts note Redis's time
        since_ms = seconds * 1_000 + micros // 1_000 - HOST_AWAY_MS
        if not await redis.zcount(keys.hosts(), since_ms, "+inf"):
            raise Unready("no host is alive: sessions are formed and not played")

    async def leaders() -> None:
        queues = known_queues(config.tiers_open)
        async with redis.pipeline(transaction=False) as pipeline:
            for queue in queues:
                pipeline.exists(keys.queue_leader(queue.key))
            led = await pipeline.execute()
        alone = [queue.key for queue, is_led in zip(queues, led, strict=True) if not is_led]
        if alone:
            more = f" and {len(alone) - 1} more" if len(alone) > 1 else ""
            raise Unready(f"nobody leads the queue {alone[0]}{more}: nobody is matched there")

    async def outbox() -> None:
        now_ms = clock()
        for load in await store.backlog.load(now_ms):
            if load.oldest_due_ms is not None and now_ms - load.oldest_due_ms > STUCK_MS:
                waits_s = (now_ms - load.oldest_due_ms) // 1_000
                raise Unready(f"the step {load.step} waits for a worker, {waits_s} s by now")

    return [
        Check("hosts", False, hosts),
        Check("leaders", False, leaders),
        Check("outbox", False, outbox),
    ]


def goes_on(
    name: str, count: Callable[[], int], *, monotonic: Callable[[], float] = time.monotonic
) -> Check:
    """Something this process does over and over; `count` says how often by now."""
    seen, since = -1, monotonic()

    async def probe() -> None:
        nonlocal seen, since
        now, times = monotonic(), count()
        if times != seen:
            seen, since = times, now
        elif now - since > STILL_S:
            raise Unready(f"stands still for {now - since:.0f} s")

    return Check(name, True, probe)


def free_bytes(folder: str) -> int | None:
    """Free on the disk of a folder; None where there is no such folder, as with services elsewhere."""
    path = Path(folder).expanduser()
    return shutil.disk_usage(path).free if path.exists() else None
