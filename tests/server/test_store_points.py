from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from server import points
from server.days import DAY_MS
from server.identity import Identity
from server.points_claims import Claim, Seat, for_session
from server.store import Store, merit, seasons
from server.store import points as stored
from server.store.engine import Database, open_database
from tests.server.played_world import Clock, World

NOON_MS = 1_800_014_400_000 - 1_800_014_400_000 % DAY_MS + DAY_MS // 2


@pytest.fixture
async def db(store: Store, store_url: str) -> AsyncIterator[Database]:
    """The store's database; its tables are there."""
    opened = open_database(store_url)
    yield opened
    await opened.close()


@pytest.fixture
async def agents(store: Store) -> list[Identity]:
    return [(await store.agents.register(name))[0] for name in ("Ember", "Frost", "Cinder")]


def session(number: int, *agents: Identity, tier_micros: int = 0) -> list[Claim]:
    seats = [
        Seat(agent.owner, agent.agent, agent.version, rank) for rank, agent in enumerate(agents, 1)
    ]
    return for_session(f"s{number}", "logic", tier_micros, seats)


async def add(db: Database, claims: list[Claim], now_ms: int = NOON_MS) -> list[str]:
    async with db.writing() as tx:
        return [award.id for award in await stored.add(db, tx, claims, now_ms)]


async def lines(db: Database) -> list[tuple[str, str, int, int]]:
    p = merit.point
    query = select(p.c.id, p.c.code, p.c.points, p.c.season).order_by(p.c.made_ms, p.c.id)
    async with db.reading() as tx:
        return [(row[0], row[1], row[2], row[3]) for row in await tx.execute(query)]


async def test_a_session_is_rewarded_once_in_the_season_that_runs(
    db: Database, agents: list[Identity]
) -> None:
    ember, frost, _ = agents
    new = await add(db, session(1, ember, frost))
    assert len(new) == 8
    assert await add(db, session(1, ember, frost)) == []
    found = await lines(db)
    assert sorted(line[0] for line in found) == sorted(new)
    assert {line[3] for line in found} == {1}
    assert await add(db, []) == []


async def test_sessions_that_end_at_once_do_not_pass_the_day_s_bounds(
    db: Database, agents: list[Identity]
) -> None:
    ember, frost, _ = agents
    await asyncio.gather(*(add(db, session(number, ember, frost)) for number in range(12)))
    of_sessions = [line for line in await lines(db) if line[1] == "session"]
    assert len(of_sessions) == 2 * points.COMPANY_A_DAY
    created = [line[0] for line in await lines(db) if line[1] == "creation"]
    assert sorted(created) == sorted(f"creation:{each.owner}:1" for each in (ember, frost))


async def test_accounts_in_any_order_do_not_wait_in_a_circle(
    db: Database, agents: list[Identity]
) -> None:
    orders = [agents, agents[::-1], [*agents[1:], agents[0]]] * 4
    await asyncio.gather(*(add(db, session(i, *order)) for i, order in enumerate(orders)))
    of_sessions = [line for line in await lines(db) if line[1] == "session"]
    assert len(of_sessions) == 3 * points.COMPANY_A_DAY


async def test_a_new_day_begins_its_counts_anew_and_goes_on_with_the_streak(
    db: Database, agents: list[Identity]
) -> None:
    ember, frost, _ = agents
    for number in range(8):
        await add(db, session(number, ember, frost))
    assert await add(db, session(8, ember, frost)) == []
    new = await add(db, session(9, ember, frost), NOON_MS + DAY_MS)
    assert f"session:s9:{ember.agent}" in new
    activity = [line[2] for line in await lines(db) if line[1] == "activity"]
    assert activity == [5, 5, 10, 10]


async def test_the_first_season_begins_by_itself_and_the_next_when_told(db: Database) -> None:
    async def ask() -> int:
        async with db.writing() as tx:
            return await seasons.current(db, tx, 5)

    assert set(await asyncio.gather(*(ask() for _ in range(6)))) == {1}
    for _ in range(2):
        async with db.writing() as tx:
            assert await seasons.begin(db, tx, 1, 9) == 2
    assert await ask() == 2
    async with db.reading() as tx:
        found = await seasons.every(tx)
    assert [(row.number, row.ended_ms) for row in found] == [(1, 9), (2, None)]
    assert [row.started_ms for row in found] == [5, 9]


async def test_a_new_season_counts_its_own_spaces(db: Database, agents: list[Identity]) -> None:
    ember, frost, _ = agents
    await add(db, session(1, ember, frost))
    async with db.writing() as tx:
        await seasons.begin(db, tx, 1, NOON_MS)
    new = await add(db, session(2, ember, frost))
    assert f"space:{ember.owner}:2:logic" in new
    assert f"creation:{ember.owner}:1" not in new


async def test_settling_grants_what_was_played_and_nothing_else(db: Database, store: Store) -> None:
    world = World(store, Clock(NOON_MS))
    ann, ben = await world.agent("Ann"), await world.agent("Ben")
    await world.play(ann, ben)
    assert await lines(db) == []
    forfeited = await world.play(ann, ben, ranks=(2, 1), termination="forfeit")
    assert [line[0] for line in await lines(db) if line[1] == "session"] == [
        f"session:{forfeited}:{ben.agent}"
    ]
    played = await world.play(ann, ben, ranks=(1, 1), tier=25_000_000)
    found = {line[0]: line[2] for line in await lines(db)}
    assert found[f"session:{played}:{ann.agent}"] == found[f"session:{played}:{ben.agent}"] == 50


async def test_the_totals_are_the_sums_of_the_lines(db: Database, agents: list[Identity]) -> None:
    for number in range(6):
        await add(db, session(number, *agents[: 2 + number % 2]), NOON_MS + number)
    p, t = merit.point, merit.point_total
    of_lines = select(p.c.season, p.c.account, p.c.agent, func.sum(p.c.points)).group_by(
        p.c.season, p.c.account, p.c.agent
    )
    async with db.reading() as tx:
        sums = {tuple(row) for row in await tx.execute(of_lines)}
        kept = {tuple(row) for row in await tx.execute(select(t))}
    assert kept == sums
    assert len(kept) == 3
