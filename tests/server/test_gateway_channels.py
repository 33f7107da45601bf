"""Snapshot, tail and resume: no hole, no double, whatever happens at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from redis.asyncio import Redis

from server.channel import Item
from server.live.records import LogEvent
from server.protocol import (
    JSON_SUBPROTOCOL,
    MSGPACK_SUBPROTOCOL,
    AgentView,
    Error,
    LobbyView,
    Position,
    SessionView,
    Snapshot,
    Unsubscribe,
    Update,
)
from tests.server.gateway_arena import Arena, arena_of


@pytest.fixture
async def arena(redis: Redis) -> AsyncIterator[Arena]:
    async with arena_of(redis) as arena:
        yield arena


@pytest.mark.parametrize("subprotocol", [JSON_SUBPROTOCOL, MSGPACK_SUBPROTOCOL, None])
async def test_a_spectator_gets_a_snapshot_and_then_what_happens(
    arena: Arena, subprotocol: str | None
) -> None:
    table = await arena.table()
    async with arena.client(subprotocol=subprotocol) as client:
        snapshot = await client.snapshot(table.channel)
        assert snapshot.offset == 0
        assert isinstance(snapshot.view, SessionView)
        assert not snapshot.resync
        await table.append(LogEvent(t=1, by="host", type="deadline", body={"seat": 0}))
        update = await client.expect(Update)
        assert [(e.offset, e.type) for e in update.events] == [(1, "deadline")]
        assert update.epoch == snapshot.epoch
        assert isinstance(update.view, SessionView)
        assert update.view.headline == "deadline"


async def test_late_joiners_miss_nothing_while_the_log_grows(arena: Arena) -> None:
    table = await arena.table()
    total = 120

    async def watch() -> None:
        async with arena.client() as client:
            snapshot = await client.snapshot(table.channel)
            if snapshot.offset < total:
                offsets = await client.offsets_until(table.channel, total)
                assert offsets == list(range(snapshot.offset + 1, total + 1))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(table.ticks(total))
        for _ in range(12):
            tasks.create_task(watch())
            await asyncio.sleep(0.01)


async def test_resuming_replays_exactly_the_missed_events(arena: Arena) -> None:
    table = await arena.table()
    async with arena.client() as client:
        snapshot = await client.snapshot(table.channel)
        await table.ticks(3)
        assert await client.offsets_until(table.channel, 3) == [1, 2, 3]
    await table.ticks(4)
    async with arena.client() as client:
        await client.subscribe(table.channel, Position(snapshot.epoch, 3))
        assert await client.offsets_until(table.channel, 7) == [4, 5, 6, 7]
        await table.ticks(1)
        assert await client.offsets_until(table.channel, 8) == [8]
        assert not any(isinstance(message, Snapshot) for message in client.seen)


async def test_a_gap_that_is_not_held_any_more_is_a_resync(redis: Redis) -> None:
    async with arena_of(redis, history_events=16) as arena:
        table = await arena.table()
        await table.ticks(40)
        async with arena.client() as client:
            epoch = (await client.snapshot(table.channel)).epoch
            snapshot = await client.snapshot(table.channel, Position(epoch, 20))
            assert snapshot.resync
            assert snapshot.offset == 40
            await client.subscribe(table.channel, Position(epoch, 30))
            assert await client.offsets_until(table.channel, 40) == list(range(31, 41))


@pytest.mark.parametrize("position", [Position("another-life", 0), Position("none", -1)])
async def test_another_epoch_is_a_resync(arena: Arena, position: Position) -> None:
    table = await arena.table()
    async with arena.client() as client:
        assert (await client.snapshot(table.channel, position)).resync


async def test_a_position_from_the_future_is_a_resync(arena: Arena) -> None:
    table = await arena.table()
    async with arena.client() as client:
        epoch = (await client.snapshot(table.channel)).epoch
        assert (await client.snapshot(table.channel, Position(epoch, 99))).resync


async def test_events_of_one_tick_travel_together(arena: Arena) -> None:
    table = await arena.table()
    async with arena.client() as client:
        await client.snapshot(table.channel)
        await asyncio.gather(
            *(table.append(LogEvent(t=i, by="host", type="deadline")) for i in range(30))
        )
        offsets = await client.offsets_until(table.channel, 30)
        updates = [message for message in client.seen if isinstance(message, Update)]
        assert offsets == list(range(1, 31))
        assert len(updates) < 30


async def test_unsubscribing_ends_it(arena: Arena) -> None:
    table = await arena.table()
    async with arena.client() as client:
        await client.snapshot(table.channel)
        await client.send(Unsubscribe(table.channel))
        await client.snapshot("lobby")
        await table.ticks(1)
        await asyncio.sleep(0.1)
        await client.snapshot("lobby")
        assert not any(isinstance(message, Update) for message in client.seen)


async def test_subscribing_twice_starts_over_without_doubling(arena: Arena) -> None:
    table = await arena.table()
    async with arena.client() as client:
        await client.snapshot(table.channel)
        await client.snapshot(table.channel)
        await table.ticks(2)
        assert await client.offsets_until(table.channel, 2) == [1, 2]


async def test_an_unknown_session_is_an_error(arena: Arena) -> None:
    async with arena.client() as client:
        await client.subscribe("session:nowhere")
        error = await client.expect(Error)
        assert (error.code, error.ref) == ("unknown-channel", "session:nowhere")
        await client.subscribe("leaderboard:no-such-space")
        assert (await client.expect(Error)).code == "unknown-channel"


async def test_an_agents_channel_is_its_own(arena: Arena) -> None:
    arena.agent("alice"), arena.agent("bob")
    async with arena.client("alice") as alice, arena.client() as spectator:
        own = await alice.expect(Snapshot)
        assert own.channel == "agent:alice"
        assert own.view == AgentView("alice", [], [], [])
        for client in (alice, spectator):
            await client.subscribe("agent:bob")
            assert (await client.expect(Error)).code == "forbidden"


async def test_a_channel_that_does_not_exist_yet_starts_at_its_first_event(arena: Arena) -> None:
    arena.agent("alice")
    async with arena.client("alice") as alice:
        before = await alice.expect(Snapshot)
        assert before.offset == -1
        view = AgentView("alice", [], [], ["t1"])
        await arena.log.publish(
            "agent:alice", "b1", [LogEvent(t=0, by="host", type="queued")], view, 60
        )
        born = await alice.expect(Snapshot)
        assert (born.offset, born.resync, born.view) == (-1, False, before.view)
        update = await alice.expect(Update)
        assert update.epoch == born.epoch
        assert [(e.offset, e.type) for e in update.events] == [(0, "queued")]
        assert update.view == view


async def test_an_idle_bot_resumes_from_before_the_first_event(arena: Arena) -> None:
    arena.agent("alice")
    async with arena.client("alice") as alice:
        before = await alice.expect(Snapshot)
        await alice.subscribe("agent:alice", Position(before.epoch, before.offset))
        await alice.snapshot("lobby")  # answered in order, so nothing came in between
        assert [type(message) for message in alice.seen[-1:]] == [Snapshot]


async def test_a_log_that_starts_anew_resyncs_its_followers(arena: Arena, redis: Redis) -> None:
    view = LobbyView([], [], [], live_count=1)
    event = LogEvent(t=0, by="host", type="changed")
    await arena.log.publish("lobby", "b1", [event], view, 60)
    async with arena.client() as client:
        first = await client.snapshot("lobby")
        await redis.flushdb()
        renewed = msgspec.structs.replace(view, live_count=2)
        await arena.log.publish("lobby", "b2", [event], renewed, 60)
        second = await client.expect(Snapshot)
        assert second.resync
        assert second.epoch != first.epoch
        assert second.view == renewed


async def test_a_channel_that_is_gone_is_not_silent(arena: Arena, redis: Redis) -> None:
    """Redis has lost its data: a session's followers are told, the lobby's see it empty."""
    table = await arena.table()
    [gateway] = arena.gateways
    event = LogEvent(t=0, by="host", type="changed")
    await arena.log.publish("lobby", "b1", [event], LobbyView([], [], [], live_count=1), 60)
    async with arena.client() as client:
        await client.snapshot(table.channel)
        before = await client.snapshot("lobby")
        await redis.flushdb()
        gateway._channels.lost()
        error = await client.expect(Error)
        assert (error.code, error.ref) == ("unknown-channel", table.channel)
        resyncs = [m for m in client.seen if isinstance(m, Snapshot) and m.resync]
        after = resyncs[0] if resyncs else await client.expect(Snapshot)
        assert after.resync
        assert after.epoch != before.epoch
        assert after.view == LobbyView([], [], [])
        assert gateway.watchers(table.channel) == 0
        await client.subscribe(table.channel)
        assert (await client.expect(Error)).code == "unknown-channel"
        gateway._channels.lost()
        await arena.log.publish("lobby", "b2", [event], LobbyView([], [], [], live_count=3), 60)
        born = await client.expect(Update)  # and nothing is told twice before it
        assert born.view == LobbyView([], [], [], live_count=3)


async def test_the_feed_losing_its_place_leaves_no_hole(arena: Arena) -> None:
    table = await arena.table()
    [gateway] = arena.gateways
    async with arena.client() as client:
        snapshot = await client.snapshot(table.channel)
        # What Lost does: everything followed is read again while events keep coming.
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(table.ticks(60))
            for _ in range(10):
                await asyncio.sleep(0.005)
                gateway._channels.lost()
        offsets = await client.offsets_until(table.channel, 60)
        assert offsets == list(range(snapshot.offset + 1, 61))


async def test_a_batch_missed_by_the_feed_is_read_from_the_log(arena: Arena) -> None:
    table = await arena.table()
    [gateway] = arena.gateways
    async with arena.client() as client:
        await client.snapshot(table.channel)
        followed = gateway._channels.get(table.channel)
        assert followed is not None
        missed: list[Item] = []
        followed.take = missed.append  # type: ignore[method-assign,assignment]
        await table.ticks(3)
        await asyncio.sleep(0.1)
        assert missed
        del followed.take
        await table.ticks(1)
        assert await client.offsets_until(table.channel, 4) == [1, 2, 3, 4]
