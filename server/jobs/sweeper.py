"""Looks for steps that are due and wakes a worker for each: the wake-up that cannot be lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import structlog
from arq.connections import ArqRedis

from server.clock import Clock
from server.jobs.wake import wake
from server.store import Store

SWEEP_S = 0.25
"""How soon a step that has become due is noticed."""
LIMIT = 1_000
"""Rows of one queue looked at in one sweep."""
AGAIN_S = 5.0
"""A row that is still due this long after it was woken is woken again."""
_CALM_S = 1.0
"""Wait after a sweep that failed."""

_logger = structlog.get_logger()


class Sweeper:
    """Any number of processes may sweep: the second wake-up of a row is refused."""

    def __init__(
        self,
        *,
        store: Store,
        arq: ArqRedis,
        queues: Mapping[str, str],
        clock: Clock,
        sweep_s: float = SWEEP_S,
        together: Mapping[str, int] | None = None,
    ) -> None:
        """`queues` names the queue of each step; other steps of the outbox are somebody else's. `together` says
        how many rows of a queue one wake-up may name, where it is more than one."""
        self._outbox = store.outbox
        self._arq = arq
        self._steps_of: dict[str, list[str]] = {}
        for step, queue in queues.items():
            self._steps_of.setdefault(queue, []).append(step)
        self._together = together or {}
        self._clock = clock
        self._sweep_s = sweep_s
        self._woken: dict[str, float] = {}
        self.sweeps = 0
        """Sweeps that came to their end."""

    async def run(self) -> None:
        """Until cancelled. An outage of database or Redis delays what is due, nothing else."""
        while True:
            try:
                await self.sweep()
                self.sweeps += 1
            except Exception as error:
                _logger.warning("sweep failed", error=str(error) or type(error).__name__)
                await asyncio.sleep(_CALM_S)
            await asyncio.sleep(self._sweep_s)

    async def sweep(self) -> int:
        """Wake a worker for each due row that was not woken a moment ago; returns how many."""
        now = time.monotonic()
        self._woken = {row: at for row, at in self._woken.items() if now - at < AGAIN_S}
        woken = 0
        # Each queue by itself: ten thousand judgings that are due must not stand before one settlement.
        for queue, steps in self._steps_of.items():
            due = await self._outbox.due(self._clock(), LIMIT, steps)
            new = [row.id for row in due if row.id not in self._woken]
            together = self._together.get(queue, 1)
            for first in range(0, len(new), together):
                rows = new[first : first + together]
                await wake(self._arq, queue, *rows)
                self._woken.update(dict.fromkeys(rows, now))
                woken += len(rows)
        return woken
