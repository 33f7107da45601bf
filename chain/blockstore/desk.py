"""The store, asked from the event loop: its work is done on one thread, in the order in which it was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from chain.blockstore.store import BlockStore, StoreError
from chain.content import unixfs
from chain.content.cid import Cid
from chain.content.dag_pb import NotANode
from chain.content.unixfs import MAX_DEPTH, FileNode

T = TypeVar("T")


class Desk:
    """`close` it, and the store with it."""

    def __init__(self, store: BlockStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, "blockstore")

    async def do(self, work: Callable[[BlockStore], T]) -> T:
        """Have it done. Cancelled, it may still be."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._store)

    async def file(
        self, id_: Cid, offset: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes of a file from `offset` on, at most `length`. Raises NotFound, StoreError where it is no file."""
        node = await self._node(id_)
        end = node.size if length is None else min(node.size, offset + length)
        async for piece in self._bytes(node, offset, end, 0):
            yield piece

    async def _node(self, id_: Cid) -> FileNode:
        block = await self.do(lambda store: store.get(id_))
        try:
            return unixfs.read(id_, block)
        except NotANode as error:
            raise StoreError(f"{id_} is no file: {error}") from None

    async def _bytes(
        self, node: FileNode, begin: int, end: int, depth: int
    ) -> AsyncIterator[bytes]:
        if depth > MAX_DEPTH:
            raise StoreError(f"a file of more than {MAX_DEPTH} levels")
        if node.data[begin:end]:
            yield node.data[begin:end]
        at = len(node.data)
        for link, size in zip(node.links, node.sizes, strict=True):
            if at < end and at + size > begin:
                below = await self._node(link.cid)
                if below.size != size:
                    raise StoreError(f"{link.cid} is not of the {size} bytes that its parent says")
                async for piece in self._bytes(below, max(0, begin - at), end - at, depth + 1):
                    yield piece
            at += size

    async def close(self) -> None:
        """Idempotent. What is under way comes to its end."""
        await asyncio.to_thread(self._thread.shutdown)
        self._store.close()
