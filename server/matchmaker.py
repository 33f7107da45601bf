"""The matchmaker role: leads as many queues as nobody else leads, and turns waiting into sessions."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog
from redis.asyncio import Redis

from server.clock import Clock, unix_ms
from server.config import Config
from server.forming import FormSession, Opened, Opener
from server.gate import Gate
from server.live import keys
from server.live.agents import AgentChannels
from server.live.leader import Leadership
from server.live.led_queue import LedQueue
from server.live.log import LiveLog
from server.live.queue_names import Queue, known_queues
from server.live.records import SessionRecord
from server.queue_term import Left, QueueTerm

SWEEP_EVERY_S = 5.0

Unopened = Callable[[], Awaitable[Sequence[SessionRecord]]]
Sweep = Callable[[], Awaitable[None]]

_logger = structlog.get_logger()


class Matchmaker:
    """One per process. Any number may run: each queue is led by one of them at a time.

    `form_session` writes the session to the store and must be idempotent by its id; `opened` is told
    when its live log exists; `unopened` names sessions that were formed some seconds ago and never
    opened, which one of the matchmakers then opens; `sweeps` are called every few seconds, e.g. to void live
    sessions that Redis has lost; `left` is told of tickets whose entries are to go back; `gate` is there where paid sessions
    wait for an escrow.
    """

    def __init__(
        self,
        *,
        name: str,
        redis: Redis,
        log: LiveLog,
        form_session: FormSession,
        config: Config,
        clock: Clock = unix_ms,
        opened: Opened | None = None,
        unopened: Unopened | None = None,
        sweeps: Sequence[Sweep] = (),
        left: Left | None = None,
        gate: Gate | None = None,
        leader_ttl_ms: int = keys.LEADER_TTL_MS,
        sweep_every_s: float = SWEEP_EVERY_S,
    ) -> None:
        self._name = name
        self._redis = redis
        self._config = config
        self._clock = clock
        self._agents = AgentChannels(redis, log, clock)
        self._opener = Opener(
            log=log,
            agents=self._agents,
            form_session=form_session,
            opened=opened,
            escrowed=gate is not None,
        )
        self._gate = gate
        self._unopened = unopened
        self._sweeps: list[Sweep] = [self._open_left_behind, *sweeps]
        self._left = left or _nothing_held
        self._leader_ttl_ms = leader_ttl_ms
        self._sweep_every_s = sweep_every_s
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Match until `drain` or cancelled. A cancelled matchmaker leaves its queues as a crash
        would: others lead them once the lease has lapsed, and nothing is lost."""
        self._running = asyncio.current_task()
        async with asyncio.TaskGroup() as group:
            for queue in known_queues(self._config.tiers_open):
                group.create_task(self._lead(queue))
            group.create_task(self._sweep())
            if self._gate is not None:
                group.create_task(self._gate.run(self._opener.open, self._stopping))

    async def drain(self) -> None:
        """Form nothing new, finish what all agents have confirmed, hand the queues over, and let
        `run` return. What is not finished within `config.drain_ms` is left to the next leader."""
        self._stopping.set()
        if self._running is not None and not self._running.done():
            _, late = await asyncio.wait({self._running}, timeout=self._config.drain_ms / 1_000)
            if late:
                self._running.cancel()
                await asyncio.wait(late)

    async def reopen(self, records: Sequence[SessionRecord]) -> None:
        """Open sessions that were formed and perhaps not opened. Harmless for those that were."""
        await self._opener.reopen(records)

    async def _lead(self, queue: Queue) -> None:
        leadership = Leadership(
            self._redis,
            key=keys.queue_leader(queue.key),
            fence=keys.queue_fence(queue.key),
            name=self._name,
            ttl_ms=self._leader_ttl_ms,
            stopping=self._stopping,
        )

        async def term() -> None:
            await QueueTerm(
                queue=queue,
                led=LedQueue(self._redis, queue, leadership),
                agents=self._agents,
                opener=self._opener,
                config=self._config,
                clock=self._clock,
                stopping=self._stopping,
                left=self._left,
            ).run()

        await leadership.lead(term)

    async def _sweep(self) -> None:
        """Every matchmaker sweeps; opening or voiding twice is harmless, so no leader is needed."""
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._sweep_every_s)
                return
            for sweep in self._sweeps:
                try:
                    await sweep()
                except Exception as error:  # whatever the store raises: there is a next time
                    _logger.warning("cannot sweep", error=repr(error))

    async def _open_left_behind(self) -> None:
        records = await self._unopened() if self._unopened is not None else ()
        if records:
            _logger.warning("opening sessions left behind", count=len(records))
            await self.reopen(records)


async def _nothing_held(tickets: Sequence[str]) -> None:
    """Where queues are free of money."""
