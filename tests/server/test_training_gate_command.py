"""`agon training gate|lineage|rollback`, against a real API on a port of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from server.api.app import create_app
from server.api.listen import ApiServer
from server.cli import app
from server.config import Config
from server.store import Store
from server.store.agents import Draft
from server.store.gates import GateRow
from tests.server.test_api import no_queues
from tests.server.test_store_gates import PROMOTE, opened

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
async def row(store: Store) -> GateRow:
    account = await store.accounts.with_wallet("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
    ember, _ = await store.agents.make(Draft(name="Ember", kind="hosted"), account.account)
    return await opened(store, ember.agent)


@pytest.fixture
async def agon(store: Store, redis: Redis, row: GateRow) -> AsyncIterator[Run]:
    """Runs `agon training …` as Ann, whose Ember is being tested."""
    token, _ = await store.logins.begin(row.players[0].owner, 86_400_000)
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


async def test_a_gate_is_followed_promoted_and_taken_back(
    store: Store, agon: Run, row: GateRow
) -> None:
    running = await agon("gate", row.gate)
    assert running.exit_code == 0, running.output
    assert "v2 against v1 in bid-tac-toe: running\n" in running.stdout
    early = await agon("rollback", "Ember")
    assert early.exit_code != 0

    await store.lineages.conclude(row, PROMOTE)
    assert "promote\n" in (await agon("gate", row.gate)).stdout
    line = await agon("lineage", "Ember")
    assert "v2 plays\n1. v2 took the place of v1" in line.stdout
    back = await agon("rollback", "Ember", "--version", row.candidate)
    assert "2. rolled back from v2 to v1, no adapter\n" in back.stdout
    told = (await agon("lineage", "Ember", "--json")).stdout
    assert json.loads(told[told.index("{\n") :])["version"] == row.current
    assert (await agon("gate", "none")).exit_code != 0
