"""The house's agents that play for money have some: from the house's own purse, like any owner's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from server.identity import HOUSE_OWNER, new_id
from server.ledger import Transfer, names, tiers
from server.store import Store

EVERY_S = 5.0
ENTRIES = 20
"""What an agent is given at once; it is given more when a quarter of them is left."""

_logger = structlog.get_logger()


class HousePurse:
    """A role's part: any number may run."""

    def __init__(self, store: Store, agents: Sequence[str], tier_micros: int) -> None:
        """`agents` are the house's own that queue in a paid tier."""
        self._store = store
        self._agents = agents
        self._entry_micros = tier_micros
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until drained or cancelled. An outage of the database delays, nothing else."""
        while not self._stopping.is_set():
            try:
                await self.round()
            except Exception as error:  # whatever the store raises: there is a next round
                _logger.warning("the house is not funded", error=str(error) or repr(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), EVERY_S)

    async def drain(self) -> None:
        self._stopping.set()

    async def round(self) -> int:
        """Give where too little is left, as far as the house's purse goes; to how many."""
        given = 0
        for agent in self._agents:
            purse = names.agent(tiers.USDC, agent)
            has = (await self._store.ledger.account(purse)).available_micros
            if has < self._entry_micros * ENTRIES // 4:
                given += await self._give(purse, self._entry_micros * ENTRIES - has)
        return given

    async def _give(self, purse: str, micros: int) -> bool:
        """Nothing, where the house does not have so much."""
        own = names.owner(tiers.USDC, HOUSE_OWNER)
        transfer = Transfer(
            id=f"fund:{new_id()}",
            debit=own,
            credit=purse,
            asset=tiers.USDC,
            micros=micros,
            code="fund",
        )
        return (await self._store.purses.move(transfer, None)).done
