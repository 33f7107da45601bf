"""Queues in a real Redis: every change is one script, so races have one winner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest
from redis.asyncio import Redis

from server.forming import draw_record
from server.live import keys
from server.live.agents import AgentChannels, fold
from server.live.leader import Leadership, NotLeader
from server.live.led_queue import Ending, LedQueue
from server.live.log import LiveLog
from server.live.queue import AlreadyQueued, Published, Queues, UnknownOffer, UnknownTicket
from server.live.queue_names import Queue, session_of
from server.live.records import LogEvent, OfferRecord, TicketRecord
from server.matchmaking import Standing
from server.protocol import AgentView, Offer, Seating

QUEUE = Queue("bid-tac-toe", 0)
JOINED = 1_000_000


def ticket(agent: str, joined_ms: int = JOINED) -> TicketRecord:
    return TicketRecord(
        ticket="",
        agent=agent,
        name=agent.title(),
        version=f"{agent}@1",
        owner=f"owner-of-{agent}",
        space=QUEUE.space,
        tier_micros=QUEUE.tier_micros,
        mu_milli=25_000,
        sigma_milli=8_333,
        joined_ms=joined_ms,
    )


def offer_to(*tickets: TicketRecord) -> OfferRecord:
    return OfferRecord(
        offer=QUEUE.new_name(),
        space=QUEUE.space,
        tier_micros=QUEUE.tier_micros,
        tickets=tickets,
        confirmed=(),
        expires_ms=JOINED + 10_000,
    )


def leadership(redis: Redis, name: str = "one", ttl_ms: int = 60_000) -> Leadership:
    return Leadership(
        redis,
        key=keys.queue_leader(QUEUE.key),
        fence=keys.queue_fence(QUEUE.key),
        name=name,
        ttl_ms=ttl_ms,
    )


@pytest.fixture
def queues(redis: Redis) -> Queues:
    return Queues(redis, clock=lambda: JOINED + 3_000)


@pytest.fixture
async def led(redis: Redis) -> AsyncIterator[LedQueue]:
    """The queue with us as its leader, loaded while it was empty."""
    mine = leadership(redis)
    assert await mine.seek()
    queue = LedQueue(redis, QUEUE, mine)
    await queue.load()
    yield queue
    await queue.close()


class Mute(AgentChannels):
    """Of a process that dies before it tells anybody anything."""

    async def notify(self, agent: str, batch: str, events: Sequence[LogEvent]) -> None:
        raise ConnectionError("died")


async def agent_view(redis: Redis, agent: str) -> AgentView:
    head = await LiveLog(redis).head(keys.agent_channel(agent))
    assert head is not None
    assert head.views is not None
    assert isinstance(head.views.public, AgentView)
    return head.views.public


async def heard(redis: Redis, agent: str) -> list[str]:
    events = await LiveLog(redis).read(keys.agent_channel(agent), 0, 100)
    return [event.type for event in events]


async def left_over(redis: Redis) -> set[str]:
    """The queue's keys that still hold something of a ticket or an offer."""
    kept = {keys.queue_changes(QUEUE.key), keys.queue_fence(QUEUE.key)}
    kept |= {keys.queue_leader(QUEUE.key), keys.queue_oldest(QUEUE.key)}
    names = {name.decode() for name in await redis.keys("queue:*")}
    return names - kept


class TestWaiting:
    async def test_a_ticket_is_named_after_its_queue_and_the_leader_hears_of_it(
        self, redis: Redis, queues: Queues, led: LedQueue
    ) -> None:
        joined = await queues.enqueue(ticket("ann"))
        assert Queue.of(joined.ticket) == QUEUE
        [change] = await led.changes(1)
        assert (change.kind, change.record()) == ("join", joined)
        assert await agent_view(redis, "ann") == AgentView("ann", [], [], [joined.ticket])

    async def test_one_ticket_per_agent_and_queue(self, queues: Queues) -> None:
        first = await queues.enqueue(ticket("ann"))
        with pytest.raises(AlreadyQueued) as refused:
            await queues.enqueue(ticket("ann"))
        assert refused.value.ticket == first
        other = await queues.enqueue(msgspec.structs.replace(ticket("ann"), space="rap-battle"))
        assert other.ticket != first.ticket

    async def test_of_many_at_once_one_wins(self, queues: Queues) -> None:
        results = await asyncio.gather(
            *(queues.enqueue(ticket("ann")) for _ in range(10)), return_exceptions=True
        )
        won = [r for r in results if isinstance(r, TicketRecord)]
        assert len(won) == 1
        assert all(r.ticket == won[0] for r in results if isinstance(r, AlreadyQueued))
        assert [card.waiting for card in await queues.sizes() if card.space == QUEUE.space] == [1]

    async def test_who_leaves_may_come_back(
        self, redis: Redis, queues: Queues, led: LedQueue
    ) -> None:
        first = await queues.enqueue(ticket("ann"))
        gone = await queues.dequeue(first.ticket, "ann")
        assert gone.state == "gone"
        assert await left_over(redis) == set()
        second = await queues.enqueue(ticket("ann"))
        assert [c.kind for c in await led.changes(1)] == ["join", "leave", "join"]
        assert (await agent_view(redis, "ann")).tickets == [second.ticket]

    async def test_nobody_touches_a_ticket_of_another(self, queues: Queues) -> None:
        anns = await queues.enqueue(ticket("ann"))
        for name in (anns.ticket, "nonsense", "a.b.c", "bid-tac-toe.-1.x", "bid-tac-toe.٣.x"):
            with pytest.raises(UnknownTicket):
                await queues.dequeue(name, "bob")
            with pytest.raises(UnknownTicket):
                await queues.explain(name, "bob")
        assert (await queues.explain(anns.ticket, "ann")).state == "waiting"

    async def test_sizes_list_every_queue_and_the_longest_wait(
        self, queues: Queues, led: LedQueue
    ) -> None:
        await queues.enqueue(ticket("ann"))
        await queues.enqueue(ticket("bob"))
        await led.note_oldest(JOINED)
        sizes = {card.space: card for card in await queues.sizes()}
        assert (sizes["bid-tac-toe"].waiting, sizes["bid-tac-toe"].longest_wait_s) == (2, 3)
        assert (sizes["rap-battle"].waiting, sizes["rap-battle"].longest_wait_s) == (0, 0)


class TestTelling:
    """A gateway may die between a change of the queue and the notice of it."""

    async def test_a_ticket_nobody_was_told_of_is_told_of_by_the_next_attempt(
        self, redis: Redis, queues: Queues
    ) -> None:
        with pytest.raises(ConnectionError):
            await Queues(redis, agents=Mute(redis)).enqueue(ticket("ann"))
        assert await heard(redis, "ann") == []
        for _ in range(2):
            with pytest.raises(AlreadyQueued) as refused:
                await queues.enqueue(ticket("ann"))
        assert (await agent_view(redis, "ann")).tickets == [refused.value.ticket.ticket]
        assert await heard(redis, "ann") == ["queued"]

    @pytest.mark.parametrize("ask", ["explain", "dequeue"])
    async def test_a_ticket_that_has_gone_unsaid_leaves_the_view_when_asked_about(
        self, redis: Redis, queues: Queues, ask: str
    ) -> None:
        gone, kept = await queues.enqueue(ticket("ann")), "rap-battle.0.x"
        await AgentChannels(redis).notify(
            "ann", "other", [LogEvent(t=0, by="host", type="queued", body={"ticket": kept})]
        )
        with pytest.raises(ConnectionError):
            await Queues(redis, agents=Mute(redis)).dequeue(gone.ticket, "ann")
        assert (await agent_view(redis, "ann")).tickets == [gone.ticket, kept]
        for _ in range(2):
            with pytest.raises(UnknownTicket):
                await getattr(queues, ask)(gone.ticket, "ann")
        assert (await agent_view(redis, "ann")).tickets == [kept]
        assert await heard(redis, "ann") == ["queued", "queued", "dequeued"]


class TestOffers:
    async def test_all_confirm_and_the_session_takes_the_offers_name(
        self, redis: Redis, queues: Queues, led: LedQueue
    ) -> None:
        ann, bob = await queues.enqueue(ticket("ann")), await queues.enqueue(ticket("bob"))
        offer = offer_to(ann, bob)
        assert await led.take([offer]) == [frozenset()]
        assert await queues.confirm(offer.offer, "ann") == 1
        assert await queues.confirm(offer.offer, "ann") == 1, "twice is once"
        assert await queues.confirm(offer.offer, "bob") == 0
        assert (await led.changes(1))[-1] == ("complete", offer.offer.encode())

        record = draw_record(offer, now_ms=JOINED, spectator_delay_ms=0)
        fixed = await led.fix(offer, record)
        assert fixed == record
        assert record.session == session_of(offer.offer)
        again = draw_record(offer, now_ms=JOINED, spectator_delay_ms=0)
        assert again.seed != record.seed
        assert await led.fix(offer, again) == record, "the first record stands"

        await led.finish(offer)
        assert await left_over(redis) == set()
        assert await led.fix(offer, again) is None
        assert (await queues.enqueue(ticket("ann"))).ticket != ann.ticket

    async def test_a_ticket_is_in_one_offer_only(self, queues: Queues, led: LedQueue) -> None:
        ann, bob = await queues.enqueue(ticket("ann")), await queues.enqueue(ticket("bob"))
        cid = await queues.enqueue(ticket("cid"))
        first, second = offer_to(ann, bob), offer_to(bob, cid)
        assert await led.take([first, second]) == [frozenset(), frozenset({bob.ticket})]
        assert await led.take([first]) == [frozenset()], "a repeated call is harmless"
        found = await led.load()
        assert [t.agent for t in found.waiting] == ["cid"]
        assert found.open == [first]

    async def test_only_who_was_offered_a_seat_confirms_it(
        self, queues: Queues, led: LedQueue
    ) -> None:
        ann, bob = await queues.enqueue(ticket("ann")), await queues.enqueue(ticket("bob"))
        offer = offer_to(ann, bob)
        await led.take([offer])
        for name, agent in [
            (offer.offer, "eve"),
            (QUEUE.new_name(), "ann"),
            ("nonsense", "ann"),
        ]:
            with pytest.raises(UnknownOffer):
                await queues.confirm(name, agent)

    async def test_who_confirmed_goes_back_to_the_old_place_and_the_others_are_out(
        self, redis: Redis, queues: Queues, led: LedQueue
    ) -> None:
        ann, bob = await queues.enqueue(ticket("ann")), await queues.enqueue(ticket("bob"))
        offer = offer_to(ann, bob)
        await led.take([offer])
        await queues.confirm(offer.offer, "ann")
        endings = await led.dissolve(offer, everybody=False)
        assert endings == [
            Ending("ann", offer.offer, ann.ticket, back=True),
            Ending("bob", offer.offer, bob.ticket, back=False),
        ]
        again = await led.dissolve(offer, everybody=False)
        assert again == endings, "asked again because the first answer was lost"
        assert sorted((await led.load()).untold) == endings, "for whoever leads next"
        await led.told(endings)
        assert await led.dissolve(offer, everybody=False) == []
        assert (await led.load()).waiting == [ann], "with the time at which it joined"
        with pytest.raises(UnknownOffer):
            await queues.confirm(offer.offer, "bob")
        await queues.dequeue(ann.ticket, "ann")
        assert await left_over(redis) == set()

    async def test_who_declines_is_out_and_the_others_go_back(
        self, redis: Redis, queues: Queues, led: LedQueue
    ) -> None:
        ann, bob = await queues.enqueue(ticket("ann")), await queues.enqueue(ticket("bob"))
        offer = offer_to(ann, bob)
        await led.take([offer])
        await queues.dequeue(ann.ticket, "ann")
        with pytest.raises(UnknownOffer):
            await queues.confirm(offer.offer, "ann")
        assert await queues.confirm(offer.offer, "bob") == 1, "never complete without ann"
        assert (await led.changes(1))[-1] == ("decline", offer.offer.encode())
        assert (await led.load()).broken == [offer]
        endings = await led.dissolve(offer, everybody=True)
        assert endings is not None
        assert {ending.agent: ending.back for ending in endings} == {"ann": False, "bob": True}
        await led.told(endings)
        await queues.dequeue(bob.ticket, "bob")
        assert await left_over(redis) == set()

    async def test_an_offer_that_all_have_confirmed_can_neither_expire_nor_be_left(
        self, queues: Queues, led: LedQueue
    ) -> None:
        ann, bob = await queues.enqueue(ticket("ann")), await queues.enqueue(ticket("bob"))
        offer = offer_to(ann, bob)
        await led.take([offer])
        await asyncio.gather(*(queues.confirm(offer.offer, agent) for agent in ("ann", "bob")))
        assert await led.dissolve(offer, everybody=False) is None
        with pytest.raises(UnknownTicket, match="has become a seat"):
            await queues.dequeue(ann.ticket, "ann")
        assert (await led.load()).complete == [offer]

    @pytest.mark.parametrize("attempt", range(10))
    async def test_leaving_and_being_taken_have_one_winner(
        self, queues: Queues, led: LedQueue, attempt: int
    ) -> None:
        ann, bob = await queues.enqueue(ticket("ann")), await queues.enqueue(ticket("bob"))
        offer = offer_to(ann, bob)
        [gone], _ = await asyncio.gather(led.take([offer]), queues.dequeue(ann.ticket, "ann"))
        found = await led.load()
        if gone:
            assert gone == {ann.ticket}
            assert (found.waiting, found.open, found.broken) == ([bob], [], [])
        else:
            assert (found.waiting, found.open, found.broken) == ([], [], [offer])


class TestStanding:
    async def test_the_leader_answers_who_asks(self, queues: Queues, led: LedQueue) -> None:
        ann = await queues.enqueue(ticket("ann"))
        standing = Standing(position=1, waiting=1, window_milli=8_333, reason="because")

        async def lead() -> None:
            while "ask" not in [change.kind for change in await led.changes(1_000)]:
                pass
            await led.answer({ann.ticket: Published(JOINED + 3_000, standing)})

        leading = asyncio.create_task(lead())
        told = await queues.explain(ann.ticket, "ann")
        await leading
        assert (told.state, told.position, told.reason) == ("waiting", 1, "because")
        assert told.waited_ms == 3_000
        assert await queues.explain(ann.ticket, "ann") == told
        assert await led.changes(1) == [], "a fresh answer is not asked for again"

    async def test_while_nobody_leads_it_says_so(self, queues: Queues) -> None:
        ann = await queues.enqueue(ticket("ann"))
        told = await queues.explain(ann.ticket, "ann")
        assert (told.state, told.reason) == (
            "waiting",
            "nobody leads this queue right now; your place is kept",
        )

    async def test_an_answer_for_who_has_left_is_dropped(
        self, redis: Redis, queues: Queues, led: LedQueue
    ) -> None:
        ann = await queues.enqueue(ticket("ann"))
        await queues.dequeue(ann.ticket, "ann")
        await led.answer({ann.ticket: Published(JOINED, Standing(1, 1, 1, "late"))})
        assert await left_over(redis) == set()

    async def test_during_an_offer(self, queues: Queues, led: LedQueue) -> None:
        ann, bob = await queues.enqueue(ticket("ann")), await queues.enqueue(ticket("bob"))
        offer = offer_to(ann, bob)
        await led.take([offer])
        reasons = [(await queues.explain(ann.ticket, "ann")).reason]
        await queues.confirm(offer.offer, "ann")
        reasons.append((await queues.explain(ann.ticket, "ann")).reason)
        await queues.confirm(offer.offer, "bob")
        told = await queues.explain(ann.ticket, "ann")
        assert told.state == "offered"
        assert [*reasons, told.reason] == [
            "a match is found; confirm your seat",
            "you have confirmed; 1 to go",
            "all have confirmed; the match is about to begin",
        ]


class TestLeadership:
    async def test_one_leads_until_its_lease_lapses(self, redis: Redis) -> None:
        one, two = leadership(redis, "one", ttl_ms=50), leadership(redis, "two", ttl_ms=50)
        assert await one.seek()
        assert not await two.seek()
        await asyncio.sleep(0.1)
        assert await two.seek()
        assert (one.mark, two.mark) == (b"1:one", b"2:two")
        await one.resign()
        assert not await one.seek(), "who has lost it cannot resign it for the other"

    async def test_a_leader_that_slept_past_its_lease_changes_nothing(
        self, redis: Redis, queues: Queues
    ) -> None:
        ann, bob = await queues.enqueue(ticket("ann")), await queues.enqueue(ticket("bob"))
        slept, awake = leadership(redis, "slept", ttl_ms=50), leadership(redis, "awake")
        assert await slept.seek()
        old = LedQueue(redis, QUEUE, slept)
        open_offer, offer = offer_to(ann, bob), offer_to(ann, bob)
        await old.take([open_offer])
        await asyncio.sleep(0.1)
        assert await awake.seek()
        record = draw_record(offer, now_ms=JOINED, spectator_delay_ms=0)
        with pytest.raises(NotLeader):
            await old.take([offer])
        with pytest.raises(NotLeader):
            await old.dissolve(open_offer, everybody=False)
        with pytest.raises(NotLeader):
            await old.fix(open_offer, record)
        with pytest.raises(NotLeader):
            await old.finish(open_offer)
        await old.close()
        new = LedQueue(redis, QUEUE, awake)
        assert (await new.load()).open == [open_offer]
        await new.close()

    async def test_work_stops_when_the_lease_is_lost_and_starts_anew(self, redis: Redis) -> None:
        mine = leadership(redis, ttl_ms=60)
        terms: list[str] = []

        async def work() -> None:
            terms.append("begun")
            try:
                await asyncio.Event().wait()
            finally:
                terms.append("ended")

        leading = asyncio.create_task(mine.lead(work))
        await asyncio.sleep(0.2)
        assert terms == ["begun"], "renewed beyond its first ttl"
        await redis.set(mine.key, "9:somebody", px=100)
        await asyncio.sleep(0.06)
        assert terms == ["begun", "ended"]
        await asyncio.sleep(0.2)
        assert terms == ["begun", "ended", "begun"]
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
        assert terms[-1] == "ended"


class TestAgentChannels:
    async def test_writers_at_once_lose_nothing(self, redis: Redis) -> None:
        channels = AgentChannels(redis)
        seatings = [Seating(f"s{n}", "rap-battle", n % 2) for n in range(12)]
        await asyncio.gather(*(channels.seated("ann", seating) for seating in seatings))
        seated = (await agent_view(redis, "ann")).seated
        assert sorted(s.session for s in seated) == sorted(s.session for s in seatings)
        await asyncio.gather(*(channels.left("ann", f"s{n}") for n in range(11)))
        assert (await agent_view(redis, "ann")).seated == [Seating("s11", "rap-battle", 1)]

    async def test_a_repeated_notice_does_not_undo_a_later_one(self, redis: Redis) -> None:
        channels = AgentChannels(redis)
        seating = Seating("s1", "rap-battle", 0)
        await channels.seated("ann", seating)
        await channels.left("ann", "s1")
        await channels.seated("ann", seating)
        assert (await agent_view(redis, "ann")).seated == []
        assert await heard(redis, "ann") == ["seated", "left"]

    def test_a_seat_ends_its_offer_though_whoever_opened_it_knew_neither(self) -> None:
        name = QUEUE.new_name()
        offers = [Offer(name, "t", QUEUE.space, 0, 1), Offer(QUEUE.new_name(), "u", "", 0, 1)]
        view = AgentView("ann", [], offers, ["t", "u"])
        seating = {"session": session_of(name), "space": QUEUE.space, "seat": 0}
        body = {**seating, "offer": "", "ticket": ""}
        after = fold(view, [LogEvent(t=0, by="host", type="seated", body=body)])
        assert (after.offers, after.tickets) == (offers[1:], ["u"])

    def test_unknown_events_leave_the_view_alone(self) -> None:
        view = AgentView("ann", [], [], ["t"])
        assert fold(view, [LogEvent(t=0, by="host", type="later-invention")]) == view
