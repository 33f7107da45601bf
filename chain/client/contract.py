"""A contract at an address: what it says now, what to send it, what its logs mean."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from chain.artifacts import load
from chain.client.abi import Abi, Event
from chain.client.node import Log


class NoContract(LookupError):
    """Nothing, or something else, is at the address."""


class Caller(Protocol):
    """What is needed of a node; `Rpc` is one."""

    async def call(self, to: str, data: bytes, block: int | None = None) -> bytes: ...


class Invocation(NamedTuple):
    """What to send where, for `TxWriter.submit(action, *invocation)`."""

    to: str
    data: bytes


class Contract:
    """Of the artifact `name`, at `address`."""

    def __init__(self, node: Caller, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self.abi = Abi(load(name).abi)
        self._node = node

    async def read(self, function: str, *arguments: Any, block: int | None = None) -> Any:
        """What a function returns in the state after a block (the newest, if none is said): its value, or a tuple of several.

        Raises Reverted, NoContract, OSError.
        """
        data = await self._node.call(self.address, self.abi.call(function, *arguments), block)
        try:
            values = self.abi.result(function, len(arguments), data)
        except ValueError as error:
            raise NoContract(
                f"there is no contract {self.name!r} at {self.address}: {error}"
            ) from None
        return values[0] if len(values) == 1 else values

    def invoke(self, function: str, *arguments: Any) -> Invocation:
        """A call that changes something, to be sent."""
        return Invocation(self.address, self.abi.call(function, *arguments))

    def event(self, log: Log) -> Event | None:
        """None where the log is of another contract, or of no event of this one."""
        return self.abi.event(log) if log.address == self.address else None
