"""A chain with the court's contracts, an arena that files there, and judges with keys of their own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from chain.client.contract import Invocation
from chain.client.court import CourtContract
from chain.client.deployment import Manifest, read
from chain.client.judge_registry import JudgeRegistry
from chain.client.nonces import Policy
from chain.client.plans import COURT_TERMS, FRAC, REGISTRY_TERMS, Fixed, plans
from chain.client.signer import KeySigner
from chain.client.token import Token
from chain.client.txs import TxWriter
from chain.devchain.accounts import ADDRESSES
from server.config import Config
from server.court.onchain.rounds import CourtRounds
from server.metrics import Metrics
from server.store import Store
from tests.chain.node import Net, account, deployed, net
from tests.chain.rpc import CHAIN_ID
from tests.server.operators_world import Shelf

ADMIN, CLERK = 0, 1
BENCH = range(2, 7)
"""Which of the known accounts are judges from the beginning."""
CONTRACTS = ("usdc", "frac", "judge_registry", "reckoner", "court")
STAKE = 20_000 * FRAC
FUNDS = 50_000_000
TERMS = msgspec.structs.replace(
    COURT_TERMS, appeal_s=60, window_s=3_600, clerk_bond=1_000 * FRAC, snapshot_max_s=7_200
)
GAP_S = 600
FIXED = Fixed(
    ADDRESSES[ADMIN],
    registry=msgspec.structs.replace(REGISTRY_TERMS, snapshot_gap_s=GAP_S),
    court=TERMS,
)


class CourtWorld:
    """Blocks come with each transaction; `turn` has the arena do its rounds once."""

    def __init__(self, store: Store, chain: Net, made: Manifest) -> None:
        self.store = store
        self.chain = chain
        self.manifest = made
        self.shelf = Shelf()
        self.now_ms = 1_764_000_000_000
        self.court = CourtContract(chain.rpc, made.address("court"))
        self.registry = JudgeRegistry(chain.rpc, made.address("judge_registry"))
        self.frac = Token(chain.rpc, made.address("frac"), "frac")
        self.usdc = Token(chain.rpc, made.address("usdc"))
        self.metrics = Metrics(CollectorRegistry())
        self.begin()

    def begin(self) -> None:
        """A process of the arena, which knows nothing but its rows."""
        self.writer = TxWriter(
            node=self.chain.rpc,
            store=self.store.chain_txs,
            signer=KeySigner(account(CLERK), CHAIN_ID),
            chain_id=CHAIN_ID,
            clock=self.clock,
            policy=Policy(confirmations=0),
        )
        self.rounds = CourtRounds(
            node=self.chain.rpc,
            manifest=self.manifest,
            writer=self.writer,
            store=self.store,
            content=self.shelf,
            config=Config(chain_confirmations=0, court_epoch_every_s=1, court_claim_micros=1),
            metrics=self.metrics,
            clock=self.clock,
        )
        self.side = self.rounds.side

    def clock(self) -> int:
        return self.now_ms

    async def turn(self, times: int = 1) -> None:
        for _ in range(times):
            while await self.writer.round():
                pass
            for each in self.rounds.rounds:
                await each.work(60.0)

    async def send(self, who: int, call: Invocation) -> Any:
        return await self.chain.send(who, *call)

    async def pass_time(self, seconds: int, blocks: int = 1) -> None:
        await self.chain.wire("evm_increaseTime", seconds)
        await self.mine(blocks)
        self.now_ms += seconds * 1_000

    async def mine(self, blocks: int) -> None:
        for _ in range(blocks):
            await self.chain.wire("evm_mine")

    async def join(self, *judges: int) -> None:
        await join(self.chain, self.manifest, *judges)


async def join(chain: Net, made: Manifest, *judges: int) -> None:
    """Each for an operator and of a family of its own."""
    registry = JudgeRegistry(chain.rpc, made.address("judge_registry"))
    frac = Token(chain.rpc, made.address("frac"), "frac")
    for who in judges:
        await chain.send(ADMIN, *frac.transfer(ADDRESSES[who], STAKE))
        await chain.send(who, *frac.approve(registry.address, STAKE))
        await chain.send(who, *registry.register(ADDRESSES[who], f"family-{who}", ""))
        await chain.send(who, *registry.stake(STAKE))


async def deploy_into(folder: Path) -> None:
    """A chain with the contracts, the clerk's role and bond, USDC for pay, and judges."""
    wanted = [each for each in plans(FIXED) if each.name in CONTRACTS]
    async with net(folder / "chain.sqlite") as chain:
        made = await deployed(chain, folder, wanted)
        court = CourtContract(chain.rpc, made.address("court"))
        frac = Token(chain.rpc, made.address("frac"), "frac")
        usdc = Token(chain.rpc, made.address("usdc"))
        for role in ("clerk", "guardian"):
            await chain.send(ADMIN, *court.offer_role(role, ADDRESSES[CLERK]))
            await chain.send(CLERK, *court.take_role(role))
        await chain.send(ADMIN, *frac.approve(court.address, TERMS.clerk_bond))
        await chain.send(ADMIN, *court.bond_clerk(TERMS.clerk_bond))
        await chain.send(ADMIN, *usdc.mint(ADDRESSES[ADMIN], FUNDS))
        await chain.send(ADMIN, *usdc.approve(court.address, FUNDS))
        await chain.send(ADMIN, *court.fund(FUNDS))
        await join(chain, made, *BENCH)


@asynccontextmanager
async def court_world(store: Store, deployment: Path, folder: Path) -> AsyncIterator[CourtWorld]:
    """On a copy of what `deploy_into` has made."""
    made = read(deployment / "manifest.json")
    assert made is not None
    for file in deployment.glob("chain.sqlite*"):
        shutil.copy(file, folder)
    async with net(folder / "chain.sqlite") as chain:
        yield CourtWorld(store, chain, made)
