"""A job in the hands of one worker: its lease is renewed, its state moved, and its owner and budget are heard."""

from __future__ import annotations

import asyncio

from server.store.training_jobs import JobRow, Progress, TrainingJobs
from server.training.progress import Seen
from server.training.states import State

LEASE_MS = 30_000
RENEWALS = 3
"""In the time of a lease."""


class NotWanted(Exception):
    """The owner has cancelled it."""


class BudgetSpent(Exception):
    """The week's device-seconds are used up; it waits where it is."""

    def __str__(self) -> str:
        return "the week's budget of device-seconds is used up"


class Held:
    """Every method raises Overtaken when somebody else has the job by now, and NotWanted when its owner has cancelled it."""

    def __init__(
        self, jobs: TrainingJobs, job: JobRow, *, allowance_ms: int, lease_ms: int = LEASE_MS
    ) -> None:
        """`job` as `TrainingJobs.start` gave it. `allowance_ms`: device time that its budget has left."""
        self._jobs = jobs
        self._lease_ms = lease_ms
        self._allowance_ms = allowance_ms
        self._one = (
            asyncio.Lock()
        )  # an answer that was overtaken by a later one would be an older state
        self.job = job

    @property
    def spent(self) -> bool:
        """Nothing is left of its budget."""
        return self._allowance_ms <= 0

    async def keep(self) -> None:
        """Until cancelled: renew the lease. A database that is away for longer than the lease loses the job, which is right."""
        while True:
            await asyncio.sleep(self._lease_ms / RENEWALS / 1_000)
            await self._report(None)

    async def move(self, to: State, **found: str | None) -> None:
        """To the next state, which is written down with what was found."""
        async with self._one:
            self.job = await self._jobs.move(self.job, to, **found)

    async def note(self, **found: str | None) -> None:
        async with self._one:
            self.job = await self._jobs.note(self.job, **found)

    async def told(self, seen: Seen, since_ms: int) -> None:
        """How far the steps are, and how much more device time that took. Raises BudgetSpent, too."""
        self._allowance_ms -= since_ms
        await self._report(
            Progress(
                step=seen.step,
                steps=seen.steps,
                loss_micro=seen.loss_micro,
                curve=seen.curve,
                device_ms=since_ms,
            )
        )
        if self.spent:
            raise BudgetSpent

    async def _report(self, progress: Progress | None) -> None:
        async with self._one:
            self.job = await self._jobs.report(self.job, self._lease_ms, progress)
        if self.job.wanted_off:
            raise NotWanted
