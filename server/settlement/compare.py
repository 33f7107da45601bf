"""Is what the ledger believes of the escrow what the escrow has, at the same block? Asked for as long as we lead.

While it is not, nothing new is opened, and somebody is called: money was made or lost, or the mirror does not follow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog

from chain.client.node import Head, Reverted
from server.ledger import names
from server.metrics import Metrics
from server.settlement.contracts import Contracts
from server.settlement.mirror import reader_of
from server.store.engine import Database
from server.store.escrow_believed import Believed, believed, waiting

_logger = structlog.get_logger()


class Heads(Protocol):
    """What is used of `chain.client.rpc.Rpc`."""

    async def head(self) -> Head: ...
    async def block(self, number: int) -> Head | None: ...


class Holding(Protocol):
    """What is used of `chain.client.escrow.Escrow`."""

    async def held(self, block: int) -> int: ...


class Found(msgspec.Struct, frozen=True):
    believed: Believed
    held_micros: int
    """By the escrow."""

    @property
    def difference_micros(self) -> int:
        """What the ledger believes too much; 0 is well."""
        return self.believed.held_micros - self.held_micros

    @property
    def words(self) -> str:
        block = self.believed.at.number
        return (
            f"usdc:chain: the ledger believes that the escrow holds {self.believed.held_micros} micros, at block {block} it"
            f" holds {self.held_micros}"
        )


async def look(database: Database, node: Heads, escrow: Holding, reader: str) -> Found | None:
    """None where there is nothing to compare: nothing was read, or the chain has just changed its mind about that block.

    Raises OSError, also where the node does not know that state any more.
    """
    said = await believed(database, reader)
    if said is None:
        return None
    try:
        held = await escrow.held(said.at.number)
    except Reverted as error:
        raise OSError(
            f"the node does not tell the escrow's state at a past block: {error}"
        ) from None
    block = await node.block(said.at.number)
    if block is None or block.hash != said.at.hash:
        return None
    return Found(said, held)


async def violation(database: Database, contracts: Contracts) -> list[str]:
    """For an audit: a sentence where they differ, or where the escrow cannot be asked."""
    try:
        found = await look(
            database, contracts.node, contracts.escrow, reader_of(contracts.escrow.address)
        )
    except OSError as error:
        return [f"{names.CHAIN}: the escrow could not be asked what it holds: {error}"]
    return [found.words] if found is not None and found.difference_micros else []


class Compare:
    """A round of the leader's."""

    name = "compare"

    def __init__(
        self,
        *,
        database: Database,
        node: Heads,
        escrow: Holding,
        reader: str,
        metrics: Metrics,
        alarm: Callable[[str, str], None],
    ) -> None:
        """`reader` is the name of who reads the escrow's logs."""
        self._database = database
        self._node = node
        self._escrow = escrow
        self._reader = reader
        self._metrics = metrics
        self._alarm = alarm
        self._agrees = False

    async def agrees(self) -> bool:
        """Whether ledger and escrow were last seen to be one; False until they have been compared."""
        return self._agrees

    async def round(self) -> None:
        """Raises OSError, and what the store raises; what was found before stands then."""
        found = await look(self._database, self._node, self._escrow, self._reader)
        waits = await waiting(self._database)
        self._metrics.escrow_wanted.set(waits.sessions)
        self._metrics.escrow_owed.set(waits.owed_micros)
        if found is None:
            return
        head = await self._node.head()
        self._metrics.chain_behind.set(max(0, head.number - found.believed.at.number))
        self._metrics.escrow_difference.set(found.difference_micros)
        agrees = found.difference_micros == 0
        if not agrees:
            self._alarm("difference", found.words)
        elif not self._agrees:
            _logger.info("ledger and escrow agree", micros=found.held_micros)
        self._agrees = agrees
