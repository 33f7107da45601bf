"""The official boards, made again on a schedule by one worker: a results file, a board from it, both kept.

What they were made of is public, and so is how: the file is content-addressed, the board names its digest.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import structlog
from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError

from server.clock import Clock, unix_ms
from server.live import keys
from server.live.leader import Leadership
from server.official.document import BoardWindow
from server.official.publish import BoardFailed, publish, sweep
from server.store import Store

DUTY = "official-boards"

_logger = structlog.get_logger()


class OfficialBoards:
    """One per process; any number may run, one of them works."""

    def __init__(
        self,
        *,
        name: str,
        redis: Redis,
        store: Store,
        folder: Path,
        spaces: Iterable[str],
        every_s: float,
        window: BoardWindow | None = None,
        delay_ms: int = 0,
        clock: Clock = unix_ms,
    ) -> None:
        """`folder` is where results files lie: one for all processes that make or serve them; `delay_ms` is
        `config.spectator_delay_ms`."""
        self._store = store
        self._folder = folder
        self._spaces = tuple(spaces)
        self._every_s = every_s
        self._window = window or BoardWindow()
        self._delay_ms = delay_ms
        self._clock = clock
        self._known: dict[str, tuple[int, int]] = {}
        self._stopping = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._leadership = Leadership(
            redis,
            key=keys.leader(DUTY),
            fence=keys.leader_fence(DUTY),
            name=name,
            stopping=self._stopping,
        )

    async def run(self) -> None:
        """Make boards whenever we lead, until cancelled or drained."""
        await self._leadership.lead(self._term)

    async def drain(self) -> None:
        """Begin nothing more, and leave what is being made to the next one: it is made whole or not at all."""
        self._stopping.set()
        if self._work is not None:
            self._work.cancel()

    async def _term(self) -> None:
        self._known.clear()
        while not self._stopping.is_set():
            self._work = asyncio.create_task(self._all())
            try:
                await asyncio.wait({self._work})
            finally:  # when the lease is lost, another begins the same: ours ends with it
                self._work.cancel()
                await asyncio.gather(self._work, return_exceptions=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._every_s)

    async def _all(self) -> None:
        """Each Space for itself: what fails is tried again next time."""
        for space in self._spaces:
            with _logged("official board not made", space=space):
                await self._publish(space)
        with _logged("results files not swept"):
            await sweep(self._store, self._folder)

    async def _publish(self, space: str) -> None:
        """Unless nothing has come to the Space since we made its board."""
        count = await self._store.outcomes.count(space, self._clock() - self._delay_ms)
        if not count[0] or self._known.get(space) == count:
            return
        made = await publish(
            self._store,
            space,
            self._folder,
            self._window,
            clock=self._clock,
            delay_ms=self._delay_ms,
        )
        self._known[space] = count
        _logger.info(
            "official board",
            space=space,
            sessions=made.sessions,
            versions=len(made.rows),
            digest="" if made.source is None else made.source.digest,
        )


@contextlib.contextmanager
def _logged(failure: str, **about: str) -> Iterator[None]:
    """Log what goes wrong inside and go on; with a trace where the fault must be ours."""
    try:
        yield
    except Exception as error:
        ours = not isinstance(error, BoardFailed | SQLAlchemyError | OSError)
        _logger.error(failure, **about, error=str(error) or repr(error), exc_info=ours)
