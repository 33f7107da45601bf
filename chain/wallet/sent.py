"""What of one wallet is under way, as its journal keeps it, and what has come of it."""

from __future__ import annotations

from typing import Protocol

import msgspec

from chain.client.fees import Fees
from chain.client.node import Head, Node
from chain.client.nonces import Call, Mined
from chain.wallet.amounts import decimal, shown_tokens


class Attempt(msgspec.Struct, frozen=True):
    """One signed transaction of the nonce."""

    hash: str
    raw: str
    """Hex with 0x: sending it again harms nothing."""
    fees: Fees
    cancels: bool = False


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What is under way: what the journal holds."""

    v: int = 1
    command: str
    """What the owner wanted, in words: `deposit 5.00 USDC`."""
    step: str
    """What this transaction does."""
    last: bool
    """When it is in a block, the command is done."""
    genesis: str
    """Of its chain: a chain for development may begin anew under the same id."""
    sender: str
    nonce: int
    to: str
    data: str
    value: int
    gas: int
    at_s: int
    """When it was signed, unix seconds."""
    attempts: tuple[Attempt, ...]
    """Oldest first; all compete for the nonce, and at most one wins."""

    @property
    def call(self) -> Call:
        return Call(self.to, bytes.fromhex(self.data), self.gas, self.value)

    def gives_up(self, mined: Mined) -> bool:
        """Whether what is in the block is the attempt that does nothing."""
        return any(each.cancels and each.hash == mined.hash for each in self.attempts)


class Journal(Protocol):
    """One wallet's, on one chain."""

    def read(self) -> Sent | None: ...

    def write(self, sent: Sent) -> None:
        """On disk when it returns."""
        ...

    def clear(self) -> None: ...


class WalletNode(Node, Protocol):
    """What sending needs of a chain; `Rpc` is one."""

    async def block(self, number: int) -> Head | None: ...
    async def waiting(self, address: str) -> int: ...
    async def call(self, to: str, data: bytes, block: int | None = None) -> bytes: ...


class Done(msgspec.Struct, frozen=True):
    """A transaction that did what it was for."""

    hash: str
    block: int
    gas_used: int
    cost_wei: int
    earlier: bool = False
    """An earlier run of the command had sent it."""
    gave_up: bool = False
    """It was what did nothing, so that something else never happens."""

    @classmethod
    def of(cls, mined: Mined, *, earlier: bool = False, gave_up: bool = False) -> Done:
        cost = mined.gas_used * mined.price
        return cls(mined.hash, mined.number, mined.gas_used, cost, earlier, gave_up)


def eth(wei: int) -> str:
    """For people: `0.0123 ETH`."""
    return shown_tokens(wei, "ETH", most=8)


def gwei(wei: int) -> str:
    """For people: `1.25 gwei`."""
    return f"{decimal(wei // 10**6, 3)} gwei"
