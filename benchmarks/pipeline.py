"""Sessions settled a second, from the queue to the ratings, without models.

Everything is real but the players' wits and the chain: agents of as many owners queue in a paid tier over
websockets, entries are held, the matchmaker forms sessions, hosts play them, workers settle and rate them;
random brains in processes of their own play a game by the SDK, as anybody's bot would. The arena runs
as `agon serve` with its roles split over processes, on SQLite and the embedded Redis. All of it, the
players too, shares the machine's cores.

`cpu_ms_per_session` says where the time goes: processor time of each process, divided by the sessions that
were settled meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from server.config import Config
from server.embedded import services
from server.embedded.data_dir import DataDir
from server.identity import new_id
from server.ledger import Transfer, names
from server.own_arena import toml_of
from server.store import Store, open_store

SPACES = {
    "bid-tac-toe": "13.8 actions a session",
    "openspiel:kuhn_poker": "2.3 actions a session",
}
"""Of two seats each, with how many actions random play takes on average: what an action costs, and what a session costs
besides, can be told apart."""
TIER_MICROS = 100_000
AGENTS = 400
LOADS = 2
"""Processes that the players are spread over."""
FUNDS_MICROS = 1_000_000_000
WARM_S = 20.0
MEASURE_S = 30.0
BAR = 75.0
ROLES = ("api,gateway", "host", "matchmaker,worker")
ROOT = Path(__file__).parents[1]
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


async def run(redis_url: str) -> list[dict[str, Any]]:
    """The rows of `make bench`. Each has a Redis of its own, so `redis_url` is not used."""
    return [await pipeline_sessions_settled_per_s(space) for space in SPACES]


async def pipeline_sessions_settled_per_s(space: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="agon-pipeline-") as folder:
        async with _arena(Path(folder), space) as arena, _players(arena, space):
            await asyncio.sleep(WARM_S)
            before, cpu_before = await _settled(arena.store), arena.cpu_s()
            started = asyncio.get_running_loop().time()
            await asyncio.sleep(MEASURE_S)
            took_s = asyncio.get_running_loop().time() - started
            settled = await _settled(arena.store) - before
            cpu = {name: s - cpu_before.get(name, 0.0) for name, s in arena.cpu_s().items()}
            backlog = await arena.store.outbox.counts()
            problems = await arena.store.ledger.audit()
        value = settled / took_s
        return {
            "name": f"pipeline_sessions_settled_per_s_{space.rpartition(':')[2]}",
            "value": round(value, 1),
            "unit": f"sessions/s of {space} ({SPACES[space]}), {AGENTS} random bots, settled and rated",
            "bar": BAR,
            "met": value >= BAR and not problems,
            "cpu_ms_per_session": {
                name: round(1_000 * s / max(1, settled), 2) for name, s in cpu.items()
            },
            "cores_used": round(sum(cpu.values()) / took_s, 2),
            "backlog": backlog,
            "ledger_problems": len(problems),
        }


class Arena(msgspec.Struct):
    """The arena's processes and its store."""

    folder: Path
    store: Store
    api: str
    processes: dict[str, asyncio.subprocess.Process]

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds so far, by process; Redis by its own name."""
        found = {name: _cpu_s(each.pid) for name, each in self.processes.items()}
        redis = [int(line) for line in _pids("redis-server", str(self.folder))]
        return found | {"redis": sum(_cpu_s(pid) for pid in redis)}


@contextlib.asynccontextmanager
async def _arena(folder: Path, space: str) -> AsyncIterator[Arena]:
    config = Config(
        data_dir=str(folder / "data"),
        llm_url="http://127.0.0.1:9/v1",  # nobody is asked: nothing here needs a model
        api_port=0,
        gateway_port=0,
        credits=1_000_000,
        credits_per_s=1_000_000,
        connections_per_address=10_000,
        tiers_open=(TIER_MICROS,),
        spaces=(space,) if ":" in space else (),
        log_level="warning",
    )
    settings = folder / "agon.toml"
    settings.write_text(toml_of(config), encoding="utf-8")
    processes: dict[str, asyncio.subprocess.Process] = {}
    with DataDir(config.data_dir) as data:
        urls = await services.start(config, data, with_llm=False)
        store = await open_store(urls.database)
        try:
            for roles in ROLES:
                ready = folder / f"{roles}.json"
                processes[roles] = await _spawn(
                    *("-m", "server.cli", "serve", "--role", roles, "--house", "none"),
                    *("--config", str(settings), "--ready-file", str(ready)),
                )
            api = (await _read_when_ready(folder / f"{ROLES[0]}.json"))["api"]
            yield Arena(folder, store, api, processes)
        finally:
            await _end(list(processes.values()))
            await store.close()


@contextlib.asynccontextmanager
async def _players(arena: Arena, space: str) -> AsyncIterator[None]:
    """AGENTS funded agents of as many owners, playing until the block ends."""
    keys = []
    for number in range(AGENTS):
        agent, key = await arena.store.agents.register(f"Dice {number}")
        keys.append((agent.name, key))
        fund = Transfer(
            id=f"deposit:{new_id()}",
            debit=names.CHAIN,
            credit=names.agent("usdc", agent.agent),
            asset="usdc",
            micros=FUNDS_MICROS,
            code="deposit",
        )
        await arena.store.ledger.require([fund])
    loads = []
    for number in range(LOADS):
        listed = arena.folder / f"players-{number}.json"
        listed.write_text(json.dumps(keys[number::LOADS]), encoding="utf-8")
        process = await _spawn(
            *("-m", "benchmarks.pipeline_load", arena.api, space, str(TIER_MICROS), str(listed))
        )
        arena.processes[f"players {number}"] = process
        loads.append(process)
    try:
        yield
    finally:
        await _end(loads)


async def _settled(store: Store) -> int:
    """Sessions that are settled and rated."""
    return await store.outbox.done_so_far("rate")


async def _spawn(*arguments: str) -> asyncio.subprocess.Process:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AGON_")}
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, env=environment
    )


async def _read_when_ready(file: Path) -> dict[str, str]:
    async with asyncio.timeout(90):
        while (text := await asyncio.to_thread(_read, file)) is None:  # noqa: ASYNC110 (a file)
            await asyncio.sleep(0.1)
    found: dict[str, str] = json.loads(text)
    return found


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


async def _end(processes: Sequence[asyncio.subprocess.Process]) -> None:
    for process in processes:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()


def _cpu_s(pid: int) -> float:
    """Processor seconds of a process, user and system (proc(5), fields 14 and 15)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _CLOCK_TICKS


def _pids(program: str, folder: str) -> list[str]:
    """Processes of that program whose command line names the folder."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            with contextlib.suppress(OSError):
                line = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if line.split(" ")[0].endswith(program) and folder in line:
                    found.append(each.name)
    return found
