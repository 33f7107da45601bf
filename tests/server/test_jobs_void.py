"""Voiding, from an admin's word to a void session: live, hostless, ended, lost; and what is refused."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest
from redis.asyncio import Redis

from judges.case import Case
from judges.house import Judging
from server.admin import Acts, Refused
from server.clock import unix_ms
from server.host import Host
from server.jobs import Worker
from server.jobs.fence import Fence, Superseded
from server.live import keys
from server.live.inbox import Inbox
from server.live.lease import Leases
from server.live.log import Fenced, LiveLog
from server.live.records import Inbound, LogEvent, SessionRecord
from server.match import initial_views, open_event
from server.store import Store
from server.store.audit import OPERATOR
from server.store.verdicts import Guard
from spaces import transcript
from tests.server.aftermath_session import (
    CONFIG,
    ScriptedPanel,
    Seats,
    events,
    finish,
    hostless,
    view,
    worker,
)

TOLD = "voided by the arena: the space was broken"


@pytest.fixture
async def seats(store: Store) -> Seats:
    return await Seats.registered(store)


@pytest.fixture
def acts(store: Store) -> Acts:
    return Acts(store)


async def opened(
    store: Store,
    redis: Redis,
    seats: Seats,
    *,
    age_ms: int = 0,
    record: SessionRecord | None = None,
) -> SessionRecord:
    """A live session that no host has leased yet."""
    record = record or seats.record("bid-tac-toe")
    record = msgspec.structs.replace(record, opened_ms=record.opened_ms - age_ms)
    await store.sessions.form(record)
    await LiveLog(redis).open_session(record, open_event(record), initial_views(record))
    await store.sessions.opened(record.session)
    return record


@contextlib.asynccontextmanager
async def hosting(store: Store, redis: Redis) -> AsyncIterator[Host]:
    host = Host(
        name="host-9",
        log=LiveLog(redis),
        inbox=Inbox(redis),
        leases=Leases(redis),
        seal_session=hostless(store, redis)._seal_session,
        config=CONFIG,
        clock=unix_ms,
    )
    task = asyncio.create_task(host.run())
    try:
        yield host
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def working(*workers: Worker) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in workers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def voided(store: Store, session: str) -> None:
    """Wait until it is void and the step that did it is done."""
    async with asyncio.timeout(20):
        while True:
            states = {each.step: each.state for each in await store.outbox.steps(session)}
            row = await store.sessions.get(session)
            assert row is not None
            if row.status == "void" and states.get("void") == "done":
                assert row.outcome == {"reason": TOLD}
                break
            await asyncio.sleep(0.02)
        while (result := await store.results.get(session)) is None:
            await asyncio.sleep(0.02)
    assert (result.status, result.reason) == ("void", TOLD)


async def void(acts: Acts, session: str) -> None:
    await acts.void(session, actor="boss", reason="the space was broken")


async def test_a_live_session_is_voided_by_its_host(
    store: Store, redis: Redis, seats: Seats, acts: Acts
) -> None:
    record = await opened(store, redis, seats)
    async with hosting(store, redis) as host:
        async with asyncio.timeout(10):
            while not host.stats.sessions:
                await asyncio.sleep(0.02)
        await void(acts, record.session)
        async with working(worker(store, redis, ScriptedPanel())):
            await voided(store, record.session)
        assert host.stats.sealed == 1, "its host has done it, nobody else"
    seen = await view(redis, record.session)
    assert seen.status == "void"
    assert [each.body for each in await events(redis, record.session, "void")] == [{"reason": TOLD}]
    document = await store.sessions.transcript(record.session)
    assert document is not None
    assert transcript.replay(transcript.read(document)).outcome.termination == "void"
    [entry] = await store.audit.page(subject=record.session)
    assert (entry.act, entry.actor, entry.detail["was"]) == ("void", "boss", "live")


async def test_a_session_that_no_host_plays_is_voided_all_the_same(
    store: Store, redis: Redis, seats: Seats, acts: Acts
) -> None:
    record = await opened(store, redis, seats)
    [(_, token)] = await Leases(redis, ttl_ms=1).claim("dead-host", 100)
    await void(acts, record.session)
    async with working(worker(store, redis, ScriptedPanel())):
        await voided(store, record.session)
    assert (await view(redis, record.session)).status == "void"
    assert await Leases(redis).claim("host-2", 100) == [], "nobody is to play it any more"
    late = LogEvent(t=1, by="host", type="void", body={"reason": "the host wakes up"})
    mark = keys.lease_mark(token, "dead-host")
    with pytest.raises(Fenced):
        await LiveLog(redis).append(record.session, mark, "late", [late], None)


async def test_a_session_whose_log_is_lost_is_voided_for_the_reason_given(
    store: Store, redis: Redis, seats: Seats, acts: Acts
) -> None:
    record = await opened(store, redis, seats, age_ms=60_000)
    await redis.flushdb()
    await void(acts, record.session)
    async with working(worker(store, redis, ScriptedPanel())):
        await voided(store, record.session)


async def test_a_match_that_ends_before_its_host_hears_of_it_is_void_too(
    store: Store, redis: Redis, seats: Seats, acts: Acts
) -> None:
    session = await finish(store, redis, seats, ask=lambda live: void(acts, live))
    assert [each.step for each in await store.outbox.due(unix_ms(), 10)] == ["void"], (
        "nothing may follow before it is void"
    )
    panel = ScriptedPanel()
    async with working(worker(store, redis, panel)):
        await voided(store, session)
        await asyncio.sleep(0.2)
    assert not panel.cases
    assert await store.verdicts.get(session) is None
    states = {each.step: each.state for each in await store.outbox.steps(session)}
    assert (states["judge"], states["rate"]) == ("void", "void")
    assert "settle" in states


async def test_an_ended_session_that_is_not_judged_yet_is_voided_and_keeps_its_transcript(
    store: Store, redis: Redis, seats: Seats, acts: Acts
) -> None:
    session = await finish(store, redis, seats)
    before = await store.sessions.transcript(session)
    panel = ScriptedPanel(failures=99)
    async with working(worker(store, redis, panel, job_attempts=99)):
        async with asyncio.timeout(10):
            while len(panel.cases) < 2:
                await asyncio.sleep(0.02)
        found = await acts.void(session, actor=OPERATOR, reason="the space was broken")
        assert (found.was, found.given_up) == ("ended", ["judge", "rate"])
        row = await store.sessions.get(session)
        assert row is not None
        assert row.status == "void", "at once"
        await voided(store, session)
    assert await store.sessions.transcript(session) == before
    assert await store.outbox.dead() == []
    steps = {step.name: (step.state, step.detail) for step in (await view(redis, session)).steps}
    assert steps["voided"] == ("done", TOLD), "who watches is told"
    [entry] = await store.audit.page(subject=session)
    assert entry.detail["outcome"] == {"termination": "complete", "returns": None}


async def test_a_judge_that_is_at_work_finds_nothing_of_a_session_that_was_voided(
    store: Store, redis: Redis, seats: Seats, acts: Acts
) -> None:
    session = await finish(store, redis, seats)
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Thinking(ScriptedPanel):
        async def judge(self, case: Case, nonce: str) -> Judging:
            begun.set()
            await go_on.wait()
            return await super().judge(case, nonce)

    async with working(worker(store, redis, Thinking())):
        await asyncio.wait_for(begun.wait(), 10)
        await void(acts, session)
        go_on.set()
        await voided(store, session)
        await asyncio.sleep(0.3)
    assert await store.verdicts.get(session) is None
    assert await events(redis, session, "verdict") == []
    states = {each.step: each.state for each in await store.outbox.steps(session)}
    assert states["judge"] == "void"


async def test_a_verdict_that_is_just_being_stored_is_not_stored_of_a_void_session(
    store: Store, redis: Redis, seats: Seats, acts: Acts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The void comes after the judge's last look at whether he may still act."""
    session, put = await finish(store, redis, seats), store.verdicts.put

    async def put_late(session: str, body: bytes, still: Guard | None = None) -> bytes:
        await void(acts, session)
        return await put(session, body, still)

    monkeypatch.setattr(store.verdicts, "put", put_late)
    async with working(worker(store, redis, ScriptedPanel())):
        await voided(store, session)
        await asyncio.sleep(0.3)
    assert await store.verdicts.get(session) is None
    assert await events(redis, session, "verdict") == []
    states = {each.step: each.state for each in await store.outbox.steps(session)}
    assert states["judge"] == "void"


async def test_a_void_waits_for_a_verdict_that_is_being_stored(
    store: Store, redis: Redis, seats: Seats, acts: Acts
) -> None:
    """Of the two at once one comes first; neither waits for the other for ever."""
    session = await finish(store, redis, seats)
    [row] = [each for each in await store.outbox.steps(session) if each.step == "judge"]
    number = await store.outbox.start(row, unix_ms() + 1)
    fence = Fence(store.outbox, row, number)
    outcomes = await asyncio.gather(
        store.verdicts.put(session, b"{}", fence.hold),
        void(acts, session),
        return_exceptions=True,
    )
    kept = await store.verdicts.get(session)
    assert (kept is None) == isinstance(outcomes[0], Superseded)
    assert not isinstance(outcomes[1], BaseException)
    with pytest.raises(Superseded):
        await store.verdicts.put(session, b"{}", fence.hold)


async def test_what_was_settled_is_not_voided(
    store: Store, redis: Redis, seats: Seats, acts: Acts
) -> None:
    scored = await finish(store, redis, seats, "bid-tac-toe")
    unjudged = await finish(store, redis, seats)
    panel = ScriptedPanel(failures=1)
    async with working(worker(store, redis, panel, job_attempts=1)), asyncio.timeout(10):
        while None in [await store.results.get(each) for each in (scored, unjudged)]:
            await asyncio.sleep(0.02)
    with pytest.raises(Refused, match="has been settled"):
        await void(acts, scored)
    with pytest.raises(Refused, match="settled as void"):
        await void(acts, unjudged)
    assert await store.audit.page() == []


async def test_a_session_is_voided_once(
    store: Store, redis: Redis, seats: Seats, acts: Acts
) -> None:
    record = await opened(store, redis, seats)
    await void(acts, record.session)
    with pytest.raises(Refused, match="is being voided"):
        await void(acts, record.session)
    async with working(worker(store, redis, ScriptedPanel())):
        await voided(store, record.session)
    with pytest.raises(Refused, match="is void already"):
        await void(acts, record.session)
    assert len(await store.audit.page()) == 1


async def test_a_host_voids_for_the_platform_alone(
    store: Store, redis: Redis, seats: Seats
) -> None:
    """Without the flag the same message is an answer out of nowhere, whatever it says."""
    record = await opened(store, redis, seats)
    inbox = Inbox(redis)
    async with hosting(store, redis) as host:
        async with asyncio.timeout(10):
            while not host.stats.sessions:
                await asyncio.sleep(0.02)
        await inbox.submit(Inbound(record.session, -1, "void", 0, "please", "gateway"))
        await asyncio.sleep(0.3)
        assert (await view(redis, record.session)).status == "live"
