"""Sessions that Redis has lost are voided in the store, and everybody is told."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from server.clock import unix_ms
from server.host.sealed import Sealed
from server.identity import new_id
from server.live import keys
from server.live.agents import AgentChannels
from server.live.log import LiveLog
from server.live.records import SeatRecord, SessionRecord
from server.lost import GRACE_MS, REASON, STALE_MS, LostSessions
from server.match import initial_views, open_event
from server.protocol import AgentView, Seating, SessionView
from server.store import Store
from spaces import transcript


class Rig:
    """A store with sessions that are open in Redis, and what voids those that are lost."""

    def __init__(self, store: Store, redis: Redis) -> None:
        self.store, self.redis = store, redis
        self.log = LiveLog(redis)
        self.agents = AgentChannels(redis, self.log)
        self.lost = LostSessions(
            sessions=store.sessions,
            log=self.log,
            agents=self.agents,
            seal_session=self.seal,
            clock=unix_ms,
        )

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

    async def open(self, *, age_ms: int = GRACE_MS + 1_000) -> SessionRecord:
        seats = []
        for seat in range(2):
            agent, _ = await self.store.agents.register(f"Bot {new_id()[-8:]}")
            seats.append(
                SeatRecord(seat, agent.agent, agent.name, agent.version, agent.owner, bytes(32))
            )
        opened_ms = unix_ms() - age_ms
        record = SessionRecord(
            new_id(), "bid-tac-toe", "bid-tac-toe/1", {}, 0, opened_ms, bytes(32), tuple(seats)
        )
        await self.store.sessions.form(record)
        await self.log.open_session(record, open_event(record), initial_views(record))
        for each in seats:
            seating = Seating(session=record.session, space=record.space, seat=each.seat)
            await self.agents.seated(each.agent, seating)
        await self.store.sessions.opened(record.session)
        return record

    async def status(self, record: SessionRecord) -> str:
        row = await self.store.sessions.get(record.session)
        assert row is not None
        return row.status

    async def forget(self, record: SessionRecord) -> None:
        """As a Redis restored from a copy that is older than the session would."""
        channel = keys.session_channel(record.session)
        names = (keys.log(channel), keys.meta(channel), keys.views(channel))
        await self.redis.delete(*names, keys.record(record.session))


@pytest.fixture
def rig(store: Store, redis: Redis) -> Rig:
    return Rig(store, redis)


async def test_a_lost_session_is_void_and_everybody_is_told(rig: Rig) -> None:
    lost, kept = await rig.open(), await rig.open()
    channel = keys.session_channel(lost.session)
    before = await rig.log.head(channel)
    await rig.forget(lost)
    await rig.lost.void()
    await rig.lost.void()

    row = await rig.store.sessions.get(lost.session)
    assert row is not None
    assert (row.status, row.outcome) == ("void", {"reason": REASON})
    assert await rig.status(kept) == "live"
    document = await rig.store.sessions.transcript(lost.session)
    assert document is not None
    replayed = transcript.replay(transcript.read(document))
    assert replayed.outcome.termination == "void", "anyone can check it"
    steps = await rig.store.outbox.steps(lost.session)
    assert [(step.step, step.state) for step in steps] == [
        ("open", "done"),
        ("settle", "waiting"),
        ("pin", "waiting"),
    ]

    head = await rig.log.head(channel)
    assert before is not None
    assert head is not None
    assert head.views is not None
    assert isinstance(head.views.public, SessionView)
    assert head.epoch != before.epoch, "or gateways would take it for what they knew"
    assert (head.views.public.status, head.views.public.digest) == ("void", row.digest)
    assert [e.type for e in await rig.log.read(channel, 0, 9)] == ["open", "void", "digest"]
    for seat in lost.seats:
        agent = await rig.log.head(keys.agent_channel(seat.agent))
        assert agent is not None
        assert agent.views is not None
        assert agent.views.public == AgentView(seat.agent, [], [], [])


async def test_what_was_formed_long_ago_and_never_opened_is_void(rig: Rig) -> None:
    """As after an outage of all matchmakers, or in a restored backup: who confirmed it has gone."""
    seats = []
    for seat in range(2):
        agent, _ = await rig.store.agents.register(f"Bot {new_id()[-8:]}")
        seats.append(
            SeatRecord(seat, agent.agent, agent.name, agent.version, agent.owner, bytes(32))
        )
    records = []
    for age_ms in (STALE_MS + 1_000, STALE_MS - 60_000):
        record = SessionRecord(
            new_id(),
            "bid-tac-toe",
            "bid-tac-toe/1",
            {},
            0,
            unix_ms() - age_ms,
            bytes(32),
            tuple(seats),
        )
        await rig.store.sessions.form(record)
        records.append(record)
    stale, fresh = records
    now_ms = unix_ms()
    assert await rig.store.sessions.unopened(now_ms, since_ms=now_ms - STALE_MS) == [fresh]
    await rig.lost.void()
    assert await rig.status(stale) == "void"
    assert await rig.status(fresh) == "formed", "a matchmaker opens it"


async def test_when_redis_was_emptied_all_sessions_are_void(rig: Rig) -> None:
    records = [await rig.open() for _ in range(3)]
    young = await rig.open(age_ms=0)
    await rig.redis.flushdb()
    await rig.lost.void()
    assert [await rig.status(record) for record in records] == ["void"] * 3
    assert await rig.status(young) == "live", "it may just be opening"


async def test_every_live_session_is_looked_at(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when more are live than are looked at in one call."""
    monkeypatch.setattr("server.lost.AT_ONCE", 2)
    records = [await rig.open() for _ in range(5)]
    await rig.forget(records[4])
    await rig.lost.void()
    await rig.lost.void()
    assert await rig.status(records[4]) == "live"
    await rig.lost.void()
    assert await rig.status(records[4]) == "void"
    await rig.forget(records[0])
    await rig.lost.void()
    assert await rig.status(records[0]) == "void", "and round again"
