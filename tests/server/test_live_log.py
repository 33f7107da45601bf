"""The live log against a real Redis: fencing, idempotency, offsets, views, feed."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from server.live import keys
from server.live.lease import Leases
from server.live.log import Append, Fenced, LiveLog, Moved
from server.live.records import LogEvent, SessionRecord, ViewSet
from server.match import initial_views, open_event
from server.protocol import AgentView, SessionView
from tests.server.match_table import record_of

CHANNEL = "session:S1"


def event(n: int) -> LogEvent:
    return LogEvent(n, "host", "turn", {"turn": n})


@pytest.fixture
def log(redis: Redis) -> LiveLog:
    return LiveLog(redis)


@pytest.fixture
def record() -> SessionRecord:
    return record_of()


async def opened(log: LiveLog, record: SessionRecord) -> ViewSet:
    views = initial_views(record)
    await log.open_session(record, open_event(record), views)
    return views


async def leased(redis: Redis, host: str = "host-1") -> str:
    [(_, token)] = await Leases(redis).claim(host, 16)
    return keys.lease_mark(token, host)


async def test_opening_twice_is_harmless(log: LiveLog, record: SessionRecord) -> None:
    views = await opened(log, record)
    first = await log.head(CHANNEL)
    await opened(log, record)
    assert first is not None
    assert await log.head(CHANNEL) == first
    assert (first.offset, first.views) == (0, views)
    assert await log.record("S1") == record
    assert await log.read(CHANNEL, 0, 10) == [open_event(record)]


async def test_opening_a_sealed_session_does_not_bring_it_back(
    redis: Redis, log: LiveLog, record: SessionRecord
) -> None:
    await opened(log, record)
    mark = await leased(redis)
    await log.seal("S1", mark, "b", [event(1)], None)
    await opened(log, record)
    assert await Leases(redis).claim("host-2", 16) == []
    with pytest.raises(Fenced):
        await log.append("S1", mark, "c", [event(2)], None)


async def test_offsets_continue(redis: Redis, log: LiveLog, record: SessionRecord) -> None:
    views = await opened(log, record)
    mark = await leased(redis)
    assert await log.append("S1", mark, "a", [event(1), event(2)], views) == 1
    assert await log.append("S1", mark, "b", [event(3)], None) == 3
    head = await log.head(CHANNEL)
    assert head is not None
    assert head.offset == 3
    assert head.views is not None
    assert head.views.offset == 2, "views say after which event they were made"
    assert head.views.public == views.public
    assert await log.read(CHANNEL, 1, 2) == [event(1), event(2)]
    assert await log.read(CHANNEL, 4, 2) == []


async def test_the_same_batch_is_written_once(
    redis: Redis, log: LiveLog, record: SessionRecord
) -> None:
    await opened(log, record)
    mark = await leased(redis)
    batch = Append("S1", mark, "a", [event(1)], None)
    assert await log.append_many([batch]) == [1]
    assert await log.append_many([batch]) == [1]
    assert len(await log.read(CHANNEL, 0, 100)) == 2


async def test_many_sessions_are_appended_to_at_once(redis: Redis, log: LiveLog) -> None:
    """Each batch has its own answer, whatever becomes of its neighbours in a script."""
    records = [record_of(session=f"S{n}") for n in range(150)]
    for each in records:
        await opened(log, each)
    tokens = dict(await Leases(redis).claim("host-1", 16 * 150))
    assert len(tokens) == 150
    appends = [
        Append(
            each.session,
            keys.lease_mark(tokens[each.session] + (n % 7 == 0), "host-1"),
            "a",
            [event(n)] * (1 + n % 3),
            initial_views(each) if n % 2 else None,
        )
        for n, each in enumerate(records)
    ]
    for _ in range(2):
        answers = await log.append_many(appends)
        for n, answer in enumerate(answers):
            assert isinstance(answer, Fenced) if n % 7 == 0 else answer == 1
    for n, each in enumerate(records):
        count = 0 if n % 7 == 0 else 1 + n % 3
        assert await log.read(keys.session_channel(each.session), 1, 9) == [event(n)] * count


async def test_an_old_token_is_fenced(redis: Redis, log: LiveLog, record: SessionRecord) -> None:
    await opened(log, record)
    old = await leased(redis)
    await Leases(redis).release("host-1", {"S1": 1})
    with pytest.raises(Fenced):
        await log.append("S1", old, "a", [event(1)], None)
    new = await leased(redis, "host-2")
    with pytest.raises(Fenced):
        await log.append("S1", old, "a", [event(1)], None)
    assert await log.append("S1", new, "a", [event(1)], None) == 1


async def test_a_token_that_was_given_twice_lets_one_host_write(
    redis: Redis, log: LiveLog, record: SessionRecord
) -> None:
    """Redis came back from a copy in which the session was not leased yet."""
    await opened(log, record)
    shard = keys.shard(CHANNEL)
    names = [keys.leases(shard), keys.lease_owners(shard), keys.log(CHANNEL), keys.meta(CHANNEL)]
    copies = {name: copy for name in names if (copy := await redis.dump(name))}
    one = await leased(redis, "host-1")
    assert await log.append("S1", one, "a", [event(1)], None) == 1
    await redis.delete(*names)
    for name, copy in copies.items():
        await redis.restore(name, 0, copy)
    two = await leased(redis, "host-2")
    assert one.partition(":")[0] == two.partition(":")[0]
    with pytest.raises(Fenced):
        await log.append("S1", one, "a", [event(1)], None)
    assert await log.append("S1", two, "b", [event(2)], None) == 1
    assert await log.read(CHANNEL, 1, 9) == [event(2)]


async def test_a_batch_that_would_begin_elsewhere_is_refused(
    redis: Redis, log: LiveLog, record: SessionRecord
) -> None:
    await opened(log, record)
    mark = await leased(redis)
    [answer] = await log.append_many([Append("S1", mark, "a", [event(1)], None, first=2)])
    assert isinstance(answer, Fenced)
    assert await log.append_many([Append("S1", mark, "b", [event(1)], None, first=1)]) == [1]


async def test_after_redis_lost_its_data_nothing_starts_in_the_middle(
    redis: Redis, log: LiveLog, record: SessionRecord
) -> None:
    await opened(log, record)
    mark = await leased(redis)
    await redis.delete(keys.meta(CHANNEL))
    with pytest.raises(Fenced):
        await log.append("S1", mark, "a", [event(1)], None)
    assert await log.head(CHANNEL) is None


async def test_a_session_opened_anew_has_another_epoch(
    redis: Redis, log: LiveLog, record: SessionRecord
) -> None:
    await opened(log, record)
    before = await log.head(CHANNEL)
    await redis.delete(keys.meta(CHANNEL))
    await opened(log, record)
    after = await log.head(CHANNEL)
    assert before is not None
    assert after is not None
    assert before.epoch != after.epoch
    assert len(await log.read(CHANNEL, 0, 10)) == 1


async def test_concurrent_publishers_share_one_sequence(log: LiveLog) -> None:
    async def publish(n: int) -> int:
        return await log.publish("agent:a", f"b{n}", [event(n)] * 2, None, 60)

    firsts = await asyncio.gather(*map(publish, range(50)))
    assert sorted(firsts) == list(range(0, 100, 2))
    again = await asyncio.gather(*map(publish, range(50)))
    assert again == firsts, "each batch is remembered, not just the last one"


async def test_a_publisher_does_not_undo_another(log: LiveLog) -> None:
    view = AgentView("a", [], [], ["t1"])
    assert await log.publish("agent:a", "b0", [event(0)], view, 60, base=-1) == 0
    with pytest.raises(Moved):
        await log.publish("agent:a", "b1", [event(0)], view, 60, base=-1)
    assert await log.publish("agent:a", "b1", [event(0)], view, 60, base=0) == 1
    head = await log.head("agent:a")
    assert head is not None
    assert head.views == ViewSet.of(1, view)


async def test_a_worker_publishes_to_a_sealed_session(
    redis: Redis, log: LiveLog, record: SessionRecord
) -> None:
    views = await opened(log, record)
    mark = await leased(redis)
    await log.seal("S1", mark, "b", [event(1)], views)
    assert await log.publish(CHANNEL, "verdict", [event(2)], views, 60) == 2
    head = await log.head(CHANNEL)
    assert head is not None
    assert head.views is not None
    assert head.views.offset == 2
    assert len(head.views.seats) == 2
    assert isinstance(head.views.public, SessionView)


async def test_scripts_survive_a_redis_that_forgot_them(
    redis: Redis, log: LiveLog, record: SessionRecord
) -> None:
    await opened(log, record)
    mark = await leased(redis)
    await redis.script_flush()
    assert await log.append_many([Append("S1", mark, "a", [event(1)], None)]) == [1]
    await redis.script_flush()
    assert await log.publish("agent:a", "b", [event(1)], None, 60) == 0


async def test_everything_expires(redis: Redis, log: LiveLog, record: SessionRecord) -> None:
    views = await opened(log, record)
    mark = await leased(redis)
    await log.append("S1", mark, "a", [event(1)], views)
    for key in (keys.log(CHANNEL), keys.meta(CHANNEL), keys.views(CHANNEL), keys.record("S1")):
        assert 0 < await redis.ttl(key) <= keys.SESSION_TTL_S


async def test_a_trimmed_log_says_so(redis: Redis, log: LiveLog) -> None:
    await log.publish("agent:a", "b", [event(n) for n in range(10)], None, 60)
    await redis.xtrim(keys.log("agent:a"), maxlen=5, approximate=False)
    with pytest.raises(LookupError):
        await log.read("agent:a", 2, 10)
    assert await log.read("agent:a", 5, 10) == [event(n) for n in range(5, 10)]


async def test_load_gives_what_a_host_needs(log: LiveLog, record: SessionRecord) -> None:
    await opened(log, record)
    loaded, missing = await log.load(["S1", "S2"])
    assert missing is None
    assert loaded is not None
    assert loaded.record == record
    assert loaded.events == [open_event(record)]


@pytest.mark.parametrize("count", [0, 1_025])
async def test_a_batch_has_events_but_not_too_many(log: LiveLog, count: int) -> None:
    with pytest.raises(ValueError, match="events"):
        await log.publish("agent:a", "b", [event(0)] * count, None, 60)


async def test_all_keys_of_a_channel_lie_in_one_slot(
    redis: Redis, log: LiveLog, record: SessionRecord
) -> None:
    """Whatever a script touches, a Redis Cluster keeps together."""
    await opened(log, record)
    await leased(redis)
    tags = {key.decode().split("{")[1].split("}")[0] for key in await redis.keys("*")}
    assert tags == {f"s{keys.shard(CHANNEL):02d}"}
