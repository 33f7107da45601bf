"""Who is to keep what, who does, and that it is noticed where too few do."""

from __future__ import annotations

import hashlib
import itertools

from prometheus_client import CollectorRegistry

from chain.client.index import Batch, Position
from chain.client.node import Log
from chain.client.plans import TERMS
from chain.content import cid
from server.metrics import Metrics
from server.operators import replication
from server.operators.following import READER, OperatorsFollower
from server.operators.replication import FRESH_MS, Watch, health
from server.store import Store
from server.store.chain_logs import ChainLogs
from server.store.operators import Keep
from server.store.pin_tasks import NewPinTask
from tests.server.operator_logs import OPERATORS, PARTIES, log_of
from tests.server.test_operators_following import follower

MIN = TERMS.min_stake
NOW_MS = 1_900_000_000_000
AT_S = NOW_MS // 1_000 - 60


def test_blocks_are_counted_by_how_many_keep_them() -> None:
    found = health({1: 4, 2: 3, 3: 2, 5: 1}, 1, 12, 3, ["b", "a"])
    assert found.keepers == {0: 2, 1: 4, 2: 3, 3: 3}
    assert (found.short, found.standing) == (8, ["a", "b"])


class Chain:
    """Logs of an operators' contract, one a block, as they are wanted."""

    def __init__(self, store: Store) -> None:
        self.store = store
        made: OperatorsFollower = follower()
        self.logs = ChainLogs(store.database, made)
        self.numbers = itertools.count(1)
        self.at: Position | None = None
        self.batches = dict.fromkeys(PARTIES, 0)

    async def say(self, name: str, operator: str, **fields: object) -> None:
        number = next(self.numbers)
        log: Log = log_of("operators", OPERATORS, name, {"operator": operator, **fields}, number)
        upto = Position(number, log.block_hash)
        assert await self.logs.take(READER, Batch(self.at, upto, (log,)))
        self.at = upto

    async def join(self, operator: str) -> None:
        await self.say("Registered", operator, endpoint="e", peer_id="p")
        await self.say("Staked", operator, amount=MIN, bonded=MIN)

    async def keep(self, operator: str, tasks: list[int], at_s: int = AT_S) -> None:
        told = {"batch": self.batches[operator], "root": b"\1" * 32, "leaves": len(tasks)}
        await self.say("Attested", operator, list_digest=b"\2" * 32, **told)
        self.batches[operator] += 1
        (batch,) = await self.store.operators.due_batches(2**60, 9)
        good = [Keep(task, place, 10) for place, task in enumerate(tasks)]
        assert await self.store.operators.record(batch, at_s, good, None)

    async def miss(self, operator: str, id_: int) -> None:
        told = {"id": id_, "challenger": PARTIES[2], "batch": 0, "leaf": 0, "bond": 0}
        await self.say("Challenged", operator, **told)
        await self.say("Missed", operator, id=id_, misses=1, lost=0, reward=0)


async def ask_for(store: Store, count: int, given_ms: int) -> list[str]:
    store.pin_tasks._clock = lambda: given_ms
    names = [str(cid.of(hashlib.sha256(bytes([n])).digest())) for n in range(count)]
    await store.pin_tasks.give([NewPinTask(name, 10, "transcript", name[:20]) for name in names])
    return names


async def look(store: Store) -> replication.Health:
    return await replication.look(store.operators, MIN, TERMS.retention_s, 2, NOW_MS)


async def test_who_falls_silent_keeps_nothing_until_it_is_heard_again(store: Store) -> None:
    chain = Chain(store)
    names = await ask_for(store, 4, NOW_MS - 2 * FRESH_MS)
    for operator in PARTIES[:2]:
        await chain.join(operator)
        await chain.keep(operator, [1, 2, 3])
    assert (await look(store)).keepers == {0: 1, 1: 0, 2: 3}
    await chain.keep(PARTIES[0], [4, 1])
    found = await look(store)
    assert (found.keepers, found.short) == ({0: 0, 1: 1, 2: 3}, 1)
    (short,) = await replication.short(store.operators, MIN, TERMS.retention_s, 2, NOW_MS, 10)
    assert (short.number, short.cid) == (4, names[3])
    assert (short.kept_by, short.missing) == ([PARTIES[0]], [PARTIES[1]])

    await chain.miss(PARTIES[0], 1)
    found = await look(store)
    assert (found.standing, found.keepers) == ([PARTIES[1]], {0: 1, 1: 3, 2: 0})
    await chain.join(PARTIES[2])  # it takes over what falls to it
    await chain.keep(PARTIES[2], [1, 2, 3, 4])
    assert (await look(store)).keepers == {0: 0, 1: 1, 2: 3}
    await chain.say("Answered", PARTIES[0], id=1, leaf=LEAF, piece=0)
    assert (await look(store)).keepers == {0: 0, 1: 0, 2: 4}


async def test_what_need_not_be_kept_any_more_is_not_counted(store: Store) -> None:
    chain = Chain(store)
    await ask_for(store, 3, NOW_MS - 2 * FRESH_MS)
    await chain.join(PARTIES[0])
    await chain.keep(PARTIES[0], [1], NOW_MS // 1_000 - TERMS.retention_s)
    await chain.keep(PARTIES[0], [2])
    await chain.keep(PARTIES[0], [3])
    told = {"batch": 2, "by": PARTIES[1], "leaf": LEAF, "lost": 0, "reward": 0}
    await chain.say("Exposed", PARTIES[0], **told)
    assert (await look(store)).keepers == {0: 2, 1: 1, 2: 0}
    await chain.say("Unbonding", PARTIES[0], amount=MIN, at=5)
    await chain.say("Released", PARTIES[0], receiver=PARTIES[0], amount=MIN)
    await chain.say("Staked", PARTIES[0], amount=MIN, bonded=MIN)
    found = await look(store)
    assert (found.standing, found.keepers) == ([PARTIES[0]], {0: 3, 1: 0, 2: 0})


async def test_too_few_keepers_are_an_alarm_but_not_of_what_is_new(store: Store) -> None:
    metrics = Metrics(CollectorRegistry())
    watch = Watch(
        operators=store.operators, terms=TERMS, replicas=2, metrics=metrics, clock=lambda: NOW_MS
    )
    await ask_for(store, 2, NOW_MS - FRESH_MS + 1)
    assert (await watch.round(0)).short == 0
    assert (await watch.round(NOW_MS // 1_000 + 60)).short == 2
    value = metrics.registry.get_sample_value
    assert value("agon_replication_short") == 2
    assert value("agon_replication_blocks", {"keepers": "0"}) == 2
    assert value("agon_operators_standing") == 0


LEAF = (b"\3" * 32, b"\4" * 32, 5, 6, b"\5" * 32)
