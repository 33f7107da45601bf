"""The step `void`: an admin wants a session to count for nothing (`server.admin.voiding`).

Only the host that leases a session may write its log, so it is asked to; where no host is there, the
lease is free, and this worker takes it for a moment. Whatever happens in between, also that the match
ends by itself, the session is void before anything can follow it: this step comes first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from server.admin import voiding
from server.clock import Clock
from server.hostless import Hostless
from server.jobs.aftermath import Aftermath, step_change
from server.jobs.faults import Permanent
from server.jobs.fence import Fence
from server.live.records import Inbound
from server.protocol import Step
from server.store import Store

NAME = voiding.STEP
TIMEOUT_S = 30.0
LOOK_S = 0.25
ASK_EVERY = 8
"""Looks between two times of asking."""


class Host(Protocol):
    """What is used of `server.live.inbox.Inbox`."""

    async def submit(self, inbound: Inbound) -> bool: ...


class VoidStep:
    name = NAME
    timeout_s = TIMEOUT_S

    def __init__(
        self,
        *,
        store: Store,
        aftermath: Aftermath,
        inbox: Host,
        hostless: Hostless,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._aftermath = aftermath
        self._inbox = inbox
        self._hostless = hostless
        self._clock = clock
        self._sleep = sleep

    async def run(self, session: str, fence: Fence) -> dict[str, object]:
        reason = await self._reason(session)
        looks = 0
        while True:
            row = await self._store.sessions.get(session)
            if row is None:
                raise Permanent("there is no such session")
            if row.status == "void":
                await fence.check()
                await self._tell(session, reason)
                return {"looks": looks}
            if row.status == "ended":
                await voiding.turn_ended(self._store.database, session, reason, self._clock())
                continue
            if looks % ASK_EVERY == 0:
                await fence.check()
                await self._ask(session, voiding.public_reason(reason))
            looks += 1
            await self._sleep(LOOK_S)

    async def give_up(self, session: str, reason: str) -> None:
        """Nothing to tell: it goes on as if nobody had asked, but for its settlement, which waits."""

    async def _reason(self, session: str) -> str:
        acts = await self._store.audit.page(subject=session, act=NAME, limit=1)
        if not acts:
            raise Permanent("nobody has asked for it: the audit log has no such act")
        return acts[0].reason

    async def _ask(self, session: str, words: str) -> None:
        if not await self._hostless.void(session, words):
            inbound = Inbound(session, seat=-1, act=NAME, turn=0, text=words, gateway="", void=True)
            await self._inbox.submit(inbound)

    async def _tell(self, session: str, reason: str) -> None:
        words = voiding.public_reason(reason)
        change = step_change(Step("voided", "done", words))
        await self._aftermath.tell(session, change, once=NAME)
