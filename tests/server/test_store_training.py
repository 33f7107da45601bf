"""Jobs, consents and adapters in the records, with two workers that want the same job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from server.identity import Identity
from server.store import Store, open_store
from server.store.adapters import AdapterRow, NameTaken
from server.store.training_jobs import JobRow, Overtaken, Progress, UnderWay
from server.training.eligibility import WEEK_MS, Consent
from server.training.states import State, WrongTransition
from tests.server.played_world import Clock, World

NOW_MS = 1_800_000_000_000
LEASE_MS = 30_000
SPACE = "bid-tac-toe"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW_MS)


@pytest.fixture
async def world(store_url: str, clock: Clock) -> AsyncIterator[World]:
    opened = await open_store(store_url, clock)
    yield World(opened, clock)
    await opened.close()


@pytest.fixture
async def ember(world: World) -> Identity:
    return await world.agent("Ember")


async def new_job(store: Store, agent: Identity, space: str = SPACE) -> JobRow:
    return await store.training_jobs.create(
        agent=agent.agent, space=space, asked="owner", since_ms=0, scored=40
    )


def progress(step: int, device_ms: int = 1_000) -> Progress:
    return Progress(step=step, steps=60, loss_micro=1_500_000, curve="[[1,2]]", device_ms=device_ms)


async def through(store: Store, job: JobRow, *states: State) -> JobRow:
    job = await store.training_jobs.start(job, LEASE_MS, "cpu", "w")
    for state in states:
        job = await store.training_jobs.move(job, state)
    return job


ALL = (State.COLLECTING, State.TRAINING, State.PACKAGING, State.GATING)


async def test_one_training_at_a_time_for_an_agent_and_a_space(
    world: World, ember: Identity
) -> None:
    store = world.store
    made = await asyncio.gather(*(new_job(store, ember) for _ in range(4)), return_exceptions=True)
    jobs = [each for each in made if isinstance(each, JobRow)]
    assert len(jobs) == 1
    assert all(isinstance(each, UnderWay) for each in made if each is not jobs[0])
    assert (await new_job(store, ember, "logic")).version == ember.version, "another Space is free"
    ended = await through(store, jobs[0], State.CANCELLED)
    assert ended.ended_ms == NOW_MS
    await new_job(store, ember)


async def test_of_two_workers_one_gets_it_and_a_dead_ones_lease_ends(
    world: World, ember: Identity
) -> None:
    jobs, job = world.store.training_jobs, await new_job(world.store, ember)
    took = await asyncio.gather(
        *(jobs.start(job, LEASE_MS, "cpu", name) for name in "ab"), return_exceptions=True
    )
    (first,) = [each for each in took if isinstance(each, JobRow)]
    assert isinstance(took[1 - took.index(first)], Overtaken)
    assert await jobs.due(world.clock.ms, 9) == [], "held"
    first = await jobs.move(first, State.COLLECTING)
    first = await jobs.move(first, State.TRAINING)
    world.clock.ms += LEASE_MS
    (due,) = await jobs.due(world.clock.ms, 9)
    second = await jobs.start(due, LEASE_MS, "cpu", "c")
    assert (second.state, second.attempts, second.held_by) == (State.TRAINING, 2, "c")
    for late in (
        jobs.report(first, LEASE_MS, progress(5)),
        jobs.move(first, State.PACKAGING),
        jobs.leave(first, 0, None, counts=False),
        jobs.note(first, data="bafk"),
    ):
        with pytest.raises(Overtaken):
            await late
    assert (await jobs.report(second, LEASE_MS)).due_ms == world.clock.ms + LEASE_MS


async def test_what_waits_for_a_device_of_elsewhere_keeps_nobody_back(
    world: World, ember: Identity
) -> None:
    jobs = world.store.training_jobs
    first = await jobs.start(await new_job(world.store, ember), LEASE_MS, "cuda", "w")
    await jobs.leave(first, world.clock.ms, None, counts=False)
    second = await new_job(world.store, await world.agent("Frost"))
    assert [each.id for each in await jobs.due(world.clock.ms, 1, ("cpu",))] == [second.id]
    assert [each.id for each in await jobs.due(world.clock.ms, 1, ("cuda",))] == [first.id]


async def test_progress_adds_up_and_resets_the_attempts(world: World, ember: Identity) -> None:
    jobs = world.store.training_jobs
    job = await through(world.store, await new_job(world.store, ember), *ALL[:2])
    job = await jobs.leave(job, world.clock.ms, "the process died", counts=True)
    assert (job.attempts, job.held_by, job.reason) == (1, None, "the process died")
    job = await jobs.start(job, LEASE_MS, "cuda", "b")
    assert (job.attempts, job.device) == (2, "cpu"), "it goes on on what it began on"
    job = await jobs.report(job, LEASE_MS, progress(3))
    job = await jobs.report(job, LEASE_MS, progress(3, 500))
    assert (job.step, job.device_ms, job.attempts) == (3, 1_500, 1)
    again = await jobs.leave(job, world.clock.ms, None, counts=False)
    assert again.attempts == 0


async def test_no_way_leads_past_a_state(world: World, ember: Identity) -> None:
    job = await through(world.store, await new_job(world.store, ember))
    with pytest.raises(WrongTransition):
        await world.store.training_jobs.move(job, State.GATING)


async def test_what_was_found_stays_and_an_end_has_its_reason(
    world: World, ember: Identity
) -> None:
    jobs = world.store.training_jobs
    job = await through(world.store, await new_job(world.store, ember), *ALL[:3])
    job = await jobs.note(job, data="bafkdata")
    job = await jobs.move(job, State.GATING, adapter="bafkcard", manifest="bafkproof")
    job = await jobs.move(job, State.KEPT, gate="01GATE", reason="no better\0 than before")
    assert (job.data, job.adapter, job.manifest, job.gate) == (
        "bafkdata",
        "bafkcard",
        "bafkproof",
        "01GATE",
    )
    assert (job.reason, job.held_by, job.ended_ms) == ("no better  than before", None, NOW_MS)
    with pytest.raises(Overtaken):
        await jobs.report(job, LEASE_MS)


async def test_cancelling_ends_what_nobody_works_on_and_tells_who_does(
    world: World, ember: Identity
) -> None:
    jobs, agent = world.store.training_jobs, ember.agent
    assert await jobs.cancel(agent, SPACE) is None
    await new_job(world.store, ember)
    ended = await jobs.cancel(agent, SPACE)
    assert ended is not None
    assert (ended.state, ended.reason) == (
        State.CANCELLED,
        "its owner cancelled it",
    )
    held = await through(world.store, await new_job(world.store, ember), *ALL[:2])
    told = await jobs.cancel(agent, SPACE)
    assert told is not None
    assert (told.state, told.wanted_off) == (State.TRAINING, True)
    assert (await jobs.report(held, LEASE_MS)).wanted_off
    await jobs.leave(held, NOW_MS + WEEK_MS, "waits for its budget", counts=False)
    over = await jobs.cancel(agent, SPACE)
    assert over is not None
    assert over.state is State.CANCELLED, "it need not wait a week for that"


async def test_sessions_count_from_the_last_gated_training_on(
    world: World, ember: Identity
) -> None:
    jobs, rival = world.store.training_jobs, await world.agent("Rival")

    async def scored() -> int:
        return (await jobs.history(ember.agent, SPACE, world.clock.ms)).scored

    await world.play(ember, rival, ranks=[1, 2])
    await world.play(ember, rival, ranks=None)
    await world.play(ember, rival, ranks=[1, 2], space="logic")
    await world.play(rival, await world.agent("Third"), ranks=[1, 2])
    assert await scored() == 1, "no void one, no other Space, no other agent"
    assert await jobs.since_ms(ember.agent, SPACE) == 0
    world.clock.ms += 1_000
    failed = await through(world.store, await new_job(world.store, ember), State.FAILED)
    history = await jobs.history(ember.agent, SPACE, world.clock.ms)
    assert (history.scored, history.failed_ms, history.kept) == (1, failed.ended_ms, 0)
    world.clock.ms += 1_000
    job = await through(world.store, await new_job(world.store, ember), *ALL)
    world.clock.ms += 1_000
    await world.play(ember, rival, ranks=[2, 1])  # while it was being trained
    assert (await jobs.history(ember.agent, SPACE, world.clock.ms)).job == job.id
    await jobs.move(job, State.KEPT, reason="no better")
    history = await jobs.history(ember.agent, SPACE, world.clock.ms)
    assert (history.scored, history.kept, history.kept_ms) == (1, 1, world.clock.ms)
    assert history.failed_ms is None
    assert await jobs.since_ms(ember.agent, SPACE) == job.until_ms
    won = await through(world.store, await new_job(world.store, ember), *ALL)
    await jobs.move(won, State.PROMOTED, promoted=ember.version)
    history = await jobs.history(ember.agent, SPACE, world.clock.ms)
    assert (history.kept, history.kept_ms) == (0, None)


async def test_the_weeks_device_time_is_counted(world: World, ember: Identity) -> None:
    jobs = world.store.training_jobs
    job = await through(world.store, await new_job(world.store, ember), *ALL[:2])
    await jobs.report(job, LEASE_MS, progress(3, 70_000))
    found = await jobs.history(ember.agent, SPACE, world.clock.ms)
    assert found.spent == ((NOW_MS, 70_000),)
    world.clock.ms += WEEK_MS
    assert (await jobs.history(ember.agent, SPACE, world.clock.ms)).spent == ()


async def test_consents_are_set_by_space(world: World, ember: Identity) -> None:
    consents = world.store.consents
    assert await consents.of_agent(ember.agent) == {}
    await consents.put(ember.agent, "logic", Consent(on=True, budget_s=60))
    await consents.put(ember.agent, SPACE, Consent(on=True))
    await consents.put(ember.agent, SPACE, Consent(on=False, budget_s=600))
    assert await consents.of_agent(ember.agent) == {
        SPACE: Consent(on=False, budget_s=600),
        "logic": Consent(on=True, budget_s=60),
    }
    wanted = await consents.wanted(("", ""), 10)
    assert wanted == [(ember.agent, "logic", Consent(on=True, budget_s=60))]
    assert await consents.wanted((ember.agent, "logic"), 10) == []


def adapter(agent: Identity, card: str, name: str | None = None) -> AdapterRow:
    return AdapterRow(
        card=card,
        weights=f"{card}-w",
        name=name,
        owner=agent.owner,
        agent=agent.agent,
        space=SPACE,
        base_sha256="0" * 64,
        bytes=5_000_000,
        created_ms=NOW_MS,
    )


async def test_names_and_cards_of_adapters_are_given_once(world: World, ember: Identity) -> None:
    adapters = world.store.adapters
    first = await adapters.add(adapter(ember, "bafkone", "ember@v2-00000000"))
    again = msgspec.structs.replace(first, gguf="other", bytes=1)
    assert await adapters.add(again) == first, "it stays as it was entered"
    with pytest.raises(NameTaken):
        await adapters.add(adapter(ember, "bafktwo", "ember@v2-00000000"))
    await adapters.add(adapter(ember, "bafktwo"))
    assert [each.card for each in await adapters.of_agent(ember.agent)] == ["bafkone", "bafktwo"]
    assert await adapters.bytes_of_owner(ember.owner) == 10_000_000
    retired = await world.store.retiring.retire(first)
    world.clock.ms += 1
    assert await world.store.retiring.retire(first) == retired, "the first time stands"
    assert [each.card for each in await adapters.live_of_owner(ember.owner)] == ["bafktwo"]
    with pytest.raises(NameTaken):
        await adapters.add(adapter(ember, "bafkthree", "ember@v2-00000000"))
