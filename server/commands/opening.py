"""What operators' commands work on: the records and the live state of the arena that the config names.

They open them directly, whether or not an arena runs, and never change the schema: that is for `agon
serve`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from server.config import Config
from server.embedded import database, redis
from server.embedded.data_dir import DataDir
from server.live.connection import open_redis
from server.store import Store, StoreError, existing_store


@contextlib.asynccontextmanager
async def records(config: Config) -> AsyncIterator[Store]:
    """The store. Raises StoreError; also when there is no database yet, instead of making one."""
    url = config.database_url
    if not url:
        folder = DataDir(config.data_dir)
        if not os.path.exists(folder.file(database.FILE)):  # noqa: ASYNC240 - one look, once
            raise StoreError(
                f"no arena has run in {folder.path}: name its folder by --data-dir or "
                "AGON_DATA_DIR, or its database by AGON_DATABASE_URL"
            )
        url = database.url(folder)
    store = await existing_store(url)
    try:
        yield store
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def live_state(config: Config) -> AsyncIterator[Redis]:
    """Redis; the embedded one is started if need be, and ends with its users."""
    with contextlib.ExitStack() as stack:
        url = config.redis_url
        if not url:
            url = await redis.start(stack.enter_context(DataDir(config.data_dir)))
        client = open_redis(url, max_connections=4)
        try:
            yield client
        finally:
            await client.aclose(close_connection_pool=True)
