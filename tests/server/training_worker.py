"""A process with one trainer of fake rooms, to be killed. Run with the urls of store and redis, a folder, and a step's pause."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from server.live.connection import open_redis
from server.store import open_store
from tests.server.training_world import FakeRooms, trainer


async def main(store_url: str, redis_url: str, folder: str, pause_s: str) -> None:
    store = await open_store(store_url)
    redis = open_redis(redis_url)
    await trainer(store, redis, Path(folder), FakeRooms(float(pause_s))).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
