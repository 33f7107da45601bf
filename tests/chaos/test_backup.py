"""A backup of an arena under load; then its machine is lost, and another one goes on from the file."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from server.embedded import database
from server.store import Store, open_store
from tests.chaos.arena_processes import ROOT, processes
from tests.chaos.test_arena import Contestant

BOTS = 8
PLAYS_S = 6.0
ROLES = ["api", "gateway", "host", "matchmaker"]
SETTLES_S = 60.0


def agon(*arguments: str) -> Any:
    command = [sys.executable, "-m", "server.cli", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def play_on(api: str, number: int) -> None:
    """Register and play, one session after the other, until cancelled."""
    while True:
        number += 100
        await Contestant(f"bot {number}").play(api)


async def opened(folder: Path) -> Store:
    return await open_store(f"sqlite:///{folder / 'data' / database.FILE}")


async def unsettled(store: Store) -> tuple[int, int]:
    """Live sessions, and entries that are held or in a pot."""
    live = await store.sessions.page(status=("formed", "live"), limit=100)
    holds = await store.gauges.oldest_holds()
    return len(live), sum(made_ms is not None for made_ms in holds.values())


@pytest.mark.slow
async def test_an_arena_that_is_lost_goes_on_from_its_backup(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    out = tmp_path / "arena.tar"
    with processes(first, arena=[*ROLES, "worker"]) as running:
        api = running["arena"].addresses()["api"]
        bots = [asyncio.create_task(play_on(api, number)) for number in range(BOTS)]
        await asyncio.sleep(PLAYS_S)
        made = await asyncio.to_thread(
            agon, "backup", "--out", str(out), "--data-dir", str(first / "data")
        )
        await asyncio.sleep(1.0)
        running["arena"].end(signal.SIGKILL)
        for bot in bots:
            bot.cancel()
        await asyncio.gather(*bots, return_exceptions=True)
    shutil.rmtree(first)

    assert made["live_sessions"] >= 1, "there was load"
    assert made["sound"]
    restored = await asyncio.to_thread(
        agon, "restore", str(out), "--data-dir", str(second / "data")
    )
    assert restored == made
    store = await opened(second)
    live = [row.session for row in await store.sessions.page(status=("live",), limit=100)]
    await store.close()

    with processes(second, arena=[*ROLES, "worker"]):
        store = await opened(second)
        async with asyncio.timeout(SETTLES_S):
            while await unsettled(store) != (0, 0):
                await asyncio.sleep(0.25)
        for session in live:
            row, result = await store.sessions.get(session), await store.results.get(session)
            assert row is not None
            assert result is not None
            assert (row.status, result.status) == ("void", "void")
            assert result.pot_micros == 2_000_000, "both play dollars went back"
        assert await store.ledger.audit() == []
        await store.close()
