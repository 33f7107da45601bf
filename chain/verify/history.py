"""What a verifier asks of a chain's past: logs of some blocks, which blocks are of a second, who has held a role.

A node may have forgotten old logs, refuse too many blocks at once, and make several blocks in a second.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from eth_utils.crypto import keccak

from chain.client.abi import Event
from chain.client.contract import Caller
from chain.client.escrow import Escrow
from chain.client.node import Head, Log, RangeTooWide, RpcUnavailable

SETTLER = keccak(b"settler")
WIDTH = 10_000
"""Blocks in one question for logs, where a node does not answer for all at once."""
MOST_ASKED = 2_000
"""Questions after which a search for logs is given up."""


class Reader(Caller, Protocol):
    """What is asked of a node; `Rpc` is one."""

    async def head(self) -> Head: ...
    async def block(self, number: int) -> Head | None: ...
    async def logs(
        self, addresses: Sequence[str], first: int, last: int, topics: Sequence[str] = ()
    ) -> list[Log]: ...


class Unread(Exception):
    """The logs of these blocks are not to be had; the text says why."""


class Settlers:
    """Who holds the role, and who has held it: a key is replaced one day, and what it has signed stays signed."""

    def __init__(self, escrow: Escrow, node: Reader, now: str) -> None:
        self.now = now
        self._escrow = escrow
        self._node = node
        self._before: dict[str, bool | None] = {}

    async def was(self, address: str) -> bool | None:
        """Whether it has ever been; None where the node cannot say."""
        if address not in self._before:
            self._before[address] = await self._search(address)
        return self._before[address]

    async def _search(self, address: str) -> bool | None:
        known = False
        last = (await self._node.head()).number
        try:
            async for event in events(self._node, self._escrow, "RoleTaken", 0, last, back=True):
                if bytes(event.fields["role"]) == SETTLER:
                    known = True
                    if event.fields["account"].lower() == address.lower():
                        return True
        except Unread:
            return None
        return False if known else None  # a node without old logs has not even that of the first


async def events(
    node: Reader, escrow: Escrow, name: str, first: int, last: int, *, back: bool = False
) -> AsyncIterator[Event]:
    """The escrow's events of a kind in these blocks, `back`: the newest part first. Raises Unread."""
    width, asked = last - first + 1, 0
    while first <= last:
        low = max(first, last - width + 1) if back else first
        high = last if back else min(last, first + width - 1)
        asked += 1
        if asked > MOST_ASKED:
            raise Unread(f"the node gives logs of {width} blocks at once, which are too few")
        try:
            logs = await node.logs([escrow.address], low, high, [escrow.abi.topic(name)])
        except RangeTooWide:
            width = min(WIDTH, max(1, width // 2))
            continue
        except RpcUnavailable as error:
            raise Unread(str(error)) from None
        first, last = (first, low - 1) if back else (high + 1, last)
        for log in logs:
            event = escrow.event(log)
            if event is not None and event.name == name:
                yield event


async def blocks_at(node: Reader, timestamp: int) -> tuple[int, int] | None:
    """The first and the last block of that second, of which a chain may make several; None where there is none."""
    try:
        first = await first_at(node, timestamp)
        block = await node.block(first)
        if block is None or block.timestamp != timestamp:
            return None
        after = await first_at(node, timestamp + 1)
        block = await node.block(after)
    except RpcUnavailable:
        return None  # it has forgotten them, and says so
    return first, after - 1 if block is not None and block.timestamp > timestamp else after


async def first_at(node: Reader, timestamp: int) -> int:
    """The first block of that time or later, found by halving; the newest where there is none yet."""
    low, high = 0, (await node.head()).number
    while low < high:
        middle = (low + high) // 2
        block = await node.block(middle)
        if block is None or block.timestamp < timestamp:  # None: a node that has forgotten it
            low = middle + 1
        else:
            high = middle
    return low
