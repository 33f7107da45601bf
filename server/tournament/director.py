"""The director: has every running tournament played. One process directs, any number may try."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import structlog
from redis.asyncio import Redis

from server.clock import Clock, unix_ms
from server.forming import FormSession, Opened, Opener
from server.live import keys
from server.live.agents import AgentChannels
from server.live.leader import Leadership
from server.live.log import LiveLog
from server.store.sessions import Sessions
from server.store.tournaments import Stale, Tournaments
from server.tournament.running import Running

DUTY = "tournaments"
EVERY_S = 0.2
"""Between two looks at the sessions of a tournament."""
SEEK_S = 1.0
"""Between two looks for new tournaments."""
REST_S = 5.0
"""A tournament that failed is left alone for this long, and twice as long after each further failure."""
LONGEST_REST_S = 60.0
"""What cannot be loaded does not fill the log; after an outage everything goes on within this time."""

_logger = structlog.get_logger()


class Director:
    """One per process. `form_session` writes a session to the store, idempotent by its id; `opened` is
    told when its live log exists."""

    def __init__(
        self,
        *,
        name: str,
        redis: Redis,
        log: LiveLog,
        tournaments: Tournaments,
        sessions: Sessions,
        form_session: FormSession,
        opened: Opened | None,
        clock: Clock = unix_ms,
        spectator_delay_ms: int = 0,
    ) -> None:
        self.tournaments = tournaments
        self.sessions = sessions
        self.log = log
        self.form_session = form_session
        self.clock = clock
        self.spectator_delay_ms = spectator_delay_ms
        self.opener = Opener(
            log=log,
            agents=AgentChannels(redis, log, clock),
            form_session=form_session,
            opened=opened,
        )
        self._stopping = asyncio.Event()
        self._leadership = Leadership(
            redis,
            key=keys.leader(DUTY),
            fence=keys.leader_fence(DUTY),
            name=name,
            stopping=self._stopping,
        )
        self._running: dict[str, Running] = {}
        self._resting: dict[str, float] = {}
        """Tournaments that failed, with the loop time at which they are tried again."""
        self._failures: dict[str, int] = {}
        """How often each has failed since it last made a step."""

    async def run(self) -> None:
        """Direct whenever we lead, until cancelled or drained. What is being played goes on without us,
        and the next director takes it up."""
        await self._leadership.lead(self._term)

    async def drain(self) -> None:
        """Form nothing more; `run` returns within EVERY_S."""
        self._stopping.set()

    async def _term(self) -> None:
        self._running.clear()
        loop = asyncio.get_running_loop()
        seek_at = 0.0
        while not self._stopping.is_set():
            if loop.time() >= seek_at:
                await self._seek(loop.time())
                seek_at = loop.time() + SEEK_S
            for tournament in list(self._running):
                await self._step(tournament, loop.time())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), EVERY_S if self._running else SEEK_S)

    async def _seek(self, now: float) -> None:
        for tournament in await self.tournaments.running():
            if tournament in self._running or self._resting.get(tournament, 0.0) > now:
                continue
            self._resting.pop(tournament, None)
            with self._guarded(tournament, now):
                self._running[tournament] = await Running.load(self, tournament)
                _logger.info("tournament taken up", tournament=tournament)

    async def _step(self, tournament: str, now: float) -> None:
        with self._guarded(tournament, now):
            running = self._running[tournament]
            await running.step()
            self._failures.pop(tournament, None)
            if running.over:
                del self._running[tournament]

    @contextlib.contextmanager
    def _guarded(self, tournament: str, now: float) -> Iterator[None]:
        """One tournament's failure is its own: it is loaded anew after a while."""
        try:
            yield
        except Exception as error:
            self._running.pop(tournament, None)
            self._resting[tournament] = now + self._rest_s(tournament, error)
            _logger.warning(
                "tournament interrupted",
                tournament=tournament,
                error=repr(error),
                exc_info=not isinstance(error, Stale),
            )

    def _rest_s(self, tournament: str, error: Exception) -> float:
        if isinstance(error, Stale):
            return 0.0
        failed = self._failures.get(tournament, 0)
        self._failures[tournament] = failed + 1
        return min(LONGEST_REST_S, REST_S * float(2 ** min(failed, 10)))
