"""The right of one attempt to act: checked before everything that the database cannot take back.

What a step writes into the database is guarded there, by unique keys. What it does elsewhere, asking
judges that cost money, publishing, later sending to a chain, happens once for every attempt that does
it: an attempt that was paused for minutes, whose row somebody else has started again or voided since,
must see that before it acts, not after.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from server.jobs.faults import StepFault
from server.store.outbox import Outbox, OutboxRow, stands


class Superseded(StepFault):
    """The attempt may do nothing more, and has nothing to write down: its row is somebody else's by now."""


class Fence:
    """Of one attempt."""

    def __init__(self, outbox: Outbox, row: OutboxRow, number: int) -> None:
        """`number` is what `Outbox.start` returned for `row`."""
        self._outbox = outbox
        self._row = row
        self._number = number

    async def check(self) -> None:
        """To be called right before an effect outside the database. One read; raises Superseded."""
        if not await self._outbox.stands(self._row, self._number):
            raise self._over()

    async def hold(self, tx: AsyncConnection) -> None:
        """The same within a transaction that writes what no unique key guards: nobody starts a later attempt of the row, nor
        voids it, before `tx` ends. Raises Superseded."""
        if not await stands(tx, self._row, self._number):
            raise self._over()

    def _over(self) -> Superseded:
        row = self._row
        return Superseded(f"attempt {self._number} of {row.step} of {row.session} is over")
