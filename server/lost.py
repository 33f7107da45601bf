"""Sessions whose live log is gone: Redis was emptied, or restored from a copy older than they are.

No host can go on with such a session, nor should one begin what was formed long ago. All that is left of it is its record in the store, from which a
transcript is sealed that opens and is void.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from server.clock import Clock
from server.host.sealed import Sealed, sealed_of
from server.live import keys
from server.live.agents import AgentChannels
from server.live.log import LiveLog, Moved
from server.live.records import SessionRecord
from server.match import Match, open_event

REASON = "the live log was lost"
GRACE_MS = 10_000
"""A session younger than this is let alone."""
STALE_MS = 300_000
"""A session that was formed this long ago and never opened is not opened any more, after a restored backup
or an outage of all matchmakers: those who confirmed it have gone, and would forfeit."""
AT_ONCE = 1_000
"""Sessions looked at in one call."""

_logger = structlog.get_logger()


class LiveSessions(Protocol):
    """What is used of the store's sessions."""

    async def live(
        self, older_than_ms: int, after: str, limit: int, *, unopened_ms: int
    ) -> Sequence[str]: ...

    async def record(self, session: str) -> SessionRecord | None: ...


class LostSessions:
    """Finds and voids them. Any number of processes may do so at once: the first seal stands."""

    def __init__(
        self,
        *,
        sessions: LiveSessions,
        log: LiveLog,
        agents: AgentChannels,
        seal_session: Callable[[Sealed], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._log = log
        self._agents = agents
        self._seal_session = seal_session
        self._clock = clock
        self._after = ""
        """The last session looked at; each call goes on from there, and round."""

    async def void(self) -> None:
        """Void what is lost among the next AT_ONCE live sessions. Raises what Redis and the store
        raise; to be called again then."""
        now_ms = self._clock()
        found = await self._sessions.live(
            now_ms - GRACE_MS, self._after, AT_ONCE, unopened_ms=now_ms - STALE_MS
        )
        for session in await self._log.missing(found):
            record = await self._sessions.record(session)
            if record is not None:
                await self.seal(record)
        self._after = found[-1] if len(found) == AT_ONCE else ""

    async def seal(self, record: SessionRecord, reason: str = REASON) -> None:
        """Void one that has no log, whatever the reason. To be repeated when it raises.

        Agents, store, channel: once the store has it, nobody would come back to tell the agents."""
        log = [open_event(record)]
        match = Match(record, log, retry_ms=0)
        match.void(reason, self._clock())
        log += match.take_events()
        sealed = sealed_of(match, log)
        for seat in record.seats:
            await self._agents.left(seat.agent, record.session, reason)
        await self._seal_session(sealed)
        match.seal(sealed.digest, self._clock())
        views = match.views()
        log += match.take_events()
        channel = keys.session_channel(record.session)
        try:
            # A channel made anew has a new epoch, by which gateways know that theirs is gone.
            await self._log.publish(channel, "lost", log, views, keys.SESSION_TTL_S, base=-1)
        except Moved:  # another process was faster, or the log is there again
            return
        _logger.error("session voided", session=record.session, reason=reason)
