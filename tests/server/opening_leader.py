"""A process that leads the openings of an escrow, on the database at URL; made to be killed.

python -m tests.server.opening_leader DATABASE_URL RPC_URL ESCROW
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

from chain.client.escrow import Escrow
from chain.client.index import Indexer
from chain.client.nonces import Policy
from chain.client.rpc import Rpc
from chain.client.signer import KeySigner
from chain.client.txs import TxWriter
from server.clock import unix_ms
from server.settlement.mirror import Mirror
from server.settlement.openings import Openings
from server.store import open_store
from server.store.chain_logs import ChainLogs
from tests.chain.node import account
from tests.chain.rpc import CHAIN_ID

CONFIRMATIONS = 2
SETTLER, TREASURY = 0, 9
"""Which of the known accounts."""
READER = "escrow"
EVERY_S = 0.1


async def main(database: str, url: str, address: str) -> None:
    store = await open_store(database, escrowed=True)
    rpc = Rpc(url, CHAIN_ID)
    escrow = Escrow(rpc, address)
    writer = TxWriter(
        node=rpc,
        store=store.chain_txs,
        signer=KeySigner(account(SETTLER), CHAIN_ID),
        chain_id=CHAIN_ID,
        clock=unix_ms,
        policy=Policy(confirmations=CONFIRMATIONS, resubmit_ms=1_500),
        alarm=lambda alarm: print(alarm, flush=True),
    )
    mirror = Mirror(
        database=store.database,
        escrow=escrow,
        treasury=account(TREASURY).address,
        clock=unix_ms,
        alarm=lambda kind, detail: print(kind, detail, flush=True),
    )
    reader = Indexer(
        node=rpc,
        store=ChainLogs(store.database, mirror),
        reader=READER,
        addresses=[address],
        start=0,
        confirmations=CONFIRMATIONS,
        alarm=lambda kind, detail: print(kind, detail, flush=True),
    )
    openings = Openings(rows=store.openings, writer=writer, escrow=escrow, clock=unix_ms)
    await asyncio.gather(
        writer.run(EVERY_S, EVERY_S), reader.run(EVERY_S, EVERY_S), repeat(openings.round)
    )


async def repeat(round_: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await round_()
        except Exception as error:  # as the leader does
            print(repr(error), flush=True)
        await asyncio.sleep(EVERY_S)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
