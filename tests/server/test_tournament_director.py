"""Tournaments in a real store and Redis: who is formed, who is told, and who takes over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from server.clock import unix_ms
from server.identity import new_id
from server.live import keys
from server.live.log import LiveLog
from server.live.records import LogEvent, SessionRecord
from server.protocol import AgentView, StandingRow, TournamentView
from server.store import Store
from server.store.tournaments import Stale, TournamentRow
from server.tournament.commitment import committed
from server.tournament.director import Director
from server.tournament.fixture import Fixture
from server.tournament.running import Running
from server.tournament.setup import Entrant, Setup, check
from server.tournament.tournament import ATTEMPTS, Game
from spaces.seed import Streams

SEED = bytes(range(32))


async def entrants(store: Store, count: int) -> list[Entrant]:
    found = []
    for number in range(count):
        identity, _ = await store.agents.register(f"Agent {number}")
        found.append(
            Entrant(
                agent=identity.agent,
                name=identity.name,
                version=identity.version,
                owner=identity.owner,
            )
        )
    return found


async def create(store: Store, count: int = 4, **settings: Any) -> str:
    setup = check(
        Setup(space="bid-tac-toe", **({"format": "knockout"} | settings)),
        count,
    )
    taking_part, tournament = await entrants(store, count), new_id()
    row = TournamentRow(
        tournament=tournament,
        owner="house",
        status="running",
        created_ms=unix_ms(),
        setup=setup,
        seed=SEED,
        seed_commit=committed(tournament, setup, taking_part, SEED),
    )
    await store.tournaments.create(row, taking_part)
    return row.tournament


def director(store: Store, redis: Redis, **options: Any) -> Director:
    return Director(
        name="director",
        redis=redis,
        log=LiveLog(redis),
        tournaments=store.tournaments,
        sessions=store.sessions,
        form_session=options.pop("form_session", store.sessions.form),
        opened=store.sessions.opened,
        **options,
    )


async def finish(store: Store, session: str, returns: list[int] | None) -> None:
    """The host has sealed the session; None: it was voided."""
    outcome: dict[str, Any] = {"termination": "line", "returns": returns}
    if returns is None:
        outcome = {"reason": "the model is dead"}
    await store.sessions.seal(
        session=session,
        status="void" if returns is None else "ended",
        outcome=outcome,
        document=b"{}",
        digest="0" * 64,
        steps=(),
        now_ms=unix_ms(),
    )


def first_seed_wins(game: Game) -> list[int]:
    return [1, -1] if game.fixture.seats[0] < game.fixture.seats[1] else [-1, 1]


async def play(store: Store, running: Running, returns: Callable[[Game], list[int] | None]) -> None:
    """Step until it is over, ending every live session in between."""
    for _ in range(200):
        await running.step()
        if running.over:
            return
        for game in list(running.state.live.values()):
            await finish(store, game.session, returns(game))
    raise AssertionError("the tournament does not end")


async def shown(redis: Redis, tournament: str) -> TournamentView:
    head = await LiveLog(redis).head(keys.tournament_channel(tournament))
    assert head is not None
    assert head.views is not None
    assert isinstance(head.views.public, TournamentView)
    return head.views.public


async def events(redis: Redis, tournament: str) -> list[LogEvent]:
    return await LiveLog(redis).read(keys.tournament_channel(tournament), 0, 1_000)


async def test_a_knockout_from_its_first_game_to_the_revealed_seed(
    store: Store, redis: Redis
) -> None:
    tournament = await create(store)
    running = await Running.load(director(store, redis), tournament)
    await running.step()
    view = await shown(redis, tournament)
    assert (view.status, view.seed, view.rounds, view.total) == ("running", None, 2, 9)
    row = await store.tournaments.get(tournament)
    assert row is not None
    taking_part = await store.tournaments.entrants(tournament)
    assert (
        view.seed_commit == row.seed_commit == committed(tournament, row.setup, taking_part, SEED)
    )
    assert [match.players for match in view.matches] == [[0, 3], [1, 2]]
    assert {match.session for match in view.matches} == {game.session for game in view.live}
    for game in view.live:  # the agents hear of it as of any session, and it is open to hosts
        record = await store.sessions.record(game.session)
        assert record is not None
        for seat in record.seats:
            head = await LiveLog(redis).head(keys.agent_channel(seat.agent))
            assert head is not None
            assert head.views is not None
            assert isinstance(head.views.public, AgentView)
            assert [each.session for each in head.views.public.seated] == [game.session]
        assert await LiveLog(redis).record(game.session) == record

    await play(store, running, first_seed_wins)
    view = await shown(redis, tournament)
    assert (view.status, view.seed, view.scored) == ("ended", SEED.hex(), 6)
    assert [row.entrant for row in view.standings] == [0, 1, 2, 3]
    assert [match.through for match in view.matches] == [[0], [1], [0, 1]]
    row = await store.tournaments.get(tournament)
    assert row is not None
    assert row.status == "ended"
    assert row.standings is not None
    assert row.standings[0] == view.standings[0]
    assert await store.tournaments.running() == []
    told = await events(redis, tournament)
    assert [e.type for e in told].count("score") == 6
    assert [e.body["name"] for e in told if e.type == "through"] == ["r1.m1", "r1.m2", "r2.m1"]
    assert told[-1].type == "end"


async def test_draws_end_in_the_coin_that_everybody_can_check(store: Store, redis: Redis) -> None:
    tournament = await create(store, 2)
    running = await Running.load(director(store, redis), tournament)
    await play(store, running, lambda game: [0, 0])
    view = await shown(redis, tournament)
    assert view.seed is not None
    [match] = view.matches
    assert match.coin
    assert match.points == [3, 3]
    assert match.through[0] == Streams(bytes.fromhex(view.seed)).coin(f"coin:{match.name}")


async def test_another_director_goes_on_from_the_store(store: Store, redis: Redis) -> None:
    tournament = await create(store, 4, format="round-robin", games=12, parallel=3)
    done = 0
    while True:
        running = await Running.load(director(store, redis), tournament)  # a new life each time
        await running.step()
        if running.over:
            break
        game = next(iter(running.state.live.values()))
        await finish(store, game.session, first_seed_wins(game))
        done += 1
    games = await store.tournaments.games(tournament)
    assert done == 12
    assert len({game.fixture.name for game in games}) == len(games) == 12
    assert len(await store.sessions.page(limit=100)) == 12
    view = await shown(redis, tournament)
    assert [row.entrant for row in view.standings] == [0, 1, 2, 3]
    assert [(pair.one, pair.other, pair.points, pair.games) for pair in view.pairs[:2]] == [
        (0, 1, 4, 2),
        (0, 2, 4, 2),
    ]


async def test_a_crash_between_plan_and_session_is_mended(store: Store, redis: Redis) -> None:
    tournament = await create(store, 2)

    async def crash(record: SessionRecord) -> SessionRecord:
        raise OSError("the process is gone")

    running = await Running.load(director(store, redis, form_session=crash), tournament)
    with pytest.raises(ExceptionGroup):
        await running.step()
    [planned] = await store.tournaments.games(tournament)
    assert await store.sessions.get(planned.session) is None

    running = await Running.load(director(store, redis), tournament)
    await running.step()
    assert [game.session for game in running.state.live.values()] == [planned.session]
    formed = await store.sessions.get(planned.session)
    assert formed is not None
    assert formed.status == "live"


async def test_two_directors_form_nothing_twice(store: Store, redis: Redis) -> None:
    tournament = await create(store, 4)
    slow = await Running.load(director(store, redis), tournament)
    quick = await Running.load(director(store, redis), tournament)
    await quick.step()
    with pytest.raises(Stale):
        await slow.step()
    slow = await Running.load(director(store, redis), tournament)
    await slow.step()
    for game in slow.state.live.values():
        await finish(store, game.session, [1, -1])
    await quick.step()
    with pytest.raises(Stale):
        await slow.step()
    assert len({game.fixture.name for game in await store.tournaments.games(tournament)}) == 4


async def test_a_void_session_is_replayed_and_then_given_up(store: Store, redis: Redis) -> None:
    tournament = await create(store, 2, format="round-robin", games=1)
    running = await Running.load(director(store, redis), tournament)
    await play(store, running, lambda game: None)
    view = await shown(redis, tournament)
    assert (view.scored, view.given_up) == (0, 1)
    voids = [event.body for event in await events(redis, tournament) if event.type == "void"]
    assert [body["again"] for body in voids] == [True] * (ATTEMPTS - 1) + [False]
    assert voids[0]["reason"] == "the model is dead"


async def test_results_wait_for_the_spectators(store: Store, redis: Redis) -> None:
    tournament = await create(store, 2)
    running = await Running.load(director(store, redis, spectator_delay_ms=60_000), tournament)
    await running.step()
    [game] = running.state.live.values()
    await finish(store, game.session, [1, -1])
    await running.step()
    assert running.state.scored == 0


async def test_the_store_refuses_what_another_wrote(store: Store) -> None:
    tournament = await create(store, 2)
    game = Game(fixture=Fixture("r1.m1.g1", "r1.m1", 1, (0, 1)), attempt=1, session=new_id())
    await store.tournaments.plan(tournament, 0, [game])
    with pytest.raises(Stale):
        await store.tournaments.plan(tournament, 0, [game])
    assert await store.tournaments.games(tournament) == [game]
    rows = [StandingRow(1, 0, 2, 2, 1, 1), StandingRow(2, 1, 0, 2, 1)]
    await store.tournaments.end(tournament, rows, 5)
    await store.tournaments.end(tournament, rows[::-1], 6)
    row = await store.tournaments.get(tournament)
    assert row is not None
    assert (row.ended_ms, row.standings) == (5, tuple(rows))


@contextlib.asynccontextmanager
async def directing(store: Store, redis: Redis) -> AsyncIterator[Director]:
    found = director(store, redis)
    task = asyncio.create_task(found.run())
    try:
        yield found
    finally:
        await found.drain()
        await asyncio.wait_for(task, 10)


async def test_the_director_finds_tournaments_and_leaves_the_rest_to_the_next(
    store: Store, redis: Redis
) -> None:
    tournament = await create(store, 2, format="round-robin", games=2, parallel=1)

    async def one_more(games: int) -> None:
        async with asyncio.timeout(10):
            while len(found := await store.tournaments.games(tournament)) < games:
                await asyncio.sleep(0.02)
            while await store.sessions.get(found[-1].session) is None:
                await asyncio.sleep(0.02)
        await finish(store, found[-1].session, first_seed_wins(found[-1]))

    async with directing(store, redis):
        await one_more(1)
    async with directing(store, redis):
        await one_more(2)
        async with asyncio.timeout(10):
            while await store.tournaments.running():
                await asyncio.sleep(0.02)
    assert (await shown(redis, tournament)).standings[0].wins == 2


async def test_what_fails_again_and_again_is_tried_less_and_less(
    store: Store, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    tournament = await create(store)
    directing = director(store, redis)
    poisoned = {"on": True}

    async def load(*given: Any) -> Running:
        if poisoned["on"]:
            raise ValueError("poison")
        return await standing(*given)

    standing = Running.load
    monkeypatch.setattr(Running, "load", load)
    rests = []
    for _ in range(10):
        now = directing._resting.get(tournament, 0.0)
        await directing._seek(now)
        rests.append(directing._resting[tournament] - now)
    assert rests == [5, 10, 20, 40, 60, 60, 60, 60, 60, 60]
    poisoned["on"] = False
    now = directing._resting[tournament]
    await directing._seek(now)
    await directing._step(tournament, now)
    assert not directing._failures
