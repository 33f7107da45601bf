"""Asking the oracle what sessions wait for, off the tick.

An inquiry costs one task while it is open. Answers are handed to the tick, since only the tick may
move a match on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import structlog

from server.clock import Clock
from server.host.held import Held
from server.live.records import SessionRecord
from server.match import Asked
from server.match.engine import LATE
from spaces.plain_text import plain_lines
from spaces.space import Inquiry, Observation

_logger = structlog.get_logger()

Answer = Callable[[SessionRecord, Inquiry], Awaitable[Observation]]
"""The oracle. It may be asked again after a failure, and by two hosts; what it raises is shown to
everybody if the session becomes void, so it must not tell a secret of ours."""

AT_ONCE = 64
"""Inquiries that each feed is asked at the same time; sleeping ones do not count. A feed has slots of
its own, so that a slow exchange holds up nobody who asks another."""
ATTEMPT_S = 10.0
"""One try may take so long, or less where the inquiry's limit is shorter."""
LEAST_S = 0.5
BACKOFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits between tries of one inquiry; the last one repeats."""
NAP_S = 60.0
"""Longest sleep without a look at the clock, which may be set meanwhile."""
REASON_CHARS = 200


class NoOracle(LookupError):
    """The session's Space asks an oracle, and this host was given none."""


class NoObservation(TypeError):
    """What the oracle returned is no observation: a try that failed."""


async def no_oracle(record: SessionRecord, inquiry: Inquiry) -> Observation:
    raise NoOracle(
        f"this host has no oracle to ask for the {inquiry.kind!r} of a {record.space} session"
    )


class Answered(NamedTuple):
    held: Held
    number: int
    observation: Observation


class Asking:
    """The open inquiries of the sessions that this host holds. `wake` is set when an answer comes."""

    def __init__(self, answer: Answer, clock: Clock, wake: asyncio.Event) -> None:
        self._answer = answer
        self._clock = clock
        self._wake = wake
        self._slots: dict[str, asyncio.Semaphore] = {}
        """By feed."""
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[str, tuple[Held, int, asyncio.Task[None]]] = {}
        """By session: whose inquiry, its number, and who asks."""
        self._answers: list[Answered] = []

    def start(self, group: asyncio.TaskGroup) -> None:
        """Tasks belong to `group` from now on."""
        self._group = group

    def ask(self, held: Held) -> None:
        """See to the open inquiry of a session that is ours. Asking twice is harmless."""
        asked = held.match.inquiry
        assert asked is not None, "nothing is asked"
        assert self._group is not None, "not started"
        under_way = self._tasks.get(held.session)
        if under_way is not None:
            if under_way[0] is held and under_way[1] == asked.number:
                return
            under_way[2].cancel()
        task = self._group.create_task(self._ask(held, asked.number), name="host oracle")
        self._tasks[held.session] = (held, asked.number, task)

    def forget(self, held: Held) -> None:
        """The session is not ours any more, or is over. Harmless when nothing is asked."""
        under_way = self._tasks.get(held.session)
        if under_way is not None and under_way[0] is held:
            del self._tasks[held.session]
            under_way[2].cancel()

    def close(self) -> None:
        """Ask nothing more; what was answered and not taken is asked again by the next host."""
        for _, _, task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    def take(self) -> list[Answered]:
        """The answers since the last call. Their sessions may have been lost meanwhile."""
        answers, self._answers = self._answers, []
        return answers

    async def _ask(self, held: Held, number: int) -> None:
        try:
            observation = await self._until_answered(held, number)
        finally:
            under_way = self._tasks.get(held.session)
            if under_way is not None and under_way[:2] == (held, number):
                del self._tasks[held.session]
        if observation is not None:
            self._answers.append(Answered(held, number, observation))
            self._wake.set()

    async def _until_answered(self, held: Held, number: int) -> Observation | None:
        """None when nobody waits for the answer any more: the deadline is the tick's business."""
        failures = 0
        while (asked := _open(held, number)) is not None:
            wait_ms = asked.opens_ms - self._clock()
            if wait_ms > 0:
                await asyncio.sleep(min(NAP_S, wait_ms / 1_000))
                continue
            try:
                return await self._try(held, asked, first=failures == 0)
            except Exception as error:  # any: the oracle is the world outside
                if failures == 0:
                    _logger.warning(
                        "the oracle does not answer",
                        session=held.session,
                        kind=asked.inquiry.kind,
                        error=f"{type(error).__name__}: {error}"[:REASON_CHARS],
                    )
                held.match.unanswered(number, _reason(error))
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
            failures += 1
        return None

    async def _try(self, held: Held, asked: Asked, *, first: bool) -> Observation:
        async with self._slots.setdefault(_feed(asked.inquiry), asyncio.Semaphore(AT_ONCE)):
            if first:  # the deadline may strike before this try has run out of its own time
                held.match.unanswered(asked.number, LATE)
            left_s = (asked.deadline_ms - self._clock()) / 1_000
            async with asyncio.timeout(min(ATTEMPT_S, max(LEAST_S, left_s))):
                observation = await self._answer(held.record, asked.inquiry)
        if not isinstance(observation, Observation):  # feeds are the operator's own programs
            raise NoObservation(f"not an observation: {type(observation).__name__}")
        return observation


def _open(held: Held, number: int) -> Asked | None:
    asked = held.match.inquiry
    return asked if asked is not None and asked.number == number else None


def _feed(inquiry: Inquiry) -> str:
    """The feed that is asked; there are as few as Spaces know names of feeds."""
    name = inquiry.ask.get("feed")
    return name if isinstance(name, str) else ""


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return LATE
    return " ".join(plain_lines(str(error)))[:REASON_CHARS] or type(error).__name__
