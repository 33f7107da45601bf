"""A worker's settlement, on its own, as the arena runs it; made to be killed.

python -m tests.server.chain_settler DATABASE_URL REDIS_URL RPC_URL MANIFEST KEY_FILE
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry

from chain.client import deployment
from server.clock import unix_ms
from server.config import Config
from server.live.connection import open_redis
from server.metrics import Metrics
from server.settlement import key_file
from server.settlement.chain import Chain
from server.settlement.contracts import Contracts
from server.store import open_store
from tests.chain.rpc import CHAIN_ID

CONFIRMATIONS = 2


async def main(database: str, redis_url: str, rpc: str, manifest: str, key: str) -> None:
    found = deployment.read(Path(manifest))
    assert found is not None
    contracts = Contracts(rpc, CHAIN_ID, found)
    chain = Chain(
        contracts=contracts,
        key=key_file.read(Path(key)),
        store=await open_store(database),
        redis=open_redis(redis_url),
        config=Config(chain_confirmations=CONFIRMATIONS),
        metrics=Metrics(CollectorRegistry()),
        name="settler",
        clock=unix_ms,
    )
    await chain.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
