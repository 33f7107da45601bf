"""Rooms of a training that do nothing but remember, around a child process that counts; and a trainer of them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from server.config import Config
from server.jobs.faults import NotNow, Permanent
from server.store import Store
from server.store.adapters import AdapterRow
from server.store.training_jobs import JobRow
from server.training.flow import Packed, Rooms, Ruling
from server.training.slots import Slots
from server.training.states import State
from server.training.teaching import Teaching
from server.training.trainer import Trainer

ROOT = Path(__file__).parents[2]
LEASE_MS = 1_500


def command(folder: Path, device: str) -> Sequence[str]:
    return (sys.executable, "-m", "tests.server.training_child", str(folder), device)


class FakeRooms:
    """All rooms but the one that teaches."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.pause_s = pause_s
        self.did: list[str] = []
        self.broken: str | None = None
        self.faults: list[Exception] = []
        """Raised by the next gates, one each."""
        self.promotes: str | None = None

    @property
    def rooms(self) -> Rooms:
        return Rooms(self, Teaching(command, poll_s=0.05), self, self, self)

    async def collect(self, job: JobRow, folder: Path) -> None:
        if job.scored == 0:
            raise Permanent("there is nothing to learn from: no seat of the agent won")
        (folder / "pause").write_text(str(self.pause_s))
        if self.broken is not None:
            (folder / "broken").write_text(self.broken)

    async def pack(self, job: JobRow, folder: Path) -> Packed:
        self.did.append("pack")
        adapter = AdapterRow(
            card=f"card-{job.id}",
            weights="weights",
            owner="owner",
            agent=job.agent,
            space=job.space,
            base_sha256="0" * 64,
            bytes=1,
            created_ms=job.created_ms,
        )
        return Packed(adapter=adapter, data="data", manifest="manifest")

    async def load(self, job: JobRow, adapter: AdapterRow, folder: Path) -> None:
        self.did.append("load")

    async def unload(self, adapter: AdapterRow) -> None:
        self.did.append("unload")

    async def ruled(self, job: JobRow) -> Ruling | None:
        return None

    async def rule(self, job: JobRow, adapter: AdapterRow) -> Ruling:
        self.did.append("rule")
        if self.faults:
            raise self.faults.pop(0)
        return Ruling(promoted=self.promotes, gate="gate-1", reason="55 of 100 points")


def trainer(
    store: Store,
    redis: Redis,
    folder: Path,
    rooms: FakeRooms,
    *,
    cpu: int = 1,
    config: Config | None = None,
) -> Trainer:
    folder.mkdir(exist_ok=True)
    return Trainer(
        store=store,
        redis=redis,
        rooms=rooms.rooms,
        folder=folder,
        config=config or Config(),
        name=f"test-{os.getpid()}",
        slots=Slots(cpu=cpu, gpu=0),
        lease_ms=LEASE_MS,
        sweep_s=0.05,
    )


@asynccontextmanager
async def working(it: Trainer) -> AsyncIterator[None]:
    task = asyncio.create_task(it.run())
    try:
        yield
        await it.drain()
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(
    store: Store, job: str, holds: Callable[[JobRow], bool], timeout_s: float = 60
) -> JobRow:
    async with asyncio.timeout(timeout_s):
        while True:
            row = await store.training_jobs.get(job)
            assert row is not None
            if holds(row):
                return row
            await asyncio.sleep(0.02)


def over(row: JobRow) -> bool:
    return row.ended_ms is not None


def at_step(step: int) -> Callable[[JobRow], bool]:
    return lambda row: row.state is State.TRAINING and row.step >= step


__all__ = ["NotNow", "Permanent"]
