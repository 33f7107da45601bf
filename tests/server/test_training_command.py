"""`agon training`, against a real API on a port of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from server.api.app import create_app
from server.api.listen import ApiServer
from server.cli import app
from server.clock import unix_ms
from server.commands.training import adapter_lines, job_lines, lines
from server.config import Config
from server.store import Store
from tests.server.played_world import Clock, World
from tests.server.test_api import no_queues

Run = Callable[..., Awaitable[Result]]
SPACE = ("--space", "bid-tac-toe")


@pytest.fixture
async def agon(store: Store, redis: Redis) -> AsyncIterator[Run]:
    """Runs `agon training …` as Ann, whose Ember has played 40 sessions."""
    account = await store.accounts.with_wallet("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
    token, _ = await store.logins.begin(account.account, 86_400_000)
    ember, _ = await store.agents.register("Ember", account.account, "hosted")
    world = World(store, Clock(unix_ms()))
    rival = await world.agent("Rival")
    for _ in range(40):
        await world.play(ember, rival, ranks=[1, 2], entered=False, tier=0)
    api = ApiServer(
        create_app(
            config=Config(),
            store=store,
            redis=redis,
            gateway_address=lambda: "ws://127.0.0.1:8601",
            queue_sizes=no_queues,
        ),
        "127.0.0.1",
        0,
    )

    async def run(*arguments: str) -> Result:
        env = {"AGON_URL": api.address, "AGON_TOKEN": token}
        return await asyncio.to_thread(CliRunner().invoke, app, ["training", *arguments], env=env)

    async with asyncio.TaskGroup() as group:
        group.create_task(api.run())
        yield run
        await api.drain()


def answer_of(result: Result) -> Any:
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout[result.stdout.index("{\n") :])  # behind what the API logs


async def test_an_owner_allows_starts_follows_and_cancels(agon: Run) -> None:
    allowed = await agon("consent", "ember", *SPACE, "--on", "--budget", "1800", "--json")
    (space,) = [each for each in answer_of(allowed)["spaces"] if each["space"] == SPACE[1]]
    assert space["consent"] == {"on": True, "budget_s": 1_800}
    told = (await agon("status", "Ember", *SPACE)).stdout
    assert "begins by itself; 0 of 1,800 device-seconds used this week" in told
    assert "40 of 40 scored sessions: it may begin" in told
    assert "rap-battle" not in told
    job = answer_of(await agon("start", "Ember", *SPACE, "--json"))
    assert job["state"] == "queued"
    again = await agon("start", "Ember", *SPACE)
    assert again.exit_code == 1
    assert f"training {job['job']} is under way; one at a time" in str(again.exception)
    assert f"{job['job']}: cancelled" in (await agon("cancel", "Ember", *SPACE)).stdout
    assert f"{job['job']}  bid-tac-toe  cancelled" in (await agon("status", "Ember")).stdout
    none = await agon("cancel", "Ember", *SPACE)
    assert none.exit_code == 1
    assert "no adapter yet" in (await agon("adapters", "Ember")).stdout


async def test_what_is_wrong_is_said_in_the_commands_words(agon: Run) -> None:
    nothing = await agon("consent", "Ember", *SPACE)
    assert nothing.exit_code == 2
    assert "say what to change" in nothing.output
    unknown = await agon("start", "Ember", "--space", "chess")
    assert unknown.exit_code == 1
    assert "chess" in str(unknown.exception)
    early = await agon("start", "Ember", "--space", "logic")
    assert "0 of 40 scored sessions" in str(early.exception)


def test_a_running_training_has_its_bar_and_its_time_left() -> None:
    job = {
        "job": "01J8",
        "state": "training",
        "cancelling": False,
        "version": "ember@v1",
        "step": 30,
        "steps": 60,
        "loss_micro": 812_345,
        "eta_s": 400,
        "reason": None,
    }
    assert job_lines(job, 0) == [
        "job        01J8: training, of ember@v1",
        "steps      [############............] 30 of 60, loss 0.812, 6 min left",
    ]
    ended = job | {
        "space": "logic",
        "state": "promoted",
        "promoted": "ember@v2",
        "reason": "60 of 90 points",
        "ended_ms": 0,
        "device_s": 700,
        "curve": [[1, 2_000_000], [60, 812_345]],
    }
    answer = {
        "version": "ember@v2",
        "spaces": [],
        "past": [ended],
        "rule": "rule",
    }
    assert lines(answer, 7_200_000)[3] == (
        "  01J8  logic  promoted as ember@v2 2 h ago, 700 device-s, loss 2.000 -> 0.812: 60 of 90 points"
    )
    adapter = {
        "adapter": "bafk",
        "space": "logic",
        "bytes": 9_800_000,
        "name": None,
        "retired_ms": 5,
    }
    assert adapter_lines([adapter]) == ["bafk  logic  9.8 MB  not served yet  retired"]
