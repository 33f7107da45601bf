"""One attempt of an outbox row, with steps that fail in every way."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from judges.faults import JudgeUnavailable
from server.admin import Acts
from server.jobs.attempt import Attempts
from server.jobs.backoff import FIRST_MS, MOST_MS, delay_ms
from server.jobs.faults import Permanent
from server.jobs.fence import Fence
from server.metrics import Metrics
from server.store import Store
from server.store.audit import OPERATOR
from server.store.outbox import OutboxRow
from tests.server.aftermath_session import Seats


class Scripted:
    """A step that does as it is told, once for each attempt."""

    name = "rate"
    timeout_s = 0.2

    def __init__(self, *plays: Exception | float | None) -> None:
        self._plays = list(plays)
        self.runs = 0
        self.given_up: list[str] = []
        self.broken, self.mute = True, False
        """Whether the one reason, or none, can be told."""

    async def run(self, session: str, fence: Fence) -> dict[str, object]:
        self.runs += 1
        match self._plays.pop(0):
            case Exception() as error:
                raise error
            case float() as wait_s:
                await asyncio.sleep(wait_s)
            case _:
                pass
        return {}

    async def give_up(self, session: str, reason: str) -> None:
        self.given_up.append(reason)
        if self.mute or (self.broken and reason == "cannot even be told"):
            raise OSError("redis is away")


class Clock:
    def __init__(self) -> None:
        self.now = 10**13

    def __call__(self) -> int:
        return self.now


@pytest.fixture
async def row(store: Store) -> OutboxRow:
    seats = await Seats.registered(store)
    record = seats.record("bid-tac-toe")
    await store.sessions.form(record)
    await store.sessions.seal(
        session=record.session,
        status="ended",
        outcome={"termination": "line", "returns": [1, -1]},
        document=b"{}",
        digest="d",
        steps=("rate",),
        now_ms=0,
    )
    return next(each for each in await store.outbox.steps(record.session) if each.step == "rate")


def attempts(store: Store, step: Scripted, clock: Clock) -> Attempts:
    return Attempts(
        store=store,
        steps={"rate": step},
        attempts=3,
        clock=clock,
        rng=random.Random(1),
        metrics=Metrics(CollectorRegistry()),
    )


def counted(runs: Attempts, result: str) -> float:
    labels = {"step": "rate", "result": result}
    return runs._metrics.registry.get_sample_value("agon_steps_total", labels) or 0.0


async def state(store: Store, row: OutboxRow) -> tuple[str, int, str | None]:
    found = await store.outbox.get(row.id)
    assert found is not None
    return found.state, found.tried, found.last_error


async def test_done(store: Store, row: OutboxRow) -> None:
    step = Scripted(None)
    runs = attempts(store, step, Clock())
    assert await runs.run(row.id) is None
    assert await runs.run(row.id) is None, "a second wake-up finds nothing to do"
    assert step.runs == 1
    assert await state(store, row) == ("done", 1, None)


async def test_a_failure_waits_its_turn(store: Store, row: OutboxRow) -> None:
    step, clock = Scripted(JudgeUnavailable("refused"), None), Clock()
    runs = attempts(store, step, clock)
    wait_ms = await runs.run(row.id)
    assert wait_ms is not None
    assert await state(store, row) == ("waiting", 1, "refused")
    assert await runs.run(row.id) is None, "woken too early"
    assert step.runs == 1
    clock.now += wait_ms
    assert await runs.run(row.id) is None
    assert await state(store, row) == ("done", 2, None)


async def test_after_the_last_attempt_it_is_a_dead_letter(store: Store, row: OutboxRow) -> None:
    step, clock = Scripted(*[JudgeUnavailable("refused")] * 3), Clock()
    runs = attempts(store, step, clock)
    waits: list[int | None] = []
    for _ in range(3):
        waits.append(await runs.run(row.id))
        clock.now += MOST_MS
    assert [wait is None for wait in waits] == [False, False, True]
    assert await state(store, row) == ("dead", 3, "refused")
    assert step.given_up == ["refused"]
    assert [letter.id for letter in await store.outbox.dead()] == [row.id]


async def test_what_cannot_succeed_is_not_tried_again(store: Store, row: OutboxRow) -> None:
    step = Scripted(Permanent("the transcript does not hold"))
    assert await attempts(store, step, Clock()).run(row.id) is None
    assert (await state(store, row))[0] == "dead"
    assert step.given_up == ["the transcript does not hold"]


async def test_what_cannot_be_given_up_yet_is_no_dead_letter(store: Store, row: OutboxRow) -> None:
    """Giving up pays back: it must not wait for somebody to look at dead letters."""
    step, clock = Scripted(*[Permanent("cannot even be told")] * 9), Clock()
    runs = attempts(store, step, clock)
    waits: list[int] = []
    for number in range(1, 9):
        wait_ms = await runs.run(row.id)
        assert wait_ms is not None
        assert await state(store, row) == ("waiting", number, "cannot even be told")
        assert await runs.run(row.id) is None, "not before its time"
        waits.append(wait_ms)
        clock.now += wait_ms
    assert waits[-1] > 10 * waits[0], "a little later each time"
    assert counted(runs, "untold") == 8
    step.broken = False
    assert await runs.run(row.id) is None
    assert await state(store, row) == ("dead", 9, "cannot even be told")
    assert counted(runs, "dead") == 1


async def test_the_attempt_after_one_that_could_not_be_given_up_may_succeed(
    store: Store, row: OutboxRow
) -> None:
    step, clock = Scripted(Permanent("cannot even be told"), None), Clock()
    runs = attempts(store, step, clock)
    clock.now += await runs.run(row.id) or 0
    assert await runs.run(row.id) is None
    assert (await state(store, row))[0] == "done"


async def test_what_killed_its_workers_is_given_up_later_and_not_run_again(
    store: Store, row: OutboxRow
) -> None:
    step, clock = Scripted(), Clock()
    step.broken = step.mute = True
    runs = attempts(store, step, clock)
    for _ in range(3):
        found = await store.outbox.get(row.id)
        assert found is not None
        await store.outbox.start(found, clock.now, 15_200)  # and then SIGKILL
        clock.now += 15_200
    for _ in range(5):
        wait_ms = await runs.run(row.id)
        assert wait_ms is not None
        assert (await state(store, row))[:2] == ("running", 3)
        assert await runs.run(row.id) is None, "not before its time"
        clock.now += wait_ms
    assert counted(runs, "untold") == 5
    assert [each.id for each in await store.outbox.due(clock.now, 10)] == [row.id]
    step.mute = False
    assert await runs.run(row.id) is None
    assert await state(store, row) == ("dead", 3, "the worker died 3 times")
    assert step.runs == 0


async def test_what_our_own_failures_say_is_told_to_operators_alone(
    store: Store, row: OutboxRow
) -> None:
    said = "(OperationalError) no such table [SQL: SELECT …] at unix:///srv/agon/redis.sock"
    step, clock = Scripted(*[OSError(said)] * 3), Clock()
    runs = attempts(store, step, clock)
    for _ in range(3):
        await runs.run(row.id)
        clock.now += MOST_MS
    assert await state(store, row) == ("dead", 3, said)
    assert step.given_up == ["a failure of the arena's own"]


async def test_a_step_that_hangs_is_cut_off(store: Store, row: OutboxRow) -> None:
    step = Scripted(30.0)
    assert await attempts(store, step, Clock()).run(row.id) is not None
    assert await state(store, row) == ("waiting", 1, "not done within 0.2 s")


async def test_a_stopped_worker_puts_the_row_back_at_once(store: Store, row: OutboxRow) -> None:
    step, clock = Scripted(0.15, None), Clock()
    runs = attempts(store, step, clock)
    task = asyncio.create_task(runs.run(row.id))
    while not step.runs:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await state(store, row) == ("waiting", 0, None)
    assert await runs.run(row.id) is None
    assert await state(store, row) == ("done", 1, None)


async def test_stopping_ever_so_often_is_no_failure(store: Store, row: OutboxRow) -> None:
    step, clock = Scripted(*[0.15] * 10, None), Clock()
    runs = attempts(store, step, clock)
    for stop in range(1, 11):
        task = asyncio.create_task(runs.run(row.id))
        while step.runs < stop:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await state(store, row) == ("waiting", 0, None)
    assert await runs.run(row.id) is None
    assert await state(store, row) == ("done", 1, None)
    assert step.given_up == []


async def test_work_that_kills_its_workers_is_a_dead_letter(store: Store, row: OutboxRow) -> None:
    step, clock = Scripted(), Clock()
    runs = attempts(store, step, clock)
    for _ in range(3):
        found = await store.outbox.get(row.id)
        assert found is not None
        await store.outbox.start(found, clock.now, 15_200)  # and then SIGKILL
        assert await runs.run(row.id) is None, "it may still be alive"
        assert (await state(store, row))[0] == "running"
        clock.now += 15_200
    assert await runs.run(row.id) is None
    assert await state(store, row) == ("dead", 3, "the worker died 3 times")
    assert step.given_up == ["the worker died 3 times"]
    assert await store.outbox.due(clock.now * 2, 10) == []
    assert await Acts(store).redrive(
        [row.id], actor=OPERATOR, reason="the workers have more memory"
    )
    assert await state(store, row) == ("waiting", 0, None)


async def test_a_dead_letter_says_what_failed_before_the_worker_died(
    store: Store, row: OutboxRow
) -> None:
    step, clock = Scripted(*[JudgeUnavailable("refused")] * 2), Clock()
    runs = attempts(store, step, clock)
    for _ in range(2):
        await runs.run(row.id)
        clock.now += MOST_MS
    found = await store.outbox.get(row.id)
    assert found is not None
    await store.outbox.start(found, clock.now, 15_200)
    clock.now += 15_200
    await runs.run(row.id)
    assert await state(store, row) == (
        "dead", 3, "the worker died in attempt 3; before: refused",
    )  # fmt: skip


async def test_a_last_attempt_that_was_slow_and_not_dead_is_still_done(
    store: Store, row: OutboxRow
) -> None:
    found = row
    for _ in range(3):
        await store.outbox.start(found, 0, 0)
        [found] = [each for each in await store.outbox.steps(row.session) if each.id == row.id]
    await attempts(store, Scripted(), Clock()).run(row.id)
    assert (await state(store, row))[0] == "dead"
    await store.outbox.done(row)
    assert (await state(store, row))[0] == "done"


async def test_a_killed_workers_row_comes_back_by_itself(store: Store, row: OutboxRow) -> None:
    step, clock = Scripted(None), Clock()
    await store.outbox.start(row, clock.now, 15_200)  # and then nothing more is heard of it
    runs = attempts(store, step, clock)
    assert await runs.run(row.id) is None
    assert step.runs == 0
    clock.now += 15_200
    await runs.run(row.id)
    assert await state(store, row) == ("done", 2, None)


async def test_strange_ids_and_steps_are_left_alone(store: Store, row: OutboxRow) -> None:
    runs = Attempts(
        store=store,
        steps={},
        attempts=3,
        clock=Clock(),
        rng=random.Random(1),
        metrics=Metrics(CollectorRegistry()),
    )
    assert await runs.run("nobody") is None
    assert await runs.run(row.id) is None
    assert await state(store, row) == ("waiting", 0, None)


@given(st.integers(1, 1_000), st.integers())
def test_backoff_is_bounded_and_spread(attempt: int, seed: int) -> None:
    wait = delay_ms(attempt, random.Random(seed))
    whole = min(MOST_MS, FIRST_MS * 2 ** min(attempt - 1, 16))
    assert whole // 2 <= wait <= whole


async def drive_again(store: Store, row: OutboxRow) -> OutboxRow:
    driven = await Acts(store).redrive([row.id], actor=OPERATOR, reason="try again")
    assert driven == [row.id]
    found = await store.outbox.get(row.id)
    assert found is not None
    return found


class Sleeper(Scripted):
    """A step whose worker is stopped for hours right before its effect."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.effects = 0

    async def run(self, session: str, fence: Fence) -> dict[str, object]:
        self.begun.set()
        await self.go_on.wait()
        await fence.check()
        self.effects += 1
        return {}


@pytest.mark.parametrize("driven_again", [False, True])
async def test_a_worker_that_wakes_up_late_does_nothing(
    store: Store, row: OutboxRow, driven_again: bool
) -> None:
    """Nor when the letter was dead meanwhile, and its count of attempts began anew."""
    clock, sleeper = Clock(), Sleeper()
    sleeper.timeout_s = 60
    late = asyncio.create_task(attempts(store, sleeper, clock).run(row.id))
    await sleeper.begun.wait()
    clock.now += 3_600_000
    if driven_again:
        for _ in range(2):
            found = await store.outbox.get(row.id)
            assert found is not None
            await store.outbox.start(found, clock.now, 0)
        assert await attempts(store, Scripted(), clock).run(row.id) is None
        row = await drive_again(store, row)
    found = await store.outbox.get(row.id)
    assert found is not None
    await store.outbox.start(found, clock.now, 15_200)
    sleeper.go_on.set()
    assert await late is None
    assert sleeper.effects == 0
    assert (await state(store, row))[:2] == ("running", 1 if driven_again else 2)


async def test_who_gives_up_too_late_is_not_heard(store: Store, row: OutboxRow) -> None:
    clock = Clock()
    step = Scripted(0.15)
    step.timeout_s = 0.1
    runs = Attempts(
        store=store,
        steps={"rate": step},
        attempts=1,
        clock=clock,
        rng=random.Random(1),
        metrics=Metrics(CollectorRegistry()),
    )
    late = asyncio.create_task(runs.run(row.id))
    while not step.runs:
        await asyncio.sleep(0.01)
    found = await store.outbox.get(row.id)
    assert found is not None
    clock.now += 3_600_000
    await store.outbox.lost(found, "the worker died 1 times")
    row = await drive_again(store, row)
    await store.outbox.start(row, clock.now, 15_200)
    await late
    assert step.given_up == []
    assert (await state(store, row))[0] == "running"


async def test_the_next_step_of_the_session_follows_at_once_and_counts_for_itself(
    store: Store,
) -> None:
    record = (await Seats.registered(store)).record("bid-tac-toe")
    await store.sessions.form(record)
    await store.sessions.seal(
        session=record.session,
        status="ended",
        outcome={"termination": "line", "returns": [1, -1]},
        document=b"{}",
        digest="d",
        steps=("settle", "rate"),
        now_ms=0,
    )
    _, settle, rate = await store.outbox.steps(record.session)
    first, then = Scripted(JudgeUnavailable("not yet"), None), Scripted(OSError("away"), None)
    clock = Clock()
    runs = Attempts(
        store=store,
        steps={"settle": first, "rate": then},
        attempts=3,
        clock=clock,
        rng=random.Random(1),
        metrics=Metrics(CollectorRegistry()),
        then={"settle": "rate"},
    )
    wait_ms = await runs.run(settle.id)
    assert wait_ms is not None
    assert then.runs == 0, "what it follows has failed"
    clock.now += wait_ms
    assert await runs.run(settle.id) is None, "its own failures are its own"
    assert await state(store, settle) == ("done", 2, None)
    assert await state(store, rate) == ("waiting", 1, "away")
    clock.now += MOST_MS
    assert await runs.run(rate.id) is None
    assert await state(store, rate) == ("done", 2, None)
