from __future__ import annotations

import asyncio

import pytest

from server.identity import Identity, new_id
from server.live.records import SeatRecord, SessionRecord
from server.store import Store
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
    mu, sigma = await store.ratings.current(agent.version, SPACE)
    return RatingRow(agent.version, mu + by, sigma - 10, mu, sigma, won)


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


async def test_the_board_ranks_by_what_is_sure_and_tells_who_moved(
    store: Store, ember: Identity, frost: Identity
) -> None:
    session = await play(store, ember, frost)
    await store.ratings.apply(
        session, SPACE, [await move(store, ember, 500), await move(store, frost, 0)]
    )
    board = await store.ratings.board(SPACE)
    assert [(row.rank, row.name, row.moved) for row in board.rows] == [
        (1, "Ember", 0),
        (2, "Frost", 0),
    ]
    assert all(row.provisional for row in board.rows)
    await store.ratings.published(board)
    for _ in range(PROVISIONAL_SESSIONS - 1):
        session = await play(store, ember, frost)
        await store.ratings.apply(session, SPACE, [await move(store, frost, 500)])
    board = await store.ratings.board(SPACE)
    assert [(row.name, row.moved, row.provisional) for row in board.rows] == [
        ("Frost", 1, False),
        ("Ember", -1, True),
    ]
    assert len((await store.ratings.board(SPACE, limit=1)).rows) == 1
    assert (await store.ratings.board("empty")).rows == []


async def test_the_first_verdict_stands(store: Store, ember: Identity) -> None:
    session = await play(store, ember)
    assert await store.verdicts.get(session) is None
    assert await store.verdicts.put(session, b'{"ranks":[1]}') == b'{"ranks":[1]}'
    assert await store.verdicts.put(session, b'{"ranks":[2]}') == b'{"ranks":[1]}'
    assert await store.verdicts.get(session) == b'{"ranks":[1]}'
