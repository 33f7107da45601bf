"""A chain in the foreground, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from chain.devchain.server import CHAIN_ID, INTERVAL_S, allow_deep_calls, serving


async def run(
    path: Path | None,
    *,
    port: int,
    chain_id: int = CHAIN_ID,
    interval_s: float = INTERVAL_S,
    ready: Callable[[str], None] = lambda _: None,
) -> None:
    """Until SIGINT or SIGTERM. `ready` is told the URL.

    Raises DiskInUse, OSError where the port is taken, ValueError where the file holds another chain.
    """
    allow_deep_calls()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    async with serving(path, port=port, chain_id=chain_id, interval_s=interval_s) as url:
        ready(url)
        await stop.wait()
