"""The URLs of the backing services: those that the config names, embedded ones for the rest."""

from __future__ import annotations

import asyncio

import msgspec
import structlog

from server.config import Config
from server.embedded import chain, database, ipfs, llm, redis
from server.embedded.data_dir import DataDir, ServiceFailed

KEEP_S = 2.0

_log = structlog.get_logger()


class Urls(msgspec.Struct, frozen=True):
    redis: str
    database: str
    llm: str | None
    """None when no role here needs a model."""


async def start(config: Config, data: DataDir, *, with_llm: bool) -> Urls:
    """Start what is not given. Raises ServiceFailed, with what to do about it."""
    return Urls(
        redis=config.redis_url or await redis.start(data),
        database=config.database_url or database.url(data),
        llm=config.llm_url or (await llm.start(data) if with_llm else None),
    )


async def content(config: Config, data: DataDir) -> str:
    """The URL of the content store, the embedded one's with its password. It is started by who first needs it, and
    again by who finds it gone: nothing else waits for it. Raises ServiceFailed."""
    return config.ipfs_url or await ipfs.start(data, config.ipfs_max_bytes)


async def keep(config: Config, data: DataDir, *, with_llm: bool) -> None:
    """Until cancelled: bring back an embedded service whose guard itself was killed."""
    while True:
        await asyncio.sleep(KEEP_S)
        try:
            if not config.redis_url:
                await redis.start(data)
            if with_llm and not config.llm_url:
                await llm.start(data)
            if config.settlement == "chain" and not config.rpc_url:
                await chain.start(data, config.chain_id)
        except ServiceFailed as error:
            _log.error("embedded service is down", reason=str(error))
