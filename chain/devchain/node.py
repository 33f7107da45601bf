"""The chain itself: its head, the transactions that wait, and how blocks are made. No network; one thread at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from chain.devchain import shapes
from chain.devchain.disk import Disk
from chain.devchain.evm import Built, Evm, Invalid
from chain.devchain.pool import Pool

BURIAL = 16
"""Empty blocks that follow one with transactions, so that whoever waits for confirmations gets them."""
IDLE_S = 60
"""Without anything to do a block comes this often: contracts tell the time by it."""


class Node:
    """A chain on `disk`, made there if there is none.

    `balances` (address -> wei) are those of a chain that is made. Raises ValueError where the disk's chain has another
    id.
    """

    def __init__(
        self,
        disk: Disk,
        chain_id: int,
        balances: Mapping[bytes, int],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._disk = disk
        self._clock = clock
        self.chain_id = chain_id
        self._evm = Evm(disk, chain_id)
        self._pool = Pool()
        self._next_timestamp: int | None = None
        if disk.head() is None:
            self._begin(balances)
        found = int(disk.meta("chain_id") or 0)
        if found != chain_id:
            raise ValueError(f"the chain in these files has the id {found}, not {chain_id}")
        self._offset_s = int(disk.meta("offset_s") or 0)
        self._head = self._evm.header(self._head_hash())
        self._refill()

    @property
    def disk(self) -> Disk:
        return self._disk

    @property
    def evm(self) -> Evm:
        return self._evm

    @property
    def head(self) -> Any:
        """The header of the newest block."""
        return self._head

    def header(self, number: int) -> Any:
        """None where there is no such block."""
        hash_ = self._disk.block_hash(number)
        return None if hash_ is None else self._evm.header(hash_)

    def pending_header(self) -> Any:
        """Of the block that would come now, with the state of the newest."""
        return self._evm.next_header(self._head, self._timestamp())

    def nonce(self, address: bytes, *, pending: bool = False) -> int:
        """How many transactions of it are in blocks; `pending` counts those that wait without a gap, too."""
        used = int(self._evm.state(self._head).get_nonce(address))
        return used + len(self._pool.run_of(address, used)) if pending else used

    def waiting(self, hash_: bytes) -> Any | None:
        return self._pool.get(hash_)

    def submit(self, raw: bytes) -> bytes:
        """Have a signed transaction wait, durably; returns its hash. Raises Invalid."""
        transaction = self._evm.decode(raw)
        if self._disk.tx(transaction.hash) is not None:
            raise Invalid("already known")
        with self._disk.transaction():
            replaced = self._pool_add(transaction)
            if replaced is not None:
                self._disk.drop_from_pool([replaced.hash])
            self._disk.add_to_pool(transaction.hash, raw)
        return bytes(transaction.hash)

    def has_work(self) -> bool:
        """Whether a block should be made now."""
        if self._ready():
            return True
        last = self._disk.last_with_txs()
        if last and self._head.block_number < last + BURIAL:
            return True
        return bool(self._now() - self._head.timestamp >= IDLE_S)

    def mine(self) -> Any:
        """Make a block of what waits; returns its header."""
        with self._disk.transaction():
            built = self._evm.build(self._head, self._ready(), self._timestamp())
            self._write(built)
            gone = [each.hash for each in (*built.transactions, *built.refused)]
            self._disk.drop_from_pool(gone)
        self._next_timestamp = None
        self._head = built.header
        for hash_ in gone:
            self._pool.remove(hash_)
        return built.header

    def wind_back(self, number: int) -> None:
        """Forget all blocks above, and all that waits."""
        hash_ = self._disk.block_hash(number)
        if hash_ is None:
            raise Invalid(f"there is no block {number}")
        with self._disk.transaction():
            self._disk.cut(number)
            self._forget_waiting()
        self._head = self._evm.header(hash_)

    def reorganise(self, depth: int, *, drop: bool) -> None:
        """Put as many other, empty blocks in the place of the newest `depth`, and one more.

        Their transactions wait again; with `drop` they and all others that waited are lost, as when another node's
        chain wins that has never heard of them.
        """
        height = int(self._head.block_number)
        if not 0 < depth <= height:
            raise Invalid(f"cannot reorganise {depth} of {height} blocks")
        undone = [] if drop else self._undone(height - depth)
        head = self.header(height - depth)
        with self._disk.transaction():
            self._disk.cut(height - depth)
            if drop:
                self._forget_waiting()
            for _ in range(depth + 1):
                built = self._evm.build(head, [], max(self._now(), head.timestamp + 1))
                self._write(built)
                head = built.header
            for raw in undone:
                self._disk.add_to_pool(self._evm.decode(raw).hash, raw)
        self._head = head
        self._refill()

    def pass_time(self, seconds: int) -> int:
        """Set the chain's clock forward; returns by how much it is before ours, in seconds."""
        self._offset_s += seconds
        with self._disk.transaction():
            self._disk.set_meta("offset_s", str(self._offset_s))
        return self._offset_s

    def next_timestamp(self, timestamp: int) -> None:
        """Of the block that comes next. Raises Invalid."""
        if timestamp <= self._head.timestamp:
            raise Invalid(f"timestamp {timestamp} is not after {self._head.timestamp}")
        self._next_timestamp = timestamp
        self.pass_time(timestamp - self._now())

    def _begin(self, balances: Mapping[bytes, int]) -> None:
        with self._disk.transaction():
            header = self._evm.genesis(balances, int(self._clock()))
            self._disk.set_meta("chain_id", str(self.chain_id))
            told = msgspec.json.encode(shapes.block(header, [], 0))
            self._disk.add_block(0, header.hash, told, [], [])

    def _head_hash(self) -> bytes:
        head = self._disk.head()
        assert head is not None, "a chain has a first block"
        return head[1]

    def _write(self, built: Built) -> None:
        txs, logs = shapes.rows(built)
        told = shapes.block(built.header, [tx.hash for tx in txs], built.size)
        header = built.header
        self._disk.add_block(header.block_number, header.hash, msgspec.json.encode(told), txs, logs)

    def _ready(self) -> list[Any]:
        """What a block may hold now: of each sender without a gap, and only what pays the base fee."""
        base = self._evm.next_header(self._head, self._timestamp()).base_fee_per_gas
        state = self._evm.state(self._head)
        ready = []
        for sender in self._pool.senders():
            for transaction in self._pool.run_of(sender, state.get_nonce(sender)):
                if transaction.max_fee_per_gas < base:
                    break
                ready.append(transaction)
        return ready

    def _pool_add(self, transaction: Any) -> Any | None:
        state = self._evm.state(self._head)
        sender = transaction.sender
        for stale in self._pool.stale(sender, state.get_nonce(sender)):
            self._pool.remove(stale)
        return self._pool.add(transaction, state.get_nonce(sender), state.get_balance(sender))

    def _refill(self) -> None:
        """What waited when the process ended, or waits again."""
        lost = []
        for raw in self._disk.pool():
            transaction = self._evm.decode(raw)
            if self._pool.get(transaction.hash) is None:
                try:
                    self._pool_add(transaction)
                except Invalid:
                    lost.append(bytes(transaction.hash))
        with self._disk.transaction():
            self._disk.drop_from_pool(lost)

    def _forget_waiting(self) -> None:
        self._disk.drop_from_pool([self._evm.decode(raw).hash for raw in self._disk.pool()])
        self._pool = Pool()

    def _undone(self, above: int) -> list[bytes]:
        """The raw transactions of all blocks above."""
        return [
            bytes(transaction.encode())
            for number in range(above + 1, self._head.block_number + 1)
            for transaction in self._evm.transactions(self.header(number))
        ]

    def _now(self) -> int:
        return int(self._clock()) + self._offset_s

    def _timestamp(self) -> int:
        if self._next_timestamp is not None and self._next_timestamp > self._head.timestamp:
            return self._next_timestamp
        return int(max(self._now(), self._head.timestamp + 1))
