"""The matchmaker on a real Redis: agents meet, and no death of a matchmaker costs a place or makes
a session twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from server.config import Config
from server.live import keys
from server.live.agents import AgentChannels
from server.live.led_queue import LedQueue
from server.live.log import LiveLog, Moved
from server.live.queue import AlreadyQueued, Queues, UnknownOffer
from server.live.queue_names import Queue
from server.live.records import SessionRecord, TicketRecord
from server.matchmaker import Matchmaker
from server.protocol import AgentView, SessionView

BTT = Queue("bid-tac-toe", 0)
PAID = 100_000


async def until(condition: Callable[[], Awaitable[object]], what: str, limit_s: float = 10) -> None:
    deadline = time.monotonic() + limit_s
    while not await condition():
        assert time.monotonic() < deadline, f"{what}: not within {limit_s} s"
        await asyncio.sleep(0.02)


class Records:
    """A store: keeps the first record of each session, like the real one."""

    def __init__(self) -> None:
        self.formed: dict[str, SessionRecord] = {}
        self.opened: list[str] = []
        self.attempts: list[SessionRecord] = []
        self.failures = 0
        self.hang = False

    async def form(self, record: SessionRecord) -> SessionRecord:
        self.attempts.append(record)
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the store is away")
        standing = self.formed.setdefault(record.session, record)
        if self.hang:
            await asyncio.Event().wait()
        return standing

    async def open(self, session: str) -> None:
        self.opened.append(session)

    async def unopened(self) -> list[SessionRecord]:
        return [r for r in self.formed.values() if r.session not in self.opened]


class Arena:
    """Queues, agents that do as they are told, and matchmakers that come and go."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.log = LiveLog(redis)
        self.queues = Queues(redis, tiers_open=(0, PAID))
        self.records = Records()
        self.config = Config(data_dir="", tiers_open=(0, PAID), confirm_ms=60_000)
        self._running: list[asyncio.Task[None]] = []

    def start(
        self, name: str, *, confirm_ms: int = 60_000, ttl_ms: int = 300, sweep: bool = False
    ) -> tuple[Matchmaker, asyncio.Task[None]]:
        matchmaker = Matchmaker(
            name=name,
            redis=self.redis,
            log=self.log,
            form_session=self.records.form,
            config=Config(data_dir="", tiers_open=(0, PAID), confirm_ms=confirm_ms),
            opened=self.records.open,
            unopened=self.records.unopened if sweep else None,
            leader_ttl_ms=ttl_ms,
            sweep_every_s=0.05,
        )
        task = asyncio.create_task(matchmaker.run())
        self._running.append(task)
        return matchmaker, task

    async def crash(self, task: asyncio.Task[None]) -> None:
        """End a matchmaker without a word, as SIGKILL would: its leases stay until they lapse."""
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        for task in self._running:
            await self.crash(task)

    async def enqueue(
        self, agent: str, *, mu: int = 25_000, owner: str = "", tier_micros: int = 0
    ) -> TicketRecord:
        return await self.queues.enqueue(
            TicketRecord(
                ticket="",
                agent=agent,
                name=agent.title(),
                version=f"{agent}@1",
                owner=owner or f"owner-of-{agent}",
                space=BTT.space,
                tier_micros=tier_micros,
                mu_milli=mu,
                sigma_milli=1_000,
                joined_ms=time.time_ns() // 1_000_000,
            )
        )

    async def view(self, agent: str) -> AgentView:
        head = await self.log.head(keys.agent_channel(agent))
        if head is None or head.views is None:
            return AgentView(agent, [], [], [])
        assert isinstance(head.views.public, AgentView)
        return head.views.public

    async def events(self, agent: str) -> list[str]:
        return [e.type for e in await self.log.read(keys.agent_channel(agent), 0, 1_000)]

    async def offered(self, *agents: str) -> str:
        """The offer that all of the agents hear of."""

        async def all_hear() -> bool:
            return all([(await self.view(agent)).offers for agent in agents])

        await until(all_hear, f"{agents} are offered a match")
        offers = {(await self.view(agent)).offers[0].offer for agent in agents}
        assert len(offers) == 1
        return offers.pop()

    async def seated(self, *agents: str) -> str:
        """The session in which all of the agents sit."""

        async def all_sit() -> bool:
            return all([(await self.view(agent)).seated for agent in agents])

        await until(all_sit, f"{agents} are seated")
        sessions = {(await self.view(agent)).seated[0].session for agent in agents}
        assert len(sessions) == 1
        return sessions.pop()

    async def settled(self) -> None:
        """Wait until no offer stands and everybody has been told."""

        async def empty() -> bool:
            held = [keys.queue_offers, keys.queue_untold]
            return not await self.redis.exists(*(key(BTT.key) for key in held))

        await until(empty, "all offers have ended and all agents know")

    async def forgotten(self) -> None:
        """Wait until the queue holds no ticket and no offer."""

        async def empty() -> bool:
            held = [keys.queue_tickets, keys.queue_agents, keys.queue_held, keys.queue_offers]
            held += [keys.queue_seats, keys.queue_forming]
            return not await self.redis.exists(*(key(BTT.key) for key in held))

        await until(empty, "the queue is empty")


@pytest.fixture
async def arena(redis: Redis) -> AsyncIterator[Arena]:
    arena = Arena(redis)
    yield arena
    await arena.close()


class TestMatch:
    async def test_two_agents_meet_confirm_and_are_seated(self, arena: Arena) -> None:
        arena.start("one")
        ann, bob = await arena.enqueue("ann"), await arena.enqueue("bob")
        offer = await arena.offered("ann", "bob")
        assert (await arena.view("ann")).offers[0].ticket == ann.ticket
        assert (await arena.view("ann")).tickets == [ann.ticket]
        await arena.queues.confirm(offer, "ann")
        await arena.queues.confirm(offer, "bob")
        session = await arena.seated("ann", "bob")
        await arena.forgotten()

        record = arena.records.formed[session]
        assert arena.records.opened == [session]
        assert {seat.agent for seat in record.seats} == {"ann", "bob"}
        assert await arena.log.record(session) == record
        head = await arena.log.head(keys.session_channel(session))
        assert head is not None
        assert head.views is not None
        assert isinstance(head.views.public, SessionView)
        assert head.views.public.status == "live"
        for seat in record.seats:
            view = await arena.view(seat.agent)
            assert [(s.session, s.seat) for s in view.seated] == [(session, seat.seat)]
            assert (view.offers, view.tickets) == ([], [])
        assert await arena.events("bob") == ["queued", "offer", "seated"]
        assert bob.ticket != ann.ticket
        await AgentChannels(arena.redis).left("bob", session)
        assert (await arena.view("bob")).seated == []

    async def test_who_does_not_confirm_is_out_and_who_does_keeps_the_place(
        self, arena: Arena
    ) -> None:
        arena.start("one", confirm_ms=300)
        ann = await arena.enqueue("ann")
        await arena.enqueue("bob")
        offer = await arena.offered("ann", "bob")
        await arena.queues.confirm(offer, "ann")

        async def expired() -> bool:
            return "offer_expired" in await arena.events("bob")

        await until(expired, "the offer expires")
        assert (await arena.view("ann")).tickets == [ann.ticket]
        assert (await arena.view("bob")).tickets == []
        with pytest.raises(UnknownOffer):
            await arena.queues.confirm(offer, "bob")
        with pytest.raises(AlreadyQueued):
            await arena.enqueue("ann")
        await arena.enqueue("cid")
        again = await arena.offered("ann", "cid")
        await arena.queues.confirm(again, "ann")
        await arena.queues.confirm(again, "cid")
        await arena.seated("ann", "cid")
        assert len(arena.records.formed) == 1

    async def test_who_declines_frees_the_other_at_once(self, arena: Arena) -> None:
        arena.start("one", confirm_ms=60_000)
        ann, bob = await arena.enqueue("ann"), await arena.enqueue("bob")
        await arena.offered("ann", "bob")
        await arena.queues.dequeue(ann.ticket, "ann")

        async def free() -> bool:
            return not (await arena.view("bob")).offers

        await until(free, "bob is free", 3)
        assert (await arena.view("bob")).tickets == [bob.ticket]
        await arena.enqueue("cid")
        await arena.offered("bob", "cid")

    async def test_one_owner_never_meets_itself_for_money_and_is_told_so(
        self, arena: Arena
    ) -> None:
        arena.start("one")
        ann = await arena.enqueue("ann", owner="o", tier_micros=PAID)
        await arena.enqueue("bob", owner="o", tier_micros=PAID)
        await arena.enqueue("free", owner="p")
        told = await arena.queues.explain(ann.ticket, "ann")
        assert (told.state, told.position, told.waiting) == ("waiting", 1, 2)
        assert "belong to your owner" in told.reason
        await arena.enqueue("cid", owner="q", tier_micros=PAID)
        await arena.offered("ann", "cid")

    async def test_a_store_that_fails_is_asked_again_with_the_same_record(
        self, arena: Arena
    ) -> None:
        arena.records.failures = 2
        arena.start("one")
        await arena.enqueue("ann")
        await arena.enqueue("bob")
        offer = await arena.offered("ann", "bob")
        await arena.queues.confirm(offer, "ann")
        await arena.queues.confirm(offer, "bob")
        await arena.seated("ann", "bob")
        assert len(arena.records.attempts) == 3
        assert len({record.seed for record in arena.records.attempts}) == 1

    async def test_what_was_formed_and_never_opened_is_opened(self, arena: Arena) -> None:
        other = Arena(arena.redis)
        other.records.hang = True
        _, first = other.start("one")
        await other.enqueue("ann")
        await other.enqueue("bob")
        offer = await other.offered("ann", "bob")
        await other.queues.confirm(offer, "ann")
        await other.queues.confirm(offer, "bob")

        async def written() -> bool:
            return bool(other.records.formed)

        await until(written, "the store has the session")
        await other.crash(first)
        await arena.redis.flushdb()  # Redis lost everything; the store did not
        arena.records.formed = dict(other.records.formed)
        arena.start("two", sweep=True)
        session = await arena.seated("ann", "bob")
        assert await arena.log.record(session) == arena.records.formed[session]


class TestDeath:
    async def test_tickets_survive(self, arena: Arena) -> None:
        _, first = arena.start("one")
        ann = await arena.enqueue("ann")
        await arena.queues.explain(ann.ticket, "ann")
        await arena.crash(first)
        await arena.enqueue("bob")
        arena.start("two")
        await arena.offered("ann", "bob")

    async def test_an_offer_confirmed_while_nobody_leads_becomes_one_session(
        self, arena: Arena
    ) -> None:
        _, first = arena.start("one")
        await arena.enqueue("ann")
        await arena.enqueue("bob")
        offer = await arena.offered("ann", "bob")
        await arena.crash(first)
        await arena.queues.confirm(offer, "ann")
        await arena.queues.confirm(offer, "bob")
        arena.start("two")
        arena.start("three")
        await arena.seated("ann", "bob")
        await arena.forgotten()
        assert len(arena.records.attempts) == 1
        assert await arena.events("ann") == ["queued", "offer", "seated"]

    async def test_a_death_between_store_and_log_makes_no_second_session(
        self, arena: Arena
    ) -> None:
        arena.records.hang = True
        _, first = arena.start("one")
        await arena.enqueue("ann")
        await arena.enqueue("bob")
        offer = await arena.offered("ann", "bob")
        await arena.queues.confirm(offer, "ann")
        await arena.queues.confirm(offer, "bob")

        async def written() -> bool:
            return bool(arena.records.formed)

        await until(written, "the store has the session")
        await arena.crash(first)
        arena.records.hang = False
        arena.start("two")
        session = await arena.seated("ann", "bob")
        await arena.forgotten()
        assert list(arena.records.formed) == [session]
        first_record, second_record = arena.records.attempts
        assert first_record == second_record, "seed, salts and seats are those of the first attempt"
        assert await arena.log.record(session) == first_record

    async def test_a_redis_that_forgets_what_was_drawn_seats_nobody_differently(
        self, arena: Arena
    ) -> None:
        """The store pays by its own seats; another draw must not be the one that is played."""
        arena.records.hang = True
        _, first = arena.start("one")
        await arena.enqueue("ann")
        await arena.enqueue("bob")
        offer = await arena.offered("ann", "bob")
        await arena.queues.confirm(offer, "ann")
        await arena.queues.confirm(offer, "bob")

        async def written() -> bool:
            return bool(arena.records.formed)

        await until(written, "the store has the session")
        await arena.crash(first)
        await arena.redis.delete(keys.queue_forming(BTT.key))  # its last second is lost
        arena.records.hang = False
        arena.start("two")
        session = await arena.seated("ann", "bob")
        stands, drawn_again = arena.records.attempts
        assert stands.seed != drawn_again.seed
        assert await arena.log.record(session) == stands == arena.records.formed[session]

    async def test_a_death_before_the_offer_is_forgotten_makes_no_second_session(
        self, arena: Arena, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def never(self: LedQueue, offer: object) -> None:
            await asyncio.Event().wait()

        with monkeypatch.context() as patched:
            patched.setattr(LedQueue, "finish", never)
            _, first = arena.start("one")
            await arena.enqueue("ann")
            await arena.enqueue("bob")
            offer = await arena.offered("ann", "bob")
            await arena.queues.confirm(offer, "ann")
            await arena.queues.confirm(offer, "bob")
            session = await arena.seated("ann", "bob")
            await arena.crash(first)
        # the session is over before anybody leads again
        await AgentChannels(arena.redis).left("ann", session)
        arena.start("two")
        await arena.forgotten()
        assert list(arena.records.formed) == [session]
        assert (await arena.view("ann")).seated == [], "ann is not seated anew"
        assert await arena.events("bob") == ["queued", "offer", "seated"]

    async def test_an_offer_that_expired_while_nobody_led_keeps_the_confirmers_place(
        self, arena: Arena
    ) -> None:
        _, first = arena.start("one", confirm_ms=200)
        ann = await arena.enqueue("ann")
        await arena.enqueue("bob")
        offer = await arena.offered("ann", "bob")
        await arena.crash(first)
        await arena.queues.confirm(offer, "ann")
        await asyncio.sleep(0.3)
        arena.start("two")

        async def expired() -> bool:
            return "offer_expired" in await arena.events("bob")

        await until(expired, "the offer expires")
        told = await arena.queues.explain(ann.ticket, "ann")
        assert (told.state, told.waiting) == ("waiting", 1)

    @pytest.mark.parametrize("step", ["dissolve", "expired", "told"])
    async def test_a_death_while_an_offer_expires_leaves_nobody_in_the_dark(
        self, arena: Arena, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        """Killed before the offer is ended, before anybody hears of it, or before that is noted."""
        died = asyncio.Event()

        async def die(*_: object, **__: object) -> None:
            died.set()
            await asyncio.Event().wait()

        with monkeypatch.context() as patched:
            patched.setattr(AgentChannels if step == "expired" else LedQueue, step, die)
            _, first = arena.start("one", confirm_ms=300)
            ann, _ = await arena.enqueue("ann"), await arena.enqueue("bob")
            await arena.queues.confirm(await arena.offered("ann", "bob"), "ann")
            await asyncio.wait_for(died.wait(), 10)
            await arena.crash(first)
        arena.start("two", confirm_ms=300)
        await arena.settled()
        assert await arena.events("ann") == ["queued", "offer", "offer_expired"], "once"
        assert await arena.view("ann") == AgentView("ann", [], [], [ann.ticket])
        assert await arena.view("bob") == AgentView("bob", [], [], [])
        assert (await arena.enqueue("bob")).ticket, "and bob may come again"

    @pytest.mark.parametrize("error", [RedisConnectionError("away"), Moved("contended")])
    async def test_who_could_not_be_told_is_told_later_and_keeps_nobody_waiting(
        self, arena: Arena, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        tell = AgentChannels.expired
        failures = 2

        async def unreliable(
            self: AgentChannels, agent: str, offer: str, ticket: str, *, back: bool
        ) -> None:
            nonlocal failures
            if agent == "bob" and failures:
                failures -= 1
                raise error
            await tell(self, agent, offer, ticket, back=back)

        monkeypatch.setattr(AgentChannels, "expired", unreliable)
        arena.start("one", confirm_ms=300)
        await arena.enqueue("ann")
        await arena.enqueue("bob")
        await arena.queues.confirm(await arena.offered("ann", "bob"), "ann")
        mark = await arena.redis.get(keys.queue_leader(BTT.key))
        await arena.settled()
        assert failures == 0
        assert await arena.view("bob") == AgentView("bob", [], [], [])
        assert await arena.redis.get(keys.queue_leader(BTT.key)) == mark, "in the same term"

    async def test_a_drained_matchmaker_hands_over_at_once(self, arena: Arena) -> None:
        ttl_ms = 60_000
        first, running = arena.start("one", ttl_ms=ttl_ms)
        ann = await arena.enqueue("ann")
        await arena.queues.explain(ann.ticket, "ann")
        await first.drain()
        assert running.done()
        assert running.exception() is None
        await arena.enqueue("bob")
        arena.start("two", ttl_ms=ttl_ms)
        await arena.offered("ann", "bob")

    async def test_under_load_nobody_is_lost_and_nobody_sits_twice(self, arena: Arena) -> None:
        agents = [f"a{n:03d}" for n in range(150)]
        matchmakers = {name: arena.start(name)[1] for name in ("one", "two")}

        async def play(agent: str) -> None:
            await asyncio.sleep(int(agent[1:]) / 200)
            await arena.enqueue(agent, mu=25_000 + int(agent[1:]))
            confirmed: set[str] = set()
            while not (view := await arena.view(agent)).seated:
                for offer in view.offers:
                    if offer.offer not in confirmed:
                        confirmed.add(offer.offer)
                        await arena.queues.confirm(offer.offer, agent)
                await asyncio.sleep(0.05)

        async def under_way() -> bool:
            return len(arena.records.formed) >= 10

        playing = [asyncio.create_task(play(agent)) for agent in agents]
        await until(under_way, "ten sessions are formed")
        mark = await arena.redis.get(keys.queue_leader(BTT.key))
        leader = mark.decode().partition(":")[2]
        await arena.crash(matchmakers[leader])
        assert len(arena.records.formed) < 70, "killed in the middle"
        await asyncio.wait_for(asyncio.gather(*playing), 20)
        await arena.forgotten()
        seats = [s.agent for record in arena.records.formed.values() for s in record.seats]
        assert sorted(seats) == agents
