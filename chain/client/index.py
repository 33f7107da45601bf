"""Reads the logs of contracts once each, in their order, and takes back what a reorganisation takes back.

Read N blocks below the head, hashes of blocks remembered; where one has changed, what was read from there on is undone and
read again. A log is (hash of its block, its index in the block): after a reorganisation the same event is another log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from chain.client.node import Head, Log, RangeTooWide, RpcUnavailable

KEPT_BLOCKS = 43_200
"""So far below the newest, positions are remembered: a reorganisation that reaches below them has everything read again. A day
at a block each two seconds: a rollup may lose hours that were not yet on the chain below it."""
PAGE = 256
"""Positions looked at together."""
CHUNK = 2_000
"""Blocks read at once, at most; nodes that give fewer are asked for fewer."""

MOST_LOGS = 1_000
"""Logs taken at once, if they are of more than one block: what follows from them is one transaction, and others wait for it."""


class Position(msgspec.Struct, frozen=True):
    """A block up to which everything has been read."""

    number: int
    hash: str


class Batch(msgspec.Struct, frozen=True):
    """What the blocks after one position, up to and with another, hold."""

    after: Position | None
    """None at the very beginning."""
    upto: Position
    logs: tuple[Log, ...]


class LogSource(Protocol):
    """What the indexer needs of a chain; `Rpc` is one. Every method may raise OSError."""

    async def head(self) -> Head: ...
    async def block(self, number: int) -> Head | None: ...
    async def logs(self, addresses: Sequence[str], first: int, last: int) -> list[Log]: ...


class LogStore(Protocol):
    """Where a reader is, and what it has read. Each method is one transaction, with whatever follows from the logs."""

    async def positions(self, reader: str, below: int | None = None) -> list[Position]:
        """The newest first, below a block's number if one is given: a page. None of the last KEPT_BLOCKS is left out."""
        ...

    async def take(self, reader: str, batch: Batch) -> bool:
        """Keep the logs and the new position. False, and nothing kept, where the newest is not `batch.after`."""
        ...

    async def roll_back(self, reader: str, to: Position | None) -> None:
        """Undo what came after a position, all of it for None. Idempotent."""
        ...


class Indexer:
    """One reader of some contracts. `alarm(kind, detail)` is called when the chain has changed its mind."""

    def __init__(
        self,
        *,
        node: LogSource,
        store: LogStore,
        reader: str,
        addresses: Sequence[str],
        start: int,
        confirmations: int,
        chunk: int = CHUNK,
        alarm: Callable[[str, str], None] = lambda kind, detail: None,
    ) -> None:
        """`start` is the first block that can hold a log: that of the contracts' deployment."""
        self._node = node
        self._store = store
        self._reader = reader
        self._addresses = addresses
        self._start = start
        self._confirmations = confirmations
        self._most = self._chunk = chunk
        self._alarm = alarm

    async def run(self, every_s: float = 1.0, calm_s: float = 5.0) -> None:
        """Until cancelled. An outage of node or store delays, nothing else."""
        while True:
            try:
                if not await self.round():
                    await asyncio.sleep(every_s)
            except Exception as error:  # whatever node and store raise: there is a next round
                self._alarm("unreachable", str(error) or type(error).__name__)
                await asyncio.sleep(calm_s)

    async def round(self) -> bool:
        """Read on, or undo; True where there may be more to do at once. Raises OSError, and what the store raises."""
        head = await self._node.head()
        positions = await self._store.positions(self._reader)
        newest = positions[0] if positions else None
        if newest is not None:
            if head.number < newest.number:
                self._alarm(
                    "behind", f"the node is at block {head.number}, we are at {newest.number}"
                )
                return False
            if not await self._stands(newest):
                return await self._undo(positions)
        first = self._start if newest is None else newest.number + 1
        last = min(head.number - self._confirmations, first + self._chunk - 1)
        return last >= first and await self._read(newest, first, last)

    async def _read(self, newest: Position | None, first: int, last: int) -> bool:
        end = await self._node.block(last)
        if end is None:
            return False
        try:
            logs = await self._node.logs(self._addresses, first, last)
        except RangeTooWide:
            self._chunk = max(1, (last - first + 1) // 2)
            return True
        if len(logs) > MOST_LOGS and first < last:
            self._chunk = max(1, (last - first + 1) // 2)
            return True
        # If the end and the beginning still hang on the same chain, so does what was read between them.
        if await self._node.block(last) != end:
            return True
        if newest is not None and not await self._stands(newest):
            return True
        if not all(self._is_of(log, first, end) for log in logs):
            self._alarm("nonsense", f"the node gave logs of other blocks than {first} to {last}")
            return False
        upto = Position(last, end.hash)
        taken = await self._store.take(self._reader, Batch(newest, upto, tuple(logs)))
        self._chunk = min(self._most, self._chunk * 2)
        return taken

    def _is_of(self, log: Log, first: int, end: Head) -> bool:
        return first <= log.number <= end.number and (
            log.number < end.number or log.block_hash == end.hash
        )

    async def _undo(self, positions: Sequence[Position]) -> bool:
        good = await self._newest_that_stands(positions)
        told = "everything" if good is None else f"all after block {good.number}"
        self._alarm("reorganised", f"{told} is read again")
        await self._store.roll_back(self._reader, good)
        return True

    async def _newest_that_stands(self, page: Sequence[Position]) -> Position | None:
        """None where the chain is another one down to all that is remembered. What is below a position that stands does, too."""
        while page:
            if await self._stands(page[-1]):
                wrong, good = -1, len(page) - 1
                while good - wrong > 1:
                    middle = (wrong + good) // 2
                    if await self._stands(page[middle]):
                        good = middle
                    else:
                        wrong = middle
                return page[good]
            page = await self._store.positions(self._reader, below=page[-1].number)
        return None

    async def _stands(self, position: Position) -> bool:
        """Raises OSError where the node has no block of that number, though its head is above: behind one address there may
        be several nodes, and one that lags is no reorganisation."""
        block = await self._node.block(position.number)
        if block is None:
            raise RpcUnavailable(f"the node has no block {position.number}, below its own head")
        return block.hash == position.hash
