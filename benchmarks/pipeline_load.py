"""The players of the benchmark `pipeline`: `python -m benchmarks.pipeline_load API SPACE TIER KEYS_FILE`.

Each agent plays one session after the other, by the SDK and a websocket of its own, until SIGTERM.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import uvloop

from bots.hosted import HostedAgent
from bots.runner import Runner
from server import garbage, logs


async def play(api: str, space: str, tier_micros: int, keys: list[tuple[str, str]]) -> None:
    agents = [
        HostedAgent(name=name, space=space, brain="random", key=key, tier_micros=tier_micros)
        for name, key in keys
    ]
    runner = Runner(api, agents)
    playing = asyncio.create_task(runner.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, playing.cancel)
    garbage.tune()
    await asyncio.gather(playing, return_exceptions=True)


def main() -> None:
    api, space, tier, file = sys.argv[1:]
    logs.configure("error", as_json=True)
    keys = [tuple(each) for each in json.loads(Path(file).read_text(encoding="utf-8"))]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(play(api, space, int(tier), keys))


if __name__ == "__main__":
    main()
