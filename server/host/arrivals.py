"""Actions on their way from the inbox to their matches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from server.host.patience import persist
from server.live.inbox import Inbox
from server.live.records import Inbound

STRAY_MS = 1_000
"""An action may arrive before the host has read the session that it has just leased."""
MAX_WAITING = 20_000
"""Actions in memory; more stay in Redis."""
BLOCK_MS = 500
CUT_OFF_S = 1.5
"""The inbox answers at least each BLOCK_MS; silent for this long, actions cannot reach us."""


class Arrivals:
    """What has been taken from the inbox and not yet delivered. `wake` is set when something is."""

    def __init__(self, inbox: Inbox, host: str) -> None:
        self.wake = asyncio.Event()
        self._inbox = inbox
        self._delivered = asyncio.Event()
        self._heard_s: float | None = None
        self._host = host
        self._waiting: list[tuple[int | None, Inbound]] = []
        """Each with the unix ms until which an unknown session is waited for; None: just come."""

    async def take_forever(self) -> None:
        while True:
            arrived = await persist(lambda: self._inbox.take(self._host, BLOCK_MS), "inbox")
            self._heard_s = asyncio.get_running_loop().time()
            if arrived:
                self._waiting += [(None, inbound) for inbound in arrived]
                self.wake.set()
            if len(self._waiting) > MAX_WAITING:
                self._delivered.clear()
                await self._delivered.wait()

    def cut_off(self) -> bool:
        """The inbox has answered once, and not for a while."""
        now_s = asyncio.get_running_loop().time()
        return self._heard_s is not None and now_s - self._heard_s > CUT_OFF_S

    def deliver(self, now_ms: int, to: Callable[[Inbound], bool]) -> None:
        """Hand everything to `to`, which says whether the session is known. What is for an unknown
        one is kept a little; then it is dropped, and the gateway sends it to where it belongs."""
        waiting, self._waiting = self._waiting, []
        self._delivered.set()
        for until_ms, inbound in waiting:
            if not to(inbound) and (until_ms is None or now_ms < until_ms):
                self._waiting.append((until_ms or now_ms + STRAY_MS, inbound))
