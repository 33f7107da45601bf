from __future__ import annotations

import asyncio

import msgspec
import pytest
from sqlalchemy import update

from server.identity import Identity, new_id
from server.leagues import Standing
from server.live.records import SeatRecord, SessionRecord
from server.ratings import Rating, promoted
from server.store import Store, schema
from server.store.agents import version_id
from server.store.ratings import PROVISIONAL_SESSIONS, START, RatingRow, StaleRatings

SPACE = "rap-battle"


async def play(store: Store, *agents: Identity) -> str:
    seats = tuple(
        SeatRecord(i, agent.agent, agent.name, agent.version, agent.owner, b"0" * 32)
        for i, agent in enumerate(agents)
    )
    session = new_id()
    await store.sessions.form(SessionRecord(session, SPACE, "x/1", {}, 0, 1, b"s" * 32, seats))
    return session


async def move(store: Store, agent: Identity, by: int, won: bool = False) -> RatingRow:
    at = await store.ratings.standpoint(agent.version, SPACE)
    mu, sigma = at.rating.mu_milli, at.rating.sigma_milli
    return RatingRow(agent.version, mu + by, sigma - 10, mu, sigma, won, at.sessions + 1)


@pytest.fixture
async def ember(store: Store) -> Identity:
    return (await store.agents.register("Ember"))[0]


@pytest.fixture
async def frost(store: Store) -> Identity:
    return (await store.agents.register("Frost"))[0]


async def test_a_session_moves_its_ratings_once(
    store: Store, ember: Identity, frost: Identity
) -> None:
    session = await play(store, ember, frost)
    rows = [await move(store, ember, 500, won=True), await move(store, frost, -500)]
    assert await store.ratings.apply(session, SPACE, rows)
    assert not await store.ratings.apply(session, SPACE, rows)
    assert await store.ratings.current(ember.version, SPACE) == (25_500, 8_323)
    assert await store.ratings.current(ember.version, "bid-tac-toe") == START
    assert await store.ratings.applied(session) == rows
    assert await store.ratings.applied("other") is None


async def test_a_stale_rating_changes_nothing(
    store: Store, ember: Identity, frost: Identity
) -> None:
    first, second = await play(store, ember, frost), await play(store, ember, frost)
    stale = [await move(store, frost, 1), await move(store, ember, 500)]
    await store.ratings.apply(first, SPACE, [await move(store, ember, 100)])
    with pytest.raises(StaleRatings):
        await store.ratings.apply(second, SPACE, stale)
    assert await store.ratings.current(frost.version, SPACE) == START
    assert await store.ratings.applied(second) is None
    fresh = [await move(store, frost, 1), await move(store, ember, 500)]
    assert await store.ratings.apply(second, SPACE, fresh)


async def test_no_move_is_lost_when_sessions_are_rated_at_once(
    store: Store, ember: Identity, frost: Identity
) -> None:
    async def rate(session: str) -> None:
        while True:
            rows = [await move(store, frost, -1), await move(store, ember, 1, won=True)]
            try:
                await store.ratings.apply(session, SPACE, rows)
            except StaleRatings:
                continue
            return

    sessions = [await play(store, ember, frost) for _ in range(8)]
    await asyncio.gather(*(rate(session) for session in sessions))
    assert (await store.ratings.current(ember.version, SPACE))[0] == START[0] + 8
    [first, last] = (await store.ratings.board(SPACE)).rows
    assert (first.sessions, first.wins, last.wins) == (8, 8, 0)


async def test_a_rating_that_came_back_to_where_it_was_is_still_stale(
    store: Store, ember: Identity
) -> None:
    late = await move(store, ember, 7)
    for by in (100, -100):
        at = await move(store, ember, by)
        moved = msgspec.structs.replace(at, sigma_milli=at.was_sigma_milli)
        assert await store.ratings.apply(await play(store, ember), SPACE, [moved])
    assert await store.ratings.current(ember.version, SPACE) == START
    with pytest.raises(StaleRatings):
        await store.ratings.apply(await play(store, ember), SPACE, [late])


async def test_the_board_ranks_by_what_is_sure(
    store: Store, ember: Identity, frost: Identity
) -> None:
    session = await play(store, ember, frost)
    await store.ratings.apply(
        session, SPACE, [await move(store, ember, 500), await move(store, frost, 0)]
    )
    board = await store.ratings.board(SPACE)
    assert [(row.rank, row.name) for row in board.rows] == [(1, "Ember"), (2, "Frost")]
    assert all(row.provisional and not row.league for row in board.rows)
    for _ in range(PROVISIONAL_SESSIONS - 1):
        session = await play(store, ember, frost)
        sure = msgspec.structs.replace(
            await move(store, frost, 500), sigma_milli=2_000, league=Standing(7, 0, 9)
        )
        await store.ratings.apply(session, SPACE, [sure])
    board = await store.ratings.board(SPACE)
    assert [(row.name, row.provisional, row.league) for row in board.rows] == [
        ("Frost", False, "Gold II"),
        ("Ember", True, ""),
    ]
    assert len((await store.ratings.board(SPACE, limit=1)).rows) == 1
    assert (await store.ratings.board("empty")).rows == []


async def improved(store: Store, agent: Identity, number: int) -> Identity:
    """The agent in a new version."""
    version = version_id(agent.agent, number)
    async with store.database.writing() as tx:
        await tx.execute(
            schema.agent_version.insert().values(
                id=version, agent=agent.agent, number=number, spec="{}", created_ms=1
            )
        )
        await tx.execute(
            update(schema.agent).where(schema.agent.c.id == agent.agent).values(plays=number)
        )
    return msgspec.structs.replace(agent, version=version)


async def test_a_new_version_begins_where_its_predecessor_stands_with_more_doubt(
    store: Store, ember: Identity, frost: Identity
) -> None:
    row = RatingRow(ember.version, 30_000, 3_000, *START, True, 1, Standing(8, 3, 9))
    await store.ratings.apply(await play(store, ember, frost), SPACE, [row])
    await improved(store, ember, 2)
    third = await improved(store, ember, 3)
    at = await store.ratings.standpoint(third.version, SPACE)
    assert at.rating == promoted(Rating(30_000, 3_000))
    assert (at.sessions, at.league) == (0, Standing(8, 0, 9))
    assert await store.ratings.current(third.version, "bid-tac-toe") == START
    [card] = await store.leagues.of_agent(ember.agent)
    assert (card.league, card.version, card.provisional) == ("Gold I", ember.version, True)

    began = RatingRow(third.version, 31_000, 4_000, 30_000, at.rating.sigma_milli, True, 1)
    began = msgspec.structs.replace(began, league=Standing(9, 0, 9), was_division=8)
    await store.ratings.apply(await play(store, third, frost), SPACE, [began])
    assert (await store.ratings.standpoint(third.version, SPACE)).sessions == 1
    assert await store.ratings.current(ember.version, SPACE) == (30_000, 3_000)
    [card] = await store.leagues.of_agent(ember.agent)
    assert (card.league, card.version) == ("Platinum III", third.version)
    assert len((await store.ratings.board(SPACE)).rows) == 2


async def test_the_first_verdict_stands(store: Store, ember: Identity) -> None:
    session = await play(store, ember)
    assert await store.verdicts.get(session) is None
    assert await store.verdicts.put(session, b'{"ranks":[1]}') == b'{"ranks":[1]}'
    assert await store.verdicts.put(session, b'{"ranks":[2]}') == b'{"ranks":[1]}'
    assert await store.verdicts.get(session) == b'{"ranks":[1]}'
