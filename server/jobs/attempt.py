"""One attempt of one outbox row: take it, run its step, write down how it went.

This is the only place that decides between trying again and giving up.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping

import structlog

from server.clock import Clock
from server.jobs.backoff import LONGEST, delay_ms
from server.jobs.faults import Awaits, NotNow, Permanent, StepFault
from server.jobs.fence import Fence, Superseded
from server.jobs.step import Step
from server.metrics import Metrics
from server.store import Store
from server.store.outbox import NotDue, OutboxRow, State

GRACE_S = 15.0
"""Beyond a step's time-out, before its worker is taken for dead: for giving it up and writing down how it went."""
GIVING_UP_S = 12.0
"""Giving up may take so long."""
NOT_NOW = 6
"""A wait as after so many failed attempts, where the fault is not the row's: 8 to 16 s."""
MAX_REASON = 200
"""Characters of a reason that people are shown."""

_logger = structlog.get_logger()


class Attempts:
    """Runs outbox rows. Any number of workers may run the same row: one of them gets it."""

    def __init__(
        self,
        *,
        store: Store,
        steps: Mapping[str, Step],
        attempts: int,
        clock: Clock,
        rng: random.Random,
        metrics: Metrics,
        then: Mapping[str, str] | None = None,
    ) -> None:
        """`then` names steps that are attempted right after another by the same worker, without a wake-up."""
        self._then = then or {}
        self._metrics = metrics
        self._outbox = store.outbox
        self._steps = steps
        self._attempts = attempts
        self._clock = clock
        self._rng = rng

    async def run(self, row_id: str) -> int | None:
        """Attempt the row, if it is due. Returns milliseconds to wait before the next attempt, or
        None when there is nothing more to do.

        Cancelling puts the row back at once, and that attempt does not count; a killed worker's row
        comes back by itself, and its attempt does count: work that kills its workers ends, too.
        """
        row = await self._outbox.get(row_id)
        return None if row is None else await self.run_row(row)

    async def run_row(self, row: OutboxRow) -> int | None:
        """`run`, of a row as `due` gave it just now."""
        if row.step not in self._steps:
            return None
        step = self._steps[row.step]
        if row.state == State.RUNNING and row.tried >= self._attempts:
            return await self._lost(row, step)
        try:
            lease_ms = int((step.timeout_s + GRACE_S) * 1_000)
            number = await self._outbox.start(row, self._clock(), lease_ms)
        except NotDue:
            return None
        return await self._attempt(row, step, number)

    async def _attempt(self, row: OutboxRow, step: Step, number: int) -> int | None:
        started = time.monotonic()
        tried = row.tried + 1
        line = _logger.bind(job=row.id, step=row.step, session=row.session, attempt=tried)
        fence = Fence(self._outbox, row, number)
        try:
            async with asyncio.timeout(step.timeout_s):
                said = await step.run(row.session, fence)
            await self._outbox.done(row)
        except asyncio.CancelledError:
            self._count(row, "stopped", started)
            line.info("job", result="stopped", ms=_since(started))
            await asyncio.shield(self._outbox.stopped(row, self._clock()))
            raise
        except Superseded as error:
            self._count(row, "superseded", started)
            line.warning("job", result="superseded", reason=str(error), ms=_since(started))
            return None
        except NotNow as error:
            awaits = isinstance(error, Awaits)
            wait_ms = delay_ms(LONGEST if awaits else NOT_NOW, self._rng)
            self._count(row, "retry", started)
            say = line.debug if awaits else line.info
            say("job", result="not now", reason=_reason(error, step), again_ms=wait_ms)
            retry_at_ms = self._clock() + wait_ms
            await self._outbox.failed(row, _reason(error, step), retry_at_ms, counts=False)
            return wait_ms
        except Exception as error:
            reason = _reason(error, step)
            wait_ms = delay_ms(tried, self._rng)
            if isinstance(error, Permanent) or tried >= self._attempts:
                if not await self._give_up(row, step, fence, _public(error, step)):
                    # A row that is dead waits for people, and what giving up does, paying back, must not: one more
                    # attempt, which may even succeed.
                    self._count(row, "untold", started)
                    await self._outbox.failed(row, reason, self._clock() + wait_ms)
                    return wait_ms
                self._count(row, "dead", started)
                line.error(
                    "job", result="dead", reason=reason, ms=_since(started), exc_info=_ours(error)
                )
                await self._outbox.failed(row, reason, None)
                return None
            self._count(row, "retry", started)
            line.warning(
                "job", result="failed", reason=reason, again_ms=wait_ms, ms=_since(started)
            )
            await self._outbox.failed(row, reason, self._clock() + wait_ms)
            return wait_ms
        self._count(row, "done", started)
        line.info("job", result="done", ms=_since(started), **said)
        await self._go_on(row)
        return None

    async def _go_on(self, row: OutboxRow) -> None:
        """With the next step of the session, if it is ours to do and due. What fails of it comes back by the
        sweeper."""
        step = self._then.get(row.step)
        following = await self._outbox.following(row, step, self._clock()) if step else None
        if following is not None:
            await self.run_row(following)

    def _count(self, row: OutboxRow, result: str, started: float) -> None:
        self._metrics.steps.labels(row.step, result).inc()
        self._metrics.step_time.labels(row.step).observe(time.monotonic() - started)

    async def _lost(self, row: OutboxRow, step: Step) -> int | None:
        """Give up a row whose last attempt began and never ended, once its time has run out. Milliseconds to wait before giving
        up is tried again, where it has failed: the step, which has killed its workers, is not."""
        if row.due_ms > self._clock():
            return None
        reason = _death(row)
        fence = Fence(self._outbox, row, row.attempts)
        if not await self._give_up(row, step, fence, f"the worker died {row.tried} times"):
            self._metrics.steps.labels(row.step, "untold").inc()
            wait_ms = delay_ms(LONGEST, self._rng)
            await self._outbox.put_off(row, self._clock() + wait_ms)
            return wait_ms
        self._metrics.steps.labels(row.step, "dead").inc()
        _logger.error(
            "job",
            job=row.id,
            step=row.step,
            session=row.session,
            attempt=row.tried,
            result="dead",
            reason=reason,
        )
        await self._outbox.lost(row, reason)
        return None

    async def _give_up(self, row: OutboxRow, step: Step, fence: Fence, reason: str) -> bool:
        """Have the step give up. False when it could not: it is to be asked again."""
        # Before it is written down: a crash between the two tells again, and never not at all.
        try:
            async with asyncio.timeout(GIVING_UP_S):
                # giving up is an effect, too: whoever drives it again must not see it
                await fence.check()
                await step.give_up(row.session, reason)
        except Superseded as error:
            _logger.warning(
                "given up too late", step=row.step, session=row.session, error=str(error)
            )
        except Exception as error:
            _logger.error(
                "cannot give up yet",
                job=row.id,
                step=row.step,
                session=row.session,
                error=str(error) or type(error).__name__,
                exc_info=_ours(error),
            )
            return False
        return True


def _death(row: OutboxRow) -> str:
    if row.last_error is None:  # no attempt lived to tell
        return f"the worker died {row.tried} times"
    return f"the worker died in attempt {row.tried}; before: {row.last_error}"[:MAX_REASON]


def _reason(error: Exception, step: Step) -> str:
    if isinstance(error, TimeoutError):
        return f"not done within {step.timeout_s:g} s"
    return (str(error) or type(error).__name__)[:MAX_REASON]


def _public(error: Exception, step: Step) -> str:
    """What everybody may read of it: other errors speak of statements, paths and addresses of ours."""
    says_all = isinstance(error, StepFault | TimeoutError) or hasattr(error, "reason")
    return _reason(error, step) if says_all else "a failure of the arena's own"


def _ours(error: Exception) -> bool:
    """Whether the trace is worth a look: not for faults that say all in their message."""
    return not hasattr(error, "reason") and not isinstance(error, Permanent | TimeoutError)


def _since(started: float) -> int:
    return int((time.monotonic() - started) * 1_000)
