"""Transactions of a judge that brings its messages to the chain itself: stored before they are sent, sent until they are buried."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from chain.client.deployment import Manifest
from chain.client.fees import FeePolicy
from chain.client.nonces import Policy
from chain.client.rpc import Rpc
from chain.client.signer import KeySigner
from chain.client.txs import Alarm, TxWriter
from chain.ethereum import LocalAccount
from server.clock import unix_ms
from server.operating.reading import open_books
from server.operators.acting import Acts
from server.outside.sparing import Sparing
from server.store.chain_txs import ChainTxs

if TYPE_CHECKING:
    from server.judging.running import Settings

BOOKS = "chain.sqlite"


@contextlib.asynccontextmanager
async def sending(
    settings: Settings,
    rpc: Rpc,
    manifest: Manifest,
    account: LocalAccount,
    tell: Callable[[str], None],
) -> AsyncIterator[Acts]:
    """For the time of the block."""
    said = Sparing(tell)

    def alarmed(alarm: Alarm) -> None:
        tell(f"chain: {alarm.kind}: {alarm.action} {alarm.detail}".rstrip())

    books = await open_books(settings.folder / BOOKS)
    try:
        writer = TxWriter(
            node=rpc,
            store=ChainTxs(books),
            signer=KeySigner(account, manifest.chain_id),
            chain_id=manifest.chain_id,
            clock=unix_ms,
            policy=Policy(
                confirmations=settings.confirmations, fees=FeePolicy(cap=settings.max_fee)
            ),
            alarm=alarmed,
        )
        running = asyncio.create_task(writer.run(every_s=1.0))
        try:
            yield Acts(writer, lambda name, why: said.about(name, f"{name}: {why}"))
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
    finally:
        await books.close()
