"""The worker role: runs what follows sessions. Start as many as there is work for."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from server.clock import Clock, unix_ms
from server.config import Config
from server.hostless import Hostless
from server.jobs import judge, pin, publish, rate, settle, void
from server.jobs.aftermath import Aftermath
from server.jobs.attempt import Attempts
from server.jobs.boards import Boards
from server.jobs.judge import JudgeStep, Panel
from server.jobs.pin import ContentStore, Pinning, PinStep
from server.jobs.pin_tasks import PinTasksPublisher
from server.jobs.publish import PublishStep
from server.jobs.rate import RateStep
from server.jobs.settle import SettleStep
from server.jobs.step import Step
from server.jobs.sweeper import SWEEP_S, Sweeper
from server.jobs.void import VoidStep
from server.jobs.wake import TimeoutClass, Waking, connect
from server.live import keys
from server.live.inbox import Inbox
from server.live.log import LiveLog
from server.metrics import Metrics
from server.settlement.border import Border
from server.settlement.simulated import SimulatedSettlement
from server.store import Store
from spaces.registry import offered

if TYPE_CHECKING:
    from server.court.asking import Docket
    from server.settlement.documents import SessionDocuments

JUDGINGS = 2
"""Verdicts in the making per process: models are the bottleneck, not we."""
SETTLEMENTS = 16
RATINGS = 8
TOGETHER = 16
"""Sessions settled, and then rated, on one wake-up."""
VOIDINGS = 8
"""They wait for hosts, mostly."""
CONNECTIONS = 16


class Worker:
    """One per process. Any number may run; the outbox sees to it that each step happens once."""

    def __init__(
        self,
        *,
        store: Store,
        redis: Redis,
        log: LiveLog,
        panel: Panel,
        court: Docket | None = None,
        hostless: Hostless,
        open_content: pin.Open,
        config: Config,
        documents: SessionDocuments | None = None,
        clock: Clock = unix_ms,
        rng: random.Random | None = None,
        sweep_s: float = SWEEP_S,
        metrics: Metrics | None = None,
        simulated: bool = True,
    ) -> None:
        """`redis` tells where arq's own connections go. The caller closes what it has passed in. `open_content` is called
        when the content store is first needed, and after it has failed. `documents` makes what is signed, where the money is on
        a chain. `court`: where sessions are judged by whoever has a stake; `panel` decides what it leaves. `simulated`: deposits and withdrawals are play-acted here; on a chain they are read from its logs."""
        metrics = metrics or Metrics(CollectorRegistry())
        content = ContentStore(open_content)
        self._store = store
        self._redis = redis
        self._clock = clock
        self._drain_s = config.drain_ms / 1_000
        self._sweep_s = sweep_s
        self._boards = Boards(
            store=store, log=log, clock=clock, spaces=[space.id for space in offered()]
        )
        aftermath = Aftermath(log, clock)
        steps: tuple[Step, ...] = (
            JudgeStep(
                store=store,
                aftermath=aftermath,
                panel=panel,
                timeout_s=config.judge_timeout_s,
                court=court,
            ),
            SettleStep(store=store, aftermath=aftermath),
            PinStep(
                store=store,
                aftermath=aftermath,
                content=content,
                metrics=metrics,
                documents=documents,
            ),
            RateStep(store=store, aftermath=aftermath, moved=self._boards.moved),
            VoidStep(
                store=store,
                aftermath=aftermath,
                inbox=Inbox(redis),
                hostless=hostless,
                clock=clock,
            ),
        )
        if documents is not None:
            published = PublishStep(
                store=store, documents=documents, content=content, metrics=metrics
            )
            steps = (*steps, published)
        self._attempts = Attempts(
            store=store,
            steps={step.name: step for step in steps},
            attempts=config.job_attempts,
            clock=clock,
            rng=rng or random.Random(),  # noqa: S311 - spreads retries, guards nothing
            metrics=metrics,
            then={settle.NAME: rate.NAME},
        )
        self._pinning = Pinning(
            store=store,
            content=content,
            attempts=self._attempts,
            clock=clock,
            steps=(pin.NAME,) if documents is None else (pin.NAME, publish.NAME),
        )
        self._pin_tasks = PinTasksPublisher(
            store=store,
            log=log,
            clock=clock,
            replicas=config.pin_replicas,
            delay_ms=config.spectator_delay_ms,
        )
        self._classes = {
            judge.NAME: TimeoutClass(keys.jobs("judge"), config.judge_timeout_s, JUDGINGS),
            settle.NAME: TimeoutClass(
                # who settles a session rates it next
                keys.jobs("settle"),
                settle.TIMEOUT_S + rate.TIMEOUT_S,
                SETTLEMENTS,
                TOGETHER,
            ),
            rate.NAME: TimeoutClass(keys.jobs("rate"), rate.TIMEOUT_S, RATINGS, TOGETHER),
            void.NAME: TimeoutClass(keys.jobs("void"), void.TIMEOUT_S, VOIDINGS),
        }
        self._border: Border | None = None
        if simulated:
            self._border = Border(
                crossings=store.crossings,
                settlement=SimulatedSettlement(clock, config.settlement_delay_ms),
                clock=clock,
            )
        self._draining = asyncio.Event()
        self._sweeper: Sweeper | None = None

    @property
    def sweeps(self) -> int:
        """How often it has looked for what is due; rises for as long as it works."""
        return 0 if self._sweeper is None else self._sweeper.sweeps

    async def run(self) -> None:
        """Work until cancelled or drained. What is under way when cancelled is put back at once."""
        arq = connect(self._redis, CONNECTIONS)
        wakings = [Waking(arq, each, self._attempts.run) for each in self._classes.values()]
        sweeper = self._sweeper = Sweeper(
            store=self._store,
            arq=arq,
            queues={step: each.queue for step, each in self._classes.items()},
            clock=self._clock,
            sweep_s=self._sweep_s,
            together={each.queue: each.together for each in self._classes.values()},
        )
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(each.run()) for each in wakings]
                tasks.append(group.create_task(sweeper.run()))
                tasks.append(group.create_task(self._boards.run()))
                if self._border is not None:
                    tasks.append(group.create_task(self._border.run()))
                tasks.append(group.create_task(self._pinning.run()))
                tasks.append(group.create_task(self._pin_tasks.run()))
                await self._draining.wait()
                drains = [waking.drain(self._drain_s) for waking in wakings]
                await asyncio.gather(*drains, self._pinning.drain(self._drain_s))
                await self._boards.publish()
                for task in tasks:
                    task.cancel()
        finally:
            await arq.aclose(close_connection_pool=True)

    async def drain(self) -> None:
        """Take nothing new, finish what is under way within `config.drain_ms`, and let `run` return."""
        self._draining.set()
