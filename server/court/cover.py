"""Which paid sessions may be played: those whose judges can lose more by a bought verdict than there is to win. From rows alone."""

from __future__ import annotations

import time

from server.config import Config
from server.court.onchain.side import pool_of
from server.court.seam import Pool
from server.court.stakes import covered
from server.ledger import tiers
from server.store.court_logs import CourtLogs
from server.store.pots import NotFormed
from spaces import registry

FRESH_S = 5.0
"""A snapshot that was read so short a time ago is not read again."""


class NotCovered(NotFormed):
    """The message says what to do."""


class Cover:
    """By the newest snapshot of judges. One per process."""

    def __init__(self, logs: CourtLogs, config: Config) -> None:
        self._logs = logs
        self._config = config
        self._pool: Pool | None = None
        self._read_s = float("-inf")

    async def check(self, space: str, tier_micros: int) -> None:
        """Raises NotCovered for what no panel may decide now, and what the store raises."""
        found = registry.get(space)
        if not tier_micros or found.decided_by != "judges":
            return
        if not covered(await self._newest(), tier_micros, found.seats, self._config):
            raise NotCovered(
                f"too few judges have enough at stake to decide {space} for {tiers.amount(tier_micros)} USDC:"
                " play a lower tier, or try again when more have staked"
            )

    async def _newest(self) -> Pool | None:
        if time.monotonic() - self._read_s >= FRESH_S:
            said = await self._logs.newest("SnapshotTaken")
            self._pool = None if said is None else pool_of(said)
            self._read_s = time.monotonic()
        return self._pool
