"""Brings the metrics of what all processes share up to date, when somebody asks for them.

Nothing is computed for an arena that nobody scrapes. What is looked up in indexes is taken at most once
a second; sums over whole tables once in half a minute, and never for more than a twentieth of the
time, however large the tables have become.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from server.clock import Clock
from server.metrics import Metrics
from server.probes import free_bytes
from server.protocol import QueueCard
from server.readiness import Readiness
from server.store import Store, StoreError

CHEAP_S = 1.0
DEAR_S = 30.0
SHARE = 20
"""Sums rest for this many times as long as they took."""
TIMEOUT_S = 5.0
POTS_MS = 3_600_000
"""Pots are looked at for this long after their session was settled."""
UNOPENED_MS = 10_000

_FAILURES = (StoreError, SQLAlchemyError, RedisError, OSError, TimeoutError)
_logger = structlog.get_logger()


class Gauging:
    """One per process that serves `/metrics` for the arena. What fails keeps its last value, and the
    failure is counted."""

    def __init__(
        self,
        *,
        metrics: Metrics,
        store: Store,
        redis: Redis,
        queue_sizes: Callable[[], Awaitable[list[QueueCard]]],
        readiness: Readiness,
        data_dir: str,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metrics = metrics
        self._store = store
        self._redis = redis
        self._queue_sizes = queue_sizes
        self._readiness = readiness
        self._data_dir = data_dir
        self._clock = clock
        self._monotonic = monotonic
        self._turn = asyncio.Lock()
        self._cheap_at = float("-inf")
        self._dear_at = float("-inf")
        """Not before, on the monotonic clock."""

    async def refresh(self) -> None:
        """Never raises. Several who ask at once share one look."""
        async with self._turn:
            if self._monotonic() >= self._cheap_at:
                await asyncio.gather(*(self._take(name, look) for name, look in self._cheap()))
                self._cheap_at = self._monotonic() + CHEAP_S
            if self._monotonic() >= self._dear_at:
                began = self._monotonic()
                await self._take("sums", self._sums)
                took_s = self._monotonic() - began
                self._dear_at = self._monotonic() + max(DEAR_S, SHARE * took_s)

    def _cheap(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [
            ("database", self._database),
            ("redis", self._redis_trip),
            ("outbox", self._outbox),
            ("queues", self._queues),
            ("holds", self._holds),
            ("pins", self._pins),
            ("replicas", self._replicas),
            ("readiness", self._ready),
            ("disk", self._disk),
        ]

    async def _take(self, name: str, look: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await look()
        except _FAILURES as error:
            self._metrics.gauging_failures.labels(name).inc()
            _logger.warning("not measured", what=name, error=str(error) or repr(error))

    async def _database(self) -> None:
        began = time.perf_counter()
        await self._store.ping()
        self._metrics.round_trip.labels("database").set(time.perf_counter() - began)

    async def _redis_trip(self) -> None:
        began = time.perf_counter()
        await self._redis.ping()
        self._metrics.round_trip.labels("redis").set(time.perf_counter() - began)

    async def _outbox(self) -> None:
        now_ms = self._clock()
        loads = await self._store.backlog.load(now_ms)
        self._metrics.jobs.clear()
        self._metrics.jobs_due.clear()
        for load in loads:
            for state in ("waiting", "running", "dead"):
                self._metrics.jobs.labels(load.step, state).set(getattr(load, state))
            due_ms = now_ms if load.oldest_due_ms is None else load.oldest_due_ms
            self._metrics.jobs_due.labels(load.step).set(max(0, now_ms - due_ms) / 1_000)

    async def _queues(self) -> None:
        cards = await self._queue_sizes()
        self._metrics.waiting.clear()
        self._metrics.queue_oldest.clear()
        for card in cards:
            labels = (card.space, str(card.tier_micros))
            self._metrics.waiting.labels(*labels).set(card.waiting)
            self._metrics.queue_oldest.labels(*labels).set(card.longest_wait_s)

    async def _holds(self) -> None:
        now_ms = self._clock()
        for state, made_ms in (await self._store.gauges.oldest_holds()).items():
            age_s = 0 if made_ms is None else max(0, now_ms - made_ms) / 1_000
            self._metrics.holds_oldest.labels(state).set(age_s)
        self._metrics.unopened.set(await self._store.gauges.unopened(now_ms - UNOPENED_MS))

    async def _pins(self) -> None:
        sealed_ms = await self._store.pins.oldest_unpinned_ms()
        age_s = 0 if sealed_ms is None else max(0, self._clock() - sealed_ms) / 1_000
        self._metrics.unpinned_oldest.set(age_s)

    async def _replicas(self) -> None:
        lags = {
            ("database", name): lag for name, lag in (await self._store.gauges.replicas()).items()
        }
        info = await self._redis.info("replication")
        for number in range(int(info.get("connected_slaves", 0))):
            lags["redis", str(number)] = float(info.get(f"slave{number}", {}).get("lag", 0))
        self._metrics.replication_lag.clear()
        for labels, lag_s in lags.items():
            self._metrics.replication_lag.labels(*labels).set(lag_s)

    async def _ready(self) -> None:
        for finding in await self._readiness.look():
            self._metrics.ready.labels(finding.name).set(finding.ok)

    async def _disk(self) -> None:
        free = await asyncio.to_thread(free_bytes, self._data_dir)
        if free is not None:
            self._metrics.disk_free.set(free)

    async def _sums(self) -> None:
        for found in await self._store.gauges.imbalances():
            self._metrics.imbalance.labels(found.asset, "posted").set(found.posted_micros)
            self._metrics.imbalance.labels(found.asset, "pending").set(found.pending_micros)
        left = await self._store.gauges.pots_left(self._clock() - POTS_MS)
        self._metrics.pots_left.set(left)
