"""One thing that is to be done on the chain once, though it may take several transactions until one of them does it.

A transaction's name is spent when it failed, was given up, or lost its nonce to somebody else; the next one is `NAME:2`, and
so on. All of it follows from the writer's rows, so whoever leads next goes on where the last one was.
"""

from __future__ import annotations

import itertools
from typing import Protocol

import msgspec

from chain.client.contract import Invocation
from chain.client.nonces import OPEN, Tx


class Writer(Protocol):
    """What is needed of a `TxWriter`."""

    async def submit(self, action: str, to: str | None, data: bytes) -> Tx: ...
    async def find(self, action: str) -> Tx | None: ...


class Attempts(msgspec.Struct, frozen=True):
    """The transactions of one name so far."""

    last: Tx | None
    """None: there is none."""
    following: str
    """The name of the next one."""

    @property
    def under_way(self) -> bool:
        """The last may still do it."""
        return self.last is not None and self.last.state in OPEN

    @property
    def done(self) -> bool:
        return self.last is not None and self.last.done

    @property
    def spent(self) -> bool:
        """There is one, and it will never do it."""
        return self.last is not None and not self.under_way and not self.done

    def is_of(self, call: Invocation) -> bool:
        """The last is this very call."""
        return self.last is not None and (self.last.call.to, self.last.call.data) == tuple(call)


async def attempts(writer: Writer, name: str) -> Attempts:
    """What has been done for a name."""
    last: Tx | None = None
    for number in itertools.count(1):
        action = name if number == 1 else f"{name}:{number}"
        tx = await writer.find(action)
        if tx is None:
            return Attempts(last, action)
        last = tx
        if tx.state in OPEN or tx.done:
            return Attempts(last, f"{name}:{number + 1}")
    raise AssertionError("counting has no end")
