"""A host on a real Redis: it plays what it leases, hands over, and forgives its own outages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from server.host import Host, Sealed
from server.host.host import STRANGE_MS
from server.live import keys
from server.live.lease import Leases
from server.live.records import FeedItem, Inbound, LogEvent, Reply
from spaces import transcript
from spaces.bid_tac_toe import BidTacToe
from tests.server.live_play import FAST, Players, Shelf, form, host_on, until


@asynccontextmanager
async def running(host: Host) -> AsyncIterator[Host]:
    task = asyncio.create_task(host.run())
    try:
        yield host
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def players(redis: Redis) -> Players:
    return Players(redis)


def offsets_are_whole(events: list[LogEvent]) -> bool:
    return events[0].type == "open" and events[-1].type == "digest"


async def test_a_session_is_played_and_sealed(redis: Redis, players: Players) -> None:
    shelf = Shelf()
    async with running(host_on(redis, shelf.keep)) as host, asyncio.timeout(20):
        await form(players.log, "S1")
        await form(players.log, "S2", "rap-battle")
        await players.play(["S1", "S2"])
        assert host.stats.sealed == 2
    for session in ("S1", "S2"):
        sealed = shelf.sealed[session]
        events = await players.events(session)
        assert offsets_are_whole(events)
        assert events[-1].body == {"digest": sealed.digest}
        replayed = transcript.replay(transcript.read(sealed.document))
        assert replayed.digest == sealed.digest
        in_log = [event.act for event in events if event.type == "action"]
        assert len(set(in_log)) == len(in_log), "no action counts twice"
        assert set(in_log) <= players.sent
        assert await redis.zcard(keys.leases(keys.shard(keys.session_channel(session)))) == 0
    assert shelf.sealed["S1"].steps == ("settle", "pin", "rate")
    assert shelf.sealed["S2"].steps == ("pin", "judge", "settle", "rate")


async def test_many_sessions_share_one_tick(redis: Redis, players: Players) -> None:
    shelf = Shelf()
    sessions = [f"M{n}" for n in range(40)]
    async with running(host_on(redis, shelf.keep)), asyncio.timeout(30):
        for session in sessions:
            await form(players.log, session)
        await players.play(sessions)
    assert set(shelf.sealed) == set(sessions)


async def test_a_refusal_goes_to_the_gateway_that_asked(redis: Redis, players: Players) -> None:
    async with running(host_on(redis, Shelf().keep)), asyncio.timeout(10):
        await form(players.log, "S1")
        await until(lambda: players.inbox.submit(Inbound("S1", 0, "a", 77, "bid: 1", "gw")))
        feed = keys.feed(keys.shard("session:S1"))

        async def replied() -> bool:
            rows = await redis.xrange(feed)
            return any(b"stale-turn" in fields[b"i"] for _, fields in rows)

        await until(replied)


async def test_an_action_does_not_wait_for_the_grid(redis: Redis, players: Players) -> None:
    slow = msgspec.structs.replace(FAST, tick_ms=1_000)
    async with running(host_on(redis, Shelf().keep, config=slow)), asyncio.timeout(10):
        await form(players.log, "S1")

        async def begun() -> bool:
            return (await players.view("S1")).turn == 1

        await until(begun)
        began = asyncio.get_running_loop().time()
        await players.inbox.submit(Inbound("S1", 0, "a", 1, "bid: 1", "gw"))

        async def accepted() -> bool:
            return (await players.events("S1"))[-1].act == "a"

        await until(accepted)
        assert asyncio.get_running_loop().time() - began < 0.5


async def test_drain_hands_over_at_once(redis: Redis, players: Players) -> None:
    shelf = Shelf()
    first = host_on(redis, shelf.keep, "host-1", ttl_ms=60_000)
    task = asyncio.create_task(first.run())
    sessions = [f"D{n}" for n in range(5)]
    for session in sessions:
        await form(players.log, session)
    playing = asyncio.create_task(players.play(sessions, pace_s=0.05))
    async with asyncio.timeout(20):
        await until(lambda: held(first, 5))
        async with running(host_on(redis, shelf.keep, "host-2")):
            await first.drain()
            await task
            await playing
    assert set(shelf.sealed) == set(sessions)
    tokens = {event.type for event in await players.events("D0")}
    assert "digest" in tokens


async def held(host: Host, count: int) -> bool:
    return host.stats.sessions == count


async def test_a_dead_hosts_session_goes_on_elsewhere(redis: Redis, players: Players) -> None:
    shelf = Shelf()
    await form(players.log, "S1")
    async with asyncio.timeout(20):
        async with running(host_on(redis, shelf.keep, "host-1")) as first:
            await until(lambda: held(first, 1))
            await players.step("S1")
            await asyncio.sleep(0.1)
        before = await players.events("S1")
        async with running(host_on(redis, shelf.keep, "host-2")):
            await players.play(["S1"])
    events = await players.events("S1")
    assert events[: len(before)] == before
    assert transcript.replay(transcript.read(shelf.sealed["S1"].document))


async def test_a_host_that_lost_its_lease_stops(redis: Redis, players: Players) -> None:
    await form(players.log, "S1")
    async with running(host_on(redis, Shelf().keep, ttl_ms=60_000)) as host, asyncio.timeout(10):
        await until(lambda: held(host, 1))
        number = keys.shard("session:S1")
        await steal(redis, "S1")
        before = await players.events("S1")
        inbox = keys.inbox(number, "host-1")
        late = Inbound("S1", 0, "late", 1, "bid: 1", "gw")
        await redis.xadd(inbox, {"m": msgspec.msgpack.encode(late)})
        await until(lambda: held(host, 0))
        assert await players.events("S1") == before


async def steal(redis: Redis, session: str) -> None:
    """Another host has it, with a higher token and a long lease."""
    number = keys.shard(keys.session_channel(session))
    await redis.hset(keys.lease_owners(number), session, "99:other")  # type: ignore[misc]
    await redis.zadd(keys.leases(number), {session: 10**15})


async def test_a_host_that_lost_its_lease_refuses_nothing(redis: Redis, players: Players) -> None:
    async with running(host_on(redis, Shelf().keep, ttl_ms=60_000)) as host, asyncio.timeout(10):
        for session in ("FENCED", "QUIET", "OURS"):
            await form(players.log, session)
        await until(lambda: held(host, 3))
        await steal(redis, "FENCED")
        await steal(redis, "QUIET")
        async with redis.pipeline(transaction=True) as pipeline:
            for inbound in (
                Inbound("FENCED", 0, "first", 1, "bid: 5", "gw"),  # an event, which is fenced
                Inbound("FENCED", 0, "second", 1, "bid: 7", "gw"),  # refused because of the first
                Inbound("QUIET", 0, "no-event", 77, "bid: 1", "gw"),
                Inbound("OURS", 0, "ours", 77, "bid: 1", "gw"),
            ):
                number = keys.shard(keys.session_channel(inbound.session))
                message = msgspec.msgpack.encode(inbound)
                pipeline.xadd(keys.inbox(number, host.name), {"m": message})
            await pipeline.execute()

        async def refused() -> set[str]:
            items: set[str] = set()
            for shard in range(keys.SHARDS):
                for _, fields in await redis.xrange(keys.feed(shard)):
                    item = msgspec.msgpack.decode(fields[b"i"], type=FeedItem)
                    if isinstance(item, Reply):
                        items.add(item.act)
            return items

        async def settled() -> bool:
            return host.stats.sessions == 1 and bool(await refused())

        await until(settled)
        assert await refused() == {"ours"}


@pytest.mark.parametrize(("age_ms", "voided"), [(0, False), (STRANGE_MS, True)])
async def test_rules_of_a_newer_program_are_left_to_it(
    redis: Redis, players: Players, monkeypatch: pytest.MonkeyPatch, age_ms: int, voided: bool
) -> None:
    shelf = Shelf()
    ours = BidTacToe.rules
    monkeypatch.setattr(BidTacToe, "rules", "bid-tac-toe/99")
    await form(players.log, "NEW", age_ms=age_ms)
    monkeypatch.setattr(BidTacToe, "rules", ours)
    await form(players.log, "OLD")
    async with asyncio.timeout(20):
        async with running(host_on(redis, shelf.keep, "old-host")):
            await players.play(["OLD"])
            if voided:
                await until(lambda: is_on(shelf, "NEW"))
        if not voided:
            assert [event.type for event in await players.events("NEW")] == ["open"]
            monkeypatch.setattr(BidTacToe, "rules", "bid-tac-toe/99")
            async with running(host_on(redis, shelf.keep, "new-host")):
                await players.play(["NEW"])
    assert shelf.sealed["NEW"].status == ("void" if voided else "ended")


async def is_on(shelf: Shelf, session: str) -> bool:
    return session in shelf.sealed


Keep = Callable[[Sealed], Awaitable[None]]


async def test_a_session_that_ended_before_the_crash_is_sealed(
    redis: Redis, players: Players
) -> None:
    shelf = Shelf()
    stuck = asyncio.Event()

    async def dies(sealed: Sealed) -> None:
        await shelf.keep(sealed)
        stuck.set()
        await asyncio.Event().wait()

    await form(players.log, "S1")
    async with asyncio.timeout(20):
        async with running(host_on(redis, dies, "host-1")):
            playing = asyncio.create_task(players.play(["S1"]))
            await stuck.wait()
        async with running(host_on(redis, shelf.keep, "host-2")):
            await playing
    assert shelf.times == 2, "kept by both, to the same byte"
    assert [e.type for e in await players.events("S1")].count("digest") == 1


async def test_a_store_that_fails_is_asked_again(redis: Redis, players: Players) -> None:
    shelf = Shelf()
    failures = iter([OSError("disk full"), RuntimeError("locked")])

    async def keep(sealed: Sealed) -> None:
        for error in failures:
            raise error
        await shelf.keep(sealed)

    await form(players.log, "S1")
    async with running(host_on(redis, keep)), asyncio.timeout(20):
        await players.play(["S1"])
    assert "S1" in shelf.sealed


async def test_broken_rules_cost_one_session(
    redis: Redis, players: Players, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = BidTacToe.apply

    def fragile(self: BidTacToe, state: Any, seat: int, action: Any, streams: Any) -> Any:
        if getattr(action, "bid", None) == 41:
            raise KeyError("a bug of ours")
        return apply(self, state, seat, action, streams)

    monkeypatch.setattr(BidTacToe, "apply", fragile)
    shelf = Shelf()
    async with running(host_on(redis, shelf.keep)), asyncio.timeout(20):
        await form(players.log, "BAD")
        await form(players.log, "GOOD")
        await until(lambda: players.inbox.submit(Inbound("BAD", 0, "a", 1, "bid: 41", "gw")))
        await players.play(["BAD", "GOOD"])
    assert shelf.sealed["BAD"].status == "void"
    assert shelf.sealed["BAD"].steps == ("settle", "pin")
    assert shelf.sealed["GOOD"].status == "ended"


async def test_an_event_that_cannot_be_written_costs_one_session(
    redis: Redis, players: Players, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = BidTacToe.encode_action

    def unbounded(self: BidTacToe, action: Any) -> dict[str, Any]:
        body = encode(self, action)
        return {**body, "bid": 2**70} if body.get("bid") == 41 else body

    monkeypatch.setattr(BidTacToe, "encode_action", unbounded)
    shelf = Shelf()
    async with running(host_on(redis, shelf.keep)), asyncio.timeout(20):
        await form(players.log, "BAD")
        await form(players.log, "GOOD")
        await until(lambda: players.inbox.submit(Inbound("BAD", 0, "a", 1, "bid: 41", "gw")))
        await players.play(["BAD", "GOOD"])
    assert shelf.sealed["BAD"].status == "void"
    assert shelf.sealed["GOOD"].status == "ended"


async def test_a_stopped_process_forgives_the_seats(
    redis: Redis, players: Players, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spaces.bid_tac_toe.space.BID_MS", 3_000)
    async with running(host_on(redis, Shelf().keep, ttl_ms=60_000)) as host, asyncio.timeout(20):
        await form(players.log, "S1")
        await until(lambda: held(host, 1))
        before = (await players.view("S1")).decisions[0].deadline_ms
        time.sleep(1.3)  # the whole process stands still, as under a debugger or a full machine

        async def forgiven() -> bool:
            return host.stats.outages == 1

        await until(forgiven)
        assert (await players.view("S1")).decisions[0].deadline_ms >= before + 1_000


async def test_a_short_stop_costs_nobody_with_plenty_of_time(
    redis: Redis, players: Players
) -> None:
    async with running(host_on(redis, Shelf().keep, ttl_ms=60_000)) as host, asyncio.timeout(20):
        await form(players.log, "S1")
        await until(lambda: held(host, 1))
        before = len(await players.events("S1"))
        time.sleep(1.3)
        await asyncio.sleep(0.1)
        assert host.stats.outages == 1
        assert len(await players.events("S1")) == before, "an overloaded host is not loaded more"


async def test_a_lease_without_a_log_is_forgotten(redis: Redis, players: Players) -> None:
    number = keys.shard("session:GONE")
    await redis.zadd(keys.leases(number), {"GONE": 0})
    async with running(host_on(redis, Shelf().keep)), asyncio.timeout(10):

        async def forgotten() -> bool:
            return bool(await redis.zcard(keys.leases(number)) == 0)

        await until(forgotten)


async def test_a_full_host_leaves_the_rest(redis: Redis, players: Players) -> None:
    small = msgspec.structs.replace(FAST, host_capacity=3)
    async with running(host_on(redis, Shelf().keep, config=small)) as host, asyncio.timeout(10):
        for n in range(8):
            await form(players.log, f"F{n}")
        await until(lambda: held(host, 3))
        await asyncio.sleep(0.3)
        assert host.stats.sessions == 3
        assert len(await Leases(redis).claim("other", 160)) == 5


async def test_cancelled_it_leaves_nothing_open(redis: Redis) -> None:
    host = host_on(redis, Shelf().keep)
    async with running(host):
        await asyncio.sleep(0.1)
    await host.drain()  # returns at once: nothing runs


async def test_drained_before_its_first_tick_it_ends_all_the_same(
    redis: Redis, players: Players
) -> None:
    await form(players.log, "S1")
    host = host_on(redis, Shelf().keep)
    await host.drain()
    await asyncio.wait_for(host.run(), 5)
    assert await Leases(redis).claim("other", 160)
