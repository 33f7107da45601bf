"""When what the contracts have said was said: the times of their blocks, asked of a node once each."""

from __future__ import annotations

from server.operators.lists import Heads
from server.store.court_logs import Said

KEPT = 1_024
"""Blocks whose times are remembered."""


class Unknown(OSError):
    """What was asked for has not been read, or is not there any more."""


class Times:
    def __init__(self, node: Heads) -> None:
        self._node = node
        self._found: dict[str, int] = {}

    async def of(self, said: Said) -> int:
        """Unix seconds. Raises OSError, also where a reorganisation has taken the block away."""
        known = self._found.get(said.block_hash)
        if known is not None:
            return known
        head = await self._node.block(said.number)
        if head is None or head.hash != said.block_hash:
            raise Unknown(f"block {said.number} is not the one that was read")
        if len(self._found) >= KEPT:
            self._found.clear()
        self._found[said.block_hash] = head.timestamp
        return head.timestamp
