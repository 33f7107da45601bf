"""How reliable each judge has been by all that all have said, computed now and then beside what is served."""

from __future__ import annotations

import asyncio
from typing import Any

from judges.reliability.diagnosis import diagnose, published
from judges.reliability.labels import Heard
from server.clock import Clock, unix_ms
from server.store.court import CaseRow, Court

HEARINGS = 512
"""Cases that are read, the newest ones."""
FRESH_MS = 600_000
"""Nothing is computed again before; judges whose first hearing is newer are told of later."""


class Reliability:
    """One per process that serves judges' pages; several requests at once share one reckoning."""

    def __init__(self, clock: Clock = unix_ms) -> None:
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known: dict[str, dict[str, Any]] = {}
        self._at_ms: int | None = None

    async def of(self, cases: Court, judge: str) -> dict[str, Any] | None:
        """As `JudgeView.reliability` has it; None for a judge of whom nothing is known."""
        async with self._lock:
            now_ms = self._clock()
            if self._at_ms is None or now_ms - self._at_ms >= FRESH_MS:
                rows = await cases.closed(HEARINGS)
                # Off the event loop: some hundred milliseconds of arithmetic.
                self._known = await asyncio.to_thread(_published, rows)
                self._at_ms = now_ms
        return self._known.get(judge)


def _published(rows: list[CaseRow]) -> dict[str, dict[str, Any]]:
    heard = [
        Heard(
            f"{row.case.session}/{held.hearing}",
            row.case.contestants,
            dict(zip((each.judge for each in held.shown()), held.sheets(), strict=True)),
        )
        for row in rows
        for held in row.case.hearings
        if held.margin is not None
    ]
    return {judge: published(each) for judge, each in diagnose(heard).items()}
