"""What operators' commands work on: the records and the live state of the arena that the config names.

They open them directly, whether or not an arena runs, and never change the schema: that is for `agon
serve`.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from server.config import Config
from server.embedded import database, redis, services
from server.embedded.data_dir import DataDir
from server.live.connection import open_redis
from server.store import Store, StoreError, existing_store


@contextlib.asynccontextmanager
async def records(config: Config) -> AsyncIterator[Store]:
    """The store. Raises StoreError; also when there is no database yet, instead of making one."""
    with contextlib.ExitStack() as stack:
        store = await existing_store(config.database_url or _embedded(config, stack))
        try:
            yield store
        finally:
            await store.close()


def _embedded(config: Config, stack: contextlib.ExitStack) -> str:
    """The URL of the database in the data directory, which is in use until the stack is closed."""
    folder = DataDir(config.data_dir)
    if not folder.file(database.FILE).exists():
        raise StoreError(
            f"no arena has run in {folder.path}: name its folder by --data-dir or AGON_DATA_DIR, "
            "or its database by AGON_DATABASE_URL"
        )
    return database.url(stack.enter_context(folder))


@contextlib.asynccontextmanager
async def content(config: Config) -> AsyncIterator[str]:
    """The content store's address; the embedded one is started if need be, and ends with its users. Raises ServiceFailed."""
    with contextlib.ExitStack() as stack:
        data = DataDir(config.data_dir)
        if not config.ipfs_url:
            stack.enter_context(data)
        yield await services.content(config, data)


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
