"""What is kept of node operators' logs, and that a reorganisation takes back just what it must."""

from __future__ import annotations

import random
from typing import Any

from eth_abi.abi import encode
from sqlalchemy import select

from chain.client.contract import Contract
from chain.client.index import Batch, Position
from chain.client.node import Log
from chain.operator.roll import Operator, Roll
from server.operators.following import READER, OperatorsFollower
from server.operators.standing import Standing
from server.store import Store, keeping
from server.store.chain_logs import ChainLogs
from tests.server.operator_logs import FRAC, FRACTALS, OPERATORS, PARTIES, REWARDS, Model, log_of

SEEDS = 12
TABLES = (
    keeping.operator_standing,
    keeping.operator_batch,
    keeping.operator_challenge,
    keeping.published_root,
)


class NoNode:
    async def call(self, to: str, data: bytes, block: int | None = None) -> bytes:
        raise AssertionError("a follower asks no node")


def follower() -> OperatorsFollower:
    node = NoNode()
    return OperatorsFollower(
        operators=Contract(node, "operators", OPERATORS),
        rewards=Contract(node, "rewards", REWARDS),
        fractals=Contract(node, "fractals", FRACTALS),
        clock=lambda: 0,
    )


def reading(store: Store) -> ChainLogs:
    return ChainLogs(store.database, follower())


async def everything(store: Store) -> list[list[Any]]:
    async with store.database.reading() as tx:
        return [sorted(map(tuple, await tx.execute(select(each)))) for each in TABLES]


def at(number: int, fork: str) -> Position:
    return Position(number, f"0x{fork}{number}")


class Story:
    """Blocks of one branch, read a few at a time."""

    def __init__(self, logs: ChainLogs) -> None:
        self.logs = logs
        self.newest: Position | None = None

    async def read(
        self, blocks: list[list[Log]], first: int, fork: str, rng: random.Random
    ) -> None:
        while blocks:
            count = rng.randint(1, 3)
            some, blocks = blocks[:count], blocks[count:]
            upto = at(first + len(some) - 1, fork)
            batch = Batch(self.newest, upto, tuple(log for block in some for log in block))
            assert await self.logs.take(READER, batch)
            self.newest, first = upto, first + len(some)

    async def roll_back(self, to: Position | None) -> None:
        await self.logs.roll_back(READER, to)
        self.newest = to


async def test_another_branch_reads_as_if_there_had_never_been_the_first(store: Store) -> None:
    for seed in range(SEEDS):
        await _two_branches(store, random.Random(seed))


async def _two_branches(store: Store, rng: random.Random) -> None:
    kept, length = rng.randrange(30), rng.randrange(30)
    model = Model()
    common = [model.block(rng, number, "a") for number in range(kept)]
    lost_model, other_model = model.copy(), model.copy()
    lost = [lost_model.block(rng, kept + number, "b") for number in range(length)]
    other = [other_model.block(rng, kept + number, "c") for number in range(length)]

    story = Story(reading(store))
    await story.read(common, 0, "a", rng)
    fork, before = story.newest, await everything(store)
    await story.read(lost, kept, "b", rng)
    await story.roll_back(fork)
    assert await everything(store) == before
    await story.read(other, kept, "c", rng)
    found = await everything(store)

    await story.roll_back(None)
    assert await everything(store) == [[], [], [], []]
    await story.read(common, 0, "a", rng)
    await story.read(other, kept, "c", rng)
    assert await everything(store) == found
    await _compare(store, [log for block in common + other for log in block])
    await story.roll_back(None)


async def _compare(store: Store, logs: list[Log]) -> None:
    """Operators count on themselves as we count on them: `chain.operator.roll` is theirs."""
    contract = Contract(NoNode(), "operators", OPERATORS)
    roll = Roll(event for event in map(contract.event, logs) if event is not None)
    found = await store.operators.standings()
    assert found.keys() == roll.operators.keys() - {
        each.address for each in roll.operators.values() if each == Operator(each.address)
    }
    for who, standing in found.items():
        theirs = roll.operators[who]
        assert (standing.bonded, standing.unbonding) == (theirs.bonded, theirs.unbonding)
        assert standing.first_batch == theirs.first_batch
        assert len(await store.operators.batches(who)) == len(theirs.batches)
        assert standing.stands(1000 * FRAC) == theirs.stands(1000 * FRAC)
        assert (standing.endpoint, standing.peer_id) == (theirs.endpoint, theirs.peer_id)


async def test_standings_are_told_as_of_a_block(store: Store) -> None:
    logs = reading(store)
    staked = [
        log_of(
            "operators", OPERATORS, "Staked", {"operator": PARTIES[0], "amount": n, "bonded": n}, n
        )
        for n in (5, 9)
    ]
    await logs.take(READER, Batch(None, at(10, "a"), tuple(staked)))
    assert await store.operators.standings(4) == {}
    assert await store.operators.standings(8) == {PARTIES[0]: Standing(bonded=5)}
    assert await store.operators.standings() == {PARTIES[0]: Standing(bonded=9)}


async def test_an_operator_that_registers_bytes_that_are_no_text_stops_nobody(store: Store) -> None:
    told = {"operator": PARTIES[0], "endpoint": "x", "peer_id": "y"}
    log = log_of("operators", OPERATORS, "Registered", told, 1)
    bytes_ = encode(["bytes", "bytes"], [b"\xff\xfe", b"\0"])
    hostile = Log(log.address, log.topics, bytes_, 1, log.block_hash, 0, "0x", 0)
    nul = {**told, "operator": PARTIES[1], "endpoint": "a\0b\x1b[2J\nc"}
    other = log_of("operators", OPERATORS, "Registered", nul, 1, 1)
    await reading(store).take(READER, Batch(None, at(1, "a"), (hostile, other)))
    found = await store.operators.standings()
    assert found[PARTIES[0]].endpoint == "\ufffd\ufffd"
    assert found[PARTIES[1]].endpoint == "ab[2Jc"
