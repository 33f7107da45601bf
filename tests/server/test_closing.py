"""Queues that nobody leads any more are emptied, by those alone who know that nobody will: real Redis, real store."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from server.clock import unix_ms
from server.closing import PATIENCE_MS, Closing
from server.entering import Entrance
from server.identity import Identity
from server.live import keys
from server.live.leader import Leadership
from server.live.led_queue import LedQueue
from server.live.log import LiveLog
from server.live.queue import Queues, UnknownOffer
from server.live.queue_names import Queue
from server.live.records import OfferRecord
from server.protocol import AgentView
from server.store import Store
from tests.server.money_world import SPACE, TIER, available, funded

QUEUE = Queue(SPACE, TIER)


class Arena:
    """Before the operator changes it: two tiers, one Space."""

    def __init__(self, store: Store, redis: Redis) -> None:
        self.store, self.redis = store, redis
        self.now_ms = unix_ms()
        self.queues = Queues(redis, tiers_open=(0, TIER))
        self.entrance = Entrance(
            entries=store.entries,
            queues=self.queues,
            rating_of=store.ratings.current,
            tiers_open=(0, TIER),
            clock=unix_ms,
        )

    def closing(self, *, tiers: Sequence[int] = (0,), spaces: Sequence[str] = (SPACE,)) -> Closing:
        """Of a matchmaker that is configured so."""
        return Closing(
            entries=self.store.entries,
            queues=self.queues,
            entrance=self.entrance,
            spaces=spaces,
            tiers_open=tiers,
            clock=lambda: self.now_ms,
        )

    def leadership(self) -> Leadership:
        return Leadership(
            self.redis,
            key=keys.queue_leader(QUEUE.key),
            fence=keys.queue_fence(QUEUE.key),
            name="one",
            ttl_ms=60_000,
        )

    async def told(self, agent: Identity) -> tuple[list[str], str]:
        """The tickets that its channel shows, and the reason that the last event of it gave."""
        channel, log = keys.agent_channel(agent.agent), LiveLog(self.redis)
        head = await log.head(channel)
        assert head is not None
        assert head.views is not None
        assert isinstance(head.views.public, AgentView)
        last = (await log.read(channel, 0, head.offset + 1))[-1]
        return head.views.public.tickets, last.body.get("reason", "")


@pytest.fixture
def arena(store: Store, redis: Redis) -> Arena:
    return Arena(store, redis)


@pytest.fixture
async def ann(store: Store) -> Identity:
    return await funded(store, "Ann")


@pytest.fixture
async def ben(store: Store) -> Identity:
    return await funded(store, "Ben")


@pytest.mark.parametrize(
    ("tiers", "spaces", "why"),
    [
        ((0,), (SPACE,), "no queue takes entries of 0.10 USDC here any more"),
        ((0, TIER), ("logic",), f"{SPACE} is not offered here any more"),
    ],
)
async def test_a_closed_queue_is_emptied_and_its_agents_are_told_why(
    arena: Arena, store: Store, ann: Identity, tiers: Sequence[int], spaces: Sequence[str], why: str
) -> None:
    await arena.entrance.enter(ann, SPACE, TIER)
    closing = arena.closing(tiers=tiers, spaces=spaces)
    await closing.sweep()
    arena.now_ms += PATIENCE_MS - 1
    await closing.sweep()
    assert await available(store, ann) == 9 * TIER, "a matchmaker may just be restarting"
    arena.now_ms += 1
    await closing.sweep()
    assert await available(store, ann) == 10 * TIER
    assert await store.entries.of_agent(ann.agent) == []
    tickets, reason = await arena.told(ann)
    assert tickets == []
    assert reason.startswith(why)
    assert await store.ledger.audit() == []


async def test_open_queues_and_queues_of_others_are_left_alone(
    arena: Arena, store: Store, ann: Identity
) -> None:
    await arena.entrance.enter(ann, SPACE, 0)
    await arena.entrance.enter(ann, SPACE, TIER)
    closing, leader = arena.closing(), arena.leadership()
    assert await leader.seek(), "a matchmaker of another configuration"
    for _ in range(3):
        await closing.sweep()
        arena.now_ms += PATIENCE_MS
    assert len(await store.entries.of_agent(ann.agent)) == 2
    await leader.resign()
    await closing.sweep()
    assert len(await store.entries.of_agent(ann.agent)) == 2, "it is counted from now on"
    arena.now_ms += PATIENCE_MS
    await closing.sweep()
    [row] = await store.entries.of_agent(ann.agent)
    assert row.tier_micros == 0


async def test_a_match_that_all_have_confirmed_and_nobody_will_form_is_given_up(
    arena: Arena, store: Store, redis: Redis, ann: Identity, ben: Identity
) -> None:
    tickets = tuple([await arena.entrance.enter(each, SPACE, TIER) for each in (ann, ben)])
    leader = arena.leadership()
    assert await leader.seek()
    led = LedQueue(redis, QUEUE, leader)
    await led.load()
    offer = OfferRecord(QUEUE.new_name(), SPACE, TIER, tickets, (), arena.now_ms + 10_000)
    assert await led.take([offer]) == [frozenset()]
    for each in (ann, ben):
        await arena.queues.confirm(offer.offer, each.agent)
    closing = arena.closing()
    await closing.sweep()
    arena.now_ms += PATIENCE_MS
    await closing.sweep()
    assert await available(store, ann) == 9 * TIER, "its leader is about to form it"
    await leader.resign()
    await closing.sweep()
    arena.now_ms += PATIENCE_MS
    await closing.sweep()
    for each in (ann, ben):
        assert await available(store, each) == 10 * TIER
        assert (await arena.told(each))[0] == []
    assert await leader.seek()
    found = await led.load()
    assert (found.waiting, found.open, found.complete, found.broken) == ([], [], [], [])
    await led.close()


async def test_who_was_to_play_with_one_that_was_taken_out_waits_for_a_leader_that_is_back(
    arena: Arena, redis: Redis, ann: Identity, ben: Identity
) -> None:
    tickets = tuple([await arena.entrance.enter(each, SPACE, TIER) for each in (ann, ben)])
    leader = arena.leadership()
    assert await leader.seek()
    led = LedQueue(redis, QUEUE, leader)
    offer = OfferRecord(QUEUE.new_name(), SPACE, TIER, tickets, (), arena.now_ms + 10_000)
    assert await led.take([offer]) == [frozenset()]
    for each in (ann, ben):
        await arena.queues.confirm(offer.offer, each.agent)
    await leader.resign()
    assert await arena.queues.abandon(tickets[0].ticket, ann.agent, "closed")
    assert await leader.seek(), "in the middle of a sweep"
    found = await led.load()
    assert [each.ticket for each in found.waiting] == [tickets[1].ticket]
    assert await led.take([offer]) == [frozenset({tickets[0].ticket})]
    with pytest.raises(UnknownOffer):
        await arena.queues.confirm(offer.offer, ben.agent)
    await arena.entrance.leave(tickets[1].ticket, ben.agent)
    assert await redis.exists(keys.queue_seats(QUEUE.key)) == 0, "no seat of it is left"
    await led.close()
