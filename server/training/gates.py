"""Has every running gate played. One process does it, any number may try."""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from redis.asyncio import Redis

from server.clock import Clock, unix_ms
from server.forming import FormSession, Opened, Opener
from server.live import keys
from server.live.agents import AgentChannels
from server.live.leader import Leadership
from server.live.log import LiveLog
from server.store import Store
from server.store.gates import StaleGate
from server.training.gate import PlayedGate

DUTY = "gates"
EVERY_S = 0.2
"""Between two looks at the sessions of a gate."""
SEEK_S = 1.0
"""Between two looks for new gates."""
REST_S = 5.0
"""A gate that failed is left alone for this long, and twice as long after each further failure."""
LONGEST_REST_S = 60.0

_logger = structlog.get_logger()


class GateKeeper:
    """One per process. `form_session` writes a session to the store, idempotent by its id; `opened` is told when its live log exists."""

    def __init__(
        self,
        *,
        name: str,
        redis: Redis,
        log: LiveLog,
        store: Store,
        form_session: FormSession,
        opened: Opened | None,
        clock: Clock = unix_ms,
        spectator_delay_ms: int = 0,
    ) -> None:
        self.gates = store.gates
        self.lineages = store.lineages
        self.sessions = store.sessions
        self.tournaments = store.tournaments
        self.channels = AgentChannels(redis, log, clock)
        self.form_session = form_session
        self.clock = clock
        self.spectator_delay_ms = spectator_delay_ms
        self.opener = Opener(
            log=log, agents=self.channels, form_session=form_session, opened=opened
        )
        self._stopping = asyncio.Event()
        self._leadership = Leadership(
            redis,
            key=keys.leader(DUTY),
            fence=keys.leader_fence(DUTY),
            name=name,
            stopping=self._stopping,
        )
        self._played: dict[str, PlayedGate] = {}
        self._resting: dict[str, float] = {}
        """Gates that failed, with the loop time at which they are tried again."""
        self._failures: dict[str, int] = {}

    async def run(self) -> None:
        """Play gates whenever we lead, until cancelled or drained. What is being played goes on without us, and the next one takes it up."""
        await self._leadership.lead(self._term)

    async def drain(self) -> None:
        """Form nothing more; `run` returns within SEEK_S."""
        self._stopping.set()

    async def _term(self) -> None:
        self._played.clear()
        loop = asyncio.get_running_loop()
        seek_at = 0.0
        while not self._stopping.is_set():
            if loop.time() >= seek_at:
                await self._seek(loop.time())
                seek_at = loop.time() + SEEK_S
            for gate in list(self._played):
                await self._step(gate, loop.time())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), EVERY_S if self._played else SEEK_S)

    async def _seek(self, now: float) -> None:
        for gate in await self.gates.running():
            if gate in self._played or self._resting.get(gate, 0.0) > now:
                continue
            self._resting.pop(gate, None)
            try:
                self._played[gate] = await PlayedGate.load(self, gate)
                _logger.info("gate taken up", gate=gate)
            except Exception as error:
                self._put_off(gate, now, error)

    async def _step(self, gate: str, now: float) -> None:
        try:
            await self._played[gate].step()
        except Exception as error:  # one gate's failure is its own: it is loaded anew after a while
            self._put_off(gate, now, error)
            return
        self._failures.pop(gate, None)
        if self._played[gate].over:
            del self._played[gate]

    def _put_off(self, gate: str, now: float, error: Exception) -> None:
        self._played.pop(gate, None)
        stale = isinstance(error, StaleGate)
        failed = 0 if stale else self._failures.get(gate, 0)
        self._failures[gate] = failed + (not stale)
        rest_s = 0.0 if stale else min(LONGEST_REST_S, REST_S * float(2 ** min(failed, 10)))
        self._resting[gate] = now + rest_s
        _logger.warning("gate interrupted", gate=gate, error=repr(error), exc_info=not stale)
