"""Paid matches on a chain, from two owners' deposits to the first move: opened, refused, and opened once by leaders that are
killed on a chain that forgets blocks."""

from __future__ import annotations

import asyncio
import functools
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from chain.client.escrow import Escrow, Limits
from chain.client.token import Token
from server.clock import unix_ms
from server.escrow_room import EscrowRefused
from server.identity import Identity
from server.ledger import Transfer, names
from server.live.records import SessionRecord
from server.settlement.compare import look
from server.store import Store, open_store
from tests.chain.node import Net, account, deployed, net
from tests.server.money_world import TIER, available, ticket_of
from tests.server.opening_leader import READER, SETTLER
from tests.server.test_gate import Rig

ROOT = Path(__file__).parents[2]
DEPOSIT = 20 * TIER
OWNERS = {"Ann": 1, "Ben": 2}
FAR_S = 2**40


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    opened = await open_store(store_url, escrowed=True)
    yield opened
    await opened.close()


class World:
    """Two owners in an escrow on the embedded chain, a matchmaker, and leaders that come and go."""

    def __init__(self, chain: Net, escrow: Escrow, rig: Rig, store_url: str) -> None:
        self.chain, self.escrow, self.rig, self.store = chain, escrow, rig, rig.store
        self._store_url = store_url
        self._nonce = unix_ms()
        self.agents: dict[str, Identity] = {}
        self.leader: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        module = ("-m", "tests.server.opening_leader", self._store_url, self.chain.url)
        self.leader = await asyncio.create_subprocess_exec(
            sys.executable, *module, self.escrow.address, cwd=ROOT
        )

    async def kill(self) -> None:
        if self.leader is not None:
            self.leader.kill()
            await self.leader.wait()
            self.leader = None

    async def arrive(self, usdc: Token) -> None:
        """Both sign in, deposit, sign limits, and give an agent the money."""
        for name, key in OWNERS.items():
            agent, _ = await self.store.agents.register(name)
            self.agents[name] = agent
            await self.store.accounts.bind(agent.owner, account(key).address)
            await self.chain.send(0, *usdc.mint(account(key).address, DEPOSIT))
            await self.chain.send(key, *usdc.approve(self.escrow.address, DEPOSIT))
            await self.chain.send(key, *self.escrow.deposit(DEPOSIT))
            await self.limits(name, DEPOSIT)
        for agent in self.agents.values():
            await self.until(functools.partial(self._fund, agent), "the deposit is in the ledger")

    async def _fund(self, agent: Identity) -> bool:
        purse = names.owner("usdc", agent.owner)
        if (await self.store.ledger.account(purse)).available_micros < DEPOSIT:
            return False
        gift = Transfer(
            id=f"fund:{agent.agent}",
            debit=purse,
            credit=names.agent("usdc", agent.agent),
            asset="usdc",
            micros=DEPOSIT,
            code="fund",
        )
        await self.store.ledger.require([gift])
        return True

    async def limits(self, name: str, micros: int) -> None:
        self._nonce += 1
        limits = Limits(max_entry=micros, daily_cap=micros, expires=FAR_S, nonce=self._nonce)
        await self.chain.send(OWNERS[name], *self.escrow.set_limits(limits))

    async def made(self) -> SessionRecord:
        """A match that waits for the escrow."""
        return await self.rig.made(*self.agents.values())

    async def until(self, condition: Callable[[], Awaitable[object]], what: str) -> None:
        deadline = time.monotonic() + 60
        while not await condition():
            assert time.monotonic() < deadline, f"{what}: not within a minute"
            await asyncio.sleep(0.05)

    async def is_(self, record: SessionRecord, status: str) -> bool:
        return await self.rig.status(record) == status

    async def agree(self) -> bool:
        found = await look(self.store.database, self.chain.rpc, self.escrow, READER)
        return found is not None and found.difference_micros == 0


@asynccontextmanager
async def mining(chain: Net) -> AsyncIterator[None]:
    async def mine() -> None:
        while True:
            await asyncio.sleep(0.2)
            await chain.wire("evm_mine")

    task = asyncio.create_task(mine())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def world(store: Store, store_url: str, redis: Redis, tmp_path: Path) -> AsyncIterator[World]:
    async with net() as chain:
        manifest = await deployed(chain, tmp_path)
        escrow = Escrow(chain.rpc, manifest.address("escrow"))
        await chain.send(0, *escrow.offer_role("settler", account(SETTLER).address))
        await chain.send(SETTLER, *escrow.take_role("settler"))
        async with mining(chain):
            world = World(chain, escrow, Rig(store, redis), store_url)
            try:
                await world.start()
                await world.arrive(Token(chain.rpc, manifest.address("usdc")))
                yield world
            finally:
                await world.kill()
                await world.rig.close()


@pytest.mark.slow
async def test_a_match_is_opened_on_the_chain_and_begins(world: World) -> None:
    record = await world.made()
    await world.until(lambda: world.is_(record, "live"), "it is played")
    assert (await world.escrow.session(record.session))[0] == 1
    for name, agent in world.agents.items():
        assert (await world.rig.view(agent)).opening == []
        assert len((await world.rig.view(agent)).seated) == 1
        account_ = await world.escrow.account(account(OWNERS[name]).address)
        assert account_.balance == DEPOSIT - TIER
    await world.store.results.settle(record.session, (1, 2), (10_000, 0))
    assert await world.store.ledger.audit() == []
    await world.until(world.agree, "ledger and escrow agree")


@pytest.mark.slow
async def test_who_revokes_limits_before_the_opening_is_refused_and_named(world: World) -> None:
    await world.kill()
    record = await world.made()
    await world.limits("Ben", 0)
    await world.start()
    await world.until(lambda: world.is_(record, "void"), "it is void")
    kind, reason = (await world.rig.events(world.agents["Ann"]))[-1]
    assert kind == "left"
    assert reason.startswith("the wallet behind Ben (0x")
    assert (await world.escrow.session(record.session))[0] == 0
    await world.store.results.void(record.session, reason)
    for agent in world.agents.values():
        assert await available(world.store, agent) == DEPOSIT
    with pytest.raises(EscrowRefused) as refused:
        await world.store.entries.hold(ticket_of(world.agents["Ben"]))
    assert refused.value.code == "limits-missing"
    await world.until(world.agree, "ledger and escrow agree")


@pytest.mark.slow
async def test_leaders_that_are_killed_open_each_match_once(world: World) -> None:
    chance = random.Random(5)
    records = []
    for kill in range(6):
        records.append(await world.made())
        await asyncio.sleep(chance.uniform(0.0, 1.5))
        await world.kill()
        if kill % 2:
            await world.chain.wire("evm_reorg", 1)
        await world.start()
    for record in records:
        await world.until(functools.partial(world.is_, record, "live"), "it is played")
    head = (await world.chain.rpc.head()).number
    logs = await world.chain.rpc.logs([world.escrow.address], 0, head)
    events = [event for log in logs if (event := world.escrow.event(log)) is not None]
    assert sum(event.name == "Opened" for event in events) == len(records)
    for key in OWNERS.values():
        account_ = await world.escrow.account(account(key).address)
        assert account_.balance == DEPOSIT - len(records) * TIER
    for record in records:
        await world.store.results.settle(record.session, (1, 2), (10_000, 0))
    assert await world.store.ledger.audit() == []
    await world.until(world.agree, "ledger and escrow agree")
