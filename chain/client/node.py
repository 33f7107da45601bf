"""What a node is asked and says, apart from how: the types of `rpc.py` and its failures. Imports nothing heavy."""

from __future__ import annotations

import enum
from typing import Protocol

import msgspec

from chain.client.nonces import Call, Mined


class RpcUnavailable(OSError):
    """The node does not answer, or not as a node does."""


class WrongChain(RpcUnavailable):
    """The node is of another chain: the same address may be somebody else's contract there."""


class RangeTooWide(Exception):
    """The node gives no logs of so many blocks at once: ask for fewer."""


class Reverted(Exception):
    """The contract refuses. `reason` is what it says, as text."""

    def __init__(self, reason: str, data: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.data = data


class Trouble(enum.Enum):
    """Why a node does not take a transaction. Nodes agree on words, more or less, and on no codes."""

    KNOWN = "known"
    """It has it already."""
    NONCE_USED = "nonce-used"
    UNDERPRICED = "underpriced"
    FUNDS = "funds"
    """The sender cannot pay for it."""
    OTHER = "refused"


class SendRefused(Exception):
    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


class Head(msgspec.Struct, frozen=True):
    """A block."""

    number: int
    hash: str
    parent: str
    timestamp: int
    """Unix seconds, as the chain tells the time."""
    base_fee: int
    """Wei a unit of gas."""
    gas_limit: int = 30_000_000
    """Of all transactions of the block together."""


class Log(msgspec.Struct, frozen=True):
    """An event, as it stands in a block."""

    address: str
    """EIP-55."""
    topics: tuple[str, ...]
    data: bytes
    number: int
    block_hash: str
    index: int
    """Within the block."""
    tx: str
    tx_index: int


class Node(Protocol):
    """What the writer needs of a chain; `Rpc` is one. Every method may raise OSError."""

    async def head(self) -> Head: ...
    async def nonce(self, address: str, block: int) -> int: ...
    async def balance(self, address: str, block: int) -> int: ...
    async def tip(self) -> int: ...
    async def mined(self, hash_: str) -> Mined | None: ...
    async def known(self, hash_: str) -> bool: ...
    async def estimate(self, sender: str, call: Call) -> int: ...
    async def send(self, raw: bytes) -> None: ...


_TROUBLES = (
    (Trouble.KNOWN, ("already known", "already imported", "known transaction", "already exists")),
    (Trouble.NONCE_USED, ("nonce too low", "nonce is too low", "invalid nonce", "old nonce")),
    (Trouble.UNDERPRICED, ("underpriced", "less than block base fee", "fee too low")),
    (Trouble.FUNDS, ("insufficient funds", "insufficient balance")),
)
"""Of geth, reth, erigon, nethermind, besu and anvil."""


def trouble(message: str) -> Trouble:
    """What a node's words mean when it refuses a transaction."""
    lower = message.lower()
    for kind, phrases in _TROUBLES:
        if any(phrase in lower for phrase in phrases):
            return kind
    return Trouble.OTHER
