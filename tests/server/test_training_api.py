from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from chain.content import cid
from chain.content.cid import Cid
from server.agents.spec import VersionSpec, canonical
from server.clock import unix_ms
from server.identity import Identity
from server.store import Store
from server.store.adapters import AdapterRow
from server.store.agents import Draft
from server.store.training_jobs import Progress
from server.training.states import State
from tests.server.played_world import Clock, World
from tests.server.test_api import client_of, problem

SPACE = "bid-tac-toe"


class Owner:
    """Ann, signed in, and one of her agents, which the arena plays."""

    def __init__(self, http: httpx.AsyncClient, store: Store, agent: Identity) -> None:
        self.http, self.store, self.agent = http, store, agent
        self.path = f"/v1/agents/{agent.agent}/training"

    async def shown(self, space: str = SPACE) -> dict[str, Any]:
        answer = (await self.http.get(self.path)).json()
        found: dict[str, Any] = next(each for each in answer["spaces"] if each["space"] == space)
        return found

    async def play(self, count: int) -> None:
        world = World(self.store, Clock(unix_ms()))
        rival = await world.agent("Rival")
        for _ in range(count):
            await world.play(self.agent, rival, ranks=[1, 2], entered=False, tier=0)


@pytest.fixture
async def ann(store: Store, redis: Redis) -> AsyncIterator[Owner]:
    account = await store.accounts.with_wallet("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
    token, _ = await store.logins.begin(account.account, 86_400_000)
    agent, _ = await store.agents.register("Ember", account.account, "hosted")
    async with client_of(store, redis) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield Owner(client, store, agent)


async def test_an_owner_allows_trainings_and_is_told_why_not_yet(ann: Owner) -> None:
    assert (await ann.shown())["eligibility"]["reason"] == "0 of 40 scored sessions"
    await ann.play(2)
    answer = await ann.http.put(ann.path, json={"space": SPACE, "on": True, "budget_s": 600})
    assert answer.status_code == 200
    shown = await ann.shown()
    assert shown["consent"] == {"on": True, "budget_s": 600}
    assert shown["eligibility"] == {
        "ready": False,
        "reason": "2 of 40 scored sessions",
        "scored": 2,
        "needed": 40,
        "next_ms": None,
    }
    await ann.http.put(ann.path, json={"space": SPACE, "on": False})
    assert (await ann.shown())["consent"] == {"on": False, "budget_s": 600}
    refused = await ann.http.post(f"{ann.path}/start", json={"space": SPACE})
    assert problem(refused, 409, "not-eligible")["detail"] == "2 of 40 scored sessions"


async def test_a_training_is_started_followed_and_cancelled(ann: Owner) -> None:
    await ann.play(40)
    began = await ann.http.post(f"{ann.path}/start", json={"space": SPACE})
    assert (began.status_code, began.json()["state"], began.json()["scored"]) == (201, "queued", 40)
    name = began.json()["job"]
    again = await ann.http.post(f"{ann.path}/start", json={"space": SPACE})
    assert name in problem(again, 409, "training-under-way")["detail"]
    jobs = ann.store.training_jobs
    (row,) = await jobs.due(unix_ms(), 1)
    row = await jobs.start(row, 60_000, "cpu", "w")
    row = await jobs.move(row, State.COLLECTING)
    row = await jobs.move(row, State.TRAINING)
    so_far = Progress(
        step=25, steps=100, loss_micro=700_000, curve="[[1,900000],[25,700000]]", device_ms=10_000
    )
    await jobs.report(row, 60_000, so_far)
    job = (await ann.http.get(f"/v1/training/jobs/{name}")).json()
    assert (job["eta_s"], job["device_s"], job["curve"][-1]) == (30, 10, [25, 700_000])
    shown = await ann.shown()
    assert shown["job"] == job
    assert (shown["spent_s"], shown["eligibility"]["reason"]) == (
        10,
        f"training {name} is under way; one at a time",
    )
    ending = (await ann.http.post(f"{ann.path}/cancel", json={"space": SPACE})).json()
    assert (ending["state"], ending["cancelling"]) == ("training", True)
    await jobs.move(row, State.CANCELLED, reason="its owner cancelled it")
    answer = (await ann.http.get(ann.path)).json()
    assert [(each["job"], each["state"]) for each in answer["past"]] == [(name, "cancelled")]
    none = await ann.http.post(f"{ann.path}/cancel", json={"space": SPACE})
    problem(none, 409, "no-training")


async def test_a_training_that_no_trainer_takes_says_so(store: Store, redis: Redis) -> None:
    agent, _ = await store.agents.register("Ember", kind="hosted")
    await store.training_jobs.create(
        agent=agent.agent, space=SPACE, asked="owner", since_ms=0, scored=40
    )
    token, _ = await store.logins.begin(agent.owner, 86_400_000)
    for later_ms, reason in ((1_000, None), (200_000, "3 minutes for a trainer")):
        async with client_of(store, redis, clock=Clock(unix_ms() + later_ms)) as http:
            http.headers["Authorization"] = f"Bearer {token}"
            job = (await Owner(http, store, agent).shown())["job"]
            assert job["state"] == "queued"
            assert (reason is None) == (job["reason"] is None)
            assert reason is None or reason in job["reason"]


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        (Draft(name="A", kind="remote"), "its owner's bot plays this agent"),
        (
            Draft(name="A", kind="hosted", specs=(canonical(VersionSpec(brain="bidder")),)),
            "asks no model",
        ),
        (
            Draft(name="A", kind="hosted", specs=(canonical(VersionSpec(model="big-7b")),)),
            "it plays by the model big-7b; this arena trains SmolLM2-135M-Instruct",
        ),
        (
            Draft(name="A", kind="hosted", specs=(canonical(VersionSpec(spaces=("logic",))),)),
            "plays logic, not",
        ),
    ],
)
async def test_what_has_no_weights_of_ours_is_told_so(
    ann: Owner, draft: Draft, reason: str
) -> None:
    agent, _ = await ann.store.agents.make(draft, ann.agent.owner)
    other = Owner(ann.http, ann.store, agent)
    refused = await ann.http.post(f"{other.path}/start", json={"space": SPACE})
    assert reason in problem(refused, 409, "not-eligible")["detail"]


async def test_what_is_anothers_is_not_there(ann: Owner) -> None:
    stranger, _ = await ann.store.agents.register("Frost", kind="hosted")
    path = f"/v1/agents/{stranger.agent}/training"
    problem(await ann.http.get(path), 404, "unknown-agent")
    row = await ann.store.training_jobs.create(
        agent=stranger.agent, space=SPACE, asked="owner", since_ms=0, scored=40
    )
    problem(await ann.http.get(f"/v1/training/jobs/{row.id}"), 404, "unknown-job")
    problem(await ann.http.get("/v1/training/jobs/none"), 404, "unknown-job")
    unknown = await ann.http.put(ann.path, json={"space": "chess", "on": True})
    problem(unknown, 422, "unknown-space")


async def test_an_owner_retires_an_adapter_and_its_files_are_let_go(
    ann: Owner, redis: Redis
) -> None:
    weights = str(cid.of(b"weights"))
    for card, agent in (("bafkone", ann.agent), ("bafktwo", ann.agent)):
        await ann.store.adapters.add(
            AdapterRow(
                card=card,
                weights=weights,
                owner=agent.owner,
                agent=agent.agent,
                space=SPACE,
                base_sha256="0" * 64,
                bytes=5,
                created_ms=1,
            )
        )
    gone: list[str] = []

    async def unpin(id_: Cid) -> None:
        gone.append(str(id_))

    async with client_of(ann.store, redis, unpin=unpin) as client:
        problem(await client.post("/v1/adapters/bafkone/retire"), 401, "unauthorized")
        bob = await ann.store.accounts.with_wallet("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359")
        token, _ = await ann.store.logins.begin(bob.account, 86_400_000)
        client.headers["Authorization"] = f"Bearer {token}"
        problem(await client.post("/v1/adapters/bafkone/retire"), 404, "unknown-adapter")
        client.headers["Authorization"] = ann.http.headers["Authorization"]
        first = await client.post("/v1/adapters/bafkone/retire")
        assert first.json()["retired_ms"] is not None
        assert gone == [], "the other adapter has the same weights"
        await client.post("/v1/adapters/bafktwo/retire")
        assert gone == [weights]


async def test_an_adapter_is_everybodys_to_see(ann: Owner) -> None:
    problem(await ann.http.get("/v1/adapters/bafkone"), 404, "unknown-adapter")
    await ann.store.adapters.add(
        AdapterRow(
            card="bafkone",
            weights="bafkweights",
            owner=ann.agent.owner,
            agent=ann.agent.agent,
            space=SPACE,
            base_sha256="0" * 64,
            bytes=5,
            created_ms=1,
        )
    )
    del ann.http.headers["Authorization"]
    found = (await ann.http.get("/v1/adapters/bafkone")).json()
    assert (found["adapter"], found["weights"], found["retired_ms"]) == (
        "bafkone",
        "bafkweights",
        None,
    )
    assert "owner" not in found
