from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from server.admin import Acts
from server.identity import new_id
from server.live.records import SeatRecord, SessionRecord
from server.store import Store
from server.store.audit import OPERATOR
from server.store.outbox import ATTEMPT_MS, NotDue

NOW = 1_800_000_000_000


@pytest.fixture
async def session(store: Store) -> str:
    """A sealed session with the steps `judge` and `rate`."""
    agent, _ = await store.agents.register("Ember")
    seat = SeatRecord(0, agent.agent, agent.name, agent.version, agent.owner, b"0" * 32)
    session = new_id()
    await store.sessions.form(
        SessionRecord(session, "rap-battle", "rap-battle/1", {}, 0, NOW, b"s" * 32, (seat,))
    )
    await store.sessions.seal(
        session=session,
        status="ended",
        outcome={"termination": "complete", "returns": None},
        document=b"{}",
        digest="d" * 64,
        steps=("judge", "rate"),
        now_ms=NOW,
    )
    return session


async def test_rating_waits_for_the_judges(store: Store, session: str) -> None:
    [judge] = await store.outbox.due(NOW, 10)
    assert judge.step == "judge"
    assert await store.outbox.due(NOW - 1, 10) == []
    assert await store.outbox.start(judge, NOW) == 1
    assert await store.outbox.due(NOW, 10) == [], "the judge is at work"
    await store.outbox.done(judge)
    [rate] = await store.outbox.due(NOW, 10)
    assert rate.step == "rate"
    await store.outbox.start(rate, NOW)
    await store.outbox.done(rate)
    assert await store.outbox.due(NOW * 2, 10) == []


async def test_of_many_workers_one_gets_the_row(store: Store, session: str) -> None:
    [row] = await store.outbox.due(NOW, 10)
    results = await asyncio.gather(
        *(store.outbox.start(row, NOW) for _ in range(8)), return_exceptions=True
    )
    assert results.count(1) == 1
    assert sum(isinstance(result, NotDue) for result in results) == 7


async def test_a_failed_attempt_comes_back_when_it_was_told_to(store: Store, session: str) -> None:
    [row] = await store.outbox.due(NOW, 10)
    await store.outbox.start(row, NOW)
    await store.outbox.failed(row, "model\0 is \ud800 away", NOW + 1_000)
    assert await store.outbox.due(NOW + 999, 10) == []
    [again] = await store.outbox.due(NOW + 1_000, 10)
    assert again.attempts == 1
    assert again.last_error == "model  is ? away"
    assert await store.outbox.start(again, NOW + 1_000) == 2


async def test_the_row_of_a_dead_worker_is_due_again(store: Store, session: str) -> None:
    [row] = await store.outbox.due(NOW, 10)
    await store.outbox.start(row, NOW)
    assert await store.outbox.due(NOW + ATTEMPT_MS - 1, 10) == []
    [again] = await store.outbox.due(NOW + ATTEMPT_MS, 10)
    await store.outbox.start(again, NOW + ATTEMPT_MS)
    await store.outbox.failed(row, "the first worker wakes up", None)
    assert await store.outbox.dead() == [], "only the attempt under way decides"
    await store.outbox.done(row)
    [rate] = await store.outbox.due(NOW + ATTEMPT_MS, 10)
    assert rate.step == "rate", "what is done is done, whoever did it"


async def test_a_dead_letter_blocks_what_follows_until_it_is_redriven(
    store: Store, session: str
) -> None:
    [row] = await store.outbox.due(NOW, 10)
    await store.outbox.start(row, NOW)
    await store.outbox.failed(row, "no model answers", None)
    assert await store.outbox.due(NOW * 2, 10) == []
    [dead] = await store.outbox.dead()
    assert (dead.step, dead.last_error) == ("judge", "no model answers")
    assert await store.outbox.counts() == {"waiting": 1, "running": 0, "dead": 1}
    with pytest.raises(NotDue):
        await store.outbox.start(dead, NOW)
    acts = Acts(store)
    assert await acts.redrive([dead.id], actor=OPERATOR, reason="a model is back") == [dead.id]
    assert await acts.redrive([dead.id], actor=OPERATOR, reason="once more") == []
    [again] = await store.outbox.due(NOW, 10)
    assert (again.step, again.tried, again.last_error) == ("judge", 0, None)
    assert await store.outbox.get(again.id) == again


async def test_the_limit_takes_what_is_longest_due(store: Store, session: str) -> None:
    [row] = await store.outbox.due(NOW, 10)
    agent, _ = await store.agents.register("Frost")
    seat = SeatRecord(0, agent.agent, agent.name, agent.version, agent.owner, b"0" * 32)
    earlier = SessionRecord(new_id(), "x", "x/1", {}, 0, NOW - 60_000, b"s" * 32, (seat,))
    await store.sessions.form(earlier)
    [first] = await store.outbox.due(NOW, 1)
    assert first.session == earlier.session
    assert [found.id for found in await store.outbox.due(NOW, 10)] == [first.id, row.id]


async def test_a_letter_that_was_redriven_is_dead_again_after_as_many_attempts(
    store: Store, session: str
) -> None:
    [row] = await store.outbox.due(NOW, 10)
    await store.outbox.start(row, NOW)
    await store.outbox.failed(row, "no model answers", None)
    await Acts(store).redrive([row.id], actor=OPERATOR, reason="a model is back")
    [again] = await store.outbox.due(NOW, 10)
    assert (again.attempts, again.spared, again.tried) == (1, 1, 0)
    assert await store.outbox.start(again, NOW) == 2, "a number that no earlier attempt had"
    assert not await store.outbox.stands(row, 1)
    assert await store.outbox.stands(again, 2)
    await store.outbox.failed(row, "an attempt of before", None)
    assert await store.outbox.dead() == []


async def test_many_that_are_due_do_not_hide_another_step(store: Store, session: str) -> None:
    """The sweeper asks for each queue's steps by themselves."""
    [row] = await store.outbox.due(NOW, 10)
    assert await store.outbox.due(NOW, 10, ["settle", "rate"]) == []
    assert await store.outbox.due(NOW, 10, ["judge"]) == [row]


async def test_what_was_not_committed_left_no_step(store: Store, session: str) -> None:
    """The steps stand or fall with the fact that they follow."""
    agent, _ = await store.agents.register("Frost")
    seat = SeatRecord(0, agent.agent, agent.name, agent.version, agent.owner, b"0" * 32)
    record = SessionRecord(new_id(), "rap-battle", "rap-battle/1", {}, 0, NOW, b"s" * 32, (seat,))
    await store.sessions.form(record)
    with pytest.raises(IntegrityError):  # the last statement of the transaction fails
        await store.sessions.seal(
            session=record.session,
            status="ended",
            outcome={"termination": "complete", "returns": None},
            document=b"{}",
            digest="d" * 64,
            steps=("judge", None),  # type: ignore[arg-type]
            now_ms=NOW,
        )
    row = await store.sessions.get(record.session)
    assert row is not None
    assert row.status == "formed"
    assert [each.step for each in await store.outbox.steps(record.session)] == ["open"]
    assert await store.sessions.transcript(record.session) is None
