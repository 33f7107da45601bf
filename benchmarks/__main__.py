"""Run the benchmarks and print one JSON line each: `make bench [ARGS="fanout host"]`.

Keys: name, value, unit, bar, met, peers, machine. Peers are measured in the same run, so ratios hold
on any machine; absolute bars are those of the machine in docs/benchmarks.md. Exits 0 even when a bar
is missed: a benchmark is a measurement, and docs/benchmarks.md says what is missed and why.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from server import logs
from server.embedded import redis
from server.embedded.data_dir import DataDir

MODULES = (
    "fanout",
    "lateness",
    "connection",
    "host",
    "latency",
    "matchmaking",
    "solver",
    "pipeline",
    "ratings",
    "gas",
    "training",
)


def machine() -> dict[str, Any]:
    """What the numbers were taken on."""
    cpu = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


async def measure(names: list[str]) -> None:
    """Run the named modules one after the other against a Redis of their own."""
    here = machine()
    with tempfile.TemporaryDirectory(prefix="agon-bench-") as folder, DataDir(folder) as data:
        url = await redis.start(data)
        for name in names:
            print(f"running {name} …", file=sys.stderr, flush=True)
            module = importlib.import_module(f"benchmarks.{name}")
            for result in await module.run(url):
                print(json.dumps({"peers": {}, **result, "machine": here}), flush=True)


def main() -> int:
    names = sys.argv[1:] or list(MODULES)
    unknown = [name for name in names if name not in MODULES]
    if unknown:
        print(
            f"no benchmark {', '.join(unknown)}; there are: {', '.join(MODULES)}", file=sys.stderr
        )
        return 2
    logs.configure("warning", as_json=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
