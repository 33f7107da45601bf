"""A season ends: boards are kept, ratings come closer together, and nothing that is published stops adding up."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import msgspec
import pytest

from server import leagues, ratings
from server.official.document import BoardWindow
from server.official.final import FinalBoard
from server.official.outcomes import Outcome
from server.official.publish import publish
from server.official.replay import replay
from server.ratings import Rating
from server.store import Store
from server.store.new_season import WrongSeason
from server.store.outcomes import place_of
from tests.server.circuit import LATER_MS, Circuit

SPACE = "rap-battle"
BEGIN = {"actor": "operator", "reason": "the first season is over"}


@pytest.fixture
def circuit(store: Store) -> Circuit:
    return Circuit(store, SPACE)


async def published(store: Store) -> list[Outcome]:
    found: list[Outcome] = []
    while page := await store.outcomes.page(
        SPACE, place_of(found[-1]) if found else None, 50, LATER_MS
    ):
        found += page
    return found


async def test_a_season_begins_once_and_only_after_the_one_before(
    circuit: Circuit, store: Store
) -> None:
    ann, bo = await circuit.agents("Ann", "Bo")
    await circuit.play(ann, bo)
    for number in (1, 3, 0):
        if number == 1:
            assert await store.new_season.begin(number, **BEGIN) is None, "it runs already"
        else:
            with pytest.raises(WrongSeason, match="season 1 runs: only season 2"):
                await store.new_season.begin(number, **BEGIN)
    begun = await asyncio.gather(*(store.new_season.begin(2, **BEGIN) for _ in range(4)))
    [first] = [each for each in begun if each is not None]
    assert (first.season, first.spaces, first.versions) == (2, 1, 2)
    after = await store.ratings.standpoint(ann.version, SPACE)
    assert await store.new_season.begin(2, **BEGIN) is None
    assert await store.ratings.standpoint(ann.version, SPACE) == after
    [entry] = await store.audit.page(act="season")
    assert (entry.subject, entry.reason) == ("season:2", BEGIN["reason"])


async def test_ratings_come_closer_together_and_leagues_are_placed_again(
    circuit: Circuit, store: Store
) -> None:
    ann, bo = await circuit.agents("Ann", "Bo")
    for _ in range(30):
        await circuit.play(ann, bo)
    before = [await store.ratings.standpoint(each.version, SPACE) for each in (ann, bo)]
    await store.new_season.begin(2, **BEGIN)
    for agent, was in zip((ann, bo), before, strict=True):
        now = await store.ratings.standpoint(agent.version, SPACE)
        assert now.rating == ratings.season_start(was.rating)
        assert now.sessions == was.sessions == 30
        ordinal = ratings.ordinal_milli(now.rating.mu_milli, now.rating.sigma_milli)
        assert now.league == leagues.placed(ordinal)


async def test_the_final_boards_are_kept_as_they_stood(
    circuit: Circuit, store: Store, tmp_path: Path
) -> None:
    ann, bo = await circuit.agents("Ann", "Bo")
    await circuit.play(ann, bo)
    official = await publish(store, SPACE, tmp_path, BoardWindow())
    live = await store.ratings.board(SPACE)
    assert await store.boards.of_season(1, SPACE) is None
    await store.new_season.begin(2, **BEGIN)
    document = await store.boards.of_season(1, SPACE)
    assert document is not None
    final = msgspec.json.decode(document, type=FinalBoard)
    assert (final.season, final.space, final.live) == (1, SPACE, live)
    assert final.official == official
    assert (await store.ratings.board(SPACE)).rows[0].mu_milli < live.rows[0].mu_milli


async def test_what_is_published_explains_seasons_and_new_versions(
    circuit: Circuit, store: Store
) -> None:
    rng = random.Random(3)
    agents = await circuit.agents("Ann", "Bo", "Cy")

    async def some() -> None:
        for _ in range(12):
            await circuit.play(*rng.sample(agents, 2), ranks=rng.choice([(1, 2), (2, 1), (1, 1)]))

    await some()
    await store.new_season.begin(2, **BEGIN)
    await some()
    agents[0] = await circuit.improved(agents[0], 2)
    await some()
    await store.new_season.begin(3, **BEGIN)
    await store.new_season.begin(4, **BEGIN)
    agents[1] = await circuit.improved(agents[1], 2)
    await some()
    outcomes = await published(store)
    found = replay(outcomes)
    assert found.faults == ()
    assert found.moves == 96
    for row in (await store.ratings.board(SPACE)).rows:
        if found.ratings[row.version] != Rating(row.mu_milli, row.sigma_milli):
            assert row.version not in {each.version for each in agents}, "reset after its last move"


async def test_sessions_rated_while_a_season_begins_are_rated_all_the_same(
    circuit: Circuit, store: Store
) -> None:
    agents = await circuit.agents("Ann", "Bo", "Cy")
    sessions = [await circuit.ended(agents[n % 2 :][:2], (1, 2)) for n in range(10)]
    for session in sessions:
        await store.results.settle(session, (1, 2), (2, 1))
    begun, *_ = await asyncio.gather(
        store.new_season.begin(2, **BEGIN), *(circuit.rate(session) for session in sessions)
    )
    assert begun is not None
    assert replay(await published(store)).faults == ()
    assert await store.outcomes.count(SPACE, LATER_MS) == (10, 10)
