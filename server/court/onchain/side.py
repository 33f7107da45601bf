"""What the clerk asks of the chain, answered from rows: `server.court.seam.Chain`.

The reader writes only what lies under as many blocks as are asked for (`following`), so what is answered here is final. A
reorganisation that goes deeper takes answers back: `filed` then says that nothing is, or names another seed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from chain.client.court import Terms
from chain.client.node import Head
from chain.court.filing import Filing
from chain.court.snapshot import family_name, snapshot_of
from server.clock import Clock
from server.court.onchain.doings import too_old
from server.court.onchain.proofs import Proofs
from server.court.onchain.times import Times, Unknown
from server.court.seam import Filed, Forced, Pool
from server.store.court_filings import CourtFilings
from server.store.court_logs import CourtLogs, Said


class Newest(Protocol):
    """What is needed of a node."""

    async def head(self) -> Head: ...


class CourtSide:
    """Any number of processes may ask; what is wanted is filed by whoever leads (`filer`)."""

    def __init__(
        self,
        *,
        logs: CourtLogs,
        filings: CourtFilings,
        proofs: Proofs,
        times: Times,
        node: Newest,
        terms: Callable[[], Awaitable[Terms]],
        clock: Clock,
    ) -> None:
        """`terms`: the court's."""
        self._logs = logs
        self._filings = filings
        self._proofs = proofs
        self._times = times
        self._node = node
        self._terms = terms
        self._clock = clock
        self.asked_ms: int | None = None
        """When somebody has asked last whom it can file with."""

    async def newest(self) -> Pool | None:
        self.asked_ms = self._clock()
        said = await self._logs.newest("SnapshotTaken")
        if said is None or not said.fields["judges"]:
            return None
        taken_s, head = await self._times.of(said), await self._node.head()
        max_s = (await self._terms()).snapshot_max_s
        return None if too_old(taken_s, head.timestamp, max_s) else pool_of(said)

    async def pool(self, snapshot: int) -> Pool:
        """Raises OSError where there is no such snapshot."""
        said = await self._logs.newest("SnapshotTaken", ordinal=snapshot)
        if said is None:
            raise Unknown(f"there is no snapshot {snapshot} of judges on the chain")
        return pool_of(said)

    async def file(self, filings: Sequence[Filing]) -> None:
        """Raises ValueError for a filing that does not fit the contract's struct."""
        for each in filings:
            each.words()
        await self._filings.want(filings, self._clock())

    async def filed(self, case: bytes, hearing: int) -> Filed | None:
        standing = await self._proofs.of(case, hearing)
        if standing is None:
            lost = await self._proofs.is_lost(case, hearing)
            return Filed(0, 0, (), 0, None, lost=True) if lost else None
        seeded = await self._logs.newest("Seeded", ordinal=standing.batch)
        steps = (("file", standing.said), ("seed", seeded))
        return Filed(
            batch=standing.batch,
            index=standing.index,
            proof=standing.proof,
            filed_ms=await self._times.of(standing.said) * 1_000,
            seed=None if seeded is None else seeded.fields["seed"],
            transactions=tuple((step, each.tx) for step, each in steps if each is not None),
        )

    async def forced(self, case: bytes) -> Sequence[Forced]:
        return ()


def pool_of(said: Said) -> Pool:
    """A snapshot as it was logged. Pure."""
    fields = said.fields
    assert said.ordinal is not None, "snapshots are numbered"
    lists = (fields["judges"], fields["operators"], fields["families"], fields["weights"])
    families = {id_: family_name(id_) for id_ in set(fields["families"])}
    return Pool(snapshot_of(said.ordinal, *lists), families)
