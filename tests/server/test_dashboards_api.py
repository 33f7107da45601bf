"""Dashboards over HTTP: what is told of an agent's sessions, and to whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import event, select

from server.automation import Limits
from server.career import Tally, of_seat, total
from server.config import Config
from server.days import DAY_MS
from server.identity import Identity
from server.ledger import tiers
from server.series import POINTS, Cut
from server.store import Store, merit, open_store, schema
from server.store.dashboards import Side
from server.store.engine import Database, open_database
from tests.server.played_world import Clock, World
from tests.server.test_api import client_of, problem

NOON_MS = 1_800_014_400_000 - 1_800_014_400_000 % DAY_MS + DAY_MS // 2


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON_MS)


@pytest.fixture
async def store(store_url: str, clock: Clock) -> AsyncIterator[Store]:
    opened = await open_store(store_url, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
async def db(store: Store, store_url: str) -> AsyncIterator[Database]:
    opened = open_database(store_url)
    yield opened
    await opened.close()


@pytest.fixture
async def api(store: Store, redis: Redis, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(store, redis, clock=clock) as client:
        yield client


@pytest.fixture
def world(store: Store, clock: Clock) -> World:
    return World(store, clock)


@pytest.fixture
async def ann(world: World) -> Identity:
    return await world.agent("Ann")


@pytest.fixture
async def ben(world: World) -> Identity:
    return await world.agent("Ben")


async def signed_in(store: Store, identity: Identity) -> dict[str, str]:
    token, _ = await store.logins.begin(identity.owner, 30 * DAY_MS)
    return {"Authorization": f"Bearer {token}"}


async def got(api: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    answer = await api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


# --------------------------------------------------------------------------- stats


async def test_an_agent_s_numbers_are_those_of_its_sessions(
    api: httpx.AsyncClient, world: World, ann: Identity, ben: Identity
) -> None:
    await world.play(ann, ben, ranks=(1, 2))
    await world.play(ann, ben, ranks=(1, 2), tier=1_000_000)
    await world.play(ann, ben, ranks=(1, 1), tier=0)
    await world.play(ben, ann, ranks=(1, 2))
    await world.play(ann, ben)
    stats = await got(api, f"/v1/agents/{ann.agent}/stats")
    record = stats["record"]
    assert [record[name] for name in ("sessions", "wins", "draws", "losses", "voids")] == [
        4,
        2,
        1,
        1,
        1,
    ]
    assert record["win_rate"]["milli"] == 500
    assert record["win_rate"]["low_milli"] < 500 < record["win_rate"]["high_milli"]
    play, usdc = stats["money"]
    assert (play["asset"], play["paid_micros"], play["won_micros"]) == (
        "play",
        1_000_000,
        1_000_000,
    )
    assert (usdc["paid_micros"], usdc["won_micros"]) == (1_200_000, 190_000 + 1_900_000)
    assert usdc["profit_micros"] == 890_000
    assert usdc["roi_milli"] == 742
    [space] = stats["spaces"]
    assert space["average_score_milli"] == (8_000 * 3 + 7_000) // 4
    assert space["rating"]["version"] == stats["plays"] == ann.version
    assert space["rating"]["sessions"] == 4
    assert space["rating"]["provisional"]
    assert (stats["level"]["xp"], stats["level"]["level"]) == (4 * 10 + 2 * 10 + 5, 1)
    assert (await got(api, f"/v1/agents/{ann.agent}"))["level"] == stats["level"]
    assert stats["season_points"] > 0
    assert stats["automation"] is None


async def test_who_has_not_played_has_empty_numbers(api: httpx.AsyncClient, ann: Identity) -> None:
    stats = await got(api, f"/v1/agents/{ann.agent}/stats")
    assert stats["record"] == {
        "sessions": 0, "wins": 0, "draws": 0, "losses": 0, "voids": 0, "win_rate": None,
    }  # fmt: skip
    assert (stats["money"], stats["spaces"], stats["level"]["level"]) == ([], [], 1)
    assert await got(api, f"/v1/agents/{ann.agent}/history") == {"sessions": [], "next": None}
    assert (await got(api, f"/v1/agents/{ann.agent}/series"))["points"] == []


async def test_what_is_asked_for_is_told_of_a_space_or_a_version(
    api: httpx.AsyncClient, world: World, db: Database, ann: Identity, ben: Identity
) -> None:
    await world.play(ann, ben, ranks=(1, 2))
    await world.play(ann, ben, ranks=(2, 1), space="rap-battle")
    second = await newer(db, ann)
    await world.play(second, ben, ranks=(1, 2))
    path = f"/v1/agents/{ann.agent}/stats"
    assert (await got(api, path))["record"]["wins"] == 2
    assert [space["space"] for space in (await got(api, path))["spaces"]] == [
        "bid-tac-toe",
        "rap-battle",
    ]
    rap = await got(api, path, space="rap-battle")
    assert (rap["record"]["losses"], rap["record"]["wins"]) == (1, 0)
    assert rap["level"] == (await got(api, path))["level"]
    first = await got(api, path, version=1)
    assert (first["version"], first["record"]["sessions"]) == (ann.version, 2)
    newest = await got(api, path, version=2)
    assert newest["plays"] == newest["version"] == second.version
    assert newest["spaces"][0]["rating"]["version"] == second.version
    problem(await api.get(path, params={"version": 3}), 404, "unknown-version")
    problem(await api.get(path, params={"version": 0}), 400, "bad-query")
    problem(await api.get("/v1/agents/none/stats"), 404, "unknown-agent")


async def test_automation_is_told_to_its_owner_alone(
    api: httpx.AsyncClient, store: Store, ann: Identity, ben: Identity
) -> None:
    limits = Limits(
        tier_micros=0, spaces=("bid-tac-toe",), max_sessions=3, stop_loss_micros=5_000_000
    )
    await store.automations.put(ann.agent, limits)
    await store.automations.turn_on(ann.agent)
    await store.automations.stop(ann.agent, 1, "the loss could pass the limit")
    path = f"/v1/agents/{ann.agent}/stats"
    mine = (await api.get(path, headers=await signed_in(store, ann))).json()
    assert mine["automation"]["state"] == "stopped"
    assert mine["automation"]["reason"] == "the loss could pass the limit"
    others = await api.get(path, headers=await signed_in(store, ben))
    assert others.json()["automation"] is None
    assert (await got(api, path))["automation"] is None
    assert ann.owner not in others.text
    unknown = {"Authorization": "Bearer agon_" + "x" * 43}
    problem(await api.get(path, headers=unknown), 401, "unauthorized")


async def newer(db: Database, agent: Identity) -> Identity:
    """The agent in its second version."""
    version = f"{agent.agent}@v2"
    async with db.writing() as tx:
        values = {"id": version, "agent": agent.agent, "number": 2, "spec": "{}", "created_ms": 1}
        await tx.execute(schema.agent_version.insert().values(values))
        of = schema.agent.c.id == agent.agent
        await tx.execute(schema.agent.update().where(of).values(plays=2))
    return Identity(agent.agent, agent.name, version, agent.owner)


async def test_careers_are_the_sums_of_the_entries(
    world: World, db: Database, ann: Identity, ben: Identity
) -> None:
    cara = await world.agent("Cara")
    await world.play(ann, ben, ranks=(1, 2))
    await world.play(ann, ben)
    await world.play(ann, ben, ranks=(2, 1), entered=False)
    world.clock.ms += 2 * DAY_MS
    await world.play(ann, ben, cara, ranks=(1, 3, 1), tier=5_000_000, space="logic")
    for agent in (ann, ben, cara):
        parts = await world.store.careers.parts(agent.agent)
        assert total(part.tally for part in parts) == await summed(db, agent)


async def summed(db: Database, agent: Identity) -> Tally:
    """An agent's tally, from the entries themselves."""
    e, s = schema.entry, schema.session
    mine = select(e, s.c.tier_micros).join(s, s.c.id == e.c.session).where(e.c.agent == agent.agent)
    found = Tally()
    async with db.reading() as tx:
        for row in (await tx.execute(mine)).all():
            others = select(e.c.rank).where(e.c.session == row.session).order_by(e.c.seat)
            ranks = list((await tx.scalars(others)).all())
            paid = tiers.entry_micros(row.tier_micros) if row.ticket else 0
            known = None if None in ranks else ranks
            found += of_seat(known, row.seat, row.score_milli, paid, row.won_micros)
    return found


# --------------------------------------------------------------------------- history


async def test_history_tells_each_session_from_the_agent_s_seat(
    api: httpx.AsyncClient, world: World, ann: Identity, ben: Identity
) -> None:
    won = await world.play(ben, ann, ranks=(2, 1))
    void = await world.play(ann, ben)
    free = await world.play(ann, ben, ranks=(1, 1), entered=False)
    rows = {
        row["session"]: row
        for row in (await got(api, f"/v1/agents/{ann.agent}/history"))["sessions"]
    }
    assert list(rows) == sorted(rows, reverse=True)
    first = rows[won]
    assert (first["outcome"], first["rank"], first["seat"], first["seats"]) == ("win", 1, 1, 2)
    assert (first["asset"], first["paid_micros"], first["won_micros"]) == ("usdc", 100_000, 190_000)
    assert first["mu_milli"] > 25_000
    assert (rows[void]["status"], rows[void]["outcome"], rows[void]["won_micros"]) == (
        "void",
        None,
        100_000,
    )
    assert rows[void]["mu_milli"] is None
    assert (rows[free]["outcome"], rows[free]["paid_micros"], rows[free]["won_micros"]) == (
        "draw",
        0,
        0,
    )


async def test_history_is_paged_and_filtered(
    api: httpx.AsyncClient, world: World, ann: Identity, ben: Identity
) -> None:
    made = [await world.play(ann, ben, ranks=(1, 2)) for _ in range(4)]
    other = await world.play(ann, ben, ranks=(1, 2), space="rap-battle")
    path = f"/v1/agents/{ann.agent}/history"
    first = await got(api, path, limit=3)
    second = await got(api, path, limit=3, before=first["next"])
    found = [row["session"] for row in first["sessions"] + second["sessions"]]
    assert found == sorted([*made, other], reverse=True)
    assert second["next"] is None
    rap = await got(api, path, space="rap-battle")
    assert [row["session"] for row in rap["sessions"]] == [other]


async def test_history_does_not_run_ahead_of_delayed_spectators(
    store: Store, redis: Redis, world: World, clock: Clock, ann: Identity, ben: Identity
) -> None:
    await world.play(ann, ben, ranks=(1, 2))
    config = Config(spectator_delay_ms=60_000)
    async with client_of(store, redis, config=config, clock=clock) as api:
        path = f"/v1/agents/{ann.agent}/history"
        [row] = (await got(api, path))["sessions"]
        assert (row["status"], row["outcome"], row["rank"], row["won_micros"]) == (
            "live",
            None,
            None,
            None,
        )
        assert (row["score_milli"], row["mu_milli"], row["sealed_ms"]) == (None, None, None)
        pair = {"a": ann.agent, "b": ben.agent}
        assert (await got(api, "/v1/head-to-head", **pair))["sessions"] == 0
        clock.ms += 60_000
        assert (await got(api, path))["sessions"][0]["outcome"] == "win"
        assert (await got(api, "/v1/head-to-head", **pair))["sessions"] == 1


# --------------------------------------------------------------------------- series


async def test_a_series_adds_up_over_days(
    api: httpx.AsyncClient, world: World, ann: Identity, ben: Identity
) -> None:
    began_ms = world.clock.ms
    for ranks in ((1, 2), (2, 1), (1, 2)):
        await world.play(ann, ben, ranks=ranks)
        await world.play(ann, ben, ranks=(2, 1), tier=0)
        world.clock.ms += DAY_MS
    path = f"/v1/agents/{ann.agent}/series"
    daily = await got(api, path, space="bid-tac-toe", bucket="day")
    assert (daily["bucket"], daily["asset"]) == ("day", "usdc")
    assert [point["at_ms"] for point in daily["points"]] == [
        began_ms - DAY_MS // 2 + day * DAY_MS for day in range(3)
    ]
    assert [point["roi_milli"] for point in daily["points"]] == [900, -50, 267]
    assert [(point["sessions"], point["wins"]) for point in daily["points"]] == [
        (2, 1),
        (2, 0),
        (2, 1),
    ]
    assert [point["score_milli"] for point in daily["points"]] == [7_500, 7_000, 7_500]
    current = await world.store.ratings.current(ann.version, "bid-tac-toe")
    last = daily["points"][-1]
    assert (last["mu_milli"], last["sigma_milli"]) == current
    play = await got(api, path, asset="play", bucket="week")
    assert sum(point["paid_micros"] for point in play["points"]) == 3_000_000
    assert play["points"][-1]["roi_milli"] == -1_000
    assert play["points"][-1]["score_milli"] is None
    assert play["points"][-1]["mu_milli"] is None


async def test_a_series_by_session_is_its_history(
    api: httpx.AsyncClient, world: World, ann: Identity, ben: Identity
) -> None:
    made = [await world.play(ann, ben, ranks=ranks) for ranks in ((1, 2), (1, 1), (2, 1))]
    await world.play(ann, ben)
    path = f"/v1/agents/{ann.agent}/series"
    found = await got(api, path, space="bid-tac-toe", bucket="session")
    assert [point["last"] for point in found["points"]][:3] == made
    assert [point["wins"] for point in found["points"]] == [1, 0, 0, 0]
    assert [point["voids"] for point in found["points"]] == [0, 0, 0, 1]
    history = (await got(api, f"/v1/agents/{ann.agent}/history"))["sessions"]
    assert [p["mu_milli"] for p in found["points"]] == [r["mu_milli"] for r in reversed(history)]


# --------------------------------------------------------------------------- two agents


async def test_two_versions_stand_side_by_side(
    api: httpx.AsyncClient, world: World, db: Database, ann: Identity, ben: Identity
) -> None:
    await world.play(ann, ben, ranks=(2, 1))
    second = await newer(db, ann)
    await world.play(second, ben, ranks=(1, 2))
    found = await got(api, "/v1/compare", a=ann.version, b=second.version)
    assert (found["a"]["record"]["losses"], found["a"]["record"]["wins"]) == (1, 0)
    assert (found["b"]["record"]["losses"], found["b"]["record"]["wins"]) == (0, 1)
    agents = await got(api, "/v1/compare", a=ann.agent, b=ben.agent, space="rap-battle")
    assert agents["a"]["record"]["sessions"] == 0
    assert agents["a"]["automation"] is None


async def test_head_to_head_counts_who_came_before_whom_and_the_money(
    api: httpx.AsyncClient, world: World, ann: Identity, ben: Identity
) -> None:
    cara = await world.agent("Cara")
    await world.play(ann, ben, ranks=(1, 2))
    last = await world.play(ben, ann, ranks=(1, 2))
    await world.play(ann, ben)
    await world.play(ann, ben, cara, ranks=(2, 3, 1), space="logic", tier=0)
    await world.play(ann, cara, ranks=(1, 2))
    found = await got(api, "/v1/head-to-head", a=ann.agent, b=ben.agent)
    assert [found[name] for name in ("sessions", "a_ahead", "level", "b_ahead")] == [3, 2, 0, 1]
    paid, logic = found["meetings"]
    assert (paid["space"], paid["tier_micros"], paid["voids"], paid["asset"]) == (
        "bid-tac-toe", 100_000, 1, "usdc",
    )  # fmt: skip
    assert paid["a"] == paid["b"] == {"paid_micros": 200_000, "won_micros": 190_000}
    assert paid["last"] > last
    assert (logic["a_ahead"], logic["asset"], logic["a"]["paid_micros"]) == (1, "play", 1_000_000)
    turned = await got(api, "/v1/head-to-head", a=ben.agent, b=ann.agent)
    assert (turned["a_ahead"], turned["b_ahead"]) == (found["b_ahead"], found["a_ahead"])
    version = await got(api, "/v1/head-to-head", a=ann.version, b=ben.version)
    assert version["meetings"] == found["meetings"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "bad-query"),
        ("a={a}", 400, "bad-query"),
        ("a={a}&b=%00", 400, "bad-query"),
        ("a={a}&b={b}&c=1", 400, "bad-query"),
        ("a={a}&b=none", 404, "unknown-agent"),
        ("a={a}&b={b}@v9", 404, "unknown-version"),
        ("a={a}&b={b}@v0", 400, "bad-query"),
    ],
)
async def test_what_cannot_be_compared_is_refused(
    api: httpx.AsyncClient, ann: Identity, ben: Identity, query: str, status: int, code: str
) -> None:
    given = query.format(a=ann.agent, b=ben.agent)
    problem(await api.get(f"/v1/compare?{given}"), status, code)
    problem(await api.get(f"/v1/head-to-head?{given}"), status, code)
    problem(await api.get(f"/v1/head-to-head?a={ann.agent}&b={ann.agent}"), 422, "same-contender")


# --------------------------------------------------------------------------- how much is read


async def test_as_many_statements_for_a_few_sessions_as_for_many(
    api: httpx.AsyncClient, world: World, ann: Identity, ben: Identity
) -> None:
    agent, pair = f"/v1/agents/{ann.agent}", f"?a={ann.agent}&b={ben.agent}"
    paths = [
        f"{agent}/stats", f"{agent}/history?limit=100", f"{agent}/series?space=bid-tac-toe",
        f"{agent}/series?bucket=session", f"/v1/compare{pair}", f"/v1/head-to-head{pair}",
    ]  # fmt: skip
    statements = Statements(world.store)
    await world.play(ann, ben, ranks=(1, 2))
    few = [await statements.of(api, path) for path in paths]
    for number in range(12):
        world.clock.ms += DAY_MS // 4
        await world.play(ann, ben, ranks=(1, 2), space=("bid-tac-toe", "logic")[number % 2])
    assert [await statements.of(api, path) for path in paths] == few
    assert max(few) <= 10, dict(zip(paths, few, strict=True))


class Statements:
    """Counts what is asked of the database."""

    def __init__(self, store: Store) -> None:
        self._count = 0
        engine = store.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._one)

    def _one(self, _c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._count += statement.startswith("SELECT")

    async def of(self, api: httpx.AsyncClient, path: str) -> int:
        before = self._count
        answer = await api.get(path)
        assert answer.status_code == 200, answer.text
        return self._count - before


async def test_a_year_of_hours_makes_no_more_points_than_a_plot_can_show(
    api: httpx.AsyncClient, db: Database, ann: Identity
) -> None:
    first = NOON_MS // 3_600_000
    one = dict.fromkeys(Tally.__struct_fields__, 0) | {
        "wins": 1,
        "paid_micros": 10,
        "won_micros": 19,
    }
    rows = [
        {
            "agent": ann.agent, "space": "logic", "version": ann.version, "asset": "usdc",
            "hour": first + hour, "last": f"S{hour:06d}", **one,
        }
        for hour in range(365 * 24)
    ]  # fmt: skip
    async with db.writing() as tx:
        await tx.execute(merit.career.insert(), rows)
    path = f"/v1/agents/{ann.agent}/series"
    auto = await got(api, path)
    assert (auto["bucket"], len(auto["points"])) == ("day", 366)
    hourly = await got(api, path, bucket="hour")
    assert 400 < len(hourly["points"]) <= POINTS
    assert sum(point["wins"] for point in hourly["points"]) == len(rows)
    assert hourly["points"][-1]["roi_milli"] == 900
    assert (await got(api, f"/v1/agents/{ann.agent}/stats"))["record"]["wins"] == len(rows)


async def test_the_queries_search_indexes(db: Database, store: Store, ann: Identity) -> None:
    """On SQLite, which says its plan without statistics."""
    if not db.is_sqlite:
        pytest.skip("PostgreSQL plans by statistics, which an empty database has none of")
    plans = Plans(store)
    side, other = Side(ann.agent), Side("another", "another@v1")
    await store.dashboards.history(side, until_ms=NOON_MS, space="logic", before="Z")
    await store.dashboards.meetings(side, other, until_ms=NOON_MS)
    await store.dashboards.moves(["a", "b"])
    await store.careers.parts(ann.agent)
    await store.careers.extent(ann.agent, space="logic")
    await store.careers.spans(ann.agent, Cut("day", 24, 1), "usdc", version=ann.version)
    await store.points.lines(ann.owner, season=1, before=(NOON_MS, "x"))
    await store.points.of_agent(ann.owner, ann.agent, 1)
    async with db.reading() as tx:
        for statement, parameters in plans.seen:
            plan = await tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [str(list(row)[3]) for row in plan.all()]
            tables = {*schema.metadata.tables, "theirs"}  # the others are subqueries
            scans = [
                step for step in steps if step.startswith("SCAN") and step.split()[1] in tables
            ]
            assert scans == [], (statement, steps)
    assert len(plans.seen) == 8


class Plans:
    """Remembers what is asked of the database."""

    def __init__(self, store: Store) -> None:
        self.seen: list[tuple[str, Any]] = []
        engine = store.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", self._one)

    def _one(self, _c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            self.seen.append((statement, parameters))
