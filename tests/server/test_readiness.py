"""`/readyz`: what it looks at, what it says, and that it asks no more than it must."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from server import probes
from server.clock import unix_ms
from server.config import Config
from server.live import keys
from server.live.lease import Leases
from server.live.queue_names import known_queues
from server.readiness import Check, Readiness, Unready
from server.store import Store
from tests.server.aftermath_session import Seats, finish
from tests.server.test_api import client_of, problem

NOW = 10**13


def check(name: str, probe: Callable[[], Awaitable[None]], *, own: bool = True) -> Check:
    return Check(name, own, probe)


async def well() -> None:
    pass


async def sick() -> None:
    raise Unready("it has a cold")


async def broken() -> None:
    raise RuntimeError("postgresql://agon:secret@db/agon: password authentication failed")


async def test_every_check_says_how_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.readiness.PROBE_S", 0.05)
    readiness = Readiness(
        [
            check("well", well),
            check("sick", sick),
            check("broken", broken),
            check("hangs", lambda: asyncio.sleep(60)),
        ]
    )
    found = {each.name: each.words for each in await readiness.look()}
    assert found == {
        "well": "",
        "sick": "it has a cold",
        "broken": "does not answer",
        "hangs": "no answer within 0.05 s",
    }


async def test_a_crowd_that_asks_is_one_question() -> None:
    asked, now = 0, 0.0

    async def count() -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.01)

    readiness = Readiness([check("count", count)], clock=lambda: now)
    await asyncio.gather(*(readiness.look() for _ in range(20)))
    assert asked == 1
    now += 1.0
    await readiness.look()
    assert asked == 2


@pytest.fixture
def config() -> Config:
    return Config(data_dir="/nowhere", tiers_open=(0,))


async def words(checks: list[Check]) -> dict[str, str]:
    return {each.name: each.words for each in await Readiness(checks).look()}


async def test_services_that_can_be_written_to_are_well(
    store: Store, redis: Redis, config: Config
) -> None:
    found = await words(probes.services(config, store, redis))
    assert found == {"redis": "", "database": "", "disk": ""}


async def test_a_database_of_another_program_is_told(
    store: Store, redis: Redis, config: Config
) -> None:
    async with store.database.writing() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    found = await words(probes.services(config, store, redis))
    assert found["database"] == "it has another schema than this program wants"


async def test_a_redis_that_only_reads_is_told(store: Store, redis: Redis, config: Config) -> None:
    await redis.config_set("maxmemory", "1")
    try:
        assert await redis.ping()
        found = await words(probes.services(config, store, redis))
    finally:
        await redis.config_set("maxmemory", "0")
    assert found["redis"] == "does not answer"


async def test_a_full_disk_is_told(
    store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "MIN_FREE_BYTES", 2**62)
    found = await words(probes.services(Config(data_dir="/"), store, redis))
    assert found["disk"].endswith("MiB are free where data_dir is")


async def test_an_arena_without_hosts_and_matchmakers_says_so(
    store: Store, redis: Redis, config: Config
) -> None:
    found = await words(probes.arena(config, store, redis, unix_ms))
    assert found["hosts"] == "no host is alive: sessions are formed and not played"
    assert found["leaders"].startswith("nobody leads the queue ")
    assert found["outbox"] == ""
    await Leases(redis).beat("host-1")
    for queue in known_queues(config.tiers_open):
        await redis.set(keys.queue_leader(queue.key), "1:somebody")
    found = await words(probes.arena(config, store, redis, unix_ms))
    assert found == {"hosts": "", "leaders": "", "outbox": ""}
    await redis.zadd(keys.hosts(), {"host-1": unix_ms() - probes.HOST_AWAY_MS - 1})
    assert (await words(probes.arena(config, store, redis, unix_ms)))["hosts"]


async def test_steps_that_no_worker_does_are_told(
    store: Store, redis: Redis, config: Config
) -> None:
    await finish(store, redis, await Seats.registered(store))
    now_ms = unix_ms()
    soon, late = now_ms + 30_000, now_ms + 90_000
    assert (await words(probes.arena(config, store, redis, lambda: soon)))["outbox"] == ""
    told = (await words(probes.arena(config, store, redis, lambda: late)))["outbox"]
    assert told.startswith("the step judge waits for a worker, ")


async def test_what_stands_still_is_told() -> None:
    now, ticks = 0.0, 0
    going = probes.goes_on("ticks", lambda: ticks, monotonic=lambda: now)
    await going.probe()
    for _ in range(3):
        now, ticks = now + 60, ticks + 600
        await going.probe()
    now += 5
    await going.probe()
    now += 6
    with pytest.raises(Unready, match="stands still for 11 s"):
        await going.probe()


async def test_an_arena_that_is_not_whole_goes_on_being_asked(store: Store, redis: Redis) -> None:
    readiness = Readiness([check("database", well), check("hosts", sick, own=False)])
    async with client_of(store, redis, readiness=readiness) as api:
        answer = await api.get("/readyz")
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["failed"]) == ("degraded", ["hosts"])
        told = problem(await api.get("/readyz?arena=true"), 503, "not-ready")
        assert told["failed"] == ["hosts"]
        assert told["detail"] == "hosts: it has a cold; `agon doctor` says more"
        problem(await api.get("/readyz?arena=perhaps"), 400, "bad-query")


async def test_who_is_of_no_use_says_so_and_tells_no_secret(store: Store, redis: Redis) -> None:
    readiness = Readiness([check("database", broken), check("hosts", well, own=False)])
    async with client_of(store, redis, readiness=readiness) as api:
        answer = await api.get("/readyz")
        assert problem(answer, 503, "not-ready")["failed"] == ["database"]
        assert "secret" not in answer.text
        assert answer.headers["retry-after"]
        assert (await api.get("/healthz")).status_code == 200


# --------------------------------------------------------------------------- request ids


async def test_every_answer_has_an_id_and_its_log_line_the_same(
    store: Store, redis: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    ember, key = await store.agents.register("Ember")
    async with client_of(store, redis) as api:
        for path in ("/v1/spaces", "/v1/nothing/here", "/v1/sessions/unknown"):
            given = await api.get(path, headers={"X-Request-Id": "trace-1.a_b"})
            assert given.headers["x-request-id"] == "trace-1.a_b"
        ours = [(await api.get("/healthz")).headers["x-request-id"] for _ in range(2)]
        assert len({*ours}) == 2
        capsys.readouterr()
        named = await api.get("/v1/me/balances", headers={"Authorization": f"Bearer {key}"})
        nobody = await api.get("/v1/sessions/unknown")
    lines = [line for line in capsys.readouterr().out.splitlines() if "http.request" in line]
    assert named.headers["x-request-id"] in lines[0]
    assert ember.owner in lines[0]
    assert nobody.headers["x-request-id"] in lines[1]
    assert ember.owner not in lines[1], "what was bound for one request is not told of the next"


@pytest.mark.parametrize("id_", ["", "x" * 65, "a b", "a\x1b[31m", "<script>", "\u00e9"])
async def test_an_id_that_could_do_harm_in_a_log_is_not_taken(
    store: Store, redis: Redis, id_: str
) -> None:
    async with client_of(store, redis) as api:
        answer = await api.get("/healthz", headers=[(b"X-Request-Id", id_.encode())])
    taken = answer.headers["x-request-id"]
    assert taken != id_
    assert len(taken) == 26
    assert isinstance(answer, httpx.Response)
    assert msgspec.json.decode(answer.content) == {"status": "ok"}
