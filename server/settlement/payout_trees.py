"""The newest epochs' pay-out trees, kept by whoever is asked for proofs: making one takes seconds where there are many accounts."""

from __future__ import annotations

import asyncio

from chain.documents import payouts
from chain.documents.payouts import PayoutsDocument
from chain.payout_tree import PayoutTree

KEPT = 2


class PayoutTrees:
    def __init__(self) -> None:
        self._made: dict[str, asyncio.Task[tuple[PayoutsDocument, PayoutTree]]] = {}

    async def of(self, root: str, document: bytes) -> tuple[PayoutsDocument, PayoutTree]:
        """Of the stored document whose root that is; made once, off the loop."""
        task = self._made.get(root)
        if task is None:
            while len(self._made) >= KEPT:
                del self._made[next(iter(self._made))]
            reading = asyncio.to_thread(payouts.read, document)
            task = self._made[root] = asyncio.ensure_future(reading)
        return await asyncio.shield(task)
