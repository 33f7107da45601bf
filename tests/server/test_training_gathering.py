"""What a job learns from is a function of its row; what it made is pinned before it is entered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chain.content import cid as cids
from chain.content import unixfs
from server.config import Config
from server.identity import Identity
from server.jobs.faults import Permanent, StepFault
from server.store import Store, open_store
from server.store.adapters import AdapterRow
from server.store.training_jobs import JobRow
from server.training import lesson_files
from server.training.gathering import Gathering, default_system
from server.training.order import CONTENTS, LESSONS, MADE, ORDER, Made, read_order, write
from server.training.packing import Packing
from tests.server.played_world import Clock, World
from tests.server.training.taught import teach

SPACE = "bid-tac-toe"
CONFIG = Config(training_sessions=3, training_steps=8, training_threads=1)


class Kept:
    """A content store that keeps in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.lies = False

    async def add(self, document: bytes) -> cids.Cid:
        if self.lies:
            return cids.of(b"something else")
        found = unixfs.cid_of(document)
        self.kept[str(found)] = document
        return found


@pytest.fixture
async def world(store_url: str) -> AsyncIterator[World]:
    clock = Clock(1_800_000_000_000)
    opened = await open_store(store_url, clock)
    yield World(opened, clock)
    await opened.close()


async def play(
    world: World, *agents: Identity, space: str = SPACE, totals: tuple[int, ...] = ()
) -> str:
    """One session, really played; its transcript's CID."""
    world.clock.ms += 1_000
    params = {"chips": 12} if space == SPACE else {}
    return str(
        cids.of(
            await teach(
                world, *agents, space=space, number=world.clock.ms, params=params, totals=totals
            )
        )
    )


async def asked(store: Store, agent: Identity, space: str = SPACE) -> JobRow:
    return await store.training_jobs.create(
        agent=agent.agent, space=space, asked="owner", since_ms=0, scored=5
    )


async def test_the_newest_sessions_up_to_the_asking_are_collected(
    world: World, tmp_path: Path
) -> None:
    ember, frost = await world.agent("Ember"), await world.agent("Frost")
    names = [await play(world, ember, frost) for _ in range(5)]
    await play(world, frost, await world.agent("Third"))
    job = await asked(world.store, ember)
    await play(world, ember, frost)  # too late for this job
    gathering = Gathering(world.store, Kept(), CONFIG)  # type: ignore[arg-type]
    for folder in (tmp_path / "here", tmp_path / "elsewhere"):
        folder.mkdir()
        await gathering.collect(job, folder)
        lessons = lesson_files.load(folder / LESSONS)
        assert {each.session for each in lessons} == set(names[-3:])
        assert {each.players for each in lessons} == {(ember.version, frost.version)}
        order = read_order(folder)
        assert (order.form, order.config.recipe, order.config.steps) == ("winners", "sft", 8)
        assert (order.system, order.parent) == (default_system(), None)
    assert read_order(tmp_path / "here") == read_order(tmp_path / "elsewhere")
    await gathering.collect(job, tmp_path / "here")  # once more changes nothing


async def test_what_judges_decide_is_learned_from_their_verdicts(
    world: World, tmp_path: Path
) -> None:
    ember, frost = await world.agent("Ember"), await world.agent("Frost")
    await play(world, frost, ember, space="rap-battle", totals=(7_000, 4_000))
    job = await asked(world.store, ember, "rap-battle")
    await Gathering(world.store, Kept(), CONFIG).collect(job, tmp_path)  # type: ignore[arg-type]
    order = read_order(tmp_path)
    assert (order.form, order.config.recipe) == ("labelled", "kto")
    (lesson,) = lesson_files.load(tmp_path / LESSONS)
    assert lesson.verdict is not None
    assert lesson.verdict.ranks == (1, 2)


async def test_without_a_session_there_is_nothing_to_learn(world: World, tmp_path: Path) -> None:
    job = await asked(world.store, await world.agent("Ember"))
    with pytest.raises(Permanent, match="no session of bid-tac-toe is there to learn from"):
        await Gathering(world.store, Kept(), CONFIG).collect(job, tmp_path)  # type: ignore[arg-type]


async def test_what_was_made_is_pinned_and_entered_once(world: World, tmp_path: Path) -> None:
    ember = await world.agent("Ember")
    job = await asked(world.store, ember)
    (tmp_path / CONTENTS).mkdir()
    made_of = (b"card", b"data", b"proof", b"w" * 9)
    files = {str(unixfs.cid_of(each)): each for each in made_of}
    for name, each in files.items():
        (tmp_path / CONTENTS / name).write_bytes(each)
    card, data, manifest, weights = files
    made = Made(
        card=card,
        data=data,
        manifest=manifest,
        weights=weights,
        gguf=None,
        base_sha256="0" * 64,
        bytes=9,
        parent=None,
        counts={},
    )
    write(tmp_path / MADE, made)
    content = Kept()
    content.lies = True
    packing = Packing(world.store, content)  # type: ignore[arg-type]
    with pytest.raises(StepFault, match="the content store calls"):
        await packing.pack(job, tmp_path)
    assert await world.store.adapters.get(card) is None, "nothing is entered that is not kept"
    content.lies = False
    packed = await packing.pack(job, tmp_path)
    assert content.kept == files
    assert (packed.adapter.card, packed.adapter.agent, packed.data) == (card, ember.agent, data)
    assert await packing.pack(job, tmp_path) == packed


async def test_an_owner_who_has_no_room_for_another_adapter_is_told_before_it_is_trained(
    world: World, tmp_path: Path
) -> None:
    ember, frost = await world.agent("Ember"), await world.agent("Frost")
    await play(world, ember, frost)
    job = await world.store.training_jobs.create(
        agent=ember.agent, space=SPACE, asked="owner", since_ms=0, scored=40
    )
    await world.store.adapters.add(
        AdapterRow(
            card="bafkone",
            weights="bafkweights",
            owner=ember.owner,
            agent=ember.agent,
            space=SPACE,
            base_sha256="0" * 64,
            bytes=5,
            created_ms=1,
        )
    )
    full = Gathering(world.store, Kept(), Config(adapters_per_owner=1))  # type: ignore[arg-type]
    with pytest.raises(Permanent, match="agon training retire"):
        await full.collect(job, tmp_path)
    assert not (tmp_path / ORDER).exists()


async def test_what_holds_an_owners_prompt_is_for_nobody_else_to_read(
    world: World, tmp_path: Path
) -> None:
    ember, frost = await world.agent("Ember"), await world.agent("Frost")
    await play(world, ember, frost)
    job = await world.store.training_jobs.create(
        agent=ember.agent, space=SPACE, asked="owner", since_ms=0, scored=40
    )
    await Gathering(world.store, Kept(), CONFIG).collect(job, tmp_path)  # type: ignore[arg-type]
    assert (tmp_path / ORDER).stat().st_mode & 0o777 == 0o600
