"""Gates, lineages and the way back over HTTP; and whose adapters an owner may name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from server.agents import spec as specs
from server.agents.spec import BadSpec, VersionSpec
from server.commands.training_gate import drawn, gate_lines, lineage_lines
from server.config import Config
from server.store import Store
from server.store.gates import GateRow
from server.training.gate import PlayedGate
from server.training.ruling import Gate
from tests.server.test_agents_api import Owner, owner_of
from tests.server.test_api import client_of
from tests.server.test_store_gates import (
    ADAPTER,
    PROMOTE,
    adapter_of,
    candidate_wins,
    finish,
    keeper,
    live,
    opened,
    play,
)

CONFIG = Config(agents_per_account=9, versions_per_day=20, llm_model="tiny", llm_models=("big",))


@pytest.fixture
async def api(store: Store, redis: Redis) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, redis, config=CONFIG) as client:
        yield client


@pytest.fixture
async def ann(store: Store, api: httpx.AsyncClient) -> Owner:
    return await owner_of(store, api)


async def tested(store: Store, ann: Owner, **spec: Any) -> GateRow:
    made = await ann.make(kind="hosted", spec=spec)
    candidate = VersionSpec(adapter=ADAPTER, **spec)
    return await opened(store, made["agent"], candidate=candidate)


async def edited(ann: Owner, agent: str, spec: dict[str, Any]) -> Any:
    return await ann("PATCH", f"/v1/agents/{agent}", {"spec": spec})


async def test_a_gate_is_shown_as_it_runs_and_gives_its_seed_away_at_the_end(
    store: Store, redis: Redis, api: httpx.AsyncClient, ann: Owner
) -> None:
    row = await tested(store, ann)
    played = await PlayedGate.load(keeper(store, redis), row.gate)
    await played.step()
    for each in await live(store, row.gate):
        await finish(store, each, candidate_wins(each))
    await played.step()
    shown = (await api.get(f"/v1/gates/{row.gate}")).json()
    assert shown["card"]["status"] == "running"
    assert shown["card"]["pairs"] == len(shown["llr_milli"]) == shown["scores"][4] == 4
    assert shown["seed"] is None
    assert shown["candidate"] == {"turns": 8, "valid": 8}
    assert {each["state"] for each in shown["matches"]} == {"live", "scored"}
    assert any("running" in line for line in gate_lines(shown))

    await play(store, redis, row.gate, candidate_wins)
    ended = (await api.get(f"/v1/gates/{row.gate}")).json()
    assert ended["card"]["decision"] == "promote"
    assert (ended["seed"], ended["seed_commit"]) == (row.seed.hex(), row.seed_commit)
    assert ended["pool_pairs"] == 4
    assert any(line.startswith("- It scored 100.0%") for line in gate_lines(ended))
    assert (await api.get("/v1/gates/none")).status_code == 404


async def test_what_was_promoted_is_rolled_back_by_its_owner_alone(
    store: Store, api: httpx.AsyncClient, ann: Owner
) -> None:
    row = await tested(store, ann)
    path = f"/v1/agents/{row.agent}"
    none_yet = await ann("POST", f"{path}/rollback", {})
    assert (none_yet.status_code, none_yet.json()["code"]) == (409, "nothing-to-roll-back")
    await store.lineages.conclude(row, PROMOTE)
    assert (await api.post(f"{path}/rollback", json={})).status_code == 401
    bob = await owner_of(store, api, "0x" + "2" * 40)
    assert (await bob("POST", f"{path}/rollback", {})).status_code == 404

    back = await ann("POST", f"{path}/rollback", {"version": row.candidate})
    again = await ann("POST", f"{path}/rollback", {"version": row.candidate})
    assert back.status_code == again.status_code == 200
    assert back.json() == again.json()
    assert (await ann.own(row.agent))["version"] == row.current
    told = (await api.get(f"{path}/lineage")).json()
    assert [each["kind"] for each in told["lines"]] == ["promoted", "rolled-back"]
    assert told["gates"][0]["decision"] == "promote"
    assert lineage_lines(told)[:2] == [
        "v1 plays",
        f"1. v2 took the place of v1, adapter {ADAPTER}, by gate {row.gate}",
    ]


async def test_an_owner_keeps_drops_and_takes_up_adapters_of_the_very_agent_and_model(
    store: Store, ann: Owner
) -> None:
    row = await tested(store, ann, model="big")
    mine = {"adapter": ADAPTER, "model": "big"}
    early = await edited(ann, row.agent, mine)
    assert early.status_code == 422, "a candidate is not the owner's to promote"
    await store.lineages.conclude(row, PROMOTE)

    kept = await edited(ann, row.agent, mine | {"temperature": 0.4})
    assert kept.json()["spec"] == mine | {"temperature": 0.4}
    dropped = await edited(ann, row.agent, {"model": "big"})
    assert dropped.json()["version"] == row.current
    assert (await edited(ann, row.agent, mine)).json()["version"] == row.candidate
    other_model = await edited(ann, row.agent, {"adapter": ADAPTER})
    assert other_model.status_code == 422
    assert "one of the model big" in other_model.json()["detail"]

    twin = await ann.make("Ash", kind="hosted")
    foreign = await edited(ann, twin["agent"], mine)
    assert "was promoted for this agent" in foreign.json()["detail"]


async def test_no_adapter_leaves_its_agent(store: Store, ann: Owner) -> None:
    row = await tested(store, ann)
    await store.lineages.conclude(row, PROMOTE)
    copy = (await ann("POST", f"/v1/agents/{row.agent}/clone", {"name": "Twin"})).json()
    assert "adapter" not in (await ann.own(copy["agent"]))["spec"]
    file = (await ann("GET", f"/v1/agents/{row.agent}/export")).json()
    assert all("adapter" not in each for each in file["versions"])
    file["versions"] = [{"adapter": ADAPTER}]
    refused = await ann("POST", "/v1/agents/import", file | {"name": "Third", "plays": 1})
    assert refused.status_code == 422
    new = await ann("POST", "/v1/agents", {"name": "New", "spec": {"adapter": ADAPTER}})
    assert new.status_code == 422


async def test_a_training_has_its_adapter_judged_under_its_own_id(
    store: Store, redis: Redis, ann: Owner
) -> None:
    made = await ann.make(kind="hosted")
    agent, room = made["agent"], Gate(store)
    ask = await store.training_jobs.create(
        agent=agent, space="bid-tac-toe", asked="owner", since_ms=0, scored=40
    )
    adapter = adapter_of(agent, ann.account)
    ruling = asyncio.create_task(room.rule(ask, adapter))
    async with asyncio.timeout(20):
        while not (running := await store.gates.running()):
            await asyncio.sleep(0.01)
    assert running == [ask.id]
    await play(store, redis, ask.id, candidate_wins)
    found = await ruling
    assert found.promoted == f"{agent}@v2"
    assert "more like 60% than 50%" in found.reason
    assert await room.rule(ask, adapter) == found, "as often as it is asked"


def test_only_a_model_has_adapters() -> None:
    shelf = specs.Shelf(spaces={"bid-tac-toe": 2_000}, brains={"bidder": ()}, models=())
    with pytest.raises(BadSpec, match="asks no model"):
        specs.check(VersionSpec(brain="bidder", adapter=ADAPTER), shelf)


def test_the_test_is_drawn_between_its_bounds() -> None:
    lines = drawn([-2_944, 0, 2_944, 9_000], -2_944, 2_944)
    assert [line.index("*") - line.index("|") for line in lines] == [1, 21, 40, 40]
    assert len(drawn(list(range(250)), -2_944, 2_944)) <= 24
