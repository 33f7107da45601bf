"""The lobby: what everybody sees of the arena, from Redis alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from server.forming import draw_record
from server.live import keys
from server.live.feed import Feed
from server.live.lease import Leases
from server.live.log import LiveLog
from server.live.presence import Presence
from server.live.queue import Queues
from server.live.records import LogEvent, OfferRecord, SessionRecord, TicketRecord, ViewSet
from server.lobby import LIVE_SHOWN, RECENT_SHOWN, Cards, LobbyPublisher, with_openings
from server.match import initial_views, open_event
from server.protocol import LobbyView, QueueCard, SeatCard, SessionView, VerdictView
from server.store.openings import Waiting
from spaces.registry import offered


def session_view(session: str, *, status: str = "live", opened_ms: int = 1) -> SessionView:
    return msgspec.convert(
        {
            "kind": "session",
            "session": session,
            "space": "rap-battle",
            "rules": "rap-battle/1",
            "status": status,
            "opened_ms": opened_ms,
            "seats": [],
            "state": {},
            "headline": f"headline of {session}",
        },
        SessionView,
    )


class TestCards:
    def test_newest_first_and_all_are_counted(self) -> None:
        cards = Cards()
        for n in range(LIVE_SHOWN + 50):
            cards.take(0, session_view(f"s{n:03d}", opened_ms=n))
        lobby = cards.lobby([], {"s149": 7}, 9)
        assert lobby.live_count == LIVE_SHOWN + 50
        assert [card.session for card in lobby.live] == [f"s{n:03d}" for n in range(149, 49, -1)]
        assert (lobby.live[0].watching, lobby.live[1].watching, lobby.watching) == (7, 0, 9)

    def test_an_older_view_never_replaces_a_newer_one(self) -> None:
        cards = Cards()
        newer = msgspec.structs.replace(session_view("s"), headline="newer")
        cards.take(5, newer)
        cards.take(4, session_view("s"))
        assert cards.lobby([], {}, 0).live[0].headline == "newer"

    def test_what_ended_is_recent_once_and_never_live_again(self) -> None:
        cards = Cards()
        for n in range(RECENT_SHOWN + 5):
            cards.take(0, session_view(f"s{n:02d}"))
            cards.take(1, session_view(f"s{n:02d}", status="ended"))
            cards.take(2, session_view(f"s{n:02d}", status="ended"))
        cards.take(0, session_view("s24"))
        lobby = cards.lobby([], {}, 0)
        assert lobby.live == []
        assert [card.session for card in lobby.recent] == [f"s{n:02d}" for n in range(24, 4, -1)]
        assert Cards(lobby.recent).lobby([], {}, 0).recent == lobby.recent

    def test_what_ended_before_we_came_is_no_news(self) -> None:
        cards = Cards()
        cards.take(9, session_view("s", status="void"))
        assert cards.lobby([], {}, 0) == LobbyView(live=[], recent=[], queues=[])


async def until(condition: Callable[[], Awaitable[object]], what: str, limit_s: float = 8) -> None:
    deadline = time.monotonic() + limit_s
    while not await condition():
        assert time.monotonic() < deadline, f"{what}: not within {limit_s} s"
        await asyncio.sleep(0.02)


class House:
    """A lobby, and sessions that are opened and played into it."""

    def __init__(self, redis: Redis, make_record: Callable[[str], SessionRecord]) -> None:
        self.redis = redis
        self.log = LiveLog(redis)
        self.queues = Queues(redis)
        self.presence = Presence(redis)
        self.make_record = make_record
        self._running: list[asyncio.Task[None]] = []

    def publisher(self, name: str, *, delay_ms: int = 0) -> asyncio.Task[None]:
        lobby = LobbyPublisher(
            name=name,
            redis=self.redis,
            log=self.log,
            feed=Feed(self.redis),
            queues=self.queues,
            presence=self.presence,
            delay_ms=delay_ms,
        )
        task = asyncio.create_task(lobby.run())
        self._running.append(task)
        return task

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def open(self, session: str) -> ViewSet:
        record = self.make_record(session)
        views = initial_views(record)
        await self.log.open_session(record, open_event(record), views)
        return views

    async def change(self, session: str, token: int, views: ViewSet, **changes: object) -> None:
        public = msgspec.structs.replace(views.public, **changes)
        event = LogEvent(t=1, by="host", type="turn")
        changed = ViewSet.of(views.offset, public, views.seats)
        mark = keys.lease_mark(token, "host")
        await self.log.append(session, mark, repr(changes), [event], changed)

    async def lobby(self) -> LobbyView:
        head = await self.log.head("lobby")
        if head is None or head.views is None:
            return LobbyView(live=[], recent=[], queues=[])
        assert isinstance(head.views.public, LobbyView)
        return head.views.public

    async def shows(self, test: Callable[[LobbyView], object], what: str) -> LobbyView:
        async def shown() -> bool:
            return bool(test(await self.lobby()))

        await until(shown, what)
        return await self.lobby()


def record_of(session: str) -> SessionRecord:
    tickets = tuple(
        TicketRecord(
            ticket=f"t-{name}",
            agent=name,
            name=name.title(),
            version=f"{name}@1",
            owner=name,
            space="bid-tac-toe",
            tier_micros=0,
            mu_milli=25_000,
            sigma_milli=8_333,
            joined_ms=0,
        )
        for name in ("ann", "bob")
    )
    offer = OfferRecord(f"bid-tac-toe.0.{session}", "bid-tac-toe", 0, tickets, (), 0)
    return draw_record(offer, now_ms=1_000, spectator_delay_ms=0)


@pytest.fixture
async def house(redis: Redis) -> AsyncIterator[House]:
    house = House(redis, record_of)
    yield house
    await house.close()


class TestPublisher:
    async def test_sessions_come_change_and_go(self, house: House) -> None:
        before = await house.open("before")
        house.publisher("one")
        await house.shows(lambda lobby: lobby.live_count == 1, "what was live before we led")
        views = await house.open("after")
        lobby = await house.shows(lambda lobby: lobby.live_count == 2, "a new session")
        assert {seat.name for seat in lobby.live[0].seats} == {"Ann", "Bob"}

        tokens = dict(await Leases(house.redis).claim("host", 1_000))
        await house.change("after", tokens["after"], views, headline="all in")
        await house.shows(
            lambda lobby: "all in" in [card.headline for card in lobby.live], "a new headline"
        )
        await house.change("before", tokens["before"], before, status="ended")
        lobby = await house.shows(lambda lobby: lobby.recent, "an ended session")
        assert [card.session for card in lobby.live] == ["after"]
        assert [(card.session, card.status) for card in lobby.recent] == [("before", "ended")]

    async def test_queues_and_watchers(self, house: House) -> None:
        await house.open("s1")
        await house.presence.report("gateway", {"s1": 3}, 5)
        await house.queues.enqueue(
            TicketRecord("", "ann", "Ann", "ann@1", "o", "rap-battle", 0, 25_000, 8_333, 0)
        )
        house.publisher("one")
        lobby = await house.shows(lambda lobby: lobby.live, "a session")
        assert (lobby.live[0].watching, lobby.watching) == (3, 5)
        waiting = {card.space: card.waiting for card in lobby.queues}
        assert waiting == {space.id: int(space.id == "rap-battle") for space in offered()}

    async def test_nothing_is_said_while_nothing_changes(self, house: House) -> None:
        house.publisher("one")
        await house.shows(lambda lobby: lobby.queues, "a first lobby")
        await asyncio.sleep(1.2)
        head = await house.log.head("lobby")
        assert head is not None
        assert head.offset == 0

    async def test_another_process_goes_on_with_what_was_recent(self, house: House) -> None:
        one = house.publisher("one")
        views = await house.open("s1")
        await house.open("s2")
        await house.shows(lambda lobby: lobby.live_count == 2, "both sessions")
        tokens = dict(await Leases(house.redis).claim("host", 1_000))
        await house.change("s1", tokens["s1"], views, status="void")
        await house.shows(lambda lobby: lobby.recent, "the end of one")
        one.cancel()
        await asyncio.gather(one, return_exceptions=True)
        house.publisher("two")
        await house.open("s3")
        lobby = await house.shows(
            lambda lobby: lobby.live_count == 2 and lobby.live[0].session != "s1", "s3 appears"
        )
        assert {card.session for card in lobby.live} == {"s2", "s3"}
        assert [card.session for card in lobby.recent] == ["s1"]

    async def test_the_public_sees_later_than_the_seats(self, house: House) -> None:
        house.publisher("one", delay_ms=900)
        await house.shows(lambda lobby: lobby.queues, "a first lobby")
        opened = time.monotonic()
        await house.open("s1")
        await house.shows(lambda lobby: lobby.live, "the session")
        assert time.monotonic() - opened >= 0.9


def test_matches_that_wait_for_a_chain_are_counted_with_their_queues() -> None:
    queues = [QueueCard("logic", 0, 3, 2), QueueCard("logic", 500_000, 1, 4)]
    waiting = [Waiting("logic", 500_000, 2, 1_000), Waiting("trade-wars", 100_000, 1, 9_000)]
    assert with_openings(queues, waiting, 8_500) == [
        queues[0],
        QueueCard("logic", 500_000, 1, 4, opening=2, opening_s=7),
        QueueCard("trade-wars", 100_000, 0, opening=1),
    ]


async def test_a_thousand_sessions_are_found_again(house: House) -> None:
    views = await house.open("template")
    for n in range(1_000):
        record = msgspec.structs.replace(record_of("template"), session=f"s{n:04d}")
        public = msgspec.structs.replace(views.public, session=record.session)
        await house.log.open_session(
            record, open_event(record), ViewSet.of(views.offset, public, views.seats)
        )
    house.publisher("one")
    await house.shows(lambda lobby: lobby.live_count == 1_001, "all of them")


def _ended(**changes: Any) -> SessionView:
    seats = [SeatCard(0, "a", "Ana", "a@v1"), SeatCard(1, "b", "Bo", "b@v1")]
    view = SessionView(
        session="S", space="rap-battle", rules="rap-battle/1", status="live", opened_ms=1, seats=seats,
        state={}, headline="round 1/3",
    )  # fmt: skip
    return msgspec.structs.replace(view, **changes)


def test_a_result_names_the_winner_as_soon_as_anybody_has_decided() -> None:
    cards = Cards()
    cards.take(1, _ended())
    cards.take(
        2,
        _ended(
            status="ended",
            headline="3 rounds",
            outcome={"termination": "complete", "returns": None},
        ),
    )
    assert cards.lobby([], {}, 0).recent[0].headline == "3 rounds"
    verdict = VerdictView(rubric="r", lines=[], totals_milli=[1, 2], ranks=[2, 1])
    cards.take(3, _ended(status="ended", outcome={"returns": None}, verdict=verdict))
    assert cards.lobby([], {}, 0).recent[0].headline == "Bo won by verdict"


def test_a_result_by_the_rules_names_winner_or_draw() -> None:
    for returns, said in (([1, -1], "Ana won by line"), ([0, 0], "draw by line")):
        cards = Cards()
        cards.take(1, _ended())
        cards.take(2, _ended(status="ended", outcome={"termination": "line", "returns": returns}))
        assert cards.lobby([], {}, 0).recent[0].headline == said
