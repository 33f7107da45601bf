"""Where a hearing stands on the chain, and the proof of it: what a judge checks, and what `force` and `slash` want."""

from __future__ import annotations

import msgspec

from chain.court.filing import Batch, Filing
from server.store.court_filings import BatchRow, CourtFilings
from server.store.court_logs import CourtLogs, Said

KEPT = 64
"""Trees that are remembered."""


class Standing(msgspec.Struct, frozen=True):
    """A filing in a batch that is on the chain."""

    batch: int
    """The chain's number."""
    filing: Filing
    index: int
    proof: tuple[bytes, ...]
    said: Said
    """The log of the batch."""


class Proofs:
    def __init__(self, logs: CourtLogs, filings: CourtFilings) -> None:
        self._logs = logs
        self._filings = filings
        self._trees: dict[tuple[int, str], Batch] = {}

    async def of(self, case: bytes, hearing: int) -> Standing | None:
        """None while it is not filed, and where its batch is lost."""
        place = await self._filings.place_of(case, hearing)
        if place is None or place.batch is None or place.batch.lost:
            return None
        said = await self._logs.filed(place.batch.root, place.batch.least)
        if said is None:
            return None
        proof = tuple((await self._tree(place.batch)).proof(place.index))
        return Standing(said.fields["batch"], place.filing, place.index, proof, said)

    async def is_lost(self, case: bytes, hearing: int) -> bool:
        """Whether the batch that it was in has no seed and never will."""
        place = await self._filings.place_of(case, hearing)
        return place is not None and place.batch is not None and place.batch.lost

    async def _tree(self, row: BatchRow) -> Batch:
        found = self._trees.get((row.ordinal, row.root))
        if found is None:
            found = Batch(await self._filings.filings_of(row.ordinal))
            if len(self._trees) >= KEPT:
                self._trees.clear()
            self._trees[row.ordinal, row.root] = found
        return found
