"""Operators on a chain, and the arena that reads, compares, challenges and exposes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.operators.challenger import Challenger
from server.operators.lists import FIRST_WAIT_MS, Lists
from server.operators.standing import Standing
from server.store import Store
from tests.server.operators_world import (
    CHALLENGER,
    STAKE,
    TERMS,
    FakeOperator,
    OperatorsWorld,
    deploy_into,
    operators_world,
)


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("operators")
    asyncio.run(deploy_into(folder))
    return folder


@pytest.fixture
async def world(store: Store, deployment: Path, tmp_path: Path) -> AsyncIterator[OperatorsWorld]:
    async with operators_world(store, deployment, tmp_path) as made:
        yield made


def lists_of(world: OperatorsWorld) -> Lists:
    return Lists(
        operators=world.store.operators, ipfs=world.shelf, node=world.chain.rpc, clock=world.clock
    )


def challenger_of(world: OperatorsWorld, every_s: float = 1.0) -> Challenger:
    return Challenger(
        operators=world.store.operators,
        contract=world.operators,
        terms=TERMS,
        acts=world.acts(CHALLENGER),
        lists=lists_of(world),
        ipfs=world.shelf,
        node=world.chain.rpc,
        every_s=every_s,
        rng=random.Random(7),
    )


async def turn(world: OperatorsWorld, challenger: Challenger, elapsed_s: float = 600) -> None:
    """One round, all of which gets into blocks and is read."""
    await challenger.round(await world.chain.rpc.head(), elapsed_s)
    await world.read()


async def test_what_equals_the_arenas_own_is_kept_and_nothing_else(world: OperatorsWorld) -> None:
    operator = await FakeOperator(world, 3).join()
    sessions = await world.transcripts(6)
    await operator.attest(sessions[:4])
    await operator.attest(sessions[4:5], session=b"\1" * 32)
    await operator.attest(sessions[5:], time_ms=1)
    await operator.attest(sessions[5:], digest=b"\2" * 32)
    await operator.attest(sessions[3:], size=5)
    await operator.attest_leaves([(await operator.attest(sessions[5:]))[0]] * 2, data=b"none")
    await world.read()
    assert await lists_of(world).round() == 7
    found = await world.store.operators.batches(operator.address)
    told = [(each.state, each.good, each.lie) for each in found]
    assert told == [
        ("read", 4, None),
        ("read", 0, None),
        ("read", 0, None),
        ("read", 0, None),
        ("read", 2, 0),
        ("read", 0, None),
        ("bad", 0, None),
    ]
    assert (await world.store.operators.standings())[operator.address] == Standing(
        endpoint="https://3.example", peer_id="12D3", bonded=STAKE, batches=7
    )
    assert await lists_of(world).round() == 0


async def test_a_list_that_is_not_there_is_asked_for_again_later(world: OperatorsWorld) -> None:
    operator = await FakeOperator(world, 3).join()
    sessions = await world.transcripts(2)
    leaves = await operator.attest(sessions)
    hidden, world.shelf.held = world.shelf.held, {}
    await world.read()
    assert await lists_of(world).round() == 1
    assert await lists_of(world).round() == 0
    world.now_ms += FIRST_WAIT_MS
    world.shelf.held = hidden
    assert await lists_of(world).round() == 1
    (batch,) = await world.store.operators.batches()
    assert (batch.state, batch.good, batch.tries) == ("read", len(leaves), 1)


async def test_an_operator_is_asked_and_answers(world: OperatorsWorld) -> None:
    operator = await FakeOperator(world, 3).join()
    await operator.attest(await world.transcripts(3))
    await world.read()
    await lists_of(world).round()
    challenger = challenger_of(world)
    await turn(world, challenger)
    (asked,) = await world.store.operators.challenges(operator.address)
    assert (asked.batch, asked.drawn_number, asked.ended) == (0, None, None)
    await turn(world, challenger_of(world))  # another process, that remembers nothing
    assert len(await world.store.operators.challenges(operator.address)) == 1
    await world.pass_time(60, blocks=5)
    await turn(world, challenger)
    (drawn,) = await world.store.operators.challenges(operator.address)
    assert drawn.drawn_leaf == drawn.leaf == asked.leaf
    await operator.answer(drawn.id)
    await world.read()
    (answered,) = await world.store.operators.challenges(operator.address)
    assert answered.ended == "answered"
    await turn(world, challenger)
    assert len(await world.store.operators.challenges(operator.address)) == 1, "one an hour"
    await world.pass_time(3_600)
    await turn(world, challenger)
    assert len(await world.store.operators.challenges(operator.address)) == 2
    assert world.refusals == []


async def test_who_does_not_answer_has_missed(world: OperatorsWorld) -> None:
    operator = await FakeOperator(world, 3).join()
    await operator.attest(await world.transcripts(1))
    await world.read()
    await lists_of(world).round()
    challenger = challenger_of(world)
    await turn(world, challenger)
    await world.pass_time(60, blocks=5)
    await turn(world, challenger)
    await world.pass_time(TERMS.answer_s, blocks=TERMS.answer_blocks + 1)
    await turn(world, challenger)
    (missed, *_) = reversed(await world.store.operators.challenges(operator.address))
    assert missed.ended == "missed"
    standing = (await world.store.operators.standings())[operator.address]
    assert (standing.bonded, standing.misses) == (STAKE * 99 // 100, 1)
    assert not standing.stands(TERMS.min_stake)
    on_chain = await world.operators.operator(operator.address)
    assert (on_chain.bonded, on_chain.misses) == (standing.bonded, standing.misses)


async def test_what_nobody_drew_in_time_lapses_and_is_asked_again(world: OperatorsWorld) -> None:
    operator = await FakeOperator(world, 3).join()
    await operator.attest(await world.transcripts(1))
    await world.read()
    await lists_of(world).round()
    challenger = challenger_of(world)
    await turn(world, challenger)
    await world.pass_time(3_700)
    await turn(world, challenger)
    (lapsed,) = await world.store.operators.challenges(operator.address)
    assert lapsed.ended == "lapsed"
    await turn(world, challenger)
    assert len(await world.store.operators.challenges(operator.address)) == 2


async def test_a_lie_is_exposed_once(world: OperatorsWorld) -> None:
    operator = await FakeOperator(world, 3).join()
    await operator.attest(await world.transcripts(2), pieces_root=b"\1" * 32)
    await world.read()
    await lists_of(world).round()
    challenger = challenger_of(world, every_s=1e12)
    for _ in range(2):
        await turn(world, challenger)
    (batch,) = await world.store.operators.batches()
    assert batch.exposed_number is not None
    standing = (await world.store.operators.standings())[operator.address]
    assert standing.bonded == STAKE * 8 // 10
    assert await world.store.operators.lies() == []
    assert world.refusals == []
