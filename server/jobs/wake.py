"""Waking workers through arq. What is lost here is only time: the sweeper wakes again.

arq 0.28 is used for what it does well and kept from the rest: jobs carry ids of rows and nothing else (several
at once where steps are short, since arq costs ten round trips a job), under an id of their own so that a second
wake-up of the same row is refused; no results are kept (a
living result refuses its id); its retries count nothing (the outbox counts); MessagePack instead of
pickle; its own connections, since it uses WATCH, which leaks pool connections when cancelled; one
queue and Worker per timeout class, since a killed worker's jobs stay hidden for the longest time-out
of its functions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
import structlog
from arq import Retry
from arq.connections import ArqRedis
from arq.worker import Worker as ArqWorker
from arq.worker import func
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

POLL_S = 0.1
MARGIN_S = 20.0
"""arq's own time-out, beyond the step's: a backstop that is never reached."""
FOREVER = 1_000_000
"""Tries, as far as arq is concerned."""
POOL_WAIT_S = 5
RESTART_S = 0.5
LAST_WORDS_S = 1.0
"""What is being said to Redis when a worker stops may take so long."""

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine

T = TypeVar("T")
_FUNCTION = "attempt"
_logger = structlog.get_logger()

Attempt = Callable[[str], Awaitable[int | None]]
"""Attempts an outbox row; returns the milliseconds to wait before the next attempt, if there is one."""


class TimeoutClass(msgspec.Struct, frozen=True):
    """Steps that take about as long share a queue; slow ones never stand before fast ones."""

    queue: str
    """The queue's key in Redis."""
    timeout_s: float
    at_once: int
    """Wake-ups of this class that one process follows at the same time."""
    together: int = 1
    """Rows that one wake-up may name; they are attempted at the same time."""


def connect(redis: Redis, max_connections: int) -> ArqRedis:
    """arq's client to the same Redis, with connections of its own. The caller closes it."""
    pool = redis.connection_pool
    return ArqRedis(
        BlockingConnectionPool(
            connection_class=pool.connection_class,
            max_connections=max_connections,
            timeout=POOL_WAIT_S,
            **pool.connection_kwargs,
        ),
        job_serializer=msgspec.msgpack.encode,
        job_deserializer=msgspec.msgpack.decode,
    )


async def wake(arq: ArqRedis, queue: str, *row_ids: str, defer_ms: int = 0) -> None:
    """Have some worker of the queue attempt the rows. The same wake-up stays once."""
    first, *others = row_ids
    job = f"{queue}:{first}" + (f"+{len(others)}" if others else "")
    await _whole(
        arq.enqueue_job(
            _FUNCTION,
            *row_ids,
            _job_id=job,
            _queue_name=queue,
            _defer_by=timedelta(milliseconds=defer_ms) if defer_ms else None,
        )
    )


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """Await it; cancelled, let it come to its end first, which takes a moment: arq watches keys, and a
    connection that is cut off in the middle of that is never given back."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait({task}, timeout=LAST_WORDS_S)
        task.cancel()
        raise


class _Worker(ArqWorker):
    """arq's worker, which is not stopped in the middle of a poll, and knows what it has left behind: it
    shields its last word on a job and forgets it, which would be spoken on closed connections then."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._last_words: set[asyncio.Task[Any]] = set()

    async def finish_job(self, *args: Any, **kwargs: Any) -> None:
        task = asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"
        self._last_words.add(task)
        task.add_done_callback(self._last_words.discard)
        await super().finish_job(*args, **kwargs)

    async def _poll_iteration(self) -> None:
        await _whole(super()._poll_iteration())

    async def settle(self, timeout_s: float) -> None:
        """Wait until all is said."""
        await asyncio.sleep(0)  # what has just been shielded begins
        if self._last_words:
            await asyncio.wait(self._last_words, timeout=timeout_s)


class Waking:
    """Takes the wake-ups of one timeout class and attempts the rows they name."""

    def __init__(self, arq: ArqRedis, timeouts: TimeoutClass, attempt: Attempt) -> None:
        self._arq = arq
        self._class = timeouts
        self._attempt = attempt
        self._worker = self._make()

    async def run(self) -> None:
        """Until cancelled; attempts under way are cancelled, too, and put their rows back."""
        while True:
            try:
                await self._worker.main()
            except (RedisError, OSError) as error:
                _logger.warning(
                    "redis does not serve, waiting", what=self._class.queue, error=str(error)
                )
            finally:
                await self._stop()
            self._worker = self._make()  # the old one may have lost count of its free places
            await asyncio.sleep(RESTART_S)

    async def drain(self, timeout_s: float) -> None:
        """Take no more, and wait until the attempts under way are done, at most `timeout_s`."""
        self._worker.allow_pick_jobs = False
        tasks = [task for task in self._worker.tasks.values() if not task.done()]
        if tasks:
            await asyncio.wait(tasks, timeout=timeout_s)

    async def _stop(self) -> None:
        tasks = list(self._worker.tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._worker.settle(LAST_WORDS_S)
        self._worker.tasks.clear()

    def _make(self) -> _Worker:
        return _Worker(
            functions=[
                func(
                    cast("WorkerCoroutine", self._run),
                    name=_FUNCTION,
                    timeout=self._class.timeout_s + MARGIN_S,
                    keep_result=0,
                    max_tries=FOREVER,
                )
            ],
            queue_name=self._class.queue,
            redis_pool=self._arq,
            handle_signals=False,
            max_jobs=self._class.at_once,
            poll_delay=POLL_S,
            keep_result=0,
            job_serializer=msgspec.msgpack.encode,
            job_deserializer=msgspec.msgpack.decode,
            log_results=False,
        )

    async def _run(self, _context: dict[str, Any], *row_ids: str) -> None:
        waits = await asyncio.gather(
            *(self._attempt(row_id) for row_id in row_ids), return_exceptions=True
        )
        for row_id, wait_ms in zip(row_ids, waits, strict=True):
            if isinstance(wait_ms, BaseException):
                raise wait_ms  # the sweeper wakes its row again, and those that come after it
            if wait_ms is None:
                continue
            if len(row_ids) == 1:
                raise Retry(defer=wait_ms / 1_000)
            await wake(self._arq, self._class.queue, row_id, defer_ms=wait_ms)
