"""A host in a process of its own, to be killed. Arguments: Redis URL, host name, shelf folder.

Keeps each sealed session as `<session>.json` in the folder, as the store would: the first stands.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from server.clock import unix_ms
from server.config import Config
from server.host import Host, Sealed
from server.live.connection import open_redis
from server.live.inbox import Inbox
from server.live.lease import Leases
from server.live.log import LiveLog


async def main(url: str, name: str, shelf: Path) -> None:
    async def keep(sealed: Sealed) -> None:
        target = shelf / f"{sealed.session}.json"
        part = target.with_suffix(f".{name}")
        part.write_bytes(sealed.document)
        try:
            os.link(part, target)
        except FileExistsError:
            assert target.read_bytes() == sealed.document, "two hosts sealed two different things"

    redis = open_redis(url)
    host = Host(
        name=name,
        log=LiveLog(redis),
        inbox=Inbox(redis),
        leases=Leases(redis),
        seal_session=keep,
        config=Config(tick_ms=50, retry_ms=1_000, data_dir="unused"),
        clock=unix_ms,
    )
    await host.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
