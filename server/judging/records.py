"""The contracts of the court, read by a judge at a node of its own choice."""

from __future__ import annotations

from chain.client.court import CourtContract
from chain.client.deployment import Manifest
from chain.client.judge_registry import JudgeRegistry, Standing
from chain.client.rpc import Rpc
from chain.court.snapshot import Snapshot
from server.judging.seating import Batch


class ChainRecords:
    """See `server.judging.docket.Records`."""

    def __init__(self, rpc: Rpc, manifest: Manifest) -> None:
        self._rpc = rpc
        self._court = CourtContract(rpc, manifest.address("court"))
        self._registry = JudgeRegistry(rpc, manifest.address("judge_registry"))

    async def standing(self, judge: str) -> Standing:
        return await self._registry.judge(judge)

    async def min_stake(self) -> int:
        return await self._registry.min_stake()

    async def batch(self, number: int) -> Batch:
        """Raises LookupError, OSError."""
        found = await self._court.batch(number)
        if found.block == 0:
            raise LookupError("there is no such batch on the chain")
        return Batch(found.root, found.snapshot, found.seed if found.drawn else None)

    async def snapshot(self, number: int) -> Snapshot:
        """Its lists stand in a log of its block, its digest in the contract. Raises LookupError, ValueError, OSError."""
        kept = await self._registry.kept(number)
        if kept.block == 0:
            raise LookupError("there is no such snapshot on the chain")
        for log in await self._rpc.logs([self._registry.address], kept.block, kept.block):
            found = self._registry.lists(log)
            if found is not None and found.number == number:
                if found.digest() != kept.digest:
                    raise ValueError(
                        "its lists are not those of the digest that the contract keeps"
                    )
                return found
        raise LookupError(f"the node has no log of it in block {kept.block}")
