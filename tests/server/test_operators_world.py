"""Operators on a chain, and the arena that reads, compares, challenges and exposes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner, Result

from chain.client.index import Position
from chain.client.node import Reverted
from chain.client.plans import FRAC
from chain.content import cid
from chain.content.errors import Unavailable
from chain.documents import earnings
from chain.documents import reward_epoch as rewards
from chain.operator import assign
from server import cli
from server.config import Config
from server.metrics import Metrics
from server.operators.challenger import Challenger
from server.operators.following import READER
from server.operators.lists import FIRST_WAIT_MS, Lists
from server.operators.reward_epochs import Adding, Budget, RewardEpochs
from server.operators.rounds import OperatorRounds
from server.operators.standing import Standing
from server.store import Store
from tests.chain.rpc import CHAIN_ID
from tests.server.operators_world import (
    ADMIN,
    CHALLENGER,
    DAY_S,
    PUBLISHER,
    STAKE,
    TERMS,
    FakeOperator,
    OperatorsWorld,
    asked,
    operators_world,
)


@pytest.fixture
async def world(
    store: Store, operators_deployment: Path, tmp_path: Path
) -> AsyncIterator[OperatorsWorld]:
    async with operators_world(store, operators_deployment, tmp_path) as made:
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
    assert [await lists_of(world).round() for _ in range(8)] == [1] * 7 + [0]
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
        endpoint="https://3.example", peer_id="12D3", bonded=STAKE
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


@pytest.mark.slow
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


EPOCH_S = 7 * DAY_S
BUDGET = 700 * FRAC


def epochs_of(
    world: OperatorsWorld, content: Adding | None = None, replicas: int = 3
) -> RewardEpochs:
    async def newest() -> Position | None:
        return next(iter(await world.logs.positions(READER)), None)

    return RewardEpochs(
        operators=world.store.operators,
        rewards=world.rewards,
        terms=TERMS,
        chain_id=CHAIN_ID,
        first_block=world.first_block,
        newest=newest,
        acts=world.acts(PUBLISHER),
        content=content or world.shelf,
        node=world.chain.rpc,
        budget=Budget(BUDGET, EPOCH_S, replicas),
        clock=world.clock,
        alarm=lambda kind, detail: world.refusals.append((kind, detail)),
    )


async def close(world: OperatorsWorld) -> None:
    """Rounds of processes that are killed after each, until all of it is in blocks and read."""
    for _ in range(3):
        await epochs_of(world).round(await world.chain.rpc.head())
        await world.read()


async def fund(world: OperatorsWorld, amount: int) -> None:
    await world.send(ADMIN, *world.frac.approve(world.rewards.address, amount))
    await world.send(ADMIN, *world.rewards.fund(amount))


async def earned(world: OperatorsWorld, epoch: int, who: FakeOperator) -> int:
    """Claimed by anybody with the proof that the document has."""
    found = await world.store.operators.root_document("rewards", 0, epoch)
    assert found is not None
    assert world.shelf.held[cid.of(found.document)] == found.document
    list_, tree = earnings.read_rewards(world.shelf.held[cid.parse(found.cid)])
    assert list_.root == found.root
    before = await world.frac.balance(who.address)
    proof, cumulative = tree.proof(who.address), tree.cumulative(who.address)
    call = world.rewards.claim(epoch, who.address, cumulative, proof)
    await world.send(ADMIN, *call)
    return await world.frac.balance(who.address) - before


@pytest.mark.slow
async def test_operators_are_paid_for_what_they_kept(world: OperatorsWorld) -> None:
    await fund(world, 1_000 * FRAC)
    one, other = await FakeOperator(world, 3).join(), await FakeOperator(world, 4).join()
    sessions = await world.transcripts(6)
    await world.read()
    assert await world.store.operators.posted("rewards") == []
    await one.attest(sessions)
    await other.attest(sessions[:3])
    await world.read()
    await lists_of(world).round()
    await close(world)
    assert await world.store.operators.posted("rewards") == [], "its time is not over"
    await world.pass_time(EPOCH_S)
    await close(world)
    (first,) = await world.store.operators.posted("rewards")
    assert (first.ordinal, first.vetoed) == (1, False)
    assert BUDGET - 2 <= int(first.total) <= BUDGET
    with pytest.raises(Reverted, match="does not count yet"):
        await earned(world, 1, one)
    await world.pass_time(DAY_S + 600)
    told = await asked(world, f"/v1/operators/rewards/{one.address}")
    listed = dict((await asked(world, "/v1/operators/rewards"))["accounts"])
    sums = [await earned(world, 1, each) for each in (one, other)]
    sizes = [sum(len(world.documents[s]) for s in some) for some in (sessions, sessions[:3])]
    assert sum(sums) == int(first.total)
    assert told["cumulative"] == listed[one.address.lower()] == str(sums[0])
    assert (await asked(world, f"/v1/operators/rewards/{'0x' + '0' * 40}"))["status"] == 404
    assert abs(sums[0] / sums[1] - sizes[0] / sizes[1]) < 0.001

    # In the second epoch one of them misses: it earns nothing, and keeps what it has; what is left of the funds is paid.
    challenger = challenger_of(world)
    for _ in range(2):
        await turn(world, challenger)
        await world.pass_time(60, blocks=5)
    for row in await world.store.operators.challenges(other.address):
        await other.answer(row.id)
    await world.pass_time(EPOCH_S, blocks=TERMS.answer_blocks)
    await turn(world, challenger)
    await close(world)
    second = (await world.store.operators.posted("rewards"))[-1]
    assert second.ordinal == 2
    assert 1_000 * FRAC - 2 <= int(second.total) <= 1_000 * FRAC
    await world.pass_time(DAY_S + 600)
    assert await earned(world, 2, one) == 0
    assert await earned(world, 2, other) == int(second.total) - int(first.total)
    documents = [await world.store.operators.root_document("rewards", 0, n) for n in (1, 2)]
    before, after = (rewards.read(each.document)[0] for each in documents if each is not None)
    rewards.follows(before, after)
    await close(world)
    assert len(await world.store.operators.posted("rewards")) == 2, "nothing is funded any more"


@pytest.mark.slow
async def test_a_block_is_paid_to_as_many_keepers_as_were_asked_for(world: OperatorsWorld) -> None:
    await fund(world, 1_000 * FRAC)
    both = [await FakeOperator(world, 3).join(), await FakeOperator(world, 4).join()]
    sessions = await world.transcripts(8)
    for each in both:
        await each.attest(sessions)
    await world.read()
    await lists_of(world).round()
    await world.pass_time(EPOCH_S)
    await world.read()
    await epochs_of(world, replicas=1).round(await world.chain.rpc.head())
    made = await world.store.operators.root_document("rewards", 0, 1)
    assert made is not None
    document, _ = rewards.read(made.document)
    assert document.replicas == 1
    sizes = dict.fromkeys((each.address.lower() for each in both), 0)
    for session in sessions:
        block = world.documents[session]
        [keeper] = assign.keepers(sizes, cid.of(block).digest, 1)
        sizes[keeper] += len(block)
    paid = {each.account: int(each.byte_seconds) for each in document.accounts}
    one, other = sizes
    assert abs(paid.get(one, 0) * sizes[other] - paid.get(other, 0) * sizes[one]) <= (
        sum(sizes.values()) ** 2 * EPOCH_S // 100  # they attested some seconds one after the other
    )
    assert sum(paid.values()) <= sum(sizes.values()) * (document.to_s - document.from_s)


@pytest.mark.slow
async def test_an_epoch_is_not_posted_before_its_document_is_kept(world: OperatorsWorld) -> None:
    class Away:
        async def add(self, document: bytes) -> object:
            raise Unavailable("the content store is away")

    await fund(world, BUDGET)
    one = await FakeOperator(world, 3).join()
    await one.attest(await world.transcripts(1))
    await world.read()
    await lists_of(world).round()
    await world.pass_time(EPOCH_S)
    await world.read()
    with pytest.raises(Unavailable):
        await epochs_of(world, Away()).round(await world.chain.rpc.head())
    assert await world.store.operators.root_document("rewards", 0, 1) is None
    await close(world)
    assert len(await world.store.operators.posted("rewards")) == 1


@pytest.mark.slow
async def test_a_veto_calls_a_person_and_nothing_is_posted_again(world: OperatorsWorld) -> None:
    await fund(world, BUDGET)
    one = await FakeOperator(world, 3).join()
    await one.attest(await world.transcripts(1))
    await world.read()
    await lists_of(world).round()
    await world.pass_time(EPOCH_S)
    await world.read()
    await close(world)
    await world.send(ADMIN, *world.rewards.offer_role("guardian", one.address))
    await one.send(*world.rewards.take_role("guardian"))
    await one.send(*world.rewards.veto(1))
    await world.read()
    await close(world)
    assert [each.vetoed for each in await world.store.operators.posted("rewards")] == [True]
    assert {kind for kind, _ in world.refusals} == {"vetoed"}


@pytest.mark.slow
async def test_health_is_told_on_the_command_line(
    world: OperatorsWorld, store_url: str, tmp_path: Path
) -> None:
    one, other = await FakeOperator(world, 3).join(), await FakeOperator(world, 4).join()
    sessions = await world.transcripts(3)
    await one.attest(sessions)
    await other.attest(sessions[:2])
    await world.read()
    await lists_of(world).round()
    manifest = tmp_path / "manifest.json"
    manifest.write_bytes(msgspec.json.encode(world.manifest))
    env = {
        "AGON_DATABASE_URL": store_url,
        "AGON_SETTLEMENT": "chain",
        "AGON_RPC_URL": world.chain.url,
        "AGON_CHAIN_MANIFEST": str(manifest),
        "AGON_PIN_REPLICAS": "2",
        "AGON_DATA_DIR": str(tmp_path / "data"),
    }

    async def agon(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, cli.app, ["pins", *arguments], env=env)

    told = await agon("health", "--short", "5")
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines()[:4] == [
        "2 blocks with 2 keepers or more",
        "1 blocks with 1 keepers",
        "0 blocks with 0 keepers",
        "3 blocks, 0 too few keepers; 2 operators stand, 2 are to keep each block",
    ]
    assert f"kept by {one.address}; missing: {other.address}" in told.stdout
    env["AGON_SETTLEMENT"] = "simulated"
    refused = await agon("health")
    assert refused.exit_code != 0
    assert "its settlement is simulated" in str(refused.exception)


async def test_a_leader_does_what_its_key_has_a_role_for(world: OperatorsWorld) -> None:
    operator = await FakeOperator(world, 3).join()
    await operator.attest(await world.transcripts(2))
    metrics = Metrics(CollectorRegistry())
    made = OperatorRounds(
        node=world.chain.rpc,
        manifest=world.manifest,
        writer=world.writers[CHALLENGER],
        store=world.store,
        content=world.shelf,
        config=Config(chain_confirmations=0, challenge_every_s=3_600, reward_frac=5),
        metrics=metrics,
        clock=world.clock,
    )
    for each in made.rounds:
        await each.round()
    assert [each.name for each in made.rounds] == [
        "operators",
        "operators' lists",
        "challenges",
        "replication",
        "rewards",
        "points",
    ]
    (batch,) = await world.store.operators.batches()
    assert batch.good == 2
    value = metrics.registry.get_sample_value
    assert value("agon_operators_standing") == 1
    assert value("agon_replication_blocks", {"keepers": "1"}) == 2
    assert await world.store.operators.root_document("rewards", 0, 1) is None


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
