"""The sessions a host holds: claiming, restoring, renewing, losing and releasing them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from server.host.held import Held
from server.host.patience import AWAY, pause, persist
from server.live.lease import Leases
from server.live.log import LiveLog

_logger = structlog.get_logger()

CLAIM_AT_LEAST = 16
"""Sessions asked for in one poll by a host that is nearly full."""
CLAIM_SHARE = 8
"""A poll asks for this part of the free room, so that sessions spread over hosts, emptier ones first,
and restoring them never stops the tick for long."""
RENEWALS_PER_TTL = 4


class Holding:
    """Leases by session. `taken` is called for each session that is newly held, `gone` for each that
    we stop playing; restoring is done while `gap` is set, between two ticks."""

    def __init__(
        self,
        host: str,
        leases: Leases,
        log: LiveLog,
        gap: asyncio.Event,
        *,
        capacity: int,
        retry_ms: int,
        taken: Callable[[Held], None],
        gone: Callable[[Held], None],
    ) -> None:
        self.sessions: dict[str, Held] = {}
        self._host = host
        self._leases = leases
        self._log = log
        self._gap = gap
        self._capacity = capacity
        self._retry_ms = retry_ms
        self._taken = taken
        self._gone = gone
        self._closed = False
        self._let_go: dict[str, int] = {}
        """Leases to be released by the next poll."""

    def close(self) -> None:
        """Claim no more."""
        self._closed = True

    def get(self, session: str) -> Held | None:
        return self.sessions.get(session)

    def drop(self, held: Held, reason: str) -> None:
        """Stop playing a session, which somebody else, or we anew, go on with from its log."""
        if self.sessions.get(held.session) is held:
            del self.sessions[held.session]
            self._let_go[held.session] = held.token
            self._gone(held)
            _logger.info(
                "session let go",
                session=held.session,
                token=held.token,
                host=self._host,
                reason=reason,
            )

    def leave(self, held: Held, reason: str) -> None:
        """Leave a session that we cannot play to another host.

        Its lease runs out by itself: released, it would be ours again in the next poll.
        """
        if self.sessions.get(held.session) is held:
            del self.sessions[held.session]
            self._gone(held)
            _logger.warning(
                "session left to another host",
                session=held.session,
                token=held.token,
                host=self._host,
                reason=reason,
            )

    def finished(self, held: Held) -> None:
        """Sealed: the lease is gone."""
        if self.sessions.get(held.session) is held:
            del self.sessions[held.session]

    async def claim_forever(self, poll_s: float) -> None:
        """Poll until `close`."""
        failures = 0
        while not self._closed:
            try:
                await self.claim()
                failures = 0
                await asyncio.sleep(poll_s)
            except AWAY:
                # What was claimed without our knowing expires.
                await pause(failures)
                failures += 1

    async def claim(self) -> None:
        """One poll: release what was let go, take a part of the room's worth of free sessions."""
        if self._let_go:
            await self._leases.release(self._host, self._let_go)
            self._let_go = {}
        room = self._capacity - len(self.sessions)
        if room <= 0:
            return
        limit = min(room, max(CLAIM_AT_LEAST, room // CLAIM_SHARE))
        claimed = await self._leases.claim(self._host, limit)
        if claimed:
            await self._restore(claimed)

    async def _restore(self, claimed: Sequence[tuple[str, int]]) -> None:
        sessions = await self._log.load([session for session, _ in claimed])
        taken_over = 0
        for (session, token), loaded in zip(claimed, sessions, strict=True):
            if loaded is None:
                _logger.error("session has no log", session=session, host=self._host)
                await self._leases.forget(self._host, {session: token})
                continue
            await self._gap.wait()
            held = Held(self._host, token, loaded, self._retry_ms)
            self.sessions[session] = held
            self._taken(held)
            if token > 1:
                taken_over += 1
                _logger.info("session taken over", session=session, token=token, host=self._host)
            await asyncio.sleep(0)  # let a due tick in between two restorations
        if taken_over:
            _logger.info("sessions taken over", count=taken_over, host=self._host)

    async def renew_forever(self) -> None:
        while True:
            await asyncio.sleep(self._leases.ttl_ms / 1_000 / RENEWALS_PER_TTL)
            await persist(self._renew, "leases")

    async def _renew(self) -> None:
        held = dict(self.sessions)
        tokens = {session: each.token for session, each in held.items()}
        for session in await self._leases.renew(self._host, tokens):
            # Sealing gives the lease up, too, and may have done so just now.
            self.drop(held[session], "lease lost")
        await self._leases.beat(self._host)

    async def release_all(self) -> int:
        """Hand every session over; returns how many. Raises redis.exceptions.RedisError."""
        tokens = {each.session: each.token for each in self.sessions.values()}
        self.sessions.clear()
        await self._leases.release(self._host, self._let_go | tokens)
        return len(tokens)
