"""Settlement on a chain, put together: the node, the settler's key, its writer, and the rounds that are done with them.

One process leads. What it does follows from rows and from the chain, so the next leader goes on wherever the last one was
killed, and two at once, by mistake, harm nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from redis.asyncio import Redis

from chain.client.deployment import DeploymentFailed
from chain.client.index import Indexer
from chain.client.nonces import Policy
from chain.client.signer import KeySigner
from chain.client.txs import TxWriter
from chain.ethereum import LocalAccount
from server.clock import Clock
from server.config import Config
from server.live import keys
from server.live.leader import Leadership
from server.metrics import Metrics
from server.readiness import Unready
from server.settlement.alarms import ChainAlarms
from server.settlement.compare import Compare
from server.settlement.contracts import Contracts
from server.settlement.mirror import Mirror, reader_of
from server.store import Store
from server.store.chain_logs import ChainLogs
from server.store.debts import Debts

EVERY_S = 1.0
CALM_S = 5.0
CHUNK = 500
"""Blocks read at once, at most: what follows from their logs is one transaction."""
LEAST_WEI = 10**16
"""With less than a hundredth of an ether left, somebody is told."""

_logger = structlog.get_logger()


class Round(Protocol):
    """Something that the leader does over and over, short and to be repeated after a crash at any point."""

    name: str
    """For logs."""

    async def round(self) -> object:
        """What it raises delays it, and nothing else."""
        ...


class Chain:
    """One per worker process. Put what is to be done into `rounds` before `run`."""

    def __init__(
        self,
        *,
        contracts: Contracts,
        key: LocalAccount,
        store: Store,
        redis: Redis,
        config: Config,
        metrics: Metrics,
        name: str,
        clock: Clock,
    ) -> None:
        """The caller closes what it has passed in. `key` is the settler's."""
        alarms = ChainAlarms(metrics)
        self.contracts = contracts
        self.key = key
        self.store = store
        self.clock = clock
        self.writer = TxWriter(
            node=contracts.node,
            store=store.chain_txs,
            signer=KeySigner(key, contracts.chain_id),
            chain_id=contracts.chain_id,
            clock=clock,
            policy=Policy(confirmations=config.chain_confirmations, least_balance=LEAST_WEI),
            alarm=alarms.writer,
        )
        self._alarms = alarms
        self._confirmations = config.chain_confirmations
        self.compare = Compare(
            database=store.database,
            node=contracts.node,
            escrow=contracts.escrow,
            reader=reader_of(contracts.escrow.address),
            metrics=metrics,
            alarm=alarms.reader,
        )
        self.rounds: list[Round] = [self.compare, Collecting(contracts, store, clock)]
        duty = f"settler:{contracts.chain_id}:{key.address}"
        self._stopping = asyncio.Event()
        self._leadership = Leadership(
            redis,
            key=keys.leader(duty),
            fence=keys.leader_fence(duty),
            name=name,
            stopping=self._stopping,
        )

    async def run(self) -> None:
        """Settle whenever we lead, until cancelled or drained."""
        await self._leadership.lead(self._term)

    async def drain(self) -> None:
        """Begin nothing new, and let `run` return. What was sent and is not in a block is for the next leader."""
        self._stopping.set()

    async def _term(self) -> None:
        async with asyncio.TaskGroup() as group:
            work = group.create_task(self._work())
            await self._stopping.wait()
            work.cancel()

    async def _work(self) -> None:
        await _until_well(self.check)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.writer.run())
            group.create_task((await self._reader()).run())
            for each in self.rounds:
                group.create_task(_repeat(each))

    async def _reader(self) -> Indexer:
        """Of the escrow alone, into the mirror and the ledger."""
        contracts, database = self.contracts, self.store.database
        mirror = Mirror(
            database=database,
            escrow=contracts.escrow,
            treasury=await contracts.treasury(),
            clock=self.clock,
            alarm=self._alarms.reader,
        )
        return Indexer(
            node=contracts.node,
            store=ChainLogs(database, mirror),
            reader=reader_of(contracts.escrow.address),
            addresses=[contracts.escrow.address],
            start=contracts.first_block("escrow"),
            confirmations=self._confirmations,
            chunk=CHUNK,
            alarm=self._alarms.reader,
        )

    async def check(self) -> None:
        """Whether the contracts stand and our key settles. Raises DeploymentFailed, with what to do, and OSError."""
        await self.contracts.check()
        await self.contracts.check_settler(self.key.address)

    async def probe(self) -> None:
        """For `/readyz`. Raises Unready."""
        try:
            await self.check()
        except DeploymentFailed as error:
            raise Unready(str(error)) from None
        except OSError:
            raise Unready("the chain's node does not answer: deposits and openings wait") from None


class Collecting:
    """Takes what owners owe as it comes free, before it can be spent again."""

    name = "collecting"

    def __init__(self, contracts: Contracts, store: Store, clock: Clock) -> None:
        self._contracts = contracts
        self._debts = Debts(store.database, clock)

    async def round(self) -> None:
        await self._debts.collect(await self._contracts.treasury())


async def _until_well(check: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            return await check()
        except (DeploymentFailed, OSError) as error:
            _logger.error("cannot settle", reason=str(error) or type(error).__name__)
            await asyncio.sleep(CALM_S)


async def _repeat(each: Round) -> None:
    """Until cancelled. An outage of node or store delays, nothing else."""
    while True:
        try:
            await each.round()
            await asyncio.sleep(EVERY_S)
        except Exception as error:  # whatever node and store raise: there is a next round
            _logger.warning(
                "settlement waits", round=each.name, error=str(error) or type(error).__name__
            )
            await asyncio.sleep(CALM_S)
