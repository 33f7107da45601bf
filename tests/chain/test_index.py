"""The reader of logs among reorganisations, crashes and nodes that lie or lag."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chain.client.index import MOST_LOGS, Batch, Indexer, Position
from chain.client.node import Head, Log, RangeTooWide
from tests.chain.fake_chain import Crash, Fuse

T = TypeVar("T")
CONFIRMATIONS = 2
CONTRACT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


class FakeLogs:
    """A chain of which only the logs matter; it may change at any await, as chains do."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse
        self._made = 0
        self.blocks: list[list[Log]] = []
        self.most = 100
        """Blocks it gives logs of at once."""
        self.reorganise_at: int | None = None
        self.depth = CONFIRMATIONS + 3
        self.mine(1)

    async def head(self) -> Head:
        self._step()
        return self._head(len(self.blocks) - 1)

    async def block(self, number: int) -> Head | None:
        self._step()
        return self._head(number) if number < len(self.blocks) else None

    async def logs(self, addresses: Sequence[str], first: int, last: int) -> list[Log]:
        self._step()
        if last - first >= self.most:
            raise RangeTooWide
        return [log for logs in self.blocks[first : last + 1] for log in logs]

    def _step(self) -> None:
        self._fuse.step()
        if self.reorganise_at is not None:
            self.reorganise_at -= 1
            if self.reorganise_at < 0:
                self.reorganise_at = None
                self.reorganise(self.depth)

    def mine(self, count: int) -> None:
        for _ in range(count):
            self._made += 1
            number = len(self.blocks)
            self.blocks.append(
                [
                    Log(CONTRACT, (), b"", number, f"0x{self._made}", index, "0x", index)
                    for index in range(self._made % 3)
                ]
            )
            self._hashes = [*getattr(self, "_hashes", [])[:number], f"0x{self._made}"]

    def reorganise(self, depth: int) -> None:
        depth = min(depth, len(self.blocks) - 1)
        if depth:
            del self.blocks[-depth:]
            self.mine(depth)

    def made_after(self, hash_: str) -> list[Log]:
        """Logs of blocks that were made after that one."""
        made = int(hash_[2:])
        return [log for log in self.canonical(len(self.blocks)) if int(log.block_hash[2:]) > made]

    def canonical(self, upto: int) -> list[Log]:
        return [log for logs in self.blocks[: upto + 1] for log in logs]

    def _head(self, number: int) -> Head:
        return Head(number, self._hashes[number], "", 0, 0)


PAGE = 3


class MemoryLogs:
    """A LogStore that remembers few positions."""

    def __init__(self, fuse: Fuse, kept: int = 6) -> None:
        self._fuse = fuse
        self._kept = kept
        self.at: list[Position] = []
        self.read: list[Log] = []

    async def positions(self, reader: str, below: int | None = None) -> list[Position]:
        self._fuse.step()
        told = [each for each in reversed(self.at) if below is None or each.number < below]
        return told[:PAGE]

    async def take(self, reader: str, batch: Batch) -> bool:
        self._fuse.step()
        if (self.at[-1] if self.at else None) != batch.after:
            return False
        self.read += batch.logs
        self.at = [*self.at, batch.upto][-self._kept :]
        self._fuse.step()
        return True

    async def roll_back(self, reader: str, to: Position | None) -> None:
        self._fuse.step()
        number = -1 if to is None else to.number
        self.read = [log for log in self.read if log.number <= number]
        self.at = [position for position in self.at if position.number <= number]
        self._fuse.step()


class World:
    def __init__(self) -> None:
        self.fuse = Fuse()
        self.chain = FakeLogs(self.fuse)
        self.store = MemoryLogs(self.fuse)
        self.alarms: list[str] = []
        self.start()

    def start(self) -> None:
        self.indexer = Indexer(
            node=self.chain, store=self.store, reader="r", addresses=[CONTRACT], start=0,
            confirmations=CONFIRMATIONS, chunk=5, alarm=lambda kind, detail: self.alarms.append(kind),
        )  # fmt: skip

    def round(self) -> bool:
        return _run(self.indexer.round())

    def catch_up(self) -> None:
        for _ in range(200):
            if not self.round():
                break

    def is_consistent(self) -> bool:
        """What has been read are the logs of one chain: that on which the newest position is."""
        if not self.store.at:
            return self.store.read == []
        newest = self.store.at[-1]
        if not _run(self.indexer._stands(newest)):
            return not set(self.store.read) & set(self.chain.made_after(newest.hash))
        return self.store.read == self.chain.canonical(newest.number)

    def has_read_the_chain(self) -> bool:
        return self.store.read == self.chain.canonical(len(self.chain.blocks) - 1 - CONFIRMATIONS)


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def test_logs_are_read_once_in_order_below_the_head() -> None:
    world = World()
    world.chain.mine(23)
    world.catch_up()
    assert world.has_read_the_chain()
    assert not world.round()
    world.chain.mine(1)
    world.catch_up()
    assert world.has_read_the_chain()
    assert world.alarms == []


def test_a_reorganisation_is_undone_down_to_where_the_chains_part() -> None:
    world = World()
    world.chain.mine(23)
    world.catch_up()
    kept = world.store.at[-2]
    world.chain.reorganise(CONFIRMATIONS + 2)
    world.catch_up()
    assert world.has_read_the_chain()
    assert world.alarms == ["reorganised"]
    assert kept in world.store.at, "what still stands was not read again"


def test_one_that_reaches_below_all_that_is_remembered_has_everything_read_again() -> None:
    world = World()
    world.chain.mine(60)
    world.catch_up()
    world.chain.reorganise(60)
    world.catch_up()
    assert world.has_read_the_chain()


def test_a_node_that_gives_less_at_once_is_asked_for_less() -> None:
    world = World()
    world.chain.most = 1
    world.chain.mine(23)
    world.catch_up()
    assert world.has_read_the_chain()


def test_a_node_that_lags_undoes_nothing() -> None:
    world = World()
    world.chain.mine(23)
    world.catch_up()
    ahead, world.chain.blocks = world.chain.blocks, world.chain.blocks[:10]
    assert not world.round()
    assert world.alarms == ["behind"]
    world.chain.blocks = ahead
    assert world.has_read_the_chain()


def test_a_node_that_misses_blocks_below_its_own_head_undoes_nothing() -> None:
    """As it looks where two nodes answer behind one address, and one lags."""
    world = World()
    world.chain.mine(23)
    world.catch_up()
    read, chain = list(world.store.read), world.chain
    world.chain.mine(1)
    block, chain.block = chain.block, _no_block  # type: ignore[method-assign]
    with pytest.raises(OSError, match="below its own head"):
        world.round()
    chain.block = block  # type: ignore[method-assign]
    assert world.store.read == read
    assert world.alarms == []
    world.catch_up()
    assert world.has_read_the_chain()


async def _no_block(number: int) -> None:
    return None


def test_many_logs_are_taken_a_few_blocks_at_once() -> None:
    world = World()
    world.chain.mine(23)
    full = world.chain.blocks[7]
    for number, blocks in enumerate(world.chain.blocks):
        hash_ = world.chain._hashes[number]
        blocks[:] = [Log(CONTRACT, (), b"", number, hash_, at, "0x", at) for at in range(400)]
    taken: list[int] = []
    take = world.store.take

    async def counted(reader: str, batch: Batch) -> bool:
        taken.append(len(batch.logs))
        return await take(reader, batch)

    world.store.take = counted  # type: ignore[method-assign]
    full[:] = [
        Log(CONTRACT, (), b"", 7, world.chain._hashes[7], at, "0x", at) for at in range(5_000)
    ]
    world.catch_up()
    assert world.has_read_the_chain()
    assert max(taken) == 5_000, "a block is taken whole"
    assert max(each for each in taken if each != 5_000) <= MOST_LOGS


def test_a_node_that_gives_logs_of_another_chain_is_not_believed() -> None:
    world = World()
    world.chain.mine(4)
    world.chain.blocks[2] = [Log(CONTRACT, (), b"", 2, "0xforged", 0, "0x", 0)]
    world.round()
    assert world.store.read == []
    assert world.alarms == ["nonsense"]


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("depth", [CONFIRMATIONS + 2, CONFIRMATIONS + 6])
@pytest.mark.parametrize("before", range(6, 9))
def test_a_chain_that_changes_while_it_is_read_is_not_mixed_with_the_one_before(
    step: int, depth: int, before: int
) -> None:
    world = World()
    world.chain.mine(before)
    world.catch_up()
    world.chain.mine(4)
    world.chain.depth = depth
    world.chain.reorganise_at = step
    world.round()
    assert world.is_consistent()
    world.chain.reorganise_at = None
    world.catch_up()
    assert world.has_read_the_chain()


class Storms(RuleBasedStateMachine):
    """Whatever happens in whatever order: in the end exactly the logs of the chain have been read."""

    @initialize()
    def begin(self) -> None:
        self.world = World()

    @rule(count=st.integers(1, 8))
    def mine(self, count: int) -> None:
        self.world.chain.mine(count)

    @rule(depth=st.integers(1, 12))
    def reorganise(self, depth: int) -> None:
        self.world.chain.reorganise(depth)

    @rule(
        steps=st.none() | st.integers(0, 12),
        at=st.none() | st.integers(0, 8),
        depth=st.integers(1, 6),
    )
    def read(self, steps: int | None, at: int | None, depth: int) -> None:
        self.world.fuse.set(steps)
        self.world.chain.depth = depth
        self.world.chain.reorganise_at = at
        try:
            self.world.round()
        except Crash:
            self.world.start()
        self.world.fuse.set(None)
        self.world.chain.reorganise_at = None

    @invariant()
    def no_log_is_read_twice(self) -> None:
        read = [(log.block_hash, log.index) for log in self.world.store.read]
        assert len(set(read)) == len(read)

    @invariant()
    def what_is_read_is_of_one_chain(self) -> None:
        assert self.world.is_consistent()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.catch_up()
            assert self.world.has_read_the_chain()


Storms.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestStorms = Storms.TestCase
