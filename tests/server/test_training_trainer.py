"""Trainings are carried to their end whoever dies on the way. The child is a real process that counts instead of learning."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from server.config import Config
from server.identity import Identity
from server.jobs.faults import NotNow
from server.store import Store
from server.store.training_jobs import JobRow
from server.training import folders, progress, teaching
from server.training.eligibility import Consent
from server.training.slots import Slot, Slots
from server.training.states import State
from tests.server.played_world import Clock, World
from tests.server.training_child import MADE, STEPS
from tests.server.training_world import (
    ROOT,
    FakeRooms,
    at_step,
    over,
    trainer,
    until,
    working,
)

SPACE = "bid-tac-toe"


@pytest.fixture
async def ember(store: Store) -> Identity:
    return (await store.agents.register("Ember", kind="hosted"))[0]


async def asked(store: Store, agent: Identity, scored: int = 40, space: str = SPACE) -> JobRow:
    return await store.training_jobs.create(
        agent=agent.agent, space=space, asked="owner", since_ms=0, scored=scored
    )


def starts(folder: Path, job: JobRow) -> int:
    return len((folder / job.folder / "starts").read_text())


async def test_a_training_is_carried_to_the_gates_word(
    store: Store, redis: Redis, ember: Identity, tmp_path: Path
) -> None:
    assert MADE == teaching.MADE
    job, rooms = await asked(store, ember), FakeRooms()
    async with working(trainer(store, redis, tmp_path / "t", rooms)):
        done = await until(store, job.id, over)
    assert (done.state, done.gate, done.reason) == (State.KEPT, "gate-1", "55 of 100 points")
    assert (done.step, done.steps, done.device) == (STEPS, STEPS, "cpu")
    assert (done.data, done.manifest, done.adapter) == ("data", "manifest", f"card-{job.id}")
    assert (done.loss_micro, done.held_by) == (round(2_000_000 / STEPS), None)
    assert rooms.did[-2:] == ["rule", "unload"]
    assert starts(tmp_path / "t", job) == 1


@pytest.mark.slow
async def test_a_child_that_is_killed_goes_on_from_its_checkpoint(
    store: Store, redis: Redis, ember: Identity, tmp_path: Path
) -> None:
    job, rooms = await asked(store, ember), FakeRooms(pause_s=0.02)
    rooms.promotes = ember.version
    async with working(trainer(store, redis, tmp_path / "t", rooms)):
        await until(store, job.id, at_step(3))
        (child,) = _children(tmp_path / "t" / job.folder)
        os.kill(child, signal.SIGKILL)
        waits = await until(store, job.id, lambda row: row.reason is not None)
        assert waits.reason is not None
        assert waits.reason.startswith("the training process was ended by SIGKILL")
        done = await until(store, job.id, over)
    assert (done.state, done.promoted) == (State.PROMOTED, ember.version)
    _each_step_once(tmp_path / "t", job)
    assert starts(tmp_path / "t", job) == 2


@pytest.mark.slow
async def test_a_worker_that_is_killed_loses_its_job_to_another_which_goes_on(
    store: Store, store_url: str, redis: Redis, redis_url: str, ember: Identity, tmp_path: Path
) -> None:
    job, folder = await asked(store, ember), tmp_path / "t"
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.server.training_worker", store_url, redis_url, str(folder), "0.05"),
        cwd=ROOT,
    )
    try:
        await until(store, job.id, at_step(3))
        (child,) = _children(folder / job.folder)
    finally:
        worker.kill()
        await worker.wait()
    async with working(trainer(store, redis, folder, FakeRooms())):
        done = await until(store, job.id, over)
    assert done.state is State.KEPT
    assert _over(child), "it did not outlive its worker"
    assert starts(folder, job) == 2
    _each_step_once(folder, job)


async def test_a_trainer_that_is_drained_puts_its_job_back_at_once(
    store: Store, redis: Redis, ember: Identity, tmp_path: Path
) -> None:
    job = await asked(store, ember)
    async with working(trainer(store, redis, tmp_path / "t", FakeRooms(pause_s=0.05))):
        await until(store, job.id, at_step(2))
    back = await store.training_jobs.get(job.id)
    assert back is not None
    assert (back.state, back.held_by, back.attempts) == (State.TRAINING, None, 0)
    assert _children(tmp_path / "t" / job.folder) == []
    async with working(trainer(store, redis, tmp_path / "t", FakeRooms())):
        assert (await until(store, job.id, over)).state is State.KEPT
    assert starts(tmp_path / "t", job) == 2


@pytest.mark.slow
async def test_a_cancelled_training_ends_soon_and_leaves_the_agent_as_it_is(
    store: Store, redis: Redis, ember: Identity, tmp_path: Path
) -> None:
    job = await asked(store, ember)
    async with working(trainer(store, redis, tmp_path / "t", FakeRooms(pause_s=0.2))):
        await until(store, job.id, at_step(1))
        await store.training_jobs.cancel(ember.agent, SPACE)
        done = await until(store, job.id, over, timeout_s=15)
        assert (done.state, done.promoted) == (State.CANCELLED, None)
        assert _children(tmp_path / "t" / job.folder) == []
        after = await asked(store, ember)  # the slot is free again
        await until(store, after.id, at_step(1))


async def test_what_can_never_be_done_fails_with_its_words(
    store: Store, redis: Redis, ember: Identity, tmp_path: Path
) -> None:
    empty = await asked(store, ember, scored=0)
    rooms = FakeRooms()
    rooms.broken = "65 none of 3 examples fits into 512 tokens"
    unfit = await asked(store, ember, space="logic")
    async with working(trainer(store, redis, tmp_path / "t", rooms)):
        assert (await until(store, empty.id, over)).reason == (
            "there is nothing to learn from: no seat of the agent won"
        )
        done = await until(store, unfit.id, over)
    assert (done.state, done.reason) == (State.FAILED, "none of 3 examples fits into 512 tokens")


@pytest.mark.slow
async def test_a_process_that_keeps_dying_is_given_up(
    store: Store, redis: Redis, ember: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.training.attempt.ATTEMPTS", 2)
    job, rooms = await asked(store, ember), FakeRooms()
    rooms.broken = "1 RuntimeError: out of memory"
    async with working(trainer(store, redis, tmp_path / "t", rooms)):
        done = await until(store, job.id, over)
    assert done.state is State.FAILED
    assert done.reason == "the training process ended with 1: RuntimeError: out of memory"


@pytest.mark.slow
async def test_a_room_that_is_away_is_waited_for(
    store: Store, redis: Redis, ember: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.training.attempt.LATE", 1)
    job, rooms = await asked(store, ember), FakeRooms()
    rooms.faults = [NotNow("the model server is away") for _ in range(6)]
    async with working(trainer(store, redis, tmp_path / "t", rooms)):
        done = await until(store, job.id, over)
    assert done.state is State.KEPT, "an outage counts no attempts"
    assert starts(tmp_path / "t", job) == 1, "and what was made is not made again"


async def test_a_spent_budget_makes_it_wait_and_not_begin_anew(
    store: Store, redis: Redis, ember: Identity, tmp_path: Path
) -> None:
    await store.consents.put(ember.agent, SPACE, Consent(on=True, budget_s=1))
    job = await asked(store, ember)
    async with working(trainer(store, redis, tmp_path / "t", FakeRooms(pause_s=0.2))):
        waits = await until(store, job.id, lambda row: row.reason is not None)
    assert waits.state is State.TRAINING
    assert waits.reason == "the week's budget of device-seconds is used up"
    assert waits.due_ms == waits.moved_ms + 7 * 86_400_000
    assert waits.step < STEPS
    ended = await store.training_jobs.cancel(ember.agent, SPACE)
    assert ended is not None
    assert ended.state is State.CANCELLED, "its owner need not wait"


@pytest.mark.slow
async def test_as_many_at_once_as_there_are_slots(
    store: Store, redis: Redis, ember: Identity, tmp_path: Path
) -> None:
    spaces = (SPACE, "logic", "writing")
    jobs = [await asked(store, ember, space=space) for space in spaces]
    async with working(trainer(store, redis, tmp_path / "t", FakeRooms(pause_s=0.01), cpu=2)):
        await asyncio.gather(*(until(store, job.id, at_step(1)) for job in jobs[:2]))
        third = await store.training_jobs.get(jobs[2].id)
        assert third is not None
        assert third.state is State.QUEUED
        await asyncio.gather(*(until(store, job.id, over) for job in jobs))


async def test_what_owners_allow_begins_by_itself(
    store: Store, redis: Redis, ember: Identity, tmp_path: Path
) -> None:
    rival = await World(store, Clock(0)).agent("Rival")
    world = World(store, Clock(1_800_000_000_000))
    for _ in range(40):
        await world.play(ember, rival, ranks=[1, 2], entered=False, tier=0)
    await store.consents.put(ember.agent, SPACE, Consent(on=True))
    await store.consents.put(ember.agent, "logic", Consent(on=True))
    await store.consents.put(rival.agent, SPACE, Consent(on=True))  # a bot of its owner's
    async with working(trainer(store, redis, tmp_path / "t", FakeRooms(), config=Config())):
        async with asyncio.timeout(30):
            while not (begun := await store.training_jobs.of_agent(ember.agent)):
                await asyncio.sleep(0.02)
        await until(store, begun[0].id, over)
    assert [(job.space, job.asked, job.scored) for job in begun] == [(SPACE, "schedule", 40)]
    assert await store.training_jobs.of_agent(rival.agent) == []


def test_folders_of_trainings_that_are_over_are_bounded(tmp_path: Path) -> None:
    for number, name in enumerate(("old", "used", "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_bytes(b"x" * 600)
        os.utime(tmp_path / name, (number, number))
    assert folders.sweep(tmp_path, {"used"}, 2_000) == []
    assert folders.sweep(tmp_path, {"used"}, 1_000) == ["old"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["new", "used"]


def test_a_job_goes_on_on_the_kind_of_device_it_began_on() -> None:
    slots = Slots(cpu=1, gpu=2)
    assert slots.take(None) == Slot("cuda", 0)
    assert slots.take("cpu") == Slot("cpu", 0)
    assert slots.take("cpu") is None
    second = slots.take("cuda")
    assert second is not None
    assert second.device == "cuda:1"
    assert slots.take(None) is None
    slots.give(second)
    assert slots.take(None) == second


def test_steps_that_are_made_again_replace_what_was_told_of_them() -> None:
    told = [progress.line(step, 9, float(step)) for step in (1, 2, 3, 4)]
    again = [progress.line(step, 9, step + 0.5) for step in (3,)]
    seen = progress.read(b"".join((*told, b"no line\n", *again)) + b'{"step": 4, "st')
    assert (seen.step, seen.steps, seen.loss_micro) == (3, 9, 3_500_000)
    assert seen.points == ((1, 1_000_000), (2, 2_000_000), (3, 3_500_000))
    assert progress.read(b"").curve == "[]"


def _over(process: int) -> bool:
    """Gone, or ended and not yet buried by the process that orphans are given to."""
    try:
        told = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True
    return told.rpartition(")")[2].split()[0] == "Z"


def _children(folder: Path) -> list[int]:
    """Processes that count in the folder."""
    found = []
    for each in Path("/proc").iterdir():
        try:
            words = (each / "cmdline").read_bytes().split(b"\0") if each.name.isdigit() else []
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(folder).encode() in words and b"tests.server.training_child" in words:
            found.append(int(each.name))
    return found


def _each_step_once(folder: Path, job: JobRow) -> None:
    seen = progress.read((folder / job.folder / progress.FILE).read_bytes())
    assert [step for step, _ in seen.points] == list(range(1, STEPS + 1))
