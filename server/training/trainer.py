"""The trainer role: takes training jobs that are due, one for each free device.

Its queue in Redis carries wake-ups alone, and a wake-up is over once a slot has taken the job or there is none free: arq hides the wake-ups of a
killed worker for as long as they might have run, and a training runs for hours. What holds a job is its lease in the records.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from arq.connections import ArqRedis
from redis.asyncio import Redis

from server.clock import Clock, unix_ms
from server.config import Config
from server.jobs.wake import TimeoutClass, Waking, connect, wake
from server.live import keys
from server.store import Store
from server.store.training_jobs import JobRow
from server.training import folders
from server.training.attempt import Attempts
from server.training.flow import Rooms
from server.training.held import LEASE_MS
from server.training.scheduling import Scheduling
from server.training.slots import Slot, Slots
from server.training.states import OVER

SWEEP_S = 1.0
"""How soon a job that is due is noticed."""
SCHEDULE_S = 30.0
"""How soon an agent that has become eligible is."""
FOLDERS_S = 600.0
WAKING_S = 30.0
DUE = 100
_CALM_S = 2.0
CONNECTIONS = 6

_logger = structlog.get_logger()


class Trainer:
    """One per process. Any number may run."""

    def __init__(
        self,
        *,
        store: Store,
        redis: Redis,
        rooms: Rooms,
        folder: Path,
        config: Config,
        name: str,
        slots: Slots,
        clock: Clock = unix_ms,
        rng: random.Random | None = None,
        lease_ms: int = LEASE_MS,
        sweep_s: float = SWEEP_S,
    ) -> None:
        """`folder` is for the jobs' own ones; it exists. The caller closes what it has passed in."""
        self._store = store
        self._redis = redis
        self._folder = folder
        self._config = config
        self._clock = clock
        self._slots = slots
        self._sweep_s = sweep_s
        self._attempts = Attempts(
            store=store,
            rooms=rooms,
            folders=folder,
            holder=name,
            clock=clock,
            rng=rng or random.Random(),  # noqa: S311 - spreads retries, guards nothing
            lease_ms=lease_ms,
        )
        self._scheduling = Scheduling(store, config, clock)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._draining = asyncio.Event()
        self.sweeps = 0
        """How often it has looked for what is due; rises for as long as it works."""

    async def run(self) -> None:
        """Work until cancelled or drained. Trainings under way then are put back at once, and go on from their checkpoints."""
        arq = connect(self._redis, CONNECTIONS)
        queue = TimeoutClass(keys.jobs("train"), WAKING_S, max(1, self._slots.count))
        waking = Waking(arq, queue, self._woken)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(waking.run()),
                    group.create_task(self._sweep(arq, queue.queue)),
                    group.create_task(self._every(SCHEDULE_S, self._scheduling.look)),
                    group.create_task(self._every(FOLDERS_S, self._tidy)),
                ]
                await self._draining.wait()
                for task in tasks:
                    task.cancel()
        finally:
            await self._stop()
            await arq.aclose(close_connection_pool=True)

    async def drain(self) -> None:
        """Take nothing new and let `run` return; a training is not waited for, since it goes on elsewhere or later."""
        self._draining.set()

    async def _woken(self, job_id: str) -> None:
        """Have a free slot take the job. Without one it stays due, for this trainer or another."""
        job = await self._store.training_jobs.get(job_id)
        if job is None or job.state in OVER or job.due_ms > self._clock():
            return
        slot = None if job_id in self._running else self._slots.take(job.device)
        if slot is None:
            return
        task = asyncio.create_task(self._attempt(job, slot), name=f"training-{job_id}")
        self._running[job_id] = task

    async def _attempt(self, job: JobRow, slot: Slot) -> None:
        try:
            await self._attempts.run(job, slot)
        except Exception as error:  # the database is away: the lease ends, and the job is due again
            _logger.error("training lost", training=job.id, error=str(error), exc_info=True)
        finally:
            self._slots.give(slot)
            self._running.pop(job.id, None)

    async def _sweep(self, arq: ArqRedis, queue: str) -> None:
        woken: dict[str, float] = {}
        while True:
            await self._calmly(lambda: self._wake_due(arq, queue, woken))
            self.sweeps += 1
            await asyncio.sleep(self._sweep_s)

    async def _wake_due(self, arq: ArqRedis, queue: str, woken: dict[str, float]) -> None:
        now = time.monotonic()
        for job in await self._store.training_jobs.due(self._clock(), DUE, self._slots.kinds):
            if job.id not in self._running and now - woken.get(job.id, -9.0) > 5 * self._sweep_s:
                await wake(arq, queue, job.id)
                woken[job.id] = now

    async def _tidy(self) -> None:
        names = {job.folder for job in await self._store.training_jobs.open()}
        await asyncio.to_thread(folders.sweep, self._folder, names, self._config.training_max_bytes)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            await self._calmly(work)
            await asyncio.sleep(seconds)

    async def _calmly(self, work: Callable[[], Awaitable[object]]) -> None:
        """An outage of database or Redis delays what is due, nothing else."""
        try:
            await work()
        except Exception as error:
            _logger.warning("trainer waits", error=str(error) or type(error).__name__)
            await asyncio.sleep(_CALM_S)

    async def _stop(self) -> None:
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
