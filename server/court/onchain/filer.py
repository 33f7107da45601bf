"""Has filed what the clerk wants heard: snapshots, batches and their seeds, each once whatever is killed in between.

One batch is on its way at a time; what comes meanwhile goes into the next. A batch is kept as rows before its transaction is sent,
and the transaction's name says which one it is, so whoever leads next sends the same. A hearing is in another batch only when it is
certain that its first will never have a seed: filed twice it would cost the clerk its bond. Where a reorganisation takes a filing
back, the writer sends the same transaction again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from chain.client.contract import Invocation
from chain.client.court import CourtContract, Terms
from chain.client.judge_registry import JudgeRegistry
from chain.client.node import Head, Reverted
from chain.court.filing import Batch
from server.clock import Clock
from server.court.onchain import doings
from server.operators.acting import Acts
from server.store.court_filings import BatchRow, CourtFilings
from server.store.court_logs import CourtLogs, Said

AT_ONCE = 256
"""Hearings in one batch, at most."""
UNDONE = 64
"""So many batches that were read, a reorganisation may take back: the next one may have a number that was another's."""
GONE = "not at hand any more"
"""What `seed` says when the hash is lost."""

_logger = structlog.get_logger()


class Filer:
    """By the key that has the role `clerk`. One leads; a second one at once, by mistake, acts under the same names."""

    def __init__(
        self,
        *,
        court: CourtContract,
        registry: JudgeRegistry,
        terms: Terms,
        gap_s: int,
        logs: CourtLogs,
        filings: CourtFilings,
        acts: Acts,
        time_s: Callable[[Said], Awaitable[int]],
        read_upto: Callable[[], Awaitable[int]],
        wanted: Callable[[], bool],
        clock: Clock,
        alarm: Callable[[str, str], None] = lambda kind, detail: None,
    ) -> None:
        """`gap_s`: between two snapshots. `time_s`: of a log's block; `read_upto`: the newest block whose logs are known; `wanted`:
        whether somebody wants to file. `alarm` is called with what a person should know."""
        self._court = court
        self._registry = registry
        self._terms = terms
        self._gap_s = gap_s
        self._logs = logs
        self._filings = filings
        self._acts = acts
        self._time_s = time_s
        self._read_upto = read_upto
        self._wanted = wanted
        self._clock = clock
        self._alarm = alarm
        # Another deployment on the same chain has batches of the same numbers.
        self._prefix = f"court:{court.address[2:10]}"

    async def round(self, head: Head) -> None:
        """`head` is the chain's newest block. Raises OSError, and what the store raises."""
        await self._snapshot(head)
        await self._seed(head)
        newest = await self._filings.newest()
        if newest is None or newest.lost or await self._logs.filed(newest.root, newest.least):
            newest = await self._make()
        if newest is not None:
            await self._file(newest, head)

    # ----------------------------------------------------------------------- snapshots

    async def _snapshot(self, head: Head) -> None:
        newest = await self._logs.newest("SnapshotTaken")
        place = (-1, -1) if newest is None else (newest.number, newest.log_index)
        due = doings.snapshot_due(
            None if newest is None else await self._time_s(newest),
            head.timestamp,
            self._gap_s,
            self._terms.snapshot_max_s,
            changed=await self._logs.changed_after(*place),
            wanted=self._wanted(),
        )
        if due:
            number = 1 if newest is None else (newest.ordinal or 0) + 1
            await self._act(f"snapshot:{number}", self._registry.take_snapshot())

    # ----------------------------------------------------------------------- batches

    async def _make(self) -> BatchRow | None:
        """The next batch, of what waits; None where nothing does."""
        filings = await self._filings.waiting(AT_ONCE)
        if not filings:
            return None
        root = Batch(filings).root.hex()
        newest = await self._logs.newest("Filed")
        least = max(1, (0 if newest is None else newest.ordinal or 0) + 1 - UNDONE)
        while (same := await self._logs.filed(root, least)) is not None:
            least = (same.ordinal or 0) + 1  # the same hearings were filed before, and lost
        made = await self._filings.make(root, filings, least, self._clock())
        if made is not None:
            _logger.info("filing", batch=made.ordinal, hearings=made.count, snapshot=made.snapshot)
        return made

    async def _file(self, batch: BatchRow, head: Head) -> None:
        name = f"{self._prefix}:file:{batch.ordinal}"
        if await self._acts.standing(name) is not None:
            return
        snapshot = await self._logs.newest("SnapshotTaken", ordinal=batch.snapshot)
        max_s = self._terms.snapshot_max_s
        if snapshot is None or doings.too_old(await self._time_s(snapshot), head.timestamp, max_s):
            # Nothing has been sent, or it has failed for good: it is on no chain.
            await self._lose(batch, "its snapshot is too old, or is none any more")
            return
        call = self._court.file(bytes.fromhex(batch.root), batch.count, batch.snapshot)
        await self._act(f"file:{batch.ordinal}", call)

    async def _seed(self, head: Head) -> None:
        read = await self._read_upto()
        for said in await self._logs.unseeded():
            seed_block, batch = said.fields["seed_block"], said.fields["batch"]
            if not doings.seedable(seed_block, head.number):
                continue
            if doings.is_over(seed_block, read):
                row = await self._filings.by_root(said.fields["root"].hex())
                if row is not None and row.lost:
                    continue
                if await self._is_gone(batch):
                    if row is not None:
                        await self._lose(row, "nobody has asked for its seed in time")
                    continue
            # In another block it is another seed, and another action.
            await self._act(f"seed:{batch}:{said.block_hash[2:18]}", self._court.seed(batch))

    async def _is_gone(self, batch: int) -> bool:
        try:
            await self._court.read("seed", batch)
        except Reverted as error:
            return GONE in error.reason
        return False

    async def _lose(self, batch: BatchRow, why: str) -> None:
        self._alarm("court-batch-lost", f"batch {batch.ordinal} of {batch.count} hearings: {why}")
        await self._filings.lose(batch.ordinal)

    async def _act(self, name: str, call: Invocation) -> None:
        async def made() -> Invocation:
            return call

        await self._acts.act(f"{self._prefix}:{name}", made)
