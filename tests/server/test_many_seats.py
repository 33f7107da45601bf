"""A session of more than two seats from the queue to the board: three agents and an oracle."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import msgspec
import pytest
from redis.asyncio import Redis

from server import ratings
from server.clock import unix_ms
from server.config import Config
from server.demo.narrator import _verdict
from server.live import keys
from server.live.log import LiveLog
from server.live.queue import Queues
from server.live.records import SessionRecord, TicketRecord
from server.lobby import Cards
from server.matchmaker import Matchmaker
from server.protocol import SeatCard, SessionView
from server.store import Store
from spaces import registry
from tests.conformance.tides import Tides
from tests.server.aftermath_session import ScriptedPanel, Seats, events, finish, view, worker


@pytest.fixture(autouse=True)
def tides() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._registered, Tides.id, Tides())
        yield


async def until(done: Callable[[], Awaitable[bool]], timeout_s: float = 20) -> None:
    async with asyncio.timeout(timeout_s):
        while not await done():
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def at_work(work: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_three_agents_are_seated_in_a_session_of_three(redis: Redis) -> None:
    formed: list[SessionRecord] = []
    log, queues = LiveLog(redis), Queues(redis)

    async def form(record: SessionRecord) -> SessionRecord:
        formed.append(record)
        return record

    matchmaker = Matchmaker(
        name="one", redis=redis, log=log, form_session=form, config=Config(data_dir="unused")
    )
    async with at_work(matchmaker.run()):
        tickets = [await queues.enqueue(ticket(name)) for name in ("ann", "bob", "cid")]

        async def offered() -> bool:
            head = await log.head(keys.agent_channel("cid"))
            offers = getattr(head and head.views and head.views.public, "offers", None)
            for each in offers or []:
                for name in ("ann", "bob", "cid"):
                    await queues.confirm(each.offer, name)
            return bool(offers)

        await until(offered)

        async def open_() -> bool:
            return bool(formed) and await log.head(session_channel(formed[0])) is not None

        await until(open_)
    assert len(tickets) == 3
    assert sorted(seat.agent for seat in formed[0].seats) == ["ann", "bob", "cid"]
    assert [seat.seat for seat in formed[0].seats] == [0, 1, 2]


def session_channel(record: SessionRecord) -> str:
    return keys.session_channel(record.session)


def ticket(agent: str) -> TicketRecord:
    return TicketRecord(
        ticket="",
        agent=agent,
        name=agent.title(),
        version=f"{agent}@1",
        owner=f"owner-of-{agent}",
        space="tides",
        tier_micros=0,
        mu_milli=25_000,
        sigma_milli=1_000,
        joined_ms=unix_ms(),
    )


async def test_each_seat_is_rated_by_its_rank(store: Store, redis: Redis) -> None:
    seats = await Seats.registered(store, 3)
    session = await finish(store, redis, seats, "tides")
    async with at_work(worker(store, redis, ScriptedPanel()).run()):

        async def settled() -> bool:
            return all(row.state in ("done", "dead") for row in await store.outbox.steps(session))

        await until(settled)
    seen = await view(redis, session)
    assert {step.name: step.state for step in seen.steps} == {
        "sealed": "done",
        "settled": "done",
        "rated": "done",
    }
    assert seen.outcome is not None
    ranks = ratings.ranks_of(seen.outcome["returns"])
    assert sorted(ranks) == [1, 2, 3], "the test's session has no ties"
    moves = (await events(redis, session, "rated"))[0].body["ratings"]
    mu_by_rank = [each["mu_milli"] for each in sorted(moves, key=lambda m: ranks[m["seat"]])]
    assert mu_by_rank == sorted(mu_by_rank, reverse=True)
    board = await store.ratings.board("tides")
    assert len(board.rows) == 3
    best = next(row for row in board.rows if row.wins)
    assert best.agent == seats.agents[ranks.index(1)].agent
    assert sum(row.wins for row in board.rows) == 1
    row = await store.sessions.get(session)
    assert row is not None
    assert len(row.seats) == 3


def ended(returns: list[int]) -> SessionView:
    seats = [SeatCard(n, f"a{n}", name, f"v{n}") for n, name in enumerate(("Ann", "Bob", "Cid"))]
    outcome = {"termination": "complete", "returns": returns}
    return SessionView("S1", "tides", "tides/1", "ended", 0, seats, {}, "x", outcome=outcome)


@pytest.mark.parametrize(
    ("returns", "said"),
    [
        ([5, 7, 6], "Bob won"),
        ([7, 7, 6], "Ann and Bob share the lead"),
        ([7, 7, 7], "draw"),
        ([-9, -7, -8], "Bob won"),
    ],
)
def test_the_lobby_names_who_is_first_of_three(returns: list[int], said: str) -> None:
    cards = Cards()
    view = ended(returns)
    cards.take(1, msgspec.structs.replace(view, status="live", outcome=None))
    cards.take(2, view)
    assert cards.lobby([], {}, 0).recent[0].headline == said


def test_the_narrator_ranks_three() -> None:
    detail = {
        "status": "ended",
        "outcome": {"termination": "complete", "returns": [7, 9, 7]},
        "verdict": None,
    }
    told = _verdict(detail, ["Ann", "Bob", "Cid"], Tides())
    said = [" ".join(line.split()) for line in told]
    assert said == ["verdict Bob wins", "1 Bob +9", "2 Ann +7", "2 Cid +7"]
