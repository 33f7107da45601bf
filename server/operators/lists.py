"""Fetches the lists of what operators attest, and notes which of the leaves equal the arena's.

What cannot be fetched is tried again for days, each time after twice as long; a list that is none is never tried again. Until
a list is read its leaves count for nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Protocol

import structlog

from chain.attestation import Leaf, pieces
from chain.client.node import Head
from chain.content.cid import Cid, Codec, parse
from chain.content.errors import IpfsError, TooLarge
from server.clock import Clock
from server.operators.batches import MAX_EXPOSED, BadList, Known, Verdict, read_list, verdicts
from server.store.operators import BatchRow, Block, Keep, Operators
from spaces import merkle

AT_ONCE = 16
"""Operators of which a batch is looked at in one round."""
TOGETHER = 128
"""Leaves compared with the arena's blocks at once."""
FETCH_S = 60.0
FIRST_WAIT_MS = 30_000
MAX_WAIT_MS = 6 * 3_600_000
TRIES = 24
"""After those, some four days, a list is given up."""
RENEWED_S = 30 * 86_400
"""A block that the operator has attested less than this before is not counted a second time: a third of the time for
which a batch is kept."""
MEANWHILE = "handed in meanwhile"
"""While it was looked for elsewhere, in vain: it stays due, and the next round reads it."""

_logger = structlog.get_logger()


class Blocks(Protocol):
    """Where content is found; `chain.content.ipfs.Ipfs` is one."""

    async def block(self, id_: Cid) -> bytes: ...


class Heads(Protocol):
    """What is needed of a node."""

    async def block(self, number: int) -> Head | None: ...


class Lists:
    """Any number of processes may: what is noted twice is noted once."""

    def __init__(self, *, operators: Operators, ipfs: Blocks, node: Heads, clock: Clock) -> None:
        self._operators = operators
        self._ipfs = ipfs
        self._node = node
        self._clock = clock

    async def round(self) -> int:
        """Look at what is due; returns how many batches that were. Raises OSError, and what the store raises."""
        # One of each operator: what is in one of them is not counted in its next.
        due = await self._operators.due_batches(self._clock(), AT_ONCE)
        await asyncio.gather(*(self._look(each) for each in due))
        return len(due)

    async def leaves(self, batch: BatchRow) -> list[Leaf]:
        """Raises BadList, IpfsError, TimeoutError."""
        data = await self._operators.handed_in(batch)
        if data is None:
            async with asyncio.timeout(FETCH_S):
                data = await self._ipfs.block(Cid(Codec.RAW, bytes.fromhex(batch.list_digest)))
        return await asyncio.to_thread(read_list, data, batch.leaves, bytes.fromhex(batch.root))

    async def _look(self, batch: BatchRow) -> None:
        head = await self._node.block(batch.number)
        if head is None or head.hash != batch.block_hash:
            return  # a reorganisation has taken it away, and the reader is about to find out
        try:
            leaves = await self.leaves(batch)
        except BadList as error:
            await self._operators.refuse(batch, head.timestamp)
            self._tell(batch, "bad", str(error))
        except TooLarge as error:
            refused = await self._operators.refuse(batch, head.timestamp, failed=True)
            self._tell(batch, "bad" if refused else MEANWHILE, str(error))
        except (IpfsError, OSError) as error:  # TimeoutError is one
            await self._again(batch, head, str(error) or "not in time")
        else:
            try:
                await self._compare(batch, head.timestamp, leaves)
            except (IpfsError, TimeoutError) as error:  # our own content store is away
                await self._operators.put_off(batch, self._clock() + FIRST_WAIT_MS, failed=False)
                self._tell(batch, "not compared", str(error) or "not in time")

    async def _again(self, batch: BatchRow, head: Head, why: str) -> None:
        if batch.tries + 1 >= TRIES:
            refused = await self._operators.refuse(batch, head.timestamp, failed=True)
            self._tell(batch, "given up" if refused else MEANWHILE, why)
            return
        wait_ms = min(MAX_WAIT_MS, FIRST_WAIT_MS * 2**batch.tries)
        waits = await self._operators.put_off(batch, self._clock() + wait_ms)
        self._tell(batch, "not there" if waits else MEANWHILE, why)

    async def _compare(self, batch: BatchRow, at_s: int, leaves: Sequence[Leaf]) -> None:
        seen: set[int] = set()
        good: list[Keep] = []
        lie: int | None = None
        for start in range(0, len(leaves), TOGETHER):
            some = leaves[start : start + TOGETHER]
            known = await self._known(some)
            fresh = {each.task for each in known} - seen
            seen |= await self._operators.kept_lately(batch.operator, fresh, at_s, RENEWED_S)
            found = verdicts(some, known, at_s, seen)
            of = {each.digest: each for each in known}
            for place, (leaf, verdict) in enumerate(zip(some, found, strict=True), start):
                if verdict is Verdict.GOOD:
                    good.append(Keep(of[leaf.digest].task, place, leaf.size))
                elif verdict is Verdict.LIE and of[leaf.digest].size <= MAX_EXPOSED:
                    lie = place if lie is None else lie
        await self._operators.record(batch, at_s, good, lie)
        self._tell(batch, "read", "", good=len(good), lie=lie)

    async def _known(self, leaves: Sequence[Leaf]) -> list[Known]:
        cids = sorted({str(Cid(Codec.RAW, leaf.digest)) for leaf in leaves})
        found = await self._operators.blocks(cids)
        blocks = [(each, each.document or await self._content(each)) for each in found]
        return await asyncio.to_thread(lambda: [known(*each) for each in blocks])

    async def _content(self, block: Block) -> bytes:
        """Of what is no transcript: the content store of ours has it."""
        async with asyncio.timeout(FETCH_S):
            return await self._ipfs.block(parse(block.cid))

    def _tell(self, batch: BatchRow, what: str, why: str, **more: object) -> None:
        _logger.info(
            "operator's batch",
            operator=batch.operator,
            batch=batch.batch,
            what=what,
            why=why,
            **more,
        )


def known(block: Block, content: bytes) -> Known:
    """What follows from a block's bytes."""
    return Known(
        task=block.task,
        session_id=hashlib.sha256(block.session.encode()).digest(),
        digest=hashlib.sha256(content).digest(),
        size=len(content),
        pieces_root=merkle.root(pieces(content)),
        given_ms=block.given_ms,
    )
