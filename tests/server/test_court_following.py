"""What the court's contracts say comes into rows, and goes with the blocks that said it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from chain.artifacts import load
from chain.client.contract import Contract
from chain.client.index import Batch, Position
from chain.client.node import Log
from server.court.onchain import standing
from server.court.onchain.following import READER, CourtFollower
from server.court.onchain.standing import EVER, Standing
from server.store import Store, court_chain
from server.store.chain_logs import ChainLogs
from tests.server.operator_logs import log_of

COURT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
REGISTRY = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
HEARINGS = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
CONTRACTS = (("court", COURT), ("judge_registry", REGISTRY), ("hearings", HEARINGS))
JUDGES = (
    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
)
SEEDS = 5
TABLES = (court_chain.court_log, court_chain.court_standing)
EVENTS = [
    (artifact, address, entry)
    for artifact, address in CONTRACTS
    for entry in load(artifact).abi
    if entry["type"] == "event"
]


class NoNode:
    async def call(self, to: str, data: bytes, block: int | None = None) -> bytes:
        raise AssertionError("a follower asks no node")


def reading(store: Store) -> ChainLogs:
    node = NoNode()
    follower = CourtFollower(
        court=Contract(node, "court", COURT),
        registry=Contract(node, "judge_registry", REGISTRY),
        hearings=Contract(node, "hearings", HEARINGS),
    )
    return ChainLogs(store.database, follower)


def value(rng: random.Random, entry: Mapping[str, Any]) -> Any:
    """Anything of a type of the ABI."""
    kind = entry["type"]
    if kind.endswith("]"):
        inner = {**entry, "type": kind[: kind.rindex("[")]}
        size = kind[kind.rindex("[") + 1 : -1]
        return tuple(value(rng, inner) for _ in range(int(size or rng.randrange(4))))
    match kind:
        case "tuple":
            return tuple(value(rng, each) for each in entry["components"])
        case "address":
            return rng.choice(JUDGES)
        case "bool":
            return rng.random() < 0.5
        case "string":
            return rng.choice(("", "https://judge.example", "a\0b"))
        case "bytes32":
            return rng.randbytes(32)
        case "uint16":
            return rng.randrange(10_001)
        case "int256":
            return rng.randrange(-5_000_000, 1_500_001)
    # What numbers rows, and amounts beyond 64 bits.
    small = entry["name"] in ("batch", "snapshot", "epoch", "hearing", "place", "at", "count")
    return rng.randrange(1, 9) if small else rng.choice((0, 5, 10**21))


def anything(rng: random.Random, number: int, index: int, fork: str) -> Log:
    artifact, address, entry = rng.choice(EVENTS)
    fields = {each["name"]: value(rng, each) for each in entry["inputs"]}
    return log_of(artifact, address, entry["name"], fields, number, index, fork)


def block(rng: random.Random, number: int, fork: str) -> list[Log]:
    return [anything(rng, number, index, fork) for index in range(rng.randrange(5))]


async def everything(store: Store) -> list[list[Any]]:
    async with store.database.reading() as tx:
        return [sorted(map(repr, await tx.execute(select(each)))) for each in TABLES]


async def read(
    logs: ChainLogs, blocks: list[list[Log]], first: int, fork: str, newest: Position | None
) -> Position | None:
    for number, each in enumerate(blocks, first):
        upto = Position(number, f"0x{fork}{number}")
        assert await logs.take(READER, Batch(newest, upto, tuple(each)))
        newest = upto
    return newest


async def test_another_branch_reads_as_if_there_had_never_been_the_first(store: Store) -> None:
    for seed in range(SEEDS):
        rng, logs = random.Random(seed), reading(store)
        kept = rng.randrange(20)
        common = [block(rng, number, "a") for number in range(kept)]
        lost = [block(rng, kept + number, "b") for number in range(rng.randrange(20))]
        other = [block(rng, kept + number, "c") for number in range(rng.randrange(20))]

        fork = await read(logs, common, 0, "a", None)
        before = await everything(store)
        await read(logs, lost, kept, "b", fork)
        await logs.roll_back(READER, fork)
        assert await everything(store) == before
        await read(logs, other, kept, "c", fork)
        found = await everything(store)

        await logs.roll_back(READER, None)
        assert await everything(store) == [[], []]
        fork = await read(logs, common, 0, "a", None)
        await read(logs, other, kept, "c", fork)
        assert await everything(store) == found
        await logs.roll_back(READER, None)


async def test_what_was_said_is_read_as_it_was_said(store: Store) -> None:
    rng = random.Random(1)
    said = [anything(rng, 7, index, "a") for index in range(60)]
    await reading(store).take(READER, Batch(None, Position(7, "0xa7"), tuple(said)))
    contracts = [Contract(NoNode(), artifact, address) for artifact, address in CONTRACTS]
    events = [next(filter(None, (each.event(log) for each in contracts))) for log in said]
    found = await store.court_logs.of()
    assert [(each.name, each.fields) for each in found] == [(e.name, e.fields) for e in events]


def registry(name: str, number: int, **fields: Any) -> Log:
    return log_of("judge_registry", REGISTRY, name, fields, number)


FAMILY = b"words".ljust(32, b"\0")


async def test_a_judge_stands_as_its_operator_its_stake_and_the_court_have_it(store: Store) -> None:
    a, b, _ = JUDGES
    told = {"judge": a, "operator": b, "family": FAMILY, "endpoint": "https://a\n.example"}
    logs = [
        registry("Registered", 1, **told),
        registry("Staked", 2, judge=a, amount=900, bonded=900),
        registry("Accepted", 3, judge=a, operator=b),
        registry("Placed", 4, judge=a, place=3, displaced=JUDGES[2]),
        registry("Unbonding", 5, judge=a, amount=300, at=77),
        registry("Slashed", 6, judge=a, asked=800, lost=800),
        registry("Jailed", 7, judge=a, until=2**256 - 1),
    ]
    await reading(store).take(READER, Batch(None, Position(9, "0xa9"), tuple(logs)))
    found = (await store.court_logs.standings())[a]
    assert found == Standing(b, True, "words", "https://a.example", 0, 100, 77, EVER, 3)
    assert not found.can_be_drawn(1, 0)
    assert await store.court_logs.changed_after(6, 0)
    assert not await store.court_logs.changed_after(7, 0)


def test_another_operator_has_to_accept_again_and_the_same_one_has_not() -> None:
    a, b, c = JUDGES
    told = {"judge": a, "operator": b, "family": FAMILY, "endpoint": ""}
    stands = standing.after(Standing(operator=b, accepted=True), "Registered", told)
    assert stands.accepted
    assert not standing.after(stands, "Registered", {**told, "operator": c}).accepted
    assert standing.after(stands, "Registered", {**told, "operator": a}).accepted, "of itself"
