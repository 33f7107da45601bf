"""One start of a training job: hold it, carry it as far as it goes, and write down how it went. The only place that decides
between trying again and giving up.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import structlog

from server.clock import Clock
from server.jobs.backoff import delay_ms
from server.jobs.faults import NotNow, Permanent, StepFault
from server.store import Store
from server.store.training_jobs import JobRow, Overtaken
from server.training import eligibility
from server.training.eligibility import Consent
from server.training.flow import Rooms, carry
from server.training.held import LEASE_MS, BudgetSpent, Held, NotWanted
from server.training.slots import Slot
from server.training.states import OVER, State

ATTEMPTS = 4
"""Starts in a row that got nowhere, before a job has failed."""
_TEACHES = frozenset({State.QUEUED, State.COLLECTING, State.TRAINING})
"""States before the last step: what follows needs no device time of the owner's."""
LATE = 6
"""A wait as after so many failed attempts: 8 to 16 s."""

_logger = structlog.get_logger()


class Attempts:
    """Any number of trainers may start the same job: one of them gets it."""

    def __init__(
        self,
        *,
        store: Store,
        rooms: Rooms,
        folders: Path,
        holder: str,
        clock: Clock,
        rng: random.Random,
        lease_ms: int = LEASE_MS,
    ) -> None:
        """`folders`: where each job has one. `holder` names this process."""
        self._store = store
        self._rooms = rooms
        self._folders = folders
        self._holder = holder
        self._clock = clock
        self._rng = rng
        self._lease_ms = lease_ms

    async def run(self, job: JobRow, slot: Slot) -> None:
        """Start the job, as it was seen to be due. Cancelling puts it back at once, and that start does not count; a killed worker's job
        comes back when its lease ends, and its start does."""
        try:
            job = await self._store.training_jobs.start(
                job, self._lease_ms, slot.kind, self._holder
            )
        except Overtaken:
            return
        line = _logger.bind(training=job.id, agent=job.agent, space=job.space, start=job.fence)
        try:
            held = Held(
                self._store.training_jobs,
                job,
                allowance_ms=await self._allowance_ms(job),
                lease_ms=self._lease_ms,
            )
        except asyncio.CancelledError:
            await self._put_back(job)
            raise
        if job.wanted_off or job.attempts > ATTEMPTS:
            await self._end(held, line)
            return
        try:
            if job.state in _TEACHES and held.spent:
                raise BudgetSpent
            await self._carry(held, slot)
            line.info("training", result=held.job.state.value, reason=held.job.reason)
        except asyncio.CancelledError:
            line.info("training", result="stopped", state=held.job.state.value)
            await self._put_back(held.job)
            raise
        except Overtaken as error:
            line.warning("training", result="overtaken", reason=str(error))
        except NotWanted:
            await self._end(held, line)
        except Exception as error:
            await self._failed(held, error, line)

    async def _carry(self, held: Held, slot: Slot) -> None:
        folder = self._folders / held.job.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        work = asyncio.ensure_future(carry(held, self._rooms, folder, slot.device))
        keeping = asyncio.ensure_future(held.keep())
        try:
            await asyncio.wait({work, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await keeping  # raises why it ended
            await work
        finally:
            for task in (work, keeping):
                task.cancel()
            await asyncio.gather(work, keeping, return_exceptions=True)

    async def _allowance_ms(self, job: JobRow) -> int:
        """What its budget has left; at least nothing."""
        consent = await self._consent(job)
        now_ms = self._clock()
        history = await self._store.training_jobs.history(job.agent, job.space, now_ms)
        return max(0, consent.budget_s * 1_000 - eligibility.spent_ms(history, now_ms))

    async def _consent(self, job: JobRow) -> Consent:
        return (await self._store.consents.of_agent(job.agent)).get(job.space, Consent())

    async def _end(self, held: Held, line: structlog.stdlib.BoundLogger) -> None:
        """A job that is not wanted, or that has killed its workers."""
        if held.job.wanted_off:
            to, reason = State.CANCELLED, "its owner cancelled it"
        else:
            to = State.FAILED
            reason = held.job.reason or f"its worker died {ATTEMPTS} times"
        try:
            await held.move(to, reason=reason)
            line.info("training", result=to.value, reason=reason)
        except Overtaken as error:
            line.warning("training", result="overtaken", reason=str(error))

    async def _failed(
        self, held: Held, error: Exception, line: structlog.stdlib.BoundLogger
    ) -> None:
        job, reason = held.job, str(error) or type(error).__name__
        told = reason if isinstance(error, StepFault) else "a failure of the arena's own"
        known = isinstance(error, StepFault | BudgetSpent)
        try:
            if isinstance(error, BudgetSpent):
                await self._wait_for_budget(job, reason)
            elif isinstance(error, NotNow):
                due_ms = self._clock() + delay_ms(LATE, self._rng)
                await self._store.training_jobs.leave(job, due_ms, told, counts=False)
            elif isinstance(error, Permanent) or job.attempts >= ATTEMPTS:
                await held.move(State.FAILED, reason=told)
            else:
                due_ms = self._clock() + delay_ms(job.attempts + 2, self._rng)
                await self._store.training_jobs.leave(job, due_ms, told, counts=True)
            line.warning("training", result="not done", reason=reason, exc_info=not known)
        except Overtaken as overtaken:
            line.warning("training", result="overtaken", reason=str(overtaken))

    async def _wait_for_budget(self, job: JobRow, reason: str) -> None:
        now_ms = self._clock()
        history = await self._store.training_jobs.history(job.agent, job.space, now_ms)
        consent = await self._consent(job)
        due_ms = max(now_ms + 1_000, eligibility.budget_frees_ms(consent, history, now_ms))
        await self._store.training_jobs.leave(job, due_ms, reason, counts=False)

    async def _put_back(self, job: JobRow) -> None:
        if job.state in OVER:
            return
        put = self._store.training_jobs.leave(job, self._clock(), None, counts=False)
        try:
            await asyncio.shield(put)
        except Overtaken:
            return
