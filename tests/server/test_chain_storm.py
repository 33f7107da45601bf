"""A writer that is killed again and again, on a chain that forgets blocks: each action is done once."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path

import pytest

from chain.client.deployment import made_by
from chain.client.nonces import Policy, State
from chain.client.signer import KeySigner
from chain.client.txs import Alarm, TxWriter
from chain.devchain.accounts import KEYS
from chain.devchain.server import serving
from server.store import Store
from tests.chain.anvil import anvil
from tests.chain.node import Net, account
from tests.chain.rpc import CHAIN_ID, LOGGER, Refused, creation, signed
from tests.server.chain_writer import CONFIRMATIONS, WRITER

ROOT = Path(__file__).parents[2]
COUNT = 200
KILLS = 6
REORGANISATIONS = 3


def node(kind: str, folder: Path) -> AbstractAsyncContextManager[str]:
    if kind == "anvil":
        return anvil("--block-time", "1", "--slots-in-an-epoch", "4")
    return serving(folder / "chain.sqlite", interval_s=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["anvil", "devchain"])
async def test_each_action_is_done_once_whoever_is_killed(
    kind: str, tmp_path: Path, store_url: str
) -> None:
    chance = random.Random(kind)
    async with node(kind, tmp_path) as url, aclosing(Net(url)) as net:
        contract = await _logger(net)
        for kill in range(KILLS):
            process = await _start(store_url, url, contract)
            await _until_used(net, kill * COUNT // (2 * KILLS) + 1)
            await asyncio.sleep(chance.uniform(0.0, 0.5))
            process.kill()
            await process.wait()
            if kill < REORGANISATIONS:
                await _reorganise(net, kind, chance.randint(1, CONFIRMATIONS - 1))
        assert await _used(net) < COUNT, "there is something left to do for the last one"
        process = await _start(store_url, url, contract)
        async with asyncio.timeout(150):
            assert await process.wait() == 0
        logs = await net.rpc.logs([contract], 0, (await net.rpc.head()).number)
        assert sorted(int.from_bytes(log.data, "big") for log in logs) == list(range(COUNT))
        assert await _used(net) == COUNT


async def _used(net: Net) -> int:
    head = await net.rpc.head()
    return await net.rpc.nonce(account(WRITER).address, head.number)


async def _until_used(net: Net, count: int) -> None:
    async with asyncio.timeout(60):
        while await _used(net) < count:
            await asyncio.sleep(0.05)


async def _logger(net: Net) -> str:
    """Deployed so deep that no reorganisation takes it away."""
    raw = bytes.fromhex(signed(0, to=None, data=creation(LOGGER))[2:])
    await net.rpc.send(raw)
    for _ in range(CONFIRMATIONS + 4):
        await net.wire("evm_mine")
    address = made_by(account(0).address, 0)
    assert await net.rpc.code(address)
    return address


async def _start(store_url: str, url: str, contract: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.server.chain_writer", store_url, url, contract, str(COUNT),
        cwd=ROOT,
    )  # fmt: skip


async def _reorganise(net: Net, kind: str, depth: int) -> None:
    if kind == "anvil":
        await net.wire("anvil_reorg", depth, [])
    else:
        await net.wire("evm_reorg", depth, True)


@pytest.fixture
async def foundry() -> AsyncIterator[Net]:
    async with anvil("--no-mining") as url, aclosing(Net(url)) as net:
        yield net


def _writer(net: Net, store: Store, alarms: list[Alarm], now_ms: list[int]) -> TxWriter:
    return TxWriter(
        node=net.rpc,
        store=store.chain_txs,
        signer=KeySigner(account(WRITER), CHAIN_ID),
        chain_id=CHAIN_ID,
        clock=lambda: now_ms[0],
        policy=Policy(confirmations=2, resubmit_ms=1_000),
        alarm=alarms.append,
    )


@pytest.mark.slow
async def test_anvil_drops_what_it_reorganises_and_takes_the_same_bytes_again(
    foundry: Net, store: Store
) -> None:
    alarms: list[Alarm] = []
    now_ms = [0]
    writer = _writer(foundry, store, alarms, now_ms)
    for number in range(3):
        await writer.submit(f"pay:{number}", account(5).address, b"", value=1, gas=21_000)
    await writer.round()
    await foundry.wire("anvil_mine", "0x1")
    await writer.round()
    rows = [await store.chain_txs.find(CHAIN_ID, f"pay:{n}") for n in range(3)]
    assert [row and row.state for row in rows] == [State.MINED] * 3
    await foundry.wire("anvil_reorg", 1, [])
    assert await foundry.wire("eth_getTransactionCount", account(WRITER).address, "latest") == "0x0"
    await writer.round()
    assert {alarm.kind for alarm in alarms} == {"reorganised"}
    await foundry.wire("anvil_mine", "0x3")
    await writer.round()
    rows = [await store.chain_txs.find(CHAIN_ID, f"pay:{n}") for n in range(3)]
    assert all(row is not None and row.done and len(row.attempts) == 1 for row in rows)


@pytest.mark.slow
async def test_anvil_takes_our_replacements_and_refuses_lower_ones(
    foundry: Net, store: Store
) -> None:
    now_ms = [0]
    writer = _writer(foundry, store, [], now_ms)
    await writer.submit("pay:1", account(5).address, b"", value=1, gas=21_000)
    await writer.round()
    row = await store.chain_txs.find(CHAIN_ID, "pay:1")
    assert row is not None
    fees = row.attempts[0].fees
    same = signed(0, value=2, fee=fees.most, tip=fees.tip, key=KEYS[WRITER])
    with pytest.raises(Refused, match="underpriced"):
        await foundry.wire("eth_sendRawTransaction", same)
    now_ms[0] += 1_000
    await writer.round()
    await foundry.wire("anvil_mine", "0x3")
    await writer.round()
    row = await store.chain_txs.find(CHAIN_ID, "pay:1")
    assert row is not None
    assert row.done
    assert row.mined is not None
    assert row.mined.hash == row.attempts[1].hash


@pytest.mark.slow
async def test_anvil_holds_what_comes_after_a_gap_until_that_is_filled(
    foundry: Net, store: Store
) -> None:
    alarms: list[Alarm] = []
    writer = _writer(foundry, store, alarms, [0])
    for number in range(3):
        await writer.submit(f"pay:{number}", account(5).address, b"", value=1, gas=21_000)
    await writer.round()
    first = await store.chain_txs.find(CHAIN_ID, "pay:0")
    assert first is not None
    await foundry.wire("anvil_dropTransaction", first.attempts[0].hash)
    await foundry.wire("anvil_mine", "0x1")
    assert await foundry.wire("eth_getTransactionCount", account(WRITER).address, "latest") == "0x0"
    await writer.round()
    await foundry.wire("anvil_mine", "0x3")
    await writer.round()
    rows = [await store.chain_txs.find(CHAIN_ID, f"pay:{n}") for n in range(3)]
    assert all(row is not None and row.done for row in rows)
    assert alarms == []
