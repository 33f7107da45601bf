"""A paid session begins when the escrow has opened it, and not before; what the escrow refuses is void, and everybody is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis

from server.admin import voiding
from server.automation import Limits
from server.clock import unix_ms
from server.config import Config
from server.gate import STALE_MS, TOO_LATE, Gate
from server.host.sealed import Sealed
from server.hostless import Hostless
from server.identity import Identity
from server.live import keys
from server.live.agents import AgentChannels
from server.live.inbox import Inbox
from server.live.lease import Leases
from server.live.log import LiveLog
from server.live.queue import Queues
from server.live.records import SessionRecord
from server.lost import LostSessions
from server.matchmaker import Matchmaker
from server.protocol import AgentView
from server.settlement import refusal
from server.store import Store, open_store
from tests.server.escrow_books import Books
from tests.server.money_world import SPACE, TIER, available, ticket_of


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    opened = await open_store(store_url, escrowed=True)
    yield opened
    await opened.close()


class Rig:
    """A matchmaker before a gate, and books in which the escrow says what the test wants."""

    def __init__(self, store: Store, redis: Redis) -> None:
        self.store, self.redis = store, redis
        self.books = Books(store)
        self.log = LiveLog(redis)
        self.agents = AgentChannels(redis, self.log)
        self.queues = Queues(redis, tiers_open=(TIER,))
        self.now_ms = unix_ms
        self.ended: list[str] = []
        self.lost = LostSessions(
            sessions=store.sessions,
            log=self.log,
            agents=self.agents,
            seal_session=self.seal,
            clock=unix_ms,
        )
        self.gate = Gate(
            rows=store.openings,
            log=self.log,
            lost=self.lost,
            hostless=Hostless(
                name="gate",
                log=self.log,
                leases=Leases(redis),
                lost=self.lost,
                record_of=store.sessions.record,
                seal_session=self.seal,
                clock=unix_ms,
            ).void,
            inbox=Inbox(redis),
            turn_ended=self.turn_ended,
            clock=lambda: self.now_ms(),
        )
        self.matchmaker = Matchmaker(
            name="one",
            redis=redis,
            log=self.log,
            form_session=store.sessions.form,
            config=Config(data_dir="", tiers_open=(TIER,)),
            opened=store.sessions.opened,
            gate=self.gate,
        )
        self.task = asyncio.create_task(self.matchmaker.run())

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def seal(self, sealed: Sealed) -> None:
        await self.store.sessions.seal(
            session=sealed.session,
            status=sealed.status,
            outcome=sealed.outcome,
            document=sealed.document,
            digest=sealed.digest,
            steps=sealed.steps,
            now_ms=unix_ms(),
        )

    async def turn_ended(self, session: str, reason: str) -> bool:
        return await voiding.turn_ended(self.store.database, session, reason, unix_ms())

    async def view(self, agent: Identity) -> AgentView:
        head = await self.log.head(keys.agent_channel(agent.agent))
        if head is None or head.views is None:
            return AgentView(agent.agent, [], [], [])
        assert isinstance(head.views.public, AgentView)
        return head.views.public

    async def events(self, agent: Identity) -> list[tuple[str, str]]:
        found = await self.log.read(keys.agent_channel(agent.agent), 0, 1_000)
        return [(event.type, event.body.get("reason", "")) for event in found]

    async def made(self, *agents: Identity) -> SessionRecord:
        """A match of these agents, which waits for the escrow."""
        for agent in agents:
            ticket = ticket_of(agent)
            await self.store.entries.hold(ticket)
            await self.queues.enqueue(ticket)
        await self.until(lambda: self._all(agents, "offers"), "a match is offered")
        offer = (await self.view(agents[0])).offers[0].offer
        for agent in agents:
            await self.queues.confirm(offer, agent.agent)
        await self.until(lambda: self._all(agents, "opening"), "they hear that they wait")
        session = (await self.view(agents[0])).opening[0].session
        record = await self.store.sessions.record(session)
        assert record is not None
        return record

    async def _all(self, agents: tuple[Identity, ...], what: str) -> bool:
        return all([getattr(await self.view(agent), what) for agent in agents])

    async def status(self, record: SessionRecord) -> str:
        row = await self.store.sessions.get(record.session)
        assert row is not None
        return row.status

    async def until(self, condition: Callable[[], Awaitable[object]], what: str) -> None:
        deadline = time.monotonic() + 10
        while not await condition():
            assert time.monotonic() < deadline, f"{what}: not within 10 s"
            await asyncio.sleep(0.02)

    async def is_void(self, record: SessionRecord) -> bool:
        return await self.status(record) == "void"


@pytest.fixture
async def rig(store: Store, redis: Redis) -> AsyncIterator[Rig]:
    rig = Rig(store, redis)
    yield rig
    await rig.close()


async def test_a_match_begins_when_the_escrow_has_opened_it(rig: Rig) -> None:
    ann, ben = await rig.books.owner("Ann"), await rig.books.owner("Ben")
    record = await rig.made(ann, ben)
    view = await rig.view(ann)
    assert (view.tickets, view.offers, view.seated) == ([], [], [])
    [opening] = view.opening
    assert (opening.space, opening.tier_micros, opening.since_ms) == (
        SPACE,
        TIER,
        record.opened_ms,
    )
    await asyncio.sleep(0.5)
    assert await rig.status(record) == "formed"
    assert await rig.log.missing([record.session])
    await rig.books.open(record)
    said = time.monotonic()
    await rig.until(lambda: rig._all((ann, ben), "seated"), "they are seated")
    assert time.monotonic() - said < 2, "a look every fifth of a second, on a busy machine"
    assert not await rig.log.missing([record.session])
    assert (await rig.view(ann)).opening == []
    assert [kind for kind, _ in await rig.events(ben)] == [
        "queued",
        "offer",
        "opening",
        "seated",
    ]
    await rig.until(lambda: _is(rig.status(record), "live"), "the store knows")


async def test_a_refused_match_is_void_and_says_whose_wallet(rig: Rig, store: Store) -> None:
    ann, ben = await rig.books.owner("Ann"), await rig.books.owner("Ben")
    for agent in (ann, ben):
        limits = Limits(
            tier_micros=TIER,
            spaces=(SPACE,),
            max_sessions=10,
            max_parallel=3,
            stop_loss_micros=5 * TIER,
            take_profit_micros=None,
        )
        await store.automations.put(agent.agent, limits)
        await store.automations.turn_on(agent.agent)
    record = await rig.made(ann, ben)
    wallet = await rig.books.wallet(ben)
    await rig.books.refuse(record.session, refusal.kept(wallet, refusal.BALANCE))
    await rig.until(lambda: rig.is_void(record), "it is void")
    await rig.until(lambda: _is(_none(rig, ann, ben), True), "they wait no more")
    kind, reason = (await rig.events(ann))[-1]
    assert kind == "left"
    assert reason.startswith(f"the wallet behind Ben ({wallet[:6]}…{wallet[-4:]}) did not pay: too")
    assert "agon wallet deposit" in reason
    stopped, on = [await store.automations.get(each.agent) for each in (ben, ann)]
    assert stopped is not None
    assert on is not None
    assert (stopped.state, stopped.reason) == ("stopped", reason)
    assert on.state == "on"
    await store.results.void(record.session, reason)  # as the step `settle` does
    assert await available(store, ann) == await available(store, ben) == 10 * TIER
    assert await store.ledger.audit() == []


async def test_one_that_is_played_and_refused_after_all_is_void_too(rig: Rig) -> None:
    """A deep reorganisation."""
    ann, ben = await rig.books.owner("Ann"), await rig.books.owner("Ben")
    record = await rig.made(ann, ben)
    await rig.books.open(record)
    await rig.until(lambda: _is(rig.status(record), "live"), "it is played")
    wallet = await rig.books.wallet(ben)
    await rig.books.refuse(record.session, refusal.kept(wallet, refusal.ENTRY))
    await rig.until(lambda: rig.is_void(record), "it is void")


async def test_one_that_has_ended_and_is_refused_after_all_is_void_unless_it_is_settled(
    rig: Rig, store: Store
) -> None:
    ann, ben = await rig.books.owner("Ann"), await rig.books.owner("Ben")
    one, two = await rig.books.match(ann, ben), await rig.books.match(ann, ben)
    for record in (one, two):
        await store.sessions.seal(
            session=record.session,
            status="ended",
            outcome={"termination": "complete", "returns": [1, 0]},
            document=b"{}",
            digest=record.session,
            steps=("settle", "rate"),
            now_ms=unix_ms(),
        )
    await store.results.settle(two.session, (1, 2), (10_000, 0))
    for record in (one, two):
        await rig.books.refuse(record.session, "no")
    await rig.gate.sweep()
    assert (await rig.status(one), await rig.status(two)) == ("void", "ended")


async def test_what_the_arena_could_not_begin_in_time_is_void(rig: Rig) -> None:
    ann, ben = await rig.books.owner("Ann"), await rig.books.owner("Ben")
    record = await rig.made(ann, ben)
    rig.now_ms = lambda: unix_ms() + STALE_MS + 1_000
    await rig.books.open(record)
    await rig.until(lambda: rig.is_void(record), "it is void")
    row = await rig.store.sessions.get(record.session)
    assert row is not None
    assert row.outcome == {"reason": TOO_LATE}


async def _is(found: Awaitable[object], wanted: object) -> bool:
    return await found == wanted


async def _none(rig: Rig, *agents: Identity) -> bool:
    return not any([(await rig.view(agent)).opening for agent in agents])
