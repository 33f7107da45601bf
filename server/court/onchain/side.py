"""What the clerk asks of the chain, answered from rows: `server.court.seam.Chain`.

The reader writes only what lies under as many blocks as are asked for (`following`), so what is answered here is final. A
reorganisation that goes deeper takes answers back: `filed` then says that nothing is, or names another seed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from chain.client.court import Terms
from chain.client.hearings import Hearings, Stage
from chain.client.node import Head
from chain.court.filing import Filing
from chain.court.snapshot import family_name, snapshot_of
from server.clock import Clock
from server.court.case import Case
from server.court.onchain.doings import MOST_HASHES, too_old
from server.court.onchain.forced import Course, courses, told
from server.court.onchain.proofs import Proofs
from server.court.onchain.times import Times, Unknown
from server.court.seam import Filed, Forced, Pool
from server.store.court import Court as Cases
from server.store.court_filings import CourtFilings
from server.store.court_logs import CourtLogs, Said


class Node(Protocol):
    """What is needed of a node."""

    async def head(self) -> Head: ...
    async def sent(self, hash_: str) -> tuple[str | None, bytes] | None: ...


class CourtSide:
    """Any number of processes may ask; what is wanted is filed by whoever leads (`filer`)."""

    def __init__(
        self,
        *,
        logs: CourtLogs,
        filings: CourtFilings,
        cases: Cases,
        hearings: Hearings,
        proofs: Proofs,
        times: Times,
        node: Node,
        terms: Callable[[], Awaitable[Terms]],
        clock: Clock,
        idles: bool = False,
    ) -> None:
        """`terms`: the court's. `idles`: the chain is one of our own, which makes no blocks while nothing happens, and no node of
        which is behind."""
        self._idles = idles
        self._logs = logs
        self._filings = filings
        self._cases = cases
        self._hearings = hearings
        self._proofs = proofs
        self._times = times
        self._node = node
        self._terms = terms
        self._clock = clock
        self.asked_ms: int | None = None
        """When somebody has asked last whom it can file with."""

    async def appeal_s(self) -> int:
        return (await self._terms()).appeal_s

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
        seeded = await self._seeded(standing.batch)
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
        """Raises OSError also where the blocks of its logs are not those that were read."""
        found = courses(await self._logs.of(case=case.hex()))
        if not found:
            return ()
        # Before its batch has a seed nothing has begun: if it never has one, the hearing is filed again and goes on by messages.
        found = [each for each in found if each.made or await self._seeded(each.batch)]
        session = await self._logs.session_of(case.hex())
        ours = None if session is None else await self._cases.get(session)
        return [await self._told(each, ours) for each in found]

    async def uncontested(self, case: bytes, hearings: Sequence[int], since_ms: int) -> bool:
        head = await self._node.head()
        if head.timestamp * 1_000 < since_ms and not self._idles:
            return False  # the node is behind
        for each in hearings:
            stage = await self._hearings.stage(case, each, head.number)
            if stage is Stage.FORCED and await self._is_dead(case, each, head):
                continue
            if stage is not Stage.ELSEWHERE:
                return False
        return True

    async def _is_dead(self, case: bytes, hearing: int, head: Head) -> bool:
        """Whether a hearing that somebody has put on the chain will never be drawn there: its batch has no seed, and no chain
        knows the hash of its block any more."""
        put = await self._logs.of("Forced", case=case.hex(), hearing=hearing, limit=1)
        if not put or not put[0].fields["bond"]:
            return False
        batch = put[0].fields["batch"]
        filed = await self._logs.newest("Filed", ordinal=batch)
        gone = filed is not None and head.number > filed.fields["seed_block"] + MOST_HASHES
        return gone and await self._seeded(batch) is None

    async def _seeded(self, batch: int) -> Said | None:
        return await self._logs.newest("Seeded", ordinal=batch)

    async def _told(self, course: Course, ours: Case | None) -> Forced:
        seeded = await self._seeded(course.batch)
        hashes = {each.block_hash: await self._times.of(each) * 1_000 for each in course.said}
        number = course.filing.hearing
        known = ours.hearings[number].messages if ours and number < len(ours.hearings) else ()
        signatures = {}
        if course.over:
            committed = [each.tx for each in course.said if each.name == "Committed"]
            signatures = {tx: await self._signature(tx) for tx in committed}
        return told(
            course,
            await self.pool(course.filing.snapshot),
            None if seeded is None else seeded.fields["seed"],
            hashes,
            known,
            signatures.get,
        )

    async def _signature(self, tx: str) -> str | None:
        """That a commitment was brought with, where its transaction says so by itself."""
        sent = await self._node.sent(tx)
        if sent is None or sent[0] != self._hearings.address:
            return None
        try:
            _, _, signature = self._hearings.abi.arguments("commit", 3, sent[1])
        except ValueError:
            return None
        return "0x" + bytes(signature).hex() if len(signature) == 65 else None


def pool_of(said: Said) -> Pool:
    """A snapshot as it was logged. Pure."""
    fields = said.fields
    assert said.ordinal is not None, "snapshots are numbered"
    lists = (fields["judges"], fields["operators"], fields["families"], fields["weights"])
    families = {id_: family_name(id_) for id_ in set(fields["families"])}
    return Pool(snapshot_of(said.ordinal, *lists), families)
