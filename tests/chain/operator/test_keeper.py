"""The operator's rounds: which blocks it keeps, what it attests, what it answers; and that death between any two steps harms nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain import attestation
from chain.attestation import read_leaves
from chain.content import cid
from chain.operator import assign
from chain.operator.journal import Journal, JournalInUse, Task
from chain.operator.keeper import RENEW_S, Keeper
from chain.operator.roll import SEED_BLOCKS
from tests.chain.operator.world import ME, MIN_STAKE, OTHERS, Killed, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, blocks=10)


@pytest.fixture
def journal(world: World) -> Iterator[Journal]:
    opened = world.open()
    yield opened
    opened.close()


async def until_calm(world: World, keeper: Keeper) -> None:
    for _ in range(8):
        await keeper.round(world.look())
        world.now_ms += 61_000


async def test_what_is_ours_is_kept_and_attested_and_nothing_else(
    world: World, journal: Journal
) -> None:
    for other in OTHERS:
        world.join(other)
    world.take(journal, replicas=2)
    await until_calm(world, world.keeper(journal))
    among = [ME, *OTHERS]
    ours = {id_ for id_ in world.blocks if assign.keeps(ME, among, id_.digest, 2)}
    assert 0 < len(ours) < 10
    assert ours == set(world.blocks) & set(world.pinned)
    assert sorted(world.attested()) == sorted(id_.digest for id_ in ours)
    assert journal.totals().attested == len(ours)


async def test_when_others_go_their_blocks_are_taken_too(world: World, journal: Journal) -> None:
    for other in OTHERS:
        world.join(other)
    world.take(journal, replicas=1)
    keeper = world.keeper(journal)
    await until_calm(world, keeper)
    before = set(world.blocks) & set(world.pinned)
    for other in OTHERS:
        world.log("Unbonding", operator=other, amount=MIN_STAKE, at=0)
    await until_calm(world, keeper)
    assert before < set(world.pinned)
    assert set(world.blocks) <= set(world.pinned)
    assert len(world.attested()) == 10


async def test_a_block_that_is_not_what_its_id_says_is_not_kept(
    world: World, journal: Journal
) -> None:
    bad, good = list(world.blocks)[:2]
    world.blocks = {bad: b"something else", good: world.blocks[good]}
    world.take(journal)
    await until_calm(world, world.keeper(journal))
    assert bad not in world.pinned
    assert world.attested() == [good.digest]
    assert any("other bytes" in line for line in world.told)


async def test_what_is_not_to_be_had_is_asked_for_again_later(
    world: World, journal: Journal
) -> None:
    world.take(journal)
    blocks, world.blocks = world.blocks, {}
    keeper = world.keeper(journal)
    await keeper.round(world.look())
    world.blocks = blocks
    await keeper.round(world.look())
    assert world.attested() == []  # it is not due yet
    await until_calm(world, keeper)
    assert len(world.attested()) == 10


async def test_ids_that_are_none_and_files_are_passed_over(world: World, journal: Journal) -> None:
    file = cid.of(b"\n\x02\x08\x01", cid.Codec.DAG_PB)
    journal.take([Task("nonsense", 1, "x", "s"), Task(str(file), 1, "x", "s")], 2, 3)
    await until_calm(world, world.keeper(journal))
    assert world.pinned == {}
    assert journal.totals().mine == 0


async def test_who_is_not_staked_keeps_nothing(world: World, journal: Journal) -> None:
    world.log("Unbonding", operator=ME, amount=1, at=0)
    world.take(journal)
    await until_calm(world, world.keeper(journal))
    assert world.pinned == {}


async def test_past_its_bound_it_takes_nothing_more(world: World, journal: Journal) -> None:
    world.take(journal)
    await until_calm(world, world.keeper(journal, max_bytes=1))
    assert journal.totals().kept == 10  # one request is not cut in two
    world.blocks = {cid.of(b"one more"): b"one more"}
    world.take(journal)
    await until_calm(world, world.keeper(journal, max_bytes=1))
    assert cid.of(b"one more") not in world.pinned


async def test_it_attests_anew_before_a_batch_lapses(world: World, journal: Journal) -> None:
    world.take(journal)
    keeper = world.keeper(journal)
    await until_calm(world, keeper)
    world.now_ms += RENEW_S * 1_000
    await until_calm(world, keeper)
    attested = world.attested()
    assert sorted(attested) == sorted(2 * [id_.digest for id_ in world.blocks])
    assert journal.unconfirmed() == []


async def test_lists_are_handed_in_when_they_are_taken(world: World, journal: Journal) -> None:
    world.take(journal)
    world.takes_lists = False
    keeper = world.keeper(journal)
    await until_calm(world, keeper)
    assert world.lists == {}
    world.takes_lists = True
    world.now_ms += 3_600_000
    await until_calm(world, keeper)
    [batch] = world.batches
    assert hashlib.sha256(world.lists[0]).digest() == batch["list_digest"]
    world.lists.clear()
    await until_calm(world, keeper)
    assert world.lists == {}  # once is enough


async def test_a_block_that_was_lost_is_not_attested_anew(world: World, journal: Journal) -> None:
    world.take(journal)
    keeper = world.keeper(journal)
    await until_calm(world, keeper)
    gone, again = list(world.blocks)[:2]
    kept = world.blocks.pop(gone)
    del world.pinned[gone]
    del world.pinned[again]  # the source gives it
    world.now_ms += RENEW_S * 1_000
    await until_calm(world, keeper)
    assert world.attested().count(gone.digest) == 1
    assert world.attested().count(again.digest) == 2
    assert again in world.pinned
    world.blocks[gone] = kept
    world.now_ms += 3_600_000
    await until_calm(world, keeper)
    assert world.attested().count(gone.digest) == 2


async def test_who_has_missed_a_challenge_gives_a_sign_of_life(
    world: World, journal: Journal
) -> None:
    world.take(journal)
    keeper = world.keeper(journal)
    await until_calm(world, keeper)
    challenged(world)
    world.log("Missed", id=1, operator=ME, misses=1, lost=0, reward=0)
    assert world.look().roll.standing(MIN_STAKE) == []
    await until_calm(world, keeper)
    assert world.look().roll.standing(MIN_STAKE) == [ME]
    assert [batch["leaves"] for batch in world.batches] == [10, 1]


async def test_a_reorganisation_that_loses_a_batch_has_it_attested_again(
    world: World, journal: Journal
) -> None:
    world.take(journal)
    keeper = world.keeper(journal)
    await until_calm(world, keeper)
    assert journal.unconfirmed() == []
    world.events = [event for event in world.events if event.name != "Attested"]
    world.acts.clear()  # the writer sends again what is in no block any more
    await keeper.round(world.look(changed=True))
    await until_calm(world, keeper)
    assert sorted(world.attested()) == sorted(id_.digest for id_ in world.blocks)


# ------------------------------------------------------------------ challenges


def challenged(world: World, batch: int = 0, leaf: int = 2) -> None:
    world.log("Challenged", id=1, operator=ME, challenger=OTHERS[0], batch=batch, leaf=leaf, bond=0)


def drawn(world: World, seed: bytes, leaf: int = 2) -> None:
    world.log("Drawn", id=1, operator=ME, seed=seed, leaf=leaf, answer_until=1)


@pytest.mark.parametrize("lost", ["nothing", "journal", "block", "list"])
async def test_it_draws_and_answers_whatever_it_has_lost(world: World, lost: str) -> None:
    journal = world.open()
    world.take(journal)
    await until_calm(world, world.keeper(journal))
    batch = world.batches[0]
    list_ = cid.Cid(cid.Codec.RAW, batch["list_digest"])
    leaf = read_leaves(world.pinned[list_])[2]
    if lost == "journal":
        journal.close()
        for file in world.folder.iterdir():
            file.unlink()
        journal = world.open()
    elif lost != "nothing":
        del world.pinned[list_ if lost == "list" else cid.Cid(cid.Codec.RAW, leaf.digest)]
    keeper = world.keeper(journal)
    challenged(world)
    await keeper.round(world.look())
    assert not any("draw" in name for name in world.acts)
    world.head += SEED_BLOCKS + 1
    await keeper.round(world.look())
    assert [name for name in world.acts if "draw" in name]
    assert not any("answer" in name for name in world.acts)
    seed = b"\x07" * 32
    drawn(world, seed)
    await keeper.round(world.look())
    [name] = [name for name in world.acts if "answer" in name]
    block = world.blocks[cid.Cid(cid.Codec.RAW, leaf.digest)]
    shown = attestation.answer(read_leaves(world.pinned[list_]), 2, block, seed)
    assert shown.piece in world.acts[name].data
    await keeper.round(world.look())
    assert len([name for name in world.acts if "answer" in name]) == 1
    journal.close()


async def test_one_that_cannot_be_answered_keeps_no_other_waiting(
    world: World, journal: Journal
) -> None:
    world.take(journal)
    keeper = world.keeper(journal)
    await until_calm(world, keeper)
    gone = read_leaves(world.pinned[cid.Cid(cid.Codec.RAW, world.batches[0]["list_digest"])])[2]
    del world.pinned[cid.Cid(cid.Codec.RAW, gone.digest)]
    del world.blocks[cid.Cid(cid.Codec.RAW, gone.digest)]
    challenged(world)
    drawn(world, b"\x01" * 32)
    world.log("Challenged", id=2, operator=ME, challenger=OTHERS[0], batch=0, leaf=0, bond=5)
    world.log("Drawn", id=2, operator=ME, seed=b"\x02" * 32, leaf=0, answer_until=9)
    await keeper.round(world.look())
    assert len([name for name in world.acts if "answer" in name]) == 1
    assert any("challenge 1 CANNOT be answered" in line for line in world.told)


# ------------------------------------------------------------------ death


def test_it_may_be_killed_between_any_two_steps(tmp_path: Path) -> None:
    steps = 0
    while _survives(tmp_path / str(steps), steps):
        steps += 1
    assert steps > 20, "it was killed at each of its steps"


def _survives(folder: Path, steps: int) -> bool:
    """Killed after so many steps, and begun again; False where it did not come to that."""
    folder.mkdir()
    world = World(folder, blocks=10)
    world.steps_left = steps
    killed = False
    try:
        _run(world)
    except Killed:
        killed = True
    world.steps_left = None
    _run(world)
    assert sorted(world.attested()) == sorted(id_.digest for id_ in world.blocks)
    assert set(world.blocks) <= set(world.pinned)
    assert len([name for name in world.acts if "answer" in name]) == 1
    assert set(world.lists) == set(range(len(world.batches)))
    return killed


def _run(world: World) -> None:
    async def life() -> None:
        journal = world.open()
        try:
            world.take(journal)
            keeper = world.keeper(journal)
            await until_calm(world, keeper)
            if not any(event.name == "Challenged" for event in world.events):
                challenged(world, leaf=0)
                drawn(world, b"\x03" * 32, leaf=0)
            await until_calm(world, keeper)
        finally:
            journal.close()

    asyncio.run(life())


def test_two_processes_do_not_share_a_journal(world: World, journal: Journal) -> None:
    with pytest.raises(JournalInUse, match="another process"):
        world.open()
