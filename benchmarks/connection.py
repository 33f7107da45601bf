"""What one idle connection costs in memory: resident KiB of a gateway's process, by 2,000 spectators.

The gateway runs in a process of its own, so that nothing that was freed before can be used again; the
first 200 connections are not counted, since they bring in code and caches.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.crowd import crowd, raise_file_limit
from benchmarks.stage import HELLO, Staged, staged
from server import logs
from server.protocol import JSON_SUBPROTOCOL

FIRST = 200
CONNECTIONS = 2_000
BAR_KIB = 35.0


async def run(redis_url: str) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.connection", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    kib: float = json.loads(out)
    return [
        {
            "name": "connection_kib",
            "value": round(kib, 1),
            "unit": "KiB",
            "bar": BAR_KIB,
            "met": kib <= BAR_KIB,
            "peers": {},
        }
    ]


def _resident_kib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


async def _measure() -> float:
    raise_file_limit()
    async with staged() as ours, _spectators(ours, FIRST):
        await ours.joined(FIRST)
        before = _resident_kib()
        async with _spectators(ours, CONNECTIONS):
            await ours.joined(FIRST + CONNECTIONS)
            return (_resident_kib() - before) / CONNECTIONS


def _spectators(ours: Staged, count: int) -> Any:
    return crowd(ours.port, count, hello=HELLO, subprotocol=JSON_SUBPROTOCOL)


def main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(_measure())))


if __name__ == "__main__":
    logs.configure("warning", as_json=True)  # to standard error: the answer is on standard output
    main()
