"""Owners deposit and withdraw on a chain that forgets blocks, while the worker is killed: the ledger has what the escrow has."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from chain.client.contract import Invocation
from chain.client.deployment import Manifest
from chain.client.escrow import Escrow
from chain.client.node import Reverted, SendRefused
from chain.client.plans import Fixed, plans
from chain.client.sending import send
from chain.client.signer import KeySigner
from chain.client.token import Token
from chain.devchain.accounts import ADDRESSES
from server.ledger import names
from server.settlement import compare, key_file
from server.settlement.mirror import reader_of
from server.store import Store, open_store
from server.store.crossings import Crossing
from server.store.escrow_believed import believed
from server.store.escrow_books import TAKEN_BACK
from tests.chain.node import Net, account, deployed, net
from tests.chain.rpc import CHAIN_ID
from tests.server.chain_settler import CONFIRMATIONS

ROOT = Path(__file__).parents[2]
OWNERS = (1, 2, 3)
"""Of the known accounts."""
TREASURY = 9
DELAY_S = 3_600
DEALS = 90
KILLS = 4
MUCH = 1_000_000_000


class Stage:
    def __init__(self, chain: Net, manifest: Manifest, folder: Path, chance: random.Random) -> None:
        self.net = chain
        self.manifest = manifest
        self.escrow = Escrow(chain.rpc, manifest.address("escrow"))
        self.usdc = Token(chain.rpc, manifest.address("usdc"))
        self.key = folder / "settler.key"
        self.chance = chance

    async def prepare(self) -> None:
        settler = key_file.ensure(self.key)
        await self.net.send(0, *self.escrow.offer_role("settler", settler.address))
        for owner in OWNERS:
            await self.net.send(0, *self.usdc.mint(account(owner).address, MUCH))
            await self.net.send(owner, *self.usdc.approve(self.escrow.address, MUCH))
        for _ in range(8):
            await self.net.wire("evm_mine")

    async def caught_up(self, store: Store, seconds: float = 20.0) -> None:
        """Or not, where the reader, which begins again after it was killed, takes so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not await self._is_read(store, (await self.net.rpc.head()).number):
                    await asyncio.sleep(0.1)

    async def _is_read(self, store: Store, head: int) -> bool:
        said = await believed(store.database, reader_of(self.escrow.address))
        return said is not None and said.at.number >= head - CONFIRMATIONS

    async def deal(self, store: Store) -> None:
        """One of the owners does something, or the chain forgets."""
        owner = self.chance.choice(OWNERS)
        address = account(owner).address
        amount = self.chance.randint(1, 50)
        match self.chance.choice(["deposit"] * 3 + ["ask"] * 2 + ["cancel", "take", "forget"]):
            case "deposit":
                await self._try(owner, self.escrow.deposit(amount))
            case "ask":
                await self._try(owner, self.escrow.request_withdrawal(amount))
            case "cancel":
                await self._try(owner, self.escrow.cancel_withdrawal())
            case "take":
                await self.net.wire("evm_increaseTime", DELAY_S + 1)
                await self.net.wire("evm_mine")
                await self._try(owner, self.escrow.withdraw(address))
            case "forget":
                await self.caught_up(store)
                depth = self.chance.randint(1, CONFIRMATIONS + 4)
                await self.net.wire("evm_reorg", depth, self.chance.random() < 0.5)

    async def _try(self, owner: int, call: Invocation) -> None:
        with contextlib.suppress(Reverted, SendRefused):
            await self.net.send(owner, *call)

    async def settler(self, store_url: str, redis_url: str, manifest: Path) -> asyncio.subprocess.Process:  # fmt: skip
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.server.chain_settler", store_url, redis_url, self.net.url,
            str(manifest), str(self.key), cwd=ROOT,
        )  # fmt: skip


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with net(tmp_path / "chain.sqlite") as chain:
        wanted = plans(Fixed(ADDRESSES[TREASURY], withdrawal_delay_s=DELAY_S))
        manifest = await deployed(chain, tmp_path, wanted)
        made = Stage(chain, manifest, tmp_path, random.Random(5))
        await made.prepare()
        settler = key_file.read(made.key)
        await _give_gas(made, settler.address)
        yield made


async def _give_gas(stage: Stage, address: str) -> None:
    node = stage.net.rpc
    await send(node, KeySigner(account(0), CHAIN_ID), address, b"", value=10**18)
    taken = KeySigner(key_file.read(stage.key), CHAIN_ID)
    await send(node, taken, *stage.escrow.take_role("settler"))
    for _ in range(CONFIRMATIONS + 6):
        await stage.net.wire("evm_mine")


@pytest.mark.slow
async def test_the_ledger_has_what_the_escrow_has_whoever_is_killed(
    stage: Stage, store_url: str, redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    store = await open_store(store_url)
    manifest = tmp_path / "manifest.json"
    process = await stage.settler(store_url, redis_url, manifest)
    try:
        for number in range(DEALS):
            await stage.deal(store)
            await asyncio.sleep(stage.chance.uniform(0.0, 0.3))
            if number % (DEALS // (KILLS + 1)) == DEALS // (KILLS + 1) - 1:
                process.kill()
                await process.wait()
                process = await stage.settler(store_url, redis_url, manifest)
        for _ in range(CONFIRMATIONS + 1):
            await stage.net.wire("evm_mine")
        await _until_read(stage, store)
        await _check(stage, store)
    finally:
        process.kill()
        await process.wait()
        await store.close()


async def _until_read(stage: Stage, store: Store) -> None:
    reader = reader_of(stage.escrow.address)
    head = await stage.net.rpc.head()
    async with asyncio.timeout(60):
        while True:
            found = await compare.look(store.database, stage.net.rpc, stage.escrow, reader)
            if found is not None and found.believed.at.number >= head.number - CONFIRMATIONS:
                assert found.difference_micros == 0, found.words
                return
            await asyncio.sleep(0.2)


async def _crossings(store: Store) -> list[Crossing]:
    found: list[Crossing] = []
    for owner in OWNERS:
        theirs = await store.accounts.of_wallet(account(owner).address)
        assert theirs is not None
        found += await store.crossings.of_account(theirs.account, limit=1_000)
    return found


async def _check(stage: Stage, store: Store) -> None:
    """Nobody plays here: what each owner has on the chain, the ledger has, free or on its way out."""
    assert await store.ledger.audit() == []
    failed = [each for each in await _crossings(store) if each.reason == TAKEN_BACK]
    assert failed, "some of it was taken back below what counts"
    some = 0
    for owner in OWNERS:
        address = account(owner).address
        on_chain = await stage.escrow.account(address)
        leaving = await stage.escrow.withdrawal(address)
        theirs = await store.accounts.of_wallet(address)
        assert theirs is not None
        purse = await store.ledger.account(names.owner("usdc", theirs.account))
        assert purse.available_micros == on_chain.balance
        assert purse.debits_pending == leaving.amount
        some += purse.balance_micros
    assert some == await stage.escrow.held() > 0
