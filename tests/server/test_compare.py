"""Ledger and escrow at the same block: what is said where they differ, and that nothing is opened then."""

from __future__ import annotations

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from chain.client.node import Head, Reverted
from server.metrics import Metrics
from server.settlement import compare
from server.settlement.compare import Compare
from server.store import Store
from tests.server.escrow_story import Story
from tests.server.test_mirror import OWNERS, READER, TIED, Follow, happens, story, transfer

__all__ = ["story"]


class Chain:
    """What a node and an escrow say of the newest blocks of a story."""

    def __init__(self, told: Story) -> None:
        self.story = told
        self.stolen = 0
        self.away: Exception | None = None

    async def head(self) -> Head:
        return await self.block(len(self.story.blocks) - 1)

    async def block(self, number: int) -> Head:
        return Head(number, self.story.blocks[number].hash, "", 0, 0)

    async def held(self, block: int) -> int:
        if self.away is not None:
            raise self.away
        return self.story.state(block).held - self.stolen


class World(msgspec.Struct):
    chain: Chain
    compare: Compare
    metrics: Metrics
    alarms: list[tuple[str, str]]


@pytest.fixture
async def found(store: Store) -> Follow:
    made = Follow(store)
    await made.begin()
    return made


@pytest.fixture
async def world(found: Follow, story: Story) -> World:
    chain = Chain(story)
    metrics, alarms = Metrics(CollectorRegistry()), list[tuple[str, str]]()
    made = Compare(
        database=found.store.database,
        node=chain,
        escrow=chain,
        reader=READER,
        metrics=metrics,
        alarm=lambda kind, detail: alarms.append((kind, detail)),
    )
    return World(chain, made, metrics, alarms)


async def test_they_are_compared_at_the_block_that_was_read_last(
    world: World, found: Follow, story: Story
) -> None:
    assert not await world.compare.agrees(), "nobody has looked yet"
    await happens(found, story, "Deposited", owner=OWNERS[0], amount=5)
    story.tell("Deposited", owner=OWNERS[1], amount=7)
    await world.compare.round()
    assert await world.compare.agrees()
    assert world.metrics.chain_behind._value.get() == 1
    assert world.alarms == []


async def test_a_difference_is_an_alarm_until_it_is_gone(
    world: World, found: Follow, story: Story
) -> None:
    await happens(found, story, "Deposited", owner=OWNERS[0], amount=5)
    world.chain.stolen = 2
    await world.compare.round()
    assert not await world.compare.agrees()
    assert world.metrics.escrow_difference._value.get() == 2
    [(kind, words)] = world.alarms
    assert kind == "difference"
    assert "holds 5 micros, at block 1 it holds 3" in words
    world.chain.stolen = 0
    await world.compare.round()
    assert await world.compare.agrees()


async def test_a_node_that_is_away_or_forgetful_changes_nothing(
    world: World, found: Follow, story: Story
) -> None:
    await happens(found, story, "Deposited", owner=OWNERS[0], amount=5)
    await world.compare.round()
    world.chain.away = Reverted("missing trie node")
    with pytest.raises(OSError, match="past block"):
        await world.compare.round()
    assert await world.compare.agrees()


async def test_a_block_that_was_replaced_meanwhile_is_not_compared(
    world: World, found: Follow, story: Story
) -> None:
    await happens(found, story, "Deposited", owner=OWNERS[0], amount=5)
    story.fork(1)
    story.tell("Deposited", owner=OWNERS[0], amount=6)
    chain = world.chain
    assert await compare.look(found.store.database, chain, chain, READER) is None


async def test_what_owners_owe_explains_itself(world: World, found: Follow, story: Story) -> None:
    owner = OWNERS[0]
    purse, *_ = await found.purses(owner)
    await happens(found, story, "Deposited", owner=owner, amount=5)
    await found.store.ledger.require([transfer("lost", purse, TIED, 4)])
    story.fork(1)
    await found.back_to(story, 0)
    await world.compare.round()
    assert await world.compare.agrees(), "the ledger knows of the four that it lacks"
    assert world.metrics.escrow_owed._value.get() == 4
