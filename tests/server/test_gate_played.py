"""A gate played in an arena of real processes, by scripted brains: who is better is promoted, who is not is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import func, select

from server.agents import spec as specs
from server.agents.spec import VersionSpec
from server.config import Config
from server.embedded import database
from server.embedded.data_dir import DataDir
from server.own_arena import OwnArena, own_arena
from server.store import Store, merit, open_store
from server.store.agents import Draft
from server.store.gates import GateRow
from server.training.opening import open_gate
from training.gate.sprt import Bounds

SPACE = "bid-tac-toe"
DONE_S = 150.0
CREDITS = 1_000_000


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnArena]:
    config = Config(
        data_dir="unused",
        llm_url="http://127.0.0.1:9/v1",  # nobody is asked
        credits=CREDITS,
        credits_per_s=CREDITS,
        connections_per_address=CREDITS,
        log_level="warning",
    )
    with own_arena(config, tmp_path_factory.mktemp("gate"), house="none") as running:
        yield running


@pytest.fixture
async def store(arena: OwnArena) -> AsyncIterator[Store]:
    with DataDir(str(arena.data)) as data:
        opened = await open_store(database.url(data))
    yield opened
    await opened.close()


async def gated(store: Store, playing: str, candidate: VersionSpec, bounds: Bounds) -> GateRow:
    draft = Draft(
        name=f"Ember {playing}", kind="hosted", specs=[specs.canonical(VersionSpec(brain=playing))]
    )
    agent, _ = await store.agents.make(draft)
    row = await open_gate(
        store, agent.agent, SPACE, candidate, bounds=bounds, at_once=12, pool_pairs=2
    )
    async with asyncio.timeout(DONE_S):
        while row.status == "running":
            await asyncio.sleep(0.2)
            found = await store.gates.get(row.gate)
            assert found is not None
            row = found
    return row


@pytest.mark.slow
async def test_a_better_candidate_is_promoted_and_can_be_rolled_back(store: Store) -> None:
    row = await gated(store, "random", VersionSpec(brain="bidder"), Bounds())
    assert row.verdict is not None
    assert row.verdict.decision == "promote", row.verdict.reasons
    now = await store.agents.get(row.agent)
    assert now is not None
    assert now.version == row.candidate == f"{row.agent}@v2"
    matches = await store.gates.matches(row.gate)
    scored = [each for each in matches if each.state == "scored"]
    assert len({each.match.arm for each in scored}) == 3
    await until_settled(store, [each.session for each in scored])
    assert await counted(store, row) == 0, "nothing of it counts for anybody"
    for each in scored[:5]:
        assert await store.ratings.applied(each.session) == []
    back = await store.lineages.roll_back(row.agent)
    assert (back.kind, back.version) == ("rolled-back", row.current)


@pytest.mark.slow
async def test_an_equal_candidate_is_not_promoted(store: Store) -> None:
    bounds = Bounds(p1=0.75, alpha=0.001, most=60)
    row = await gated(store, "bidder", VersionSpec(brain="bidder", build="the same"), bounds)
    assert row.verdict is not None
    assert row.verdict.decision in ("keep", "undecided")
    now = await store.agents.get(row.agent)
    assert now is not None
    assert now.version == row.current
    assert await store.lineages.of(row.agent) == []


async def until_settled(store: Store, sessions: list[str]) -> None:
    async with asyncio.timeout(30):
        for session in sessions:
            while await store.ratings.applied(session) is None:
                await asyncio.sleep(0.1)


async def counted(store: Store, row: GateRow) -> int:
    """Careers and points of who took part."""
    agents = [each.agent for each in row.players]
    c, p = merit.career, merit.point
    async with store.database.reading() as tx:
        careers = await tx.scalar(select(func.count()).where(c.c.agent.in_(agents))) or 0
        owners = [each.owner for each in row.players]
        points = await tx.scalar(select(func.count()).where(p.c.account.in_(owners))) or 0
    return careers + points
