from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from server.api.app import create_app
from server.api.registrations import network
from server.config import Config
from server.identity import Identity, new_id
from server.ledger.tiers import FEE_TIERS
from server.live import keys
from server.live.records import SeatRecord, SessionRecord, ViewSet
from server.metrics import Metrics
from server.protocol import LobbyView, QueueCard, SessionCard
from server.store import Store

OPENED_MS = 1_800_000_000_000
DOCUMENT = b'{"entries":[],"v":"agon-transcript/1"}'
DIGEST = hashlib.sha256(DOCUMENT).hexdigest()


async def no_queues() -> list[QueueCard]:
    return [QueueCard("rap-battle", 0, 3, 12)]


def client_of(store: Store, redis: Redis, **options: Any) -> httpx.AsyncClient:
    config = options.pop("config", Config())
    address = options.pop("address", "203.0.113.7")
    app = create_app(
        config=config,
        store=store,
        redis=redis,
        gateway_address=lambda: "ws://127.0.0.1:8601",
        queue_sizes=options.pop("queue_sizes", no_queues),
        **options,
    )
    transport = httpx.ASGITransport(app, client=(address, 5_000))
    return httpx.AsyncClient(transport=transport, base_url="http://arena")


@pytest.fixture
async def api(store: Store, redis: Redis) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, redis) as client:
        yield client


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The response is a problem document of that status and code."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["code"] == code
    assert document["type"] == f"urn:agon:problem:{code}"
    assert document["title"]
    assert document["detail"]
    return document


async def form(store: Store, *agents: Identity, space: str = "bid-tac-toe") -> str:
    seats = tuple(
        SeatRecord(i, agent.agent, agent.name, agent.version, agent.owner, b"0" * 32)
        for i, agent in enumerate(agents)
    )
    session = new_id()
    record = SessionRecord(session, space, f"{space}/1", {}, 0, OPENED_MS, b"seed" * 8, seats)
    await store.sessions.form(record)
    return session


async def seal(store: Store, session: str, **changes: Any) -> None:
    sealing: dict[str, Any] = {
        "status": "ended",
        "outcome": {"termination": "line", "returns": [1, -1]},
        "document": DOCUMENT,
        "digest": DIGEST,
        "steps": ("judge", "rate"),
        "now_ms": OPENED_MS + 1,
    }
    await store.sessions.seal(session=session, **sealing | changes)


@pytest.fixture
async def agents(store: Store) -> tuple[Identity, Identity]:
    return (await store.agents.register("Ember"))[0], (await store.agents.register("Frost"))[0]


# --------------------------------------------------------------------------- the arena


async def test_the_gateway_is_where_it_listens_or_where_the_operator_says(
    api: httpx.AsyncClient, store: Store, redis: Redis
) -> None:
    found = (await api.get("/v1/gateway")).json()
    assert found == {"url": "ws://127.0.0.1:8601", "protocols": ["agon.v1.json", "agon.v1.msgpack"]}
    config = Config(gateway_public_url="wss://arena.example/ws")
    async with client_of(store, redis, config=config) as behind_a_proxy:
        assert (await behind_a_proxy.get("/v1/gateway")).json()["url"] == "wss://arena.example/ws"


async def test_spaces_say_what_one_needs_to_queue(api: httpx.AsyncClient) -> None:
    spaces = {space["id"]: space for space in (await api.get("/v1/spaces")).json()["spaces"]}
    bid = spaces["bid-tac-toe"]
    assert (bid["seats"], bid["decided_by"], bid["rules"]) == (2, "rules", "bid-tac-toe/1")
    assert bid["params"]["chips"] == 100
    assert bid["tiers_micros"] == list(FEE_TIERS)
    [schema] = bid["params_schema"]["$defs"].values()
    assert set(bid["params"]) == set(schema["properties"])
    assert spaces["rap-battle"]["decided_by"] == "judges"


async def test_queues_are_counted(api: httpx.AsyncClient) -> None:
    expected = {"space": "rap-battle", "tier_micros": 0, "waiting": 3, "longest_wait_s": 12}
    assert (await api.get("/v1/queues")).json() == {"queues": [expected]}


async def test_the_live_queues_are_asked_unless_told_otherwise(store: Store, redis: Redis) -> None:
    async with client_of(store, redis, queue_sizes=None) as api:
        queues = (await api.get("/v1/queues")).json()["queues"]
        assert {queue["space"] for queue in queues} >= {"bid-tac-toe", "rap-battle"}


async def test_the_leaderboard_of_a_space(api: httpx.AsyncClient) -> None:
    board = (await api.get("/v1/leaderboard/rap-battle")).json()
    assert board == {"kind": "board", "space": "rap-battle", "rows": []}
    problem(await api.get("/v1/leaderboard/chess"), 404, "unknown-space")
    problem(await api.get("/v1/leaderboard/rap-battle?limit=0"), 400, "bad-query")
    problem(await api.get("/v1/leaderboard/rap-battle?limit=101"), 400, "bad-query")


# --------------------------------------------------------------------------- sessions


async def test_a_live_session_tells_its_seats_and_no_secret(
    api: httpx.AsyncClient, store: Store, agents: tuple[Identity, Identity]
) -> None:
    session = await form(store, *agents)
    response = await api.get(f"/v1/sessions/{session}")
    found = response.json()
    assert found["status"] == "live"
    assert [seat["name"] for seat in found["seats"]] == ["Ember", "Frost"]
    assert found["steps"] == [{"name": "sealed", "state": "waiting"}]
    assert found["verdict"] is None
    assert "seed" not in response.text
    assert agents[0].owner not in response.text
    missing = problem(await api.get(f"/v1/sessions/{session}/transcript"), 404, "not-sealed")
    assert "still live" in missing["detail"]


async def test_a_sealed_session_gives_its_transcript_byte_for_byte(
    api: httpx.AsyncClient, store: Store, agents: tuple[Identity, Identity]
) -> None:
    session = await form(store, *agents)
    await seal(store, session)
    found = (await api.get(f"/v1/sessions/{session}")).json()
    assert found["digest"] == DIGEST
    assert found["outcome"] == {"termination": "line", "returns": [1, -1]}
    response = await api.get(found["transcript"])
    assert response.content == DOCUMENT
    assert response.headers["etag"] == f'"{DIGEST}"'
    assert response.headers["content-type"] == "application/json"
    again = await api.get(found["transcript"], headers={"If-None-Match": f'"x", W/"{DIGEST}"'})
    assert (again.status_code, again.content) == (304, b"")


async def test_what_follows_a_session_is_told_without_our_errors(
    api: httpx.AsyncClient, store: Store, agents: tuple[Identity, Identity]
) -> None:
    session = await form(store, *agents)
    await seal(store, session)
    [judge] = await store.outbox.due(OPENED_MS + 1, 10)
    await store.outbox.start(judge, OPENED_MS + 1)
    await store.outbox.failed(judge, "connection refused to 10.0.0.3", None)
    await store.verdicts.put(session, b'{"rubric":"rap/1","ranks":[1,2]}')
    response = await api.get(f"/v1/sessions/{session}")
    found = response.json()
    assert found["steps"] == [
        {"name": "sealed", "state": "done"},
        {"name": "judged", "state": "failed"},
        {"name": "rated", "state": "failed", "detail": "judging failed"},
    ]
    assert found["verdict"]["ranks"] == [1, 2]
    assert "10.0.0.3" not in response.text


async def test_sessions_are_paged_newest_first(
    api: httpx.AsyncClient, store: Store, agents: tuple[Identity, Identity]
) -> None:
    made = [await form(store, *agents) for _ in range(5)]
    newest_first = sorted(made, reverse=True)
    await seal(store, newest_first[0], status="void", outcome={"reason": "host lost"}, steps=())
    first = (await api.get("/v1/sessions?limit=3")).json()
    second = (await api.get(f"/v1/sessions?limit=3&before={first['next']}")).json()
    assert [s["session"] for s in first["sessions"] + second["sessions"]] == newest_first
    assert second["next"] is None
    void = (await api.get("/v1/sessions?status=void")).json()["sessions"]
    assert [(s["session"], s["outcome"]) for s in void] == [
        (newest_first[0], {"reason": "host lost"})
    ]
    live = (await api.get("/v1/sessions", params={"status": "live"})).json()["sessions"]
    assert [s["session"] for s in live] == newest_first[1:]
    assert (await api.get("/v1/sessions?space=rap-battle")).json()["sessions"] == []
    of_ember = await api.get("/v1/sessions", params={"agent": agents[0].agent})
    assert len(of_ember.json()["sessions"]) == 5


async def test_a_live_session_shows_the_lobby_s_headline(
    api: httpx.AsyncClient, store: Store, redis: Redis, agents: tuple[Identity, Identity]
) -> None:
    session = await form(store, *agents)
    card = SessionCard(session, "bid-tac-toe", [], "ply 3: bids", OPENED_MS)
    views = ViewSet.of(0, LobbyView([card], [], []))
    await redis.set(keys.views("lobby"), msgspec.msgpack.encode(views))
    [found] = (await api.get("/v1/sessions")).json()["sessions"]
    assert found["headline"] == "ply 3: bids"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=x",
        "status=formed",
        "before=%00",
        "space=../x",
        "who=me",
        "limit=1&limit=2",
    ],
)
async def test_a_query_that_is_not_understood_is_refused(
    api: httpx.AsyncClient, query: str
) -> None:
    problem(await api.get(f"/v1/sessions?{query}"), 400, "bad-query")


@pytest.mark.parametrize("name", ["nothing", "%00", "a%0Ab", "x" * 100, "%F0%9F%92%A9", "'--"])
async def test_what_is_no_session_is_not_found(api: httpx.AsyncClient, name: str) -> None:
    problem(await api.get(f"/v1/sessions/{name}"), 404, "unknown-session")
    problem(await api.get(f"/v1/sessions/{name}/transcript"), 404, "unknown-session")
    problem(await api.get(f"/v1/agents/{name}"), 404, "unknown-agent")


# --------------------------------------------------------------------------- agents


async def test_registering_gives_a_key_that_works_once_shown(
    api: httpx.AsyncClient, store: Store
) -> None:
    response = await api.post("/v1/agents", json={"name": "Em\u202eber"})
    assert response.status_code == 201
    made = response.json()
    assert made["name"] == "Ember"
    assert made["version"] == f"{made['agent']}@v1"
    assert response.headers["location"] == f"/v1/agents/{made['agent']}"
    assert response.headers["cache-control"] == "no-store"
    identity = await store.agents.by_key(made["key"])
    assert identity is not None
    assert identity.agent == made["agent"]
    card = (await api.get(response.headers["location"])).json()
    assert card["name"] == "Ember"
    assert "owner" not in card
    assert made["key"] not in str(card)


async def test_only_the_owner_s_key_makes_agents_for_an_account(api: httpx.AsyncClient) -> None:
    ember = (await api.post("/v1/agents", json={"name": "Ember"})).json()
    frost = (await api.post("/v1/agents", json={"name": "Frost"})).json()
    second = {"name": "Cinder", "owner": ember["owner"]}
    anonymous = await api.post("/v1/agents", json=second)
    problem(anonymous, 401, "unauthorized")
    assert anonymous.headers["www-authenticate"] == "Bearer"
    stranger = {"Authorization": f"Bearer {frost['owner_key']}"}
    problem(await api.post("/v1/agents", json=second, headers=stranger), 403, "not-your-account")
    owner = {"Authorization": f"Bearer {ember['owner_key']}"}
    made = await api.post("/v1/agents", json=second, headers=owner)
    assert made.json()["owner"] == ember["owner"]
    again = await api.post("/v1/agents", json={"name": "CINDER"}, headers=owner)
    problem(again, 409, "name-taken")
    wrong = {"Authorization": "Bearer agon_" + "x" * 43}
    problem(await api.post("/v1/agents", json=second, headers=wrong), 401, "unauthorized")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "bad-body"),
        (b"\xff", 400, "bad-body"),
        (b'{"name": "\xff"}', 400, "bad-body"),
        (b"[]", 400, "bad-body"),
        (b"", 400, "bad-body"),
        (b"{}", 400, "bad-body"),
        (b'{"name": 7}', 400, "bad-body"),
        (b'{"name": ""}', 400, "bad-body"),
        (b'{"name": "x", "admin": true}', 400, "bad-body"),
        (b'{"name": "x", "owner": "../../x"}', 400, "bad-body"),
        (b'{"name": "\\u202e\\u0000"}', 422, "bad-name"),
        (b'{"name": "' + b"x" * 33 + b'"}', 422, "bad-name"),
        (b'{"name": "' + b"x" * 70_000 + b'"}', 413, "too-large"),
    ],
)
async def test_a_bad_registration_is_refused_with_the_reason(
    api: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    headers = {"Content-Type": "application/json"}
    problem(await api.post("/v1/agents", content=body, headers=headers), status, code)


async def test_a_body_without_a_length_is_bounded_too(api: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1_024

    problem(await api.post("/v1/agents", content=endless()), 413, "too-large")


async def test_a_form_is_no_json(api: httpx.AsyncClient) -> None:
    problem(await api.post("/v1/agents", data={"name": "x"}), 415, "bad-media-type")


async def test_a_closed_arena_registers_nobody(store: Store, redis: Redis) -> None:
    async with client_of(store, redis, config=Config(open_registration=False)) as closed:
        problem(await closed.post("/v1/agents", json={"name": "x"}), 403, "registration-closed")


async def test_one_address_registers_so_many_a_minute(store: Store, redis: Redis) -> None:
    async with client_of(store, redis, config=Config(registrations_per_min=2)) as api:
        for name in ("a", "b"):
            assert (await api.post("/v1/agents", json={"name": name})).status_code == 201
        refused = await api.post("/v1/agents", json={"name": "c"})
        problem(refused, 429, "rate-limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert await redis.ttl(keys.registrations("203.0.113.7")) > 0


def test_one_customer_s_ipv6_network_counts_as_one_address() -> None:
    assert network("2001:db8:1:2:3:4:5:6") == network("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert network("2001:db8:1:3::9") != network("2001:db8:1:2::9")
    assert network("::ffff:203.0.113.7") == network("203.0.113.7") == "203.0.113.7"
    assert network("local") == "local"


# --------------------------------------------------------------------------- operation


async def test_errors_of_routing_are_problems_too(api: httpx.AsyncClient) -> None:
    problem(await api.get("/v1/nothing"), 404, "not-found")
    refused = await api.delete("/v1/agents")
    problem(refused, 405, "method-not-allowed")
    assert refused.headers["allow"] == "POST"
    refused = await api.delete("/v1/tournaments")
    assert refused.headers["allow"] == "GET, HEAD, POST", "all of a path's methods"


async def test_no_browser_of_another_origin_may_read(api: httpx.AsyncClient) -> None:
    response = await api.get("/v1/spaces", headers={"Origin": "https://evil.example"})
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_failure_of_ours_tells_nothing_of_our_insides(store: Store, redis: Redis) -> None:
    async def fails() -> list[QueueCard]:
        raise RuntimeError("secret of /etc/agon")

    async with client_of(store, redis, queue_sizes=fails) as api:
        response = await api.get("/v1/queues")
        problem(response, 500, "internal")
        assert "secret" not in response.text
        assert "Traceback" not in response.text


async def test_it_is_ready_when_redis_and_the_database_answer(api: httpx.AsyncClient) -> None:
    assert (await api.get("/healthz")).json() == {"status": "ok"}
    ready = (await api.get("/readyz")).json()
    assert {each["name"]: each["ok"] for each in ready["checks"] if each["own"]} == {
        "redis": True,
        "database": True,
        "disk": True,
    }


async def test_readiness_names_what_does_not_answer(store: Store) -> None:
    away = Redis(host="127.0.0.1", port=1)
    async with client_of(store, away) as api:
        assert (await api.get("/healthz")).status_code == 200
        assert "redis" in problem(await api.get("/readyz"), 503, "not-ready")["failed"]
        refused = await api.post("/v1/agents", json={"name": "x"})
        assert "redis" in problem(refused, 503, "unavailable")["detail"]
        assert refused.headers["retry-after"]
        assert (await api.get("/metrics")).status_code == 200
    await away.aclose()


async def test_metrics_count_requests_jobs_and_queues(
    store: Store, redis: Redis, agents: tuple[Identity, Identity]
) -> None:
    session = await form(store, *agents)
    await seal(store, session)
    metrics = Metrics(CollectorRegistry())
    async with client_of(store, redis, metrics=metrics) as api:
        await api.get(f"/v1/sessions/{session}")
        await api.get("/v1/sessions/unknown")
        text = (await api.get("/metrics")).text
    route = 'method="GET",route="/v1/sessions/{session}"'
    assert f'agon_http_requests_total{{{route},status="200"}} 1.0' in text
    assert f'agon_http_requests_total{{{route},status="404"}} 1.0' in text
    assert 'agon_jobs{state="waiting",step="judge"} 1.0' in text
    assert 'agon_jobs{state="waiting",step="rate"} 1.0' in text
    assert 'agon_matchmaking_waiting{space="rap-battle",tier_micros="0"} 3.0' in text


async def test_the_api_describes_itself(api: httpx.AsyncClient) -> None:
    described = (await api.get("/v1/openapi.json")).json()
    assert described["openapi"] == "3.1.0"
    assert (await api.get("/v1/asyncapi.json")).json()["asyncapi"] == "3.0.0"
    for path, methods in described["paths"].items():
        get = methods.get("get")
        if get is None or any(parameter["required"] for parameter in get["parameters"]):
            continue
        nothing_yet = 404 if "404" in get["responses"] else 200
        expected = 401 if get.get("security") == [{"bearer": []}] else nothing_yet
        assert (await api.get(path)).status_code == expected, path


async def test_http_does_not_run_ahead_of_delayed_spectators(
    store: Store, redis: Redis, agents: tuple[Identity, Identity]
) -> None:
    session = await form(store, *agents)
    await seal(store, session)
    row = await store.sessions.get(session)
    assert row is not None
    assert row.sealed_ms is not None
    now = row.sealed_ms + 59_999
    config = Config(spectator_delay_ms=60_000)
    async with client_of(store, redis, config=config, clock=lambda: now) as api:
        early = (await api.get(f"/v1/sessions/{session}")).json()
        assert (early["status"], early["outcome"], early["digest"]) == ("live", None, None)
        assert [step["state"] for step in early["steps"]] == ["waiting"]
        assert (await api.get(f"/v1/sessions/{session}/transcript")).status_code == 404
        [listed] = (await api.get("/v1/sessions")).json()["sessions"]
        assert (listed["status"], listed["outcome"]) == ("live", None)

        async def listed_as(status: str) -> list[str]:
            found = (await api.get("/v1/sessions", params={"status": status})).json()["sessions"]
            assert {each["status"] for each in found} <= {status}
            return [each["session"] for each in found]

        assert await listed_as("ended") == [], "who asks for what has ended learns no more"
        assert await listed_as("void") == []
        assert await listed_as("live") == [session]
        now += 1
        assert (await listed_as("ended"), await listed_as("live")) == ([session], [])
        assert (await api.get(f"/v1/sessions/{session}")).json()["status"] == "ended"


async def test_a_client_that_goes_away_in_its_body_is_no_defect_of_ours(
    store: Store, redis: Redis
) -> None:
    app = create_app(
        config=Config(), store=store, redis=redis, gateway_address=str, queue_sizes=no_queues
    )
    messages = [
        {"type": "http.request", "body": b'{"name"', "more_body": True},
        {"type": "http.disconnect"},
    ]
    answers: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        answers.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/v1/agents", "query_string": b"",
        "headers": [(b"content-type", b"application/json")], "client": ("203.0.113.9", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    assert answers[0]["status"] == 408
