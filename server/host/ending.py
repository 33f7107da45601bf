"""Sealing finished sessions, off the tick: annotations, transcript, store, digest.

The transcript is a function of the log, so annotations must be in the log before any host makes one.
Only the host that ended a session, under the lease by which it did, annotates it: whoever takes it
over later cannot know whether it was sealed already, and seals what the log holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from server.clock import Clock
from server.host.commentary import Annotate, comments_on
from server.host.held import Held
from server.host.patience import pause, persist
from server.host.sealed import Sealed, sealed_of
from server.live.log import Fenced, LiveLog

_logger = structlog.get_logger()

SEALERS = 8
"""Sessions sealed at the same time."""


class Endings:
    """Finished sessions on their way into the store. `gap` is set between two ticks: making a
    transcript takes milliseconds, which no tick shall wait for.

    `done(held, sealed)` is called when the digest is in the log; `lost(held, reason)` when somebody
    else seals it. Whatever has been done when the host dies, the next one does again, to the byte.
    """

    def __init__(
        self,
        log: LiveLog,
        seal_session: Callable[[Sealed], Awaitable[None]],
        annotate: Annotate,
        clock: Clock,
        gap: asyncio.Event,
        *,
        done: Callable[[Held, Sealed], None],
        lost: Callable[[Held, str], None],
    ) -> None:
        self._log = log
        self._seal_session = seal_session
        self._annotate = annotate
        self._clock = clock
        self._gap = gap
        self._done = done
        self._lost = lost
        self._queue: asyncio.Queue[tuple[Held, bool]] = asyncio.Queue()

    def add(self, held: Held, *, annotate: bool) -> None:
        """A session whose `end` or `void` is in the log; `annotate` if it was us who wrote it."""
        self._queue.put_nowait((held, annotate))

    def start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """The tasks that seal, until cancelled."""
        return [
            group.create_task(self._seal_forever(), name=f"host sealer {n}") for n in range(SEALERS)
        ]

    async def settle(self, timeout_s: float) -> None:
        """Wait until all is sealed, at most `timeout_s`; the rest is for the next host."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._queue.join()
        except TimeoutError:
            _logger.warning("sessions left to be sealed by another host")

    async def _seal_forever(self) -> None:
        while True:
            held, annotate = await self._queue.get()
            try:
                if not annotate or await self._comment(held):
                    await self._seal(held)
            except Exception:
                # Whatever it was, it is this session's alone, and must not end the host. The session
                # keeps its lease, as one that cannot be sealed.
                _logger.exception("sealing failed", session=held.session)
            finally:
                self._queue.task_done()

    async def _comment(self, held: Held) -> bool:
        """False: the session is not ours any more."""
        bodies = await comments_on(held.match, self._annotate)
        if not bodies:
            return True
        held.match.annotate(bodies, self._clock())
        append = held.batch()
        assert append is not None, "annotations are events"
        [answer] = await persist(lambda: self._log.append_many([append]), "annotate")
        if isinstance(answer, Fenced):
            self._lost(held, "annotated by a host that has lost it")
            return False
        return True

    async def _seal(self, held: Held) -> None:
        [loaded] = await persist(lambda: self._log.load([held.session]), "seal")
        if loaded is None:
            self._lost(held, "its log is gone")
            return
        await self._gap.wait()
        try:
            sealed = sealed_of(held.match, loaded.events)
        except Exception:
            # A session that cannot be sealed is our bug. It keeps its lease, so that it is tried once
            # per host and not in a loop, and the log line calls for a person.
            _logger.exception("session cannot be sealed", session=held.session)
            return
        await self._keep(sealed)
        held.match.seal(sealed.digest, self._clock())
        append = held.batch(seal=True)
        assert append is not None, "sealing is an event"
        [answer] = await persist(lambda: self._log.append_many([append]), "seal")
        if isinstance(answer, Fenced):
            self._lost(held, "sealed by another host")
        else:
            self._done(held, sealed)

    async def _keep(self, sealed: Sealed) -> None:
        """Until the store has it: without, the session would end with nothing to show."""
        failures = 0
        while True:
            try:
                await self._seal_session(sealed)
                return
            except Exception as error:
                if failures == 0:
                    _logger.warning(
                        "store does not take a session", session=sealed.session, error=str(error)
                    )
                await pause(failures)
                failures += 1
