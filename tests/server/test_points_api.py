"""Points and share links over HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import select

from server import points, points_formula
from server.days import DAY_MS
from server.identity import Identity
from server.points_claims import Seat, for_session
from server.store import Store, merit, open_store, shares
from server.store import points as stored
from server.store.engine import Database, open_database
from tests.server.test_api import client_of, form, problem, seal

NOON_MS = 1_800_014_400_000 - 1_800_014_400_000 % DAY_MS + DAY_MS // 2


class Now:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.ms = NOON_MS

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
async def store(store_url: str, now: Now) -> AsyncIterator[Store]:
    opened = await open_store(store_url, clock=now)
    yield opened
    await opened.close()


@pytest.fixture
async def db(store: Store, store_url: str) -> AsyncIterator[Database]:
    opened = open_database(store_url)
    yield opened
    await opened.close()


@pytest.fixture
async def api(store: Store, redis: Redis, now: Now) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, redis, clock=now) as client:
        yield client


@pytest.fixture
async def agents(store: Store) -> list[Identity]:
    return [(await store.agents.register(name))[0] for name in ("Ember", "Frost", "Cinder")]


async def signed_in(store: Store, identity: Identity) -> dict[str, str]:
    """Headers of a login of the agent's account."""
    token, _ = await store.logins.begin(identity.owner, 30 * DAY_MS)
    return {"Authorization": f"Bearer {token}"}


async def settle(db: Database, number: int, *agents: Identity, now_ms: int = NOON_MS) -> None:
    seats = [Seat(a.owner, a.agent, a.version, rank) for rank, a in enumerate(agents, 1)]
    async with db.writing() as tx:
        await stored.add(db, tx, for_session(f"s{number}", "logic", 0, seats), now_ms)


# --------------------------------------------------------------------------- points


async def test_the_formula_is_the_one_that_counts(api: httpx.AsyncClient) -> None:
    told = (await api.get("/v1/points/formula")).json()
    assert told["version"] == points_formula.VERSION
    assert told["day_points"] == points.POINTS_A_DAY
    assert {int(k): v for k, v in told["session_points"].items()} == points.SESSION_POINTS
    codes = {"session", "activity", "creation", "engagement", "sharing"}
    assert {term["code"] for term in told["terms"]} == codes
    assert all(term["what"] and term["bound"] and term["points"] > 0 for term in told["terms"])
    assert told["proves_not"]


async def test_an_owner_sees_every_line_and_its_sums(
    api: httpx.AsyncClient, store: Store, db: Database, agents: list[Identity]
) -> None:
    ember, frost, cinder = agents
    for number, other in enumerate((frost, cinder, frost)):
        await settle(db, number, ember, other)
    headers = await signed_in(store, ember)
    mine = (await api.get("/v1/me/points", headers=headers)).json()
    [total] = mine["totals"]
    assert total["season"] == mine["season"] == 1
    assert total["points"] == sum(line["points"] for line in mine["lines"])
    assert total["by_code"] == {"activity": 5, "creation": 50, "engagement": 20, "session": 45}
    assert sum(total["by_code"].values()) == total["points"]
    assert all(line["words"] for line in mine["lines"])
    of_agent = await api.get(f"/v1/agents/{ember.agent}/points", headers=headers)
    assert of_agent.json() == mine
    assert frost.owner not in str(mine)


async def test_lines_are_paged_newest_first(
    api: httpx.AsyncClient, store: Store, db: Database, agents: list[Identity]
) -> None:
    ember, frost, _ = agents
    for number in range(3):
        await settle(db, number, ember, frost, now_ms=NOON_MS + number)
    headers = await signed_in(store, ember)
    seen: list[tuple[int, str]] = []
    before: str | None = None
    while True:
        query = {"limit": "2"} | ({} if before is None else {"before": before})
        page = (await api.get("/v1/me/points", params=query, headers=headers)).json()
        seen += [(line["made_ms"], line["id"]) for line in page["lines"]]
        before = page["next"]
        if before is None:
            break
    assert len(seen) == 6
    assert seen == sorted(seen, reverse=True)
    problem(await api.get("/v1/me/points?before=x", headers=headers), 400, "bad-query")
    problem(await api.get("/v1/me/points?season=0", headers=headers), 400, "bad-query")


async def test_what_others_have_earned_is_not_told(
    api: httpx.AsyncClient, store: Store, agents: list[Identity]
) -> None:
    ember, frost, _ = agents
    headers = await signed_in(store, frost)
    problem(await api.get("/v1/me/points"), 401, "unauthorized")
    path = f"/v1/agents/{ember.agent}/points"
    problem(await api.get(path), 401, "unauthorized")
    another = problem(await api.get(path, headers=headers), 404, "unknown-agent")
    nobody = problem(await api.get("/v1/agents/none/points", headers=headers), 404, "unknown-agent")
    assert another["detail"].replace(ember.agent, "none") == nobody["detail"]


async def test_the_board_names_agents_and_no_owner(
    api: httpx.AsyncClient, db: Database, agents: list[Identity]
) -> None:
    ember, frost, cinder = agents
    assert (await api.get("/v1/points/board")).json() == {"season": 1, "rows": []}
    await settle(db, 1, ember, frost)
    await settle(db, 2, ember, cinder)
    answer = await api.get("/v1/points/board")
    rows = answer.json()["rows"]
    assert (rows[0]["place"], rows[0]["name"]) == (1, "Ember")
    assert [row["points"] for row in rows] == [105, 85, 85]
    assert ember.owner not in answer.text
    assert len((await api.get("/v1/points/board?limit=1")).json()["rows"]) == 1
    assert (await api.get("/v1/points/board?season=2")).json() == {"season": 2, "rows": []}


# --------------------------------------------------------------------------- share links


async def link(api: httpx.AsyncClient, headers: dict[str, str], **subject: str) -> str:
    """The path of a link of the caller's."""
    made = await api.post("/v1/shares", json=subject, headers=headers)
    assert made.status_code == 201, made.text
    assert made.json()["url"] == f"http://arena{made.headers['location']}"
    return str(made.headers["location"])


async def look(
    api: httpx.AsyncClient, path: str, now: Now, wait_s: int = points.VIEW_S
) -> httpx.Response:
    """Open a link, wait, come back."""
    given = (await api.get(path)).json()["challenge"]
    now.ms += wait_s * 1_000
    return await api.post(f"{path}/views", json={"challenge": given})


async def test_a_link_shows_a_session_or_an_agent_to_anybody(
    api: httpx.AsyncClient, store: Store, agents: list[Identity]
) -> None:
    ember, frost, _ = agents
    session = await form(store, ember, frost)
    await seal(store, session)
    headers = await signed_in(store, ember)
    path = await link(api, headers, session=session)
    assert await link(api, headers, session=session) == path
    opened = await api.get(path)
    assert opened.json()["kind"] == "session"
    assert opened.json()["session"]["outcome"] == {"termination": "line", "returns": [1, -1]}
    assert opened.headers["cache-control"] == "no-store"
    of_agent = (await api.get(await link(api, headers, agent=frost.agent))).json()
    assert (of_agent["kind"], of_agent["agent"]["name"]) == ("agent", "Frost")
    assert ember.owner not in opened.text


async def test_a_browser_is_shown_a_page_that_runs_nothing_of_others(
    api: httpx.AsyncClient, store: Store, now: Now
) -> None:
    evil, _ = await store.agents.register("<script>alert(1)")
    path = await link(api, await signed_in(store, evil), agent=evil.agent)
    shown = await api.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert "&lt;script&gt;alert(1)" in shown.text
    assert "<script>" not in shown.text
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    [nonce] = set(re.findall(r'nonce="([^"]+)"', shown.text))
    assert f"script-src 'nonce-{nonce}'" in policy
    # What its script sends is what verifies the view.
    [given] = re.findall(r'challenge: "([^"]+)"', shown.text)
    now.ms += points.VIEW_S * 1_000
    assert (await api.post(f"{path}/views", json={"challenge": given})).json() == {"counted": True}
    session = await form(store, evil, (await store.agents.register("Frost"))[0])
    of_session = await link(api, await signed_in(store, evil), session=session)
    assert "Frost" in (await api.get(of_session, headers={"Accept": "text/html"})).text
    assert (await api.get(of_session)).json()["kind"] == "session"


async def test_a_view_counts_once_its_viewer_has_come_back(
    api: httpx.AsyncClient, store: Store, agents: list[Identity], now: Now
) -> None:
    headers = await signed_in(store, agents[0])
    path = await link(api, headers, agent=agents[0].agent)
    early = await look(api, path, now, points.VIEW_S - 1)
    problem(early, 425, "too-early")
    assert (await look(api, path, now)).json() == {"counted": True}
    assert (await look(api, path, now)).json() == {"counted": False}
    [card] = (await api.get("/v1/shares", headers=headers)).json()["links"]
    assert card["views"] == 1
    [line] = (await api.get("/v1/me/points", headers=headers)).json()["lines"]
    assert (line["code"], line["points"], line["agent"]) == ("sharing", 2, agents[0].agent)


async def test_one_network_earns_an_account_one_view_a_day(
    api: httpx.AsyncClient, store: Store, agents: list[Identity], now: Now
) -> None:
    headers = await signed_in(store, agents[0])
    for agent in agents:
        await look(api, await link(api, headers, agent=agent.agent), now)
    now.ms += DAY_MS
    await look(api, await link(api, headers, agent=agents[2].agent), now)
    lines = (await api.get("/v1/me/points", headers=headers)).json()["lines"]
    assert len(lines) == 2
    # What is not one's own agent earns for the account alone.
    assert sorted(line["agent"] is None for line in lines) == [False, True]


async def test_the_owner_s_own_credential_counts_nothing(
    api: httpx.AsyncClient, store: Store, agents: list[Identity], now: Now
) -> None:
    headers = await signed_in(store, agents[0])
    path = await link(api, headers, agent=agents[0].agent)
    given = (await api.get(path)).json()["challenge"]
    now.ms += 60_000
    body = {"challenge": given}
    own = await api.post(f"{path}/views", json=body, headers=headers)
    assert own.json() == {"counted": False}
    assert (await api.post(f"{path}/views", json=body)).json() == {"counted": True}


async def test_a_challenge_that_is_not_the_viewer_s_own_is_refused(
    api: httpx.AsyncClient, store: Store, redis: Redis, agents: list[Identity], now: Now
) -> None:
    headers = await signed_in(store, agents[0])
    paths = [await link(api, headers, agent=agent.agent) for agent in agents[:2]]
    given = (await api.get(paths[0])).json()["challenge"]
    now.ms += 60_000
    body = {"challenge": given}
    problem(await api.post(f"{paths[1]}/views", json=body), 403, "bad-challenge")
    async with client_of(store, redis, clock=now, address="198.51.100.9") as elsewhere:
        problem(await elsewhere.post(f"{paths[0]}/views", json=body), 403, "bad-challenge")
    made_up = {"challenge": "0." + "0" * 64}
    problem(await api.post(f"{paths[0]}/views", json=made_up), 410, "stale-challenge")
    now.ms += 3_600_000
    problem(await api.post(f"{paths[0]}/views", json=body), 410, "stale-challenge")


async def test_what_is_kept_of_a_view_holds_no_address(
    api: httpx.AsyncClient, store: Store, db: Database, agents: list[Identity], now: Now
) -> None:
    path = await link(api, await signed_in(store, agents[0]), agent=agents[0].agent)
    await look(api, path, now)
    async with db.reading() as tx:
        [row] = (await tx.execute(select(merit.share_view))).all()
    assert "203.0.113" not in str(row)
    assert len(row.viewer) == 64


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "bad-share"),
        ({"session": "a", "agent": "b"}, 422, "bad-share"),
        ({"session": "none"}, 404, "unknown-session"),
        ({"agent": "none"}, 404, "unknown-agent"),
        ({"agent": "../x"}, 400, "bad-body"),
        ({"agents": "x"}, 400, "bad-body"),
    ],
)
async def test_what_cannot_be_shared_is_refused(
    api: httpx.AsyncClient,
    store: Store,
    agents: list[Identity],
    body: dict[str, str],
    status: int,
    code: str,
) -> None:
    headers = await signed_in(store, agents[0])
    problem(await api.post("/v1/shares", json=body, headers=headers), status, code)


async def test_links_are_the_maker_s_own_and_bounded(
    api: httpx.AsyncClient, store: Store, agents: list[Identity], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await signed_in(store, agents[0])
    made = [await link(api, headers, agent=agent.agent) for agent in agents]
    first = (await api.get("/v1/shares?limit=2", headers=headers)).json()
    second = await api.get(f"/v1/shares?limit=2&before={first['next']}", headers=headers)
    found = [*first["links"], *second.json()["links"]]
    assert sorted(f"/v1/s/{card['token']}" for card in found) == sorted(made)
    another = await signed_in(store, agents[1])
    assert (await api.get("/v1/shares", headers=another)).json()["links"] == []
    monkeypatch.setattr(shares, "LINKS", 3)
    session = await form(store, *agents[:2])
    refused = await api.post("/v1/shares", json={"session": session}, headers=headers)
    problem(refused, 409, "too-many-links")
    problem(await api.post("/v1/shares", json={"session": session}), 401, "unauthorized")
    for token in ("x", "%00", "x" * 22, "x" * 300):
        problem(await api.get(f"/v1/s/{token}"), 404, "unknown-share")
