"""A chain and a store of rows in memory, for the writer's tests: both may fail at any step, and the chain forgets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from chain.client.fees import Fees
from chain.client.node import Head, SendRefused, Trouble
from chain.client.nonces import OPEN, Attempt, Call, Mined, State, Tx

T = TypeVar("T")
CHAIN_ID = 31_337
SENDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


class Crash(BaseException):
    """The process ends here. No Exception: nothing may catch it."""


class Fuse:
    """Blows at the given step from now on; every read or write of the outside world is a step, and one after it, too."""

    def __init__(self) -> None:
        self._left: int | None = None

    def set(self, steps: int | None) -> None:
        self._left = steps

    def step(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                self._left = None
                raise Crash


class Sent(msgspec.Struct, frozen=True):
    """What a raw transaction of this chain says."""

    nonce: int
    call: Call
    fees: Fees


class FakeSigner:
    address = SENDER

    def sign(self, nonce: int, call: Call, fees: Fees) -> tuple[str, bytes]:
        raw = msgspec.msgpack.encode(Sent(nonce, call, fees))
        return _hash(raw), raw


class FakeNode:
    """One sender's chain. Blocks are lists of raw transactions; `pool` is what waits, by nonce."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse
        self._salt = 0
        self.blocks: list[tuple[str, list[bytes]]] = [("0xgenesis", [])]
        self.pool: dict[int, bytes] = {}
        self.ever_sent: set[bytes] = set()
        self.base_fee = 10**9
        self.deaf = False
        """It takes transactions and forgets them."""
        self.refuses: Trouble | None = None
        self.never_takes = b"-"
        """Calls with this data."""

    # The writer's view.

    async def head(self) -> Head:
        self._fuse.step()
        number = len(self.blocks) - 1
        return Head(number, self.blocks[-1][0], "", 0, self.base_fee)

    async def nonce(self, address: str, block: int) -> int:
        self._fuse.step()
        return sum(len(raws) for _, raws in self.blocks[: block + 1])

    async def balance(self, address: str, block: int) -> int:
        return 10**18

    async def tip(self) -> int:
        return 10**6

    async def mined(self, hash_: str) -> Mined | None:
        self._fuse.step()
        for number, (block_hash, raws) in enumerate(self.blocks):
            for raw in raws:
                if _hash(raw) == hash_:
                    return Mined(hash_, number, block_hash, True, 21_000, self.base_fee)
        return None

    async def known(self, hash_: str) -> bool:
        self._fuse.step()
        return any(_hash(raw) == hash_ for raw in self.pool.values())

    async def estimate(self, sender: str, call: Call) -> int:
        return 50_000

    async def send(self, raw: bytes) -> None:
        self._fuse.step()
        self._take(raw)
        self._fuse.step()  # the answer may be lost

    def _take(self, raw: bytes) -> None:
        self.ever_sent.add(raw)
        if self.refuses is not None:
            raise SendRefused(self.refuses, "refused")
        sent = msgspec.msgpack.decode(raw, type=Sent)
        if sent.call.data == self.never_takes:
            raise SendRefused(Trouble.OTHER, "exceeds block gas limit")
        if sent.nonce < self.used:
            raise SendRefused(Trouble.NONCE_USED, "nonce too low")
        standing = self.pool.get(sent.nonce)
        if standing == raw:
            raise SendRefused(Trouble.KNOWN, "already known")
        if standing is not None and not outbids(
            sent.fees, msgspec.msgpack.decode(standing, type=Sent).fees
        ):
            raise SendRefused(Trouble.UNDERPRICED, "replacement transaction underpriced")
        if not self.deaf:
            self.pool[sent.nonce] = raw

    # The world's view.

    @property
    def used(self) -> int:
        return sum(len(raws) for _, raws in self.blocks)

    def mine(self, count: int = 1) -> None:
        """Blocks of what is without a gap and pays the base fee."""
        for _ in range(count):
            raws = []
            nonce = self.used
            while (raw := self.pool.get(nonce)) is not None:
                if msgspec.msgpack.decode(raw, type=Sent).fees.most < self.base_fee:
                    break
                raws.append(self.pool.pop(nonce))
                nonce += 1
            self._salt += 1
            self.blocks.append((f"0xblock{self._salt}", raws))

    def reorganise(self, depth: int) -> None:
        """Other, empty blocks; what was in them is lost."""
        depth = min(depth, len(self.blocks) - 1)
        if depth:
            del self.blocks[-depth:]
            self.mine_empty(depth)

    def mine_empty(self, count: int) -> None:
        waiting, self.pool = self.pool, {}
        self.mine(count)
        self.pool = waiting

    def foreign(self) -> None:
        """Somebody else uses the key."""
        self._salt += 1
        raw = msgspec.msgpack.encode(
            Sent(self.used, Call(None, b"foreign", self._salt), Fees(1, 1))
        )
        self.pool.pop(self.used, None)
        self.blocks.append((f"0xblock{self._salt}", [raw]))

    def executed(self) -> list[bytes]:
        """The data of all calls in blocks, in order."""
        return [
            msgspec.msgpack.decode(raw, type=Sent).call.data
            for _, raws in self.blocks
            for raw in raws
        ]


class MemoryTxs:
    """A TxStore; each method happens wholly or not at all, and the process may end right before or after."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse
        self.rows: dict[int, Tx] = {}

    async def reserve(
        self, chain_id: int, sender: str, action: str, call: Call, used: int, now_ms: int
    ) -> Tx:
        def make() -> Tx:
            for row in self.rows.values():
                if row.action == action:
                    return row
            nonce = max([used, *(nonce + 1 for nonce in self.rows)])
            made = Tx(
                chain_id=chain_id, sender=sender, nonce=nonce, action=action, call=call,
                state=State.RESERVED, made_ms=now_ms,
            )  # fmt: skip
            self.rows[nonce] = made
            return made

        return self._whole(make)

    async def fill(
        self, chain_id: int, sender: str, nonce: int, action: str, call: Call, now_ms: int
    ) -> None:
        def fill() -> None:
            if nonce not in self.rows:
                self.rows[nonce] = Tx(
                    chain_id=chain_id, sender=sender, nonce=nonce, action=action, call=call,
                    state=State.RESERVED, made_ms=now_ms,
                )  # fmt: skip

        self._whole(fill)

    async def find(self, chain_id: int, action: str) -> Tx | None:
        self._fuse.step()
        return next((row for row in self.rows.values() if row.action == action), None)

    async def open(self, chain_id: int, sender: str, limit: int) -> list[Tx]:
        self._fuse.step()
        rows = sorted(self.rows.values(), key=lambda row: row.nonce)
        return [row for row in rows if row.state in OPEN][:limit]

    async def signed(self, tx: Tx, attempt: Attempt) -> Tx | None:
        attempts = (*tx.attempts, attempt)
        return self._change(tx, state=State.SIGNED, attempts=attempts, mined=None)

    async def become(self, tx: Tx, state: State, mined: Mined | None) -> Tx | None:
        return self._change(tx, state=state, mined=mined)

    async def cancel(self, chain_id: int, action: str) -> Tx | None:
        row = await self.find(chain_id, action)
        if row is None or row.state not in OPEN:
            return row
        return self._change(row, cancelling=True)

    async def reopen(self, chain_id: int, sender: str, used: int) -> int:
        over = [r for r in self.rows.values() if r.nonce >= used and r.state not in OPEN]
        for row in over:
            cancelling = row.cancelling or row.state is State.REPLACED
            self._change(row, state=State.SENT, mined=None, cancelling=cancelling)
        return len(over)

    def _change(self, tx: Tx, **values: Any) -> Tx | None:
        def change() -> Tx | None:
            if self.rows[tx.nonce].version != tx.version:
                return None
            changed = msgspec.structs.replace(self.rows[tx.nonce], **values, version=tx.version + 1)
            self.rows[tx.nonce] = changed
            return changed

        return self._whole(change)

    def _whole(self, work: Callable[[], T]) -> T:
        self._fuse.step()
        done = work()
        self._fuse.step()
        return done


def outbids(new: Fees, old: Fees) -> bool:
    """As geth says it: a tenth more on both, and more."""
    return (
        new.most * 100 >= old.most * 110
        and new.tip * 100 >= old.tip * 110
        and new.most > old.most
        and new.tip > old.tip
    )


def _hash(raw: bytes) -> str:
    return "0x" + hashlib.sha256(raw).hexdigest()
