"""The files of a retired adapter are let go. Its card, data card and proof stay: what it was is told for ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chain.content import cid
from chain.content.cid import Cid
from server.store import Store
from server.store.adapters import AdapterRow
from server.store.retiring import InUse as InUse

Unpin = Callable[[Cid], Awaitable[None]]
"""Have the content store keep it no more. Idempotent. Raises NotNow."""


async def retire(store: Store, row: AdapterRow, unpin: Unpin | None) -> AdapterRow:
    """Idempotent: asked again it lets go what could not be let go before. Raises InUse, and NotNow where the content store is away: then it
    is retired, and its files are there still. None: there is no content store here."""
    row = await store.retiring.retire(row)
    shared = await store.retiring.shared(row)
    for each in (row.weights, row.gguf):
        if each is not None and each not in shared and unpin is not None:
            await unpin(cid.parse(each))
    return row
