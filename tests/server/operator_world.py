"""An arena with its API and gateway, a chain with the contracts that operators need, and their parties."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from chain.client.claims import Fractals, Rewards
from chain.client.contract import Invocation
from chain.client.deployment import Manifest, Plan, deploy, read
from chain.client.index import Indexer
from chain.client.node import Head
from chain.client.operators import Operators, Terms
from chain.client.signer import KeySigner
from chain.client.token import Token
from chain.content import cid
from chain.content.cid import Cid
from chain.content.errors import NotThere
from chain.devchain.accounts import ADDRESSES
from server.api.app import create_app
from server.api.listen import ApiServer
from server.clock import unix_ms
from server.config import Config
from server.jobs.pin_tasks import PinTasksPublisher
from server.live.log import LiveLog
from server.operators.following import READER, OperatorsFollower
from server.operators.lists import Lists
from server.store import Store
from server.store.chain_logs import ChainLogs
from server.store.operators import BatchRow
from server.store.pins import NewPin
from tests.chain.node import Net, account
from tests.chain.rpc import CHAIN_ID
from tests.server.aftermath_session import Seats, finish
from tests.server.gateway_arena import arena_of

FRAC = 10**18
DAY = 86_400
TERMS = Terms(1_000 * FRAC, 10 * FRAC, 14 * DAY, 600, 5, 90 * DAY)
"""As the first ones, but for the time to answer."""
PLANS = (
    Plan("frac", "frac", lambda _: [ADDRESSES[0]]),
    Plan(
        "operators",
        "operators",
        lambda at: [at["frac"], (1_000 * FRAC, 10 * FRAC, 14 * DAY, 600, 5, 90 * DAY)],
    ),
    Plan("rewards", "rewards", lambda at: [at["frac"]]),
    Plan("fractals", "fractals"),
    Plan("usdc", "usdc_dev"),
    Plan("escrow", "escrow", lambda at: [at["usdc"], 3_600, 7_200]),
)
MANIFEST = "chain.json"
OPERATOR, CHALLENGER = 3, 4
"""Which of the known accounts."""


class OperatorWorld:
    """What an operator meets. Account 0 has deployed everything, and all FRAC."""

    def __init__(
        self,
        net: Net,
        manifest: Manifest,
        store: Store,
        redis: Redis,
        api: str,
    ) -> None:
        self.net = net
        self.manifest = manifest
        self.store = store
        self.redis = redis
        self.api = api
        self.operators = Operators(net.rpc, manifest.address("operators"))
        self.frac = Token(net.rpc, manifest.address("frac"), "frac")
        self.seats: Seats | None = None

    async def block(self, id_: Cid) -> bytes:
        raise NotThere(f"nobody has {id_}")

    async def arena_reads(self) -> list[BatchRow]:
        """The arena reads the chain, and the lists of the batches that it finds there."""
        rpc = self.net.rpc
        follower = OperatorsFollower(
            operators=self.operators,
            rewards=Rewards(rpc, self.manifest.address("rewards")),
            fractals=Fractals(rpc, self.manifest.address("fractals")),
            clock=unix_ms,
        )
        indexer = Indexer(
            node=rpc,
            store=ChainLogs(self.store.database, follower),
            reader=READER,
            addresses=follower.addresses,
            start=self.manifest.first_block,
            confirmations=0,
        )
        while await indexer.round():
            pass
        lists = Lists(operators=self.store.operators, ipfs=self, node=rpc, clock=unix_ms)
        while await lists.round():
            pass
        return await self.store.operators.batches()

    async def send(self, who: int, call: Invocation) -> None:
        """Have one of the known accounts do something, and wait for it. Raises Reverted."""
        await self.net.send(who, *call)

    async def stake(self, who: int = OPERATOR, amount: int = 2_000 * FRAC) -> None:
        address = ADDRESSES[who]
        await self.send(0, self.frac.transfer(address, amount))
        await self.send(who, self.operators.register("https://node.example", "12D3KooW"))
        await self.send(who, self.frac.approve(self.operators.address, amount))
        await self.send(who, self.operators.stake(amount))

    async def be_challenger(self) -> None:
        await self.send(0, self.operators.offer_role("challenger", ADDRESSES[CHALLENGER]))
        await self.send(CHALLENGER, self.operators.take_role("challenger"))

    async def pinned(self) -> bytes:
        """A session that was played, and whose transcript operators are asked to keep."""
        self.seats = self.seats or await Seats.registered(self.store)
        steps = ("settle",)
        session = await finish(self.store, self.redis, self.seats, "bid-tac-toe", steps=steps)
        document = await self.store.sessions.transcript(session)
        assert document is not None
        await self.store.pins.put(NewPin(session, str(cid.of(document)), len(document), unix_ms()))
        return document

    async def pass_time(self, seconds: int, blocks: int) -> Head:
        await self.net.wire("evm_increaseTime", seconds)
        for _ in range(blocks):
            await self.net.wire("evm_mine")
        return await self.net.rpc.head()

    async def events(self, name: str) -> list[dict[str, Any]]:
        head = await self.net.rpc.head()
        logs = await self.net.rpc.logs(
            [self.operators.address], 0, head.number, [self.operators.abi.topic(name)]
        )
        found = [self.operators.event(log) for log in logs]
        return [event.fields for event in found if event is not None]


async def deployed(net: Net, folder: Path) -> None:
    """The contracts, and their manifest in the folder."""
    await deploy(net.rpc, KeySigner(account(0), CHAIN_ID), PLANS, folder / MANIFEST)


@asynccontextmanager
async def operator_world(
    net: Net, folder: Path, store: Store, redis: Redis
) -> AsyncIterator[OperatorWorld]:
    manifest = read(folder / MANIFEST)
    assert manifest is not None
    async with arena_of(redis) as gateway:
        app = create_app(
            config=Config(),
            store=store,
            redis=redis,
            gateway_address=lambda: gateway.gateways[0].address,
        )
        server = ApiServer(app, "127.0.0.1", 0)
        publisher = PinTasksPublisher(store=store, log=LiveLog(redis), clock=unix_ms, replicas=3)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.run())
            publishing = tasks.create_task(publisher.run())
            yield OperatorWorld(net, manifest, store, redis, server.address)
            publishing.cancel()
            await server.drain()


async def until(so: Callable[[], Any], what: str, within_s: float = 30.0) -> Any:
    """The first answer that is not empty."""
    async with asyncio.timeout(within_s):
        while True:
            found = so()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.05)
    raise AssertionError(what)
