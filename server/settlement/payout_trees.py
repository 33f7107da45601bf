"""The newest epochs' pay-out trees, kept by whoever is asked for proofs: making one takes seconds where there are many accounts."""

from __future__ import annotations

import asyncio

from chain.documents import payouts
from chain.documents.payouts import PayoutsDocument
from chain.payout_tree import PayoutTree
from server.store.epochs import Epochs

KEPT = 2


class PayoutTrees:
    def __init__(self) -> None:
        self._made: dict[str, asyncio.Task[tuple[PayoutsDocument, PayoutTree]]] = {}

    async def newest(self, rows: Epochs) -> tuple[PayoutsDocument, PayoutTree] | None:
        """By the last epoch that is closed, None where none is. Its document, which may be of megabytes, is read once, and its tree
        made once, off the loop."""
        root = await rows.last_closed_root()
        if root is None:
            return None
        if root not in self._made:
            row = await rows.last_closed()
            if row is None or row.payouts is None:
                return None
            root = row.payout_root
            self._begin(root, row.payouts)
        return await asyncio.shield(self._made[root])

    def _begin(self, root: str, document: bytes) -> None:
        if root in self._made:
            return  # somebody has asked at the same time
        while len(self._made) >= KEPT:
            del self._made[next(iter(self._made))]
        reading = asyncio.to_thread(payouts.read, document)
        self._made[root] = asyncio.ensure_future(reading)
