"""The arena's part in node operators, put together: what the leader of the settlement does beside settling.

Each is a round of its own, so that one that cannot go on holds up no other. What a key has no role for it leaves alone: roles are
looked up now and then, as the contracts' admin may give them to somebody else.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from chain.client.claims import Fractals, Rewards
from chain.client.deployment import Manifest
from chain.client.index import Indexer, Position
from chain.client.operators import Operators as Contract
from chain.client.operators import Terms
from chain.client.roles import Roles
from chain.client.rpc import Rpc
from server.config import Config
from server.metrics import Metrics
from server.operators.acting import Acts, Writer
from server.operators.challenger import Challenger
from server.operators.following import READER, OperatorsFollower
from server.operators.lists import Blocks, Lists
from server.operators.points_roots import PointsRoots
from server.operators.replication import Watch
from server.operators.reward_epochs import Adding, Budget, RewardEpochs
from server.settlement.alarms import ChainAlarms
from server.store import Store
from server.store.chain_logs import ChainLogs


class Content(Blocks, Adding, Protocol):
    """`server.jobs.pin.ContentStore` is one."""


FRAC = 10**18
READ_S = 2.0
LOOK_S = 15.0
PUBLISH_S = 60.0
ROLE_S = 300.0
"""For so long we take it that we have, or have not, a role."""

_logger = structlog.get_logger()


class OperatorRounds:
    """One per worker process; `rounds` are for its `server.settlement.chain.Chain`."""

    def __init__(
        self,
        *,
        node: Rpc,
        manifest: Manifest,
        writer: Writer,
        store: Store,
        content: Content,
        config: Config,
        metrics: Metrics,
        clock: Callable[[], int],
    ) -> None:
        """`writer` is of the key that challenges and publishes, and run by somebody else; `content` is closed by the caller."""
        self._node = node
        self._store = store
        self._contract = Contract(node, manifest.address("operators"))
        rewards = Rewards(node, manifest.address("rewards"))
        fractals = Fractals(node, manifest.address("fractals"))
        follower = OperatorsFollower(
            operators=self._contract, rewards=rewards, fractals=fractals, clock=clock
        )
        self._logs = ChainLogs(store.database, follower)
        self._alarms = ChainAlarms(metrics)
        self._indexer = Indexer(
            node=node,
            store=self._logs,
            reader=READER,
            addresses=follower.addresses,
            start=manifest.first_block,
            confirmations=config.chain_confirmations,
            alarm=self._alarms.reader,
        )
        self._acts = Acts(writer, self._refused)
        self._lists = Lists(operators=store.operators, ipfs=content, node=node, clock=clock)
        self._content = content
        self._config = config
        self._clock = clock
        self._metrics = metrics
        self._rewards = rewards
        self._first_block = manifest.first_block
        self._chain_id = manifest.chain_id
        self._challenger: Challenger | None = None
        self._reward_epochs: RewardEpochs | None = None
        self._watch: Watch | None = None
        self._points = PointsRoots(
            operators=store.operators,
            seasons=store.points,
            fractals=fractals,
            chain_id=manifest.chain_id,
            acts=self._acts,
            content=content,
            every_ms=config.points_root_every_s * 1_000,
            clock=clock,
        )
        self._challenges = Role(self._contract, "challenger", writer.address)
        self._publishes = Role(rewards, "publisher", writer.address)
        self._publishes_points = Role(fractals, "publisher", writer.address)
        self.rounds = [
            Paced("operators", READ_S, self._read),
            Paced("operators' lists", LOOK_S, self._look),
            Paced("challenges", LOOK_S, self._challenge),
            Paced("replication", PUBLISH_S, self._replicate),
            Paced("rewards", PUBLISH_S, self._reward),
            Paced("points", PUBLISH_S, self._post_points),
        ]

    async def _read(self, elapsed_s: float) -> None:
        while await self._indexer.round():
            pass

    async def _look(self, elapsed_s: float) -> None:
        while await self._lists.round():
            pass

    async def _challenge(self, elapsed_s: float) -> None:
        if not await self._challenges.held():
            return
        if self._challenger is None:
            self._challenger = Challenger(
                operators=self._store.operators,
                contract=self._contract,
                terms=await self._contract.terms(),
                acts=self._acts,
                lists=self._lists,
                ipfs=self._content,
                node=self._node,
                every_s=self._config.challenge_every_s,
            )
        await self._challenger.round(await self._node.head(), elapsed_s)

    async def _replicate(self, elapsed_s: float) -> None:
        if self._watch is None:
            self._watch = Watch(
                operators=self._store.operators,
                terms=await self._contract.terms(),
                replicas=self._config.pin_replicas,
                metrics=self._metrics,
                clock=self._clock,
            )
        await self._watch.round((await self._node.head()).timestamp)

    async def _reward(self, elapsed_s: float) -> None:
        if self._config.reward_frac == 0 or not await self._publishes.held():
            return
        if self._reward_epochs is None:
            self._reward_epochs = await self._make_epochs(await self._contract.terms())
        await self._reward_epochs.round(await self._node.head())

    async def _make_epochs(self, terms: Terms) -> RewardEpochs:
        return RewardEpochs(
            operators=self._store.operators,
            rewards=self._rewards,
            terms=terms,
            chain_id=self._chain_id,
            first_block=self._first_block,
            newest=self._newest,
            acts=self._acts,
            content=self._content,
            node=self._node,
            budget=Budget(
                self._config.reward_frac * FRAC,
                self._config.reward_epoch_s,
                self._config.pin_replicas,
            ),
            clock=self._clock,
            alarm=self._alarms.reader,
        )

    async def _post_points(self, elapsed_s: float) -> None:
        if await self._publishes_points.held():
            await self._points.round()

    async def _newest(self) -> Position | None:
        return next(iter(await self._logs.positions(READER)), None)

    def _refused(self, name: str, why: str) -> None:
        """Often because somebody else was faster; it is tried again."""
        _logger.info("the chain does not take it now", action=name, why=why)


class Paced:
    """A round that is done no more often than every so many seconds. A `server.settlement.chain.Round`."""

    def __init__(
        self, name: str, every_s: float, work: Callable[[float], Awaitable[object]]
    ) -> None:
        """`work` is told how many seconds have gone by since it was done last."""
        self.name = name
        self._every_s = every_s
        self.work = work
        self._last: float | None = None

    async def round(self) -> None:
        """Raises what the work raises; it is then done again at once."""
        now = time.monotonic()
        elapsed_s = self._every_s if self._last is None else now - self._last
        if elapsed_s >= self._every_s:
            await self.work(elapsed_s)
            self._last = now


class Role:
    """Whether our key has a role."""

    def __init__(self, contract: Roles, role: str, address: str) -> None:
        self._contract = contract
        self._role = role
        self._address = address
        self._held = False
        self._looked = float("-inf")

    async def held(self) -> bool:
        """Raises OSError."""
        now = time.monotonic()
        if now - self._looked >= ROLE_S:
            self._held = await self._contract.holder(self._role) == self._address
            self._looked = now
        return self._held
