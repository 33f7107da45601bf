"""Voiding a live session that no host plays: its lease is free or has lapsed, or its log is gone.

Whoever takes the lease is the session's host for that moment, with a fencing token above all before,
so a host that wakes up from a pause writes nothing into what is over.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from server.clock import Clock
from server.host.held import Held
from server.host.sealed import Sealed, sealed_of
from server.live.lease import Leases
from server.live.log import Append, Fenced, LiveLog, Loaded
from server.live.records import SessionRecord
from server.lost import GRACE_MS, LostSessions

_logger = structlog.get_logger()

RecordOf = Callable[[str], Awaitable[SessionRecord | None]]


class Hostless:
    """Any number of processes may try at once: one gets the lease, and the first seal stands."""

    def __init__(
        self,
        *,
        name: str,
        log: LiveLog,
        leases: Leases,
        lost: LostSessions,
        record_of: RecordOf,
        seal_session: Callable[[Sealed], Awaitable[None]],
        clock: Clock,
    ) -> None:
        """`name` is of this process, unique among those that lease sessions."""
        self._name = name
        self._log = log
        self._leases = leases
        self._lost = lost
        self._record_of = record_of
        self._seal_session = seal_session
        self._clock = clock

    async def void(self, session: str, reason: str) -> bool:
        """True when nobody else had to be asked: the session is sealed now, void, or as it had ended
        before its host died. False when a host leases it, or it is about to be opened.

        Raises redis.exceptions.RedisError and what the store raises; to be repeated then.
        """
        if await self._log.missing([session]):
            return await self._seal_lost(session, reason)
        token = await self._leases.claim_one(self._name, session)
        if token is None:
            return False
        [loaded] = await self._log.load([session])
        if loaded is None:
            await self._leases.forget(self._name, {session: token})
            return await self._seal_lost(session, reason)
        try:
            await self._seal(Held(self._name, token, loaded, retry_ms=0), loaded, reason)
        except Fenced:
            return False
        return True

    async def _seal_lost(self, session: str, reason: str) -> bool:
        record = await self._record_of(session)
        if record is None or self._clock() < record.opened_ms + GRACE_MS:
            return False  # it may just be opening
        await self._lost.seal(record, reason)
        return True

    async def _seal(self, held: Held, loaded: Loaded, reason: str) -> None:
        """As a host does it: the event, the transcript, the store, the digest. Raises Fenced."""
        held.match.void(reason, self._clock())
        events = list(loaded.events)
        append = held.batch()
        if append is not None:  # None: it had ended, and its host died before it was sealed
            events += append.events
            await self._append(append)
        sealed = sealed_of(held.match, events)
        await self._seal_session(sealed)
        held.match.seal(sealed.digest, self._clock())
        last = held.batch(seal=True)
        assert last is not None, "sealing is an event"
        await self._append(last)
        _logger.info(
            "session sealed",
            session=held.session,
            space=held.record.space,
            status=sealed.status,
            outcome=sealed.outcome,
            digest=sealed.digest,
            token=held.token,
            host=self._name,
        )

    async def _append(self, append: Append) -> None:
        [answer] = await self._log.append_many([append])
        if isinstance(answer, Fenced):
            raise answer
