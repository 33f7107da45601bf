"""The training page's calls against the real API: what it orders is taken, and what it is answered it can read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from server.agents.spec import VersionSpec
from server.config import Config
from server.store import Store
from server.training.gate import PlayedGate
from tests.server.test_agents_api import Owner, owner_of
from tests.server.test_api import client_of
from tests.server.test_store_gates import (
    ADAPTER,
    PROMOTE,
    candidate_wins,
    finish,
    keeper,
    live,
    opened,
)
from tui_client.owner import arena
from tui_client.owner.calls import Read
from tui_client.owner.careers import Versions
from tui_client.owner.learning import Change, Gate, Lineage, Training
from tui_client.owner.lineages import back, tree
from tui_client.owner.page import Wish

SPACE = "bid-tac-toe"
CONFIG = Config(agents_per_account=9, versions_per_day=20, llm_model="tiny")


@pytest.fixture
async def ann(store: Store, redis: Redis) -> AsyncIterator[Owner]:
    async with client_of(store, redis, config=CONFIG) as client:
        yield await owner_of(store, client)


async def read(ann: Owner, wanted: Read) -> Any:
    return msgspec.json.decode(
        (await ann("GET", wanted.path)).raise_for_status().content, type=wanted.answer
    )


async def order(ann: Owner, wish: Wish) -> Any:
    answer: httpx.Response = await ann(wish.method, wish.path, wish.body)
    return msgspec.json.decode(answer.raise_for_status().content, type=wish.answer)


async def test_consent_and_budget_are_set_and_told(ann: Owner) -> None:
    agent = (await ann.make(kind="hosted", spec={}))["agent"]
    for wish in (arena.allow(agent, SPACE, on=True), arena.set_budget(agent, SPACE, 5_400)):
        told = await order(ann, wish)
    assert told == await read(ann, arena.training(agent))
    assert isinstance(told, Training)
    here = next(each for each in told.spaces if each.space == SPACE)
    assert (here.consent.on, here.consent.budget_s, here.job) == (True, 5_400, None)
    assert here.eligibility.needed == 40
    for wish in (arena.train(agent, SPACE), arena.stop_training(agent, SPACE)):
        refused = await ann(wish.method, wish.path, wish.body)
        assert refused.status_code == 409, refused.text
        assert refused.json()["detail"]


async def test_a_gate_is_read_and_what_it_promoted_is_taken_back(
    store: Store, redis: Redis, ann: Owner
) -> None:
    agent = (await ann.make(kind="hosted", spec={}))["agent"]
    row = await opened(store, agent, candidate=VersionSpec(adapter=ADAPTER))
    played = await PlayedGate.load(keeper(store, redis), row.gate)
    await played.step()
    for each in await live(store, row.gate):
        await finish(store, each, candidate_wins(each))
    await played.step()
    gate = await read(ann, arena.gate(row.gate))
    assert isinstance(gate, Gate)
    assert gate.card.lower_milli < gate.llr_milli[-1] == gate.card.llr_milli < gate.card.upper_milli
    assert any(each.state == "live" and each.session for each in gate.matches)

    versions: Versions = await read(ann, arena.versions(agent))
    lineage: Lineage = await read(ann, arena.lineage(agent))
    assert [node.how for node in tree(versions.versions, lineage)] == ["tested", "edited"]
    assert back(lineage) is None
    await store.lineages.conclude(row, PROMOTE)
    lineage = await read(ann, arena.lineage(agent))
    assert back(lineage) == 1
    change = await order(ann, arena.roll_back(agent, lineage.version))
    assert isinstance(change, Change)
    assert (change.kind, change.version) == ("rolled-back", row.current)
    lineage = await read(ann, arena.lineage(agent))
    found = tree(versions.versions, lineage)
    assert [(node.how, node.plays, node.trunk) for node in found] == [
        ("rolled-back", False, False),
        ("edited", True, True),
    ]
