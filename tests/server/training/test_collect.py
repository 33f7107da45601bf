"""What an agent learns from is fetched: its own settled sessions from the records, or a card's from a content store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from chain.content.errors import IpfsError
from chain.content.ipfs import Ipfs
from server.identity import Identity
from server.store import open_store
from server.training import collect, lesson_files
from server.training.lessons import Lesson, LessonError, lesson, material
from tests.chain.blockstore.conftest import Served
from tests.server.played_world import Clock, World
from tests.server.training.taught import teach
from tests.training.letters import Letters
from tests.training.sessions import cid_of
from training.data.build import build, recipe_for
from training.trajectory.returns import Verdict

NOW_MS = 1_800_000_000_000
SYSTEM = "You bid well."
GAME = {"chips": 12}


@pytest.fixture
async def world(store_url: str) -> AsyncIterator[World]:
    clock = Clock(NOW_MS)
    store = await open_store(store_url, clock=clock)
    yield World(store, clock)
    await store.close()


async def seated(world: World, *names: str) -> list[Identity]:
    return [await world.agent(name) for name in names]


async def bid(world: World, agents: list[Identity], number: int) -> bytes:
    """One more game, a second after the last."""
    world.clock.ms += 1_000
    return await teach(world, *agents, space="bid-tac-toe", number=number, params=GAME)


async def of(world: World, agent: Identity, **bounds: int) -> collect.Collected:
    bounds = {"since_ms": NOW_MS, "until_ms": world.clock.ms, **bounds}
    return await collect.of_agent(world.store, agent.agent, "bid-tac-toe", **bounds)


# ------------------------------------------------------------------ from the records


async def test_an_agents_settled_sessions_are_found_with_who_sat_where(world: World) -> None:
    one, other, third = await seated(world, "Ember", "Frost", "Cinder")
    mine = [await bid(world, [one, other], number) for number in range(3)]
    await bid(world, [other, third], 9)
    await world.play(one, other, ranks=None)  # void
    await teach(world, one, other, space="rap-battle", totals=(5_000, 6_000))
    found = await of(world, one)
    assert [each.session for each in found.lessons] == sorted(map(cid_of, mine))
    assert {each.players for each in found.lessons} == {(one.version, other.version)}
    assert {each.verdict for each in found.lessons} == {None}
    assert (found.unready, found.refused, found.more) == (0, {}, False)


async def test_the_newest_count_and_pages_lose_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "PAGE", 2)
    agents = await seated(world, "Ember", "Frost")
    documents = [await bid(world, agents, number) for number in range(5)]
    assert len((await of(world, agents[0])).lessons) == 5
    newest = await of(world, agents[0], most=3)
    assert {each.transcript for each in newest.lessons} == set(documents[2:])
    assert newest.more
    assert not (await of(world, agents[0], most=5)).more
    little = await of(world, agents[0], max_bytes=3 * len(documents[0]))
    assert little.more
    assert 0 < len(little.lessons) < 4
    between = await of(world, agents[0], since_ms=NOW_MS + 2_000, until_ms=NOW_MS + 4_000)
    assert {each.transcript for each in between.lessons} == set(documents[2:4])


async def test_judged_sessions_come_with_ranks_and_totals(world: World) -> None:
    agents = await seated(world, "Ember", "Frost")
    world.clock.ms += 1
    await teach(world, *agents, space="rap-battle", totals=(5_000, 6_000))
    found = await collect.of_agent(
        world.store, agents[1].agent, "rap-battle", since_ms=0, until_ms=world.clock.ms
    )
    assert found.lessons[0].verdict == Verdict(ranks=(2, 1), totals_milli=(5_000, 6_000))


async def test_what_is_collected_makes_a_data_set_in_another_process_as_here(
    world: World, tmp_path: Path
) -> None:
    agents = await seated(world, "Ember", "Frost")
    for number in range(6):
        await bid(world, agents, number)
    found = (await of(world, agents[0])).lessons
    lesson_files.save(found, tmp_path / "lessons")
    lesson_files.save(found[:2], tmp_path / "lessons")
    loaded = lesson_files.load(tmp_path / "lessons")
    assert loaded == found
    letters = Letters()
    recipe = recipe_for("winners", "bid-tac-toe", SYSTEM, letters)
    examples, card = build(recipe=recipe, tokenizer=letters, system=SYSTEM, **material(loaded))
    assert examples
    assert card.results.keys() == set(card.sessions)
    mine = recipe_for("winners", "bid-tac-toe", SYSTEM, letters, players=[agents[0].version])
    fewer, _ = build(recipe=mine, tokenizer=letters, system=SYSTEM, **material(loaded))
    assert len(fewer) < len(examples), "the rival won some"


# ------------------------------------------------------------------ by content id


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("blocks"))
    yield served
    served.stop()


async def test_a_stranger_makes_the_data_set_again_from_the_cards_content_ids(
    world: World, served: Served
) -> None:
    agents = await seated(world, "Ember", "Frost")
    for number in range(4):
        await bid(world, agents, number)
    found = (await of(world, agents[0])).lessons
    letters = Letters()
    recipe = recipe_for("winners", "bid-tac-toe", SYSTEM, letters, players=[agents[1].version])
    examples, card = build(recipe=recipe, tokenizer=letters, system=SYSTEM, **material(found))
    async with Ipfs(served.url) as ipfs:
        for each in found:
            await ipfs.add(each.transcript)
            await ipfs.add(each.result or b"")
        again = await collect.of_card(ipfs, card)
        assert again.lessons == found
        rebuilt = build(
            recipe=card.recipe, tokenizer=letters, system=SYSTEM, **material(again.lessons)
        )
        assert rebuilt == (examples, card)
        with pytest.raises(ValueError, match="more than 10 bytes"):
            await collect.of_card(ipfs, card, max_bytes=10)
        lost = replace(card, sessions=[cid_of(b"nobody has this")], results={})
        with pytest.raises(IpfsError):
            await collect.of_card(ipfs, lost)


# ------------------------------------------------------------------ documents that contradict each other


async def a_lesson(world: World, number: int) -> Lesson:
    agents = await seated(world, f"Ember{number}", f"Frost{number}")
    await bid(world, agents, number)
    return (await of(world, agents[0])).lessons[0]


async def test_a_result_of_another_session_or_of_other_seats_is_refused(world: World) -> None:
    one, other = await a_lesson(world, 1), await a_lesson(world, 2)
    assert one.result is not None
    with pytest.raises(LessonError, match="the result is of"):
        lesson(one.transcript, other.result)
    forged = one.result.replace(one.players[0].encode(), one.players[1].encode())
    with pytest.raises(LessonError, match="seat 0 was not committed to"):
        lesson(one.transcript, forged)
    with pytest.raises(LessonError, match="not canonical"):
        lesson(one.transcript[:-1], None)
    assert lesson(one.transcript, None).players == ()
