"""Between a paid session that is formed and its first move stands the escrow: what it has opened begins, what it refuses is void.

Before that nobody plays: who saw that it loses could take its money out ahead of the opening. A session's row says how far it is
(`store.openings`), so any number of processes may look, and whatever a death leaves behind is found by the next look.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol

import structlog

from server.clock import Clock
from server.live.records import Inbound, SessionRecord
from server.settlement.refusal import told
from server.store.openings import Answered

EVERY_S = 0.2
"""Between two looks: a session begins this long after the chain's word is in its row, at most."""
BEGUN_EVERY_S = 5.0
"""The same for sessions that are being played, of which a reorganisation may have taken the opening back."""
STALE_MS = 900_000
"""A session that was formed this long ago does not begin any more: those who confirmed it have gone, and would forfeit."""
TOO_LATE = "the arena could not begin it in time; the entries have been given back"
AT_ONCE = 64

_logger = structlog.get_logger()


class Rows(Protocol):
    """What is used of `store.openings.Openings`."""

    async def answered(self, limit: int, *, begun: bool = False) -> list[Answered]: ...
    async def stop_automations(self, agents: Collection[str], reason: str) -> list[str]: ...


class Lost(Protocol):
    """What is used of `server.lost.LostSessions`."""

    async def seal(self, record: SessionRecord, reason: str) -> None: ...


class Logs(Protocol):
    """What is used of `live.log.LiveLog`."""

    async def missing(self, sessions: Sequence[str]) -> list[str]: ...


class Inbox(Protocol):
    """What is used of `live.inbox.Inbox`."""

    async def submit(self, inbound: Inbound) -> bool: ...


class Gate:
    """One per matchmaker."""

    def __init__(
        self,
        *,
        rows: Rows,
        log: Logs,
        lost: Lost,
        hostless: Callable[[str, str], Awaitable[bool]],
        inbox: Inbox,
        turn_ended: Callable[[str, str], Awaitable[bool]],
        clock: Clock,
    ) -> None:
        """`hostless` is `Hostless.void`; `turn_ended(session, reason)` makes one void that has ended and is not settled."""
        self._rows = rows
        self._log = log
        self._lost = lost
        self._hostless = hostless
        self._inbox = inbox
        self._turn_ended = turn_ended
        self._clock = clock

    async def run(
        self, open_: Callable[[SessionRecord], Awaitable[None]], stopping: asyncio.Event
    ) -> None:
        """Look until `stopping`. `open_` gives a session its live log and seats its agents; idempotent."""
        looks = 0
        while not stopping.is_set():
            try:
                more = await self.round(open_)
                if looks % round(BEGUN_EVERY_S / EVERY_S) == 0:
                    await self.sweep()
                looks += 1
            except Exception as error:  # whatever Redis and the store raise: there is a next time
                more = False
                _logger.warning("the gate waits", error=repr(error))
            if not more:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), EVERY_S)

    async def round(self, open_: Callable[[SessionRecord], Awaitable[None]]) -> bool:
        """Begin or end what the escrow has spoken of; True where there may be more. Raises the first failure, when all
        others are done."""
        answered = await self._rows.answered(AT_ONCE)
        results = await asyncio.gather(
            *(self._act(each, open_) for each in answered), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return len(answered) == AT_ONCE

    async def sweep(self) -> None:
        """Void what is being played and was refused after all."""
        for each in await self._rows.answered(AT_ONCE, begun=True):
            await self._refuse(each)

    async def _act(self, each: Answered, open_: Callable[[SessionRecord], Awaitable[None]]) -> None:
        if not each.opened:
            await self._refuse(each)
        elif each.record.opened_ms < self._clock() - STALE_MS:
            await self._void(each.record, TOO_LATE)
        else:
            await open_(each.record)

    async def _refuse(self, each: Answered) -> None:
        """First who would not pay is kept from queueing again by itself, then the session is void: a death in between has
        both done again."""
        answer = told(each.reason, each.record, each.owners)
        stopped = await self._rows.stop_automations(answer.agents, answer.words)
        await self._void(each.record, answer.words)
        _logger.warning(
            "session refused by the escrow",
            session=each.record.session,
            reason=each.reason,
            stopped=stopped,
        )

    async def _void(self, record: SessionRecord, reason: str) -> None:
        """What runs is voided by its host, which may take a moment: to be called until the store says so."""
        session = record.session
        if await self._turn_ended(session, reason):
            return
        if await self._log.missing([session]):
            await self._lost.seal(record, reason)
        elif not await self._hostless(session, reason):
            asking = Inbound(
                session, seat=-1, act="refused", turn=0, text=reason, gateway="", void=True
            )
            await self._inbox.submit(asking)
