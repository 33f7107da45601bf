"""Agents that play by themselves in an arena of real processes, until each stops for its own reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from bots.hosted import HostedAgent
from bots.owner import OwnerApi
from bots.runner import Runner
from server.embedded import database
from server.embedded.data_dir import DataDir
from server.ledger import names
from server.store import Store, money, open_store, schema
from tests.chaos.arena_processes import processes

ROLES = ("api", "gateway", "host", "matchmaker", "worker")
SPACE = "bid-tac-toe"
PLAY_MICROS = 1_000_000
DONE_S = 120.0
BRAINS = {"Ant": "random", "Bee": "random", "Cat": "bidder", "Dog": "bidder", "Elk": "random"}
"""Bidders beat whoever plays at random, so that Bee ends with a loss and Cat with a profit."""

LIMITS: dict[str, Any] = {
    "tier_micros": 0,
    "spaces": [SPACE],
    "max_sessions": 500,
    "max_parallel": 2,
    "stop_loss_micros": 500_000_000,
}


class Owner(msgspec.Struct):
    """One agent, its owner's API and the key that its bot plays with."""

    api: OwnerApi
    agent: str
    name: str
    key: str

    async def automate(self, **limits: Any) -> None:
        path = f"/v1/agents/{self.agent}/automation"
        await self.api.put(path, LIMITS | limits)
        await self.api.post(f"{path}/on")

    async def automation(self) -> Any:
        return await self.api.get(f"/v1/agents/{self.agent}/automation")


class Stage(msgspec.Struct):
    store: Store
    owners: dict[str, Owner]


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setenv("AGON_LLM_URL", "http://127.0.0.1:9/v1")  # nobody is asked
    monkeypatch.setenv("AGON_LOG_LEVEL", "warning")
    with processes(tmp_path, arena=ROLES) as arena:
        api = arena["arena"].addresses()["api"]
        with DataDir(str(tmp_path / "data")) as data:
            store = await open_store(database.url(data))
        owners = {
            name: await _owner(store, api, name) for name in ("Ant", "Bee", "Cat", "Dog", "Elk")
        }
        runner = Runner(
            api,
            [
                HostedAgent(name=each.name, space=SPACE, brain=BRAINS[each.name], key=each.key,
                            enqueue=False, max_parallel=4)
                for each in owners.values()
            ],
        )  # fmt: skip
        playing = asyncio.create_task(runner.run())
        try:
            yield Stage(store, owners)
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            await store.close()


async def _owner(store: Store, api: str, name: str) -> Owner:
    agent, key = await store.agents.register(name)
    token, _ = await store.logins.begin(agent.owner, 86_400_000)
    return Owner(OwnerApi(api, token), agent.agent, name, key)


@pytest.mark.slow
async def test_each_stops_at_its_own_limit_and_none_goes_beyond(stage: Stage) -> None:
    ant, bee, cat = (stage.owners[name] for name in ("Ant", "Bee", "Cat"))
    others = [stage.owners[name] for name in ("Dog", "Elk")]
    await ant.automate(max_sessions=5)
    await bee.automate(stop_loss_micros=PLAY_MICROS, max_parallel=1)
    await cat.automate(take_profit_micros=PLAY_MICROS // 2)
    for other in others:
        await other.automate()
    most_open = {"Ant": 0, "Bee": 0, "Cat": 0}
    async with asyncio.timeout(DONE_S):
        while True:
            seen = {each.name: await each.automation() for each in (ant, bee, cat)}
            for name, found in seen.items():
                most_open[name] = max(most_open[name], found["run"]["open"])
            if all(
                found["state"] == "stopped" and not found["run"]["open"] for found in seen.values()
            ):
                break
            await asyncio.sleep(0.1)

    assert seen["Ant"]["reason"] == "session limit reached: 5 begun of at most 5"
    assert seen["Bee"]["reason"].startswith("stop-loss reached: lost ")
    assert seen["Cat"]["reason"].startswith("take-profit reached: won ")
    assert most_open["Bee"] == 1
    assert max(most_open.values()) <= 2
    assert -PLAY_MICROS <= seen["Bee"]["run"]["profit_micros"] < 0
    assert seen["Ant"]["run"]["begun"] == await _sessions(stage.store, ant.agent) == 5
    for each in (ant, bee, cat):
        assert seen[each.name]["run"]["profit_micros"] == await _profit(stage.store, each.agent)

    for other in others:
        await other.api.post(f"/v1/agents/{other.agent}/automation/off")
    assert await stage.store.ledger.audit() == []


async def _sessions(store: Store, agent: str) -> int:
    e = schema.entry
    async with store.database.reading() as tx:
        return await tx.scalar(select(func.count()).where(e.c.agent == agent)) or 0


async def _profit(store: Store, agent: str) -> int:
    """What its purse says: the balance, less what it was granted."""
    purse, t = names.agent("play", agent), money.ledger_transfer
    async with store.database.reading() as tx:
        granted = await tx.scalar(
            select(func.sum(t.c.micros)).where(t.c.credit == purse, t.c.code == "grant")
        )
        account = money.ledger_account
        balance = await tx.scalar(
            select(account.c.credits_posted - account.c.debits_posted).where(account.c.id == purse)
        )
    return int(balance or 0) - int(granted or 0)
