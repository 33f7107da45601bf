"""What is published of a circuit's sessions, and whether anyone can compute its ratings and leagues again."""

from __future__ import annotations

import random

import msgspec
import pytest

from server.identity import HOUSE_OWNER
from server.official.outcomes import HOUSE, Outcome, not_counted
from server.official.replay import replay
from server.ratings import Rating
from server.store import Store
from server.store.outcomes import place_of
from tests.server.circuit import DIGEST, FIRST_MS, LATER_MS, Circuit

PAGE = 7


async def published(store: Store, space: str = "rap-battle") -> list[Outcome]:
    found: list[Outcome] = []
    while page := await store.outcomes.page(
        space, place_of(found[-1]) if found else None, PAGE, LATER_MS
    ):
        assert len(page) <= PAGE
        found += page
    return found


@pytest.fixture
def circuit(store: Store) -> Circuit:
    return Circuit(store)


async def test_an_outcome_tells_who_played_and_what_came_of_it(
    circuit: Circuit, store: Store
) -> None:
    ann, bo = await circuit.agents("Ann", "Bo")
    session = await circuit.play(ann, bo, ranks=(2, 1))
    [found] = await published(store)
    assert (found.session, found.space, found.status) == (session, "rap-battle", "settled")
    assert (found.asset, found.digest, found.season) == ("play", DIGEST, 1)
    assert found.opened_ms < found.sealed_ms < found.settled_ms or found.settled_ms
    assert found.rated is True
    assert [seat.name for seat in found.seats] == ["Ann", "Bo"]
    assert [seat.version for seat in found.seats] == [ann.version, bo.version]
    assert [seat.owner for seat in found.seats] == [0, 1]
    assert [seat.rank for seat in found.seats] == [2, 1]
    assert [seat.score_milli for seat in found.seats] == [998, 999]
    first, second = (seat.move for seat in found.seats)
    assert first is not None
    assert second is not None
    assert (first.number, first.was_mu_milli, first.was_division) == (1, 25_000, None)
    assert first.mu_milli < 25_000 < second.mu_milli


async def test_what_is_not_rated_says_so_and_why(circuit: Circuit, store: Store) -> None:
    ann, bo = await circuit.agents("Ann", "Bo")
    [cy] = await circuit.agents("Cy", owner=ann.owner)
    one, two = await circuit.agents("One", "Two", owner=HOUSE_OWNER)
    await circuit.play(ann, cy)
    await circuit.play(one, two)
    await circuit.void(ann, bo)
    waiting = await circuit.ended((ann, bo), (1, 2))
    await store.results.settle(waiting, (1, 2), (5, 4))
    own, house, void, unrated = await published(store)
    assert (own.rated, not_counted(own)) == (False, "one account had several seats")
    assert [seat.owner for seat in own.seats] == [0, 0]
    assert (house.rated, not_counted(house)) == (True, "")
    assert [seat.owner for seat in house.seats] == [HOUSE, HOUSE]
    assert (void.rated, void.status, void.ranks) == (False, "void", None)
    assert not_counted(void) == "void: the model is away"
    assert (unrated.rated, not_counted(unrated)) == (None, "")
    assert await store.outcomes.count("rap-battle", LATER_MS) == (4, 2)
    assert await store.outcomes.count("logic", LATER_MS) == (0, 0)


async def test_pages_hold_each_outcome_once(circuit: Circuit, store: Store) -> None:
    ann, bo = await circuit.agents("Ann", "Bo")
    sessions = [await circuit.play(ann, bo) for _ in range(3 * PAGE)]
    elsewhere = Circuit(store, "logic")
    await elsewhere.play(ann, bo)
    found = await published(store)
    assert sorted(each.session for each in found) == sorted(sessions)
    keys = [(each.settled_ms, each.session) for each in found]
    assert keys == sorted(keys)
    assert len(await published(store, "logic")) == 1


async def test_what_delayed_spectators_have_not_seen_is_not_told(
    circuit: Circuit, store: Store
) -> None:
    ann, bo = await circuit.agents("Ann", "Bo")
    first, _ = [await circuit.play(ann, bo) for _ in range(2)]
    [told] = await store.outcomes.page("rap-battle", None, PAGE, FIRST_MS + 60_000)
    assert told.session == first
    assert await store.outcomes.count("rap-battle", FIRST_MS + 60_000) == (1, 1)
    assert await store.outcomes.count("rap-battle", FIRST_MS) == (0, 0)


async def test_ratings_and_leagues_follow_from_what_is_published(
    circuit: Circuit, store: Store
) -> None:
    rng = random.Random(2)
    agents = await circuit.agents("Ann", "Bo", "Cy", "Dee")
    for _ in range(40):
        one, other = rng.sample(agents, 2)
        await circuit.play(one, other, ranks=rng.choice([(1, 2), (2, 1), (1, 1)]))
    found = replay(await published(store))
    assert found.faults == ()
    assert (found.sessions, found.moves) == (40, 80)
    board = await store.ratings.board("rap-battle")
    assert found.ratings == {
        row.version: Rating(row.mu_milli, row.sigma_milli) for row in board.rows
    }
    for agent in agents:
        [card] = await store.leagues.of_agent(agent.agent)
        assert found.divisions[agent.version] == card.division


async def test_a_forged_move_is_found(circuit: Circuit, store: Store) -> None:
    ann, bo = await circuit.agents("Ann", "Bo")
    for _ in range(4):
        await circuit.play(ann, bo)
    outcomes = await published(store)
    assert replay(outcomes).faults == ()

    def forged(**changes: int) -> tuple[str, ...]:
        third = outcomes[2]
        seat = third.seats[0]
        assert seat.move is not None
        move = msgspec.structs.replace(seat.move, **changes)
        seats = (msgspec.structs.replace(seat, move=move), *third.seats[1:])
        return replay(
            [*outcomes[:2], msgspec.structs.replace(third, seats=seats), *outcomes[3:]]
        ).faults

    assert any("nothing explains" in fault for fault in forged(was_mu_milli=40_000))
    assert any(outcomes[2].session in fault for fault in forged(mu_milli=40_000))
    assert any("missing" in fault for fault in forged(number=9))
    assert any("division 5" in fault for fault in forged(division=5))
    hidden = replay([msgspec.structs.replace(outcomes[0], rated=False), *outcomes[1:]])
    assert any("rated is False" in fault for fault in hidden.faults)
