"""A process that does `COUNT` actions by a writer on the database at URL, and ends when all are buried; made to be killed.

    python -m tests.server.chain_writer DATABASE_URL RPC_URL CONTRACT COUNT

Each action calls CONTRACT with its number, as one word.
"""

from __future__ import annotations

import asyncio
import sys

from chain.client.nonces import Policy
from chain.client.rpc import Rpc
from chain.client.signer import KeySigner
from chain.client.txs import TxWriter
from server.clock import unix_ms
from server.store import open_store
from tests.chain.node import account
from tests.chain.rpc import CHAIN_ID

CONFIRMATIONS = 4
WRITER = 1
"""Which of the known accounts."""


async def main(database: str, url: str, contract: str, count: int) -> None:
    store = await open_store(database)
    rpc = Rpc(url, CHAIN_ID)
    writer = TxWriter(
        node=rpc,
        store=store.chain_txs,
        signer=KeySigner(account(WRITER), CHAIN_ID),
        chain_id=CHAIN_ID,
        clock=unix_ms,
        policy=Policy(confirmations=CONFIRMATIONS, resubmit_ms=1_500),
        alarm=lambda alarm: print(alarm, flush=True),
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(writer.run(every_s=0.05, calm_s=0.1))
        for number in range(count):
            await writer.submit(f"log:{number}", contract, number.to_bytes(32, "big"), gas=60_000)
        for number in range(count):
            while not (row := await writer.find(f"log:{number}")) or not row.done:
                await asyncio.sleep(0.05)
        running.cancel()
    await rpc.close()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
