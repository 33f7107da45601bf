"""The right of one attempt to act: checked before everything that the database cannot take back.

What a step writes into the database is guarded there, by unique keys. What it does elsewhere, asking
judges that cost money, publishing, later sending to a chain, happens once for every attempt that does
it: an attempt that was paused for minutes, whose row somebody else has started again or voided since,
must see that before it acts, not after.
"""

from __future__ import annotations

from server.jobs.faults import StepFault
from server.store.outbox import Outbox, OutboxRow


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
            row = self._row
            raise Superseded(f"attempt {self._number} of {row.step} of {row.session} is over")
