"""Asks the chain what has become of the crossings that wait, and tells the ledger."""

from __future__ import annotations

import asyncio

import structlog

from server.clock import Clock
from server.settlement.seam import Confirmed, Failed, Settlement
from server.store.crossings import Crossing, Crossings

EVERY_S = 0.5
AT_ONCE = 100
"""Crossings asked about in one round."""
_CALM_S = 5.0

_logger = structlog.get_logger()


class Border:
    """Any number of processes may run one: what is said twice counts once."""

    def __init__(self, *, crossings: Crossings, settlement: Settlement, clock: Clock) -> None:
        self._crossings = crossings
        self._settlement = settlement
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled. An outage of chain or database delays, nothing else."""
        while True:
            try:
                await self.round()
                await asyncio.sleep(EVERY_S)
            except Exception as error:  # whatever chain and store raise: there is a next round
                _logger.warning("border closed for now", error=str(error) or type(error).__name__)
                await asyncio.sleep(_CALM_S)

    async def round(self) -> int:
        """Ask about the longest waiting crossings; returns how many have ended."""
        ended = 0
        for crossing in await self._crossings.pending(self._clock(), AT_ONCE):
            ended += await self._ask(crossing)
        return ended

    async def _ask(self, crossing: Crossing) -> bool:
        match await self._settlement.outcome(crossing):
            case Confirmed(reference=reference):
                after = await self._crossings.confirm(crossing.id, reference)
            case Failed(reason=reason):
                after = await self._crossings.fail(crossing.id, reason)
            case None:
                return False
        _logger.info(
            "crossing",
            crossing=crossing.id,
            direction=crossing.direction,
            account=crossing.account,
            micros=crossing.micros,
            state=after.state,
            settlement=self._settlement.name,
        )
        return True
