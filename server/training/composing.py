"""The trainer of a process, with its real rooms."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from redis.asyncio import Redis

from server.clock import unix_ms
from server.config import Config
from server.hosting import ModelServer
from server.jobs.pin import ContentStore
from server.store import Store
from server.training import extra
from server.training.flow import Rooms
from server.training.gathering import Gathering
from server.training.packing import Packing
from server.training.probing import Probing
from server.training.ruling import Gate
from server.training.slots import Slots
from server.training.teaching import Teaching
from server.training.trainer import Trainer


def make(
    *,
    config: Config,
    store: Store,
    redis: Redis,
    content: ContentStore,
    folder: Path,
    name: str,
    gateway: Callable[[], ModelServer],
) -> Trainer:
    """`folder` is for the jobs' own; it exists. `gateway` gives the model gateway, which loads and proves candidates. Where no slots are
    given there is one on the CPU. Raises ConfigError where the extra is not installed."""
    extra.check()
    rooms = Rooms(
        collects=Gathering(store, content, config),
        teaches=Teaching(command),
        packs=Packing(store, content, config),
        serves=Probing(gateway),
        gates=Gate(store),
    )
    cpu = config.training_cpu_slots if extra.slots(config) else 1
    slots = Slots(cpu=cpu, gpu=config.training_gpu_slots)
    return Trainer(
        store=store,
        redis=redis,
        rooms=rooms,
        folder=folder,
        config=config,
        name=name,
        slots=slots,
        clock=unix_ms,
    )


def command(folder: Path, device: str) -> Sequence[str]:
    """Of the child process."""
    return (sys.executable, "-m", "server.training.child", str(folder), device)
