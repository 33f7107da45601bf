"""Tournaments over HTTP: who may make one, and what everybody may see of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import event

from server.api.app import create_app
from server.clock import unix_ms
from server.config import Config
from server.identity import Identity
from server.live.log import LiveLog
from server.store import Store
from server.tournament.director import Director
from server.tournament.running import Running
from spaces import canonical


@pytest.fixture
async def api(store: Store, redis: Redis) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        config=Config(), store=store, redis=redis, gateway_address=lambda: "ws://127.0.0.1:8601"
    )
    transport = httpx.ASGITransport(app, client=("203.0.113.7", 5_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://arena") as client:
        yield client


@pytest.fixture
def count_queries(store: Store) -> Callable[[], int]:
    """How many SELECTs the store has been asked."""
    asked: list[str] = []

    def hear(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(store.tournaments._db.engine.sync_engine, "before_cursor_execute", hear)
    return lambda: sum(each.startswith("SELECT") for each in asked)


async def stable(store: Store, count: int) -> tuple[list[Identity], str]:
    """Agents of one account, and a key of the first."""
    first, key = await store.agents.register("Agent 0")
    others = [(await store.agents.register(f"Agent {n}", first.owner))[0] for n in range(1, count)]
    return [first, *others], key


def wanted(agents: list[Identity], **setup: Any) -> dict[str, Any]:
    settings = {"space": "bid-tac-toe", "format": "knockout"} | setup
    return {"setup": settings, "entrants": [each.agent for each in agents], "seeds": "given"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def code_of(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


async def test_an_account_has_its_own_agents_play(
    api: httpx.AsyncClient, store: Store, redis: Redis
) -> None:
    agents, key = await stable(store, 3)
    made = await api.post("/v1/tournaments", json=wanted(agents), headers=bearer(key))
    assert made.status_code == 201, made.text
    body = made.json()
    where = made.headers["location"]
    assert where == f"/v1/tournaments/{body['tournament']}"
    assert [card["agent"] for card in body["cards"]] == [each.agent for each in agents]
    assert (body["status"], body["seed"], body["scored"]) == ("running", None, 0)
    again = await api.post("/v1/tournaments", json=wanted(agents), headers=bearer(key))
    assert code_of(again) == (409, "one-at-a-time")

    director = Director(
        name="d",
        redis=redis,
        log=LiveLog(redis),
        tournaments=store.tournaments,
        sessions=store.sessions,
        form_session=store.sessions.form,
        opened=store.sessions.opened,
    )
    running = await Running.load(director, body["tournament"])
    while not running.over:
        await running.step()
        live = (await api.get(where)).json()
        assert running.over or live["standings"][0]["rank"] == 1
        for game in list(running.state.live.values()):
            await store.sessions.seal(
                session=game.session,
                status="ended",
                outcome={"termination": "line", "returns": [1, -1]},
                document=b"{}",
                digest="0" * 64,
                steps=(),
                now_ms=unix_ms(),
            )
    over = (await api.get(where)).json()
    assert over["status"] == "ended"
    seed = bytes.fromhex(over["seed"])
    # anyone can check it with what the API shows
    entrants = [
        [each["agent"], each["version"], each.get("rating_milli")] for each in over["cards"]
    ]
    plan = canonical.sha256({"setup": over["setup"], "entrants": entrants})
    told = b"agon-tournament/1" + over["tournament"].encode() + plan.encode() + seed
    assert hashlib.sha256(told).hexdigest() == over["seed_commit"] == body["seed_commit"]
    assert [row["rank"] for row in over["standings"]] == [1, 2, 3]
    page = (await api.get(f"{where}/games", params={"limit": 2})).json()
    assert len(page["games"]) == 2
    rest = (await api.get(f"{where}/games", params={"after": page["next"]})).json()
    games = page["games"] + rest["games"]
    assert len(games) == over["scored"]
    assert all(game["state"] == "scored" for game in games)
    listed = (await api.get("/v1/tournaments")).json()["tournaments"]
    assert [each["tournament"] for each in listed] == [body["tournament"]]


async def test_of_many_asked_for_at_once_one_is_made(api: httpx.AsyncClient, store: Store) -> None:
    agents, key = await stable(store, 2)
    others, other_key = await stable(store, 2)
    asked = [
        api.post("/v1/tournaments", json=wanted(whose), headers=bearer(by))
        for whose, by in [(agents, key)] * 8 + [(others, other_key)]
    ]
    codes = [answer.status_code for answer in await asyncio.gather(*asked)]
    assert sorted(codes[:8]) == [201] + [409] * 7
    assert codes[8] == 201
    assert len(await store.tournaments.running()) == 2


async def test_a_page_takes_three_queries_however_long_it_is(
    api: httpx.AsyncClient, store: Store, count_queries: Callable[[], int]
) -> None:
    for _ in range(3):
        agents, key = await stable(store, 3)
        await api.post("/v1/tournaments", json=wanted(agents), headers=bearer(key))
    before = count_queries()
    listed = (await api.get("/v1/tournaments")).json()["tournaments"]
    assert count_queries() - before == 3
    assert [(each["entrants"], each["scored"]) for each in listed] == [(3, 0)] * 3


async def test_nobody_enters_the_agents_of_others(api: httpx.AsyncClient, store: Store) -> None:
    mine, key = await stable(store, 2)
    theirs, _ = await store.agents.register("Theirs")
    drafted = await api.post("/v1/tournaments", json=wanted([*mine, theirs]), headers=bearer(key))
    assert code_of(drafted) == (403, "not-your-agent")
    unknown = wanted(mine)
    unknown["entrants"][1] = "nobody"
    said = await api.post("/v1/tournaments", json=unknown, headers=bearer(key))
    assert code_of(said) == (403, "not-your-agent")


async def test_a_key_is_needed(api: httpx.AsyncClient, store: Store) -> None:
    agents, _ = await stable(store, 2)
    assert code_of(await api.post("/v1/tournaments", json=wanted(agents))) == (401, "unauthorized")
    wrong = bearer("agon_" + "x" * 30)
    said = await api.post("/v1/tournaments", json=wanted(agents), headers=wrong)
    assert code_of(said) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        ({"space": "chess"}, "no space 'chess'"),
        ({"params": {"chips": -1}}, "chips"),
        ({"format": "round-robin", "games": 20_000}, "at most 10000 games"),
        ({"parallel": 100}, "32 at once"),
        ({"games": 5}, "for a round-robin"),
    ],
)
async def test_what_cannot_be_played_is_said(
    api: httpx.AsyncClient, store: Store, setup: dict[str, Any], said: str
) -> None:
    agents, key = await stable(store, 2)
    answer = await api.post("/v1/tournaments", json=wanted(agents, **setup), headers=bearer(key))
    assert code_of(answer) == (422, "bad-setup")
    assert said in answer.json()["detail"]


async def test_an_agent_is_named_once(api: httpx.AsyncClient, store: Store) -> None:
    agents, key = await stable(store, 2)
    body = wanted([*agents, agents[0]])
    answer = await api.post("/v1/tournaments", json=body, headers=bearer(key))
    assert code_of(answer) == (422, "bad-entrants")


async def test_unknown_ones(api: httpx.AsyncClient) -> None:
    assert code_of(await api.get("/v1/tournaments/01XYZ")) == (404, "unknown-tournament")
    assert code_of(await api.get("/v1/tournaments/01XYZ/games")) == (404, "unknown-tournament")
