from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import update

from server.config import Config
from server.identity import Identity
from server.store import Store, automations, schema
from tests.server.money_world import ticket_of
from tests.server.test_api import client_of, problem

LIMITS: dict[str, Any] = {
    "tier_micros": 500_000,
    "spaces": ["bid-tac-toe", "logic"],
    "max_sessions": 20,
    "max_parallel": 2,
    "stop_loss_micros": 5_000_000,
    "take_profit_micros": None,
    "schedule": {"windows": []},
}


class Owner:
    """Ann, signed in, and one of her agents."""

    def __init__(self, http: httpx.AsyncClient, store: Store, agent: Identity) -> None:
        self.http, self.store, self.agent = http, store, agent
        self.path = f"/v1/agents/{agent.agent}/automation"

    async def put(self, **changes: Any) -> httpx.Response:
        return await self.http.put(self.path, json=LIMITS | changes)

    async def turn(self, state: str) -> httpx.Response:
        return await self.http.post(f"{self.path}/{state}")


@pytest.fixture
async def ann(store: Store, redis: Redis) -> AsyncIterator[Owner]:
    account = await store.accounts.with_wallet("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
    token, _ = await store.logins.begin(account.account, 86_400_000)
    agent, _ = await store.agents.register("Ember", account.account)
    config = Config(tiers_open=(0, 500_000, 1_000_000))
    async with client_of(store, redis, config=config) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield Owner(client, store, agent)


async def test_an_owner_sets_limits_and_turns_it_on_and_off(ann: Owner) -> None:
    problem(await ann.http.get(ann.path), 404, "no-automation")
    problem(await ann.turn("on"), 404, "no-automation")
    problem(await ann.turn("off"), 404, "no-automation")
    made = (await ann.put()).json()
    assert (made["state"], made["limits"]) == ("off", LIMITS)
    assert made["next_entry_ms"] is None
    on = (await ann.turn("on")).json()
    assert (on["state"], on["run"]["number"], on["waits"]) == ("on", 1, None)
    assert on["next_entry_ms"] <= on["next_opening_ms"]
    assert (await ann.turn("on")).json()["run"]["number"] == 1, "it goes on"
    assert (await ann.http.get(ann.path)).json()["state"] == "on"
    off = (await ann.turn("off")).json()
    assert (off["state"], off["waits"], off["reason"]) == ("off", None, None)


async def test_it_says_how_the_run_goes_and_why_it_stopped(ann: Owner) -> None:
    await ann.put(max_parallel=1, stop_loss_micros=500_000)
    await ann.turn("on")
    db, agent = ann.store.database, ann.agent.agent
    async with db.writing() as tx:
        await automations.admit(
            db,
            tx,
            agent=agent,
            space="logic",
            tier_micros=500_000,
            asset="usdc",
            micros=500_000,
            now_ms=0,
        )
    playing = (await ann.http.get(ann.path)).json()
    assert playing["run"] == {
        "number": 1,
        "asset": "usdc",
        "begun": 1,
        "open": 1,
        "at_risk_micros": 500_000,
        "profit_micros": 0,
        "missed": 0,
    }
    assert playing["waits"] == "parallel limit reached: 1 open of at most 1"
    assert playing["next_entry_ms"] is None
    async with db.writing() as tx:
        await automations.settled(
            db, tx, agent=agent, run=1, micros=500_000, won_micros=0, now_ms=0
        )
    stopped = (await ann.http.get(ann.path)).json()
    assert stopped["state"] == "stopped"
    assert stopped["reason"] == "stop-loss reached: lost 0.50 of at most 0.50 USDC"


async def test_it_says_that_it_waits_everywhere_already(ann: Owner) -> None:
    await ann.put(spaces=["logic", "writing"], tier_micros=0, max_parallel=9)
    await ann.turn("on")
    for space, waits in (
        ("logic", None),
        ("writing", "waits in the queue of each of its Spaces already"),
    ):
        await ann.store.entries.hold(ticket_of(ann.agent, tier=0, space=space))
        assert (await ann.http.get(ann.path)).json()["waits"] == waits


async def test_it_says_when_its_schedule_opens(ann: Owner) -> None:
    windows = [{"days": ["mon"], "opens": "22:00", "closes": "06:00"}]
    answer = (await ann.put(schedule={"windows": windows})).json()
    assert answer["limits"]["schedule"] == {"windows": windows}
    assert 0 <= answer["next_opening_ms"] - answer["changed_ms"] <= 7 * 86_400_000


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"tier_micros": 250_000}, "tier-closed", "tier_micros: 0.25 is no tier that is open here"),
        ({"tier_micros": 25_000_000}, "tier-closed", "there are free, 0.50, 1.00 USDC"),
        ({"spaces": ["logic", "chess"]}, "unknown-space", "chess"),
        ({"spaces": ["logic", "logic"]}, "bad-limits", "spaces: logic is named twice"),
        (
            {"stop_loss_micros": 499_999},
            "bad-limits",
            "stop_loss_micros: 0.499999 USDC does not cover",
        ),
    ],
)
async def test_limits_that_cannot_be_meant_are_refused_by_name(
    ann: Owner, changes: dict[str, Any], code: str, words: str
) -> None:
    assert words in problem(await ann.put(**changes), 422, code)["detail"]


@pytest.mark.parametrize(
    "changes",
    [
        {"tier_micros": -1},
        {"tier_micros": 1e30},
        {"spaces": []},
        {"spaces": ["x" * 65]},
        {"spaces": [f"s{number}" for number in range(33)]},
        {"max_sessions": 0},
        {"max_sessions": 100_001},
        {"max_parallel": 0},
        {"max_parallel": 101},
        {"max_parallel": True},
        {"stop_loss_micros": 0},
        {"stop_loss_micros": 10**12 + 1},
        {"stop_loss_micros": None},
        {"take_profit_micros": 0},
        {"schedule": {"windows": [{"days": ["mon"], "opens": "08:00", "closes": "08:00"}]}},
        {"schedule": {"windows": [{"days": ["moon"]}]}},
        {"schedule": {"windows": [{"days": ["mon"]}] * 33}},
        {"stop_los_micros": 5},
    ],
)
async def test_every_limit_has_bounds(ann: Owner, changes: dict[str, Any]) -> None:
    problem(await ann.put(**changes), 400, "bad-body")


async def test_a_run_that_is_on_keeps_its_asset(ann: Owner) -> None:
    await ann.put()
    await ann.turn("on")
    refused = problem(await ann.put(tier_micros=0), 409, "run-under-way")
    assert "turn it off first" in refused["detail"]
    assert (await ann.put(tier_micros=1_000_000)).status_code == 200


async def test_an_agent_at_rest_is_not_turned_on(ann: Owner) -> None:
    await ann.put()
    a = schema.agent
    async with ann.store.database.writing() as tx:
        frozen = {"frozen_ms": 1, "frozen_reason": "it was rude"}
        await tx.execute(update(a).where(a.c.id == ann.agent.agent).values(frozen))
    assert problem(await ann.turn("on"), 409, "not-playing")["detail"] == (
        "the agent is frozen: it was rude"
    )


async def test_what_is_another_s_is_not_there(ann: Owner) -> None:
    theirs, _ = await ann.store.agents.register("Frost")
    unknown = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    for agent in (theirs.agent, unknown):
        path = f"/v1/agents/{agent}/automation"
        for answer in (
            await ann.http.get(path),
            await ann.http.put(path, json=LIMITS),
            await ann.http.post(f"{path}/on"),
            await ann.http.post(f"{path}/off"),
        ):
            told = problem(answer, 404, "unknown-agent")["detail"]
            assert told == f"unknown agent {agent!r}"


async def test_a_bot_may_not_lift_the_limits_it_plays_within(ann: Owner) -> None:
    key = await ann.store.agents.issue_key(ann.agent.agent)
    ann.http.headers["Authorization"] = f"Bearer {key}"
    problem(await ann.put(), 403, "insufficient-scope")
    problem(await ann.turn("on"), 403, "insufficient-scope")
    del ann.http.headers["Authorization"]
    problem(await ann.put(), 401, "unauthorized")
