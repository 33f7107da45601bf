"""The embedded chain is one for all processes of a data directory, and goes on where it was killed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from pathlib import Path

import httpx
import pytest

from server.embedded import chain
from server.embedded.data_dir import DataDir
from tests.chain.anvil import binary
from tests.chain.rpc import Wire, signed


@pytest.fixture(autouse=True)
def _no_anvil(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)


async def test_the_chain_is_shared_and_survives_its_death(tmp_path: Path) -> None:
    with DataDir(tmp_path) as data:
        url, same = await asyncio.gather(chain.start(data, 31_337), chain.start(data, 31_337))
        assert url == same
        wire = Wire(url)
        hash_ = await wire("eth_sendRawTransaction", signed(0))
        async with asyncio.timeout(10):
            while await wire("eth_getTransactionReceipt", hash_) is None:
                await asyncio.sleep(0.05)
        receipt = await wire("eth_getTransactionReceipt", hash_)
        os.kill(_process_at(url), signal.SIGKILL)
        assert await chain.start(data, 31_337) == url, "its guard brings it back where it was"
        async with asyncio.timeout(20):
            while True:
                try:
                    assert await wire("eth_getTransactionReceipt", hash_) == receipt
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
        await wire.close()


def _process_at(url: str) -> int:
    """By its command line, which names its port."""
    port = url.rpartition(":")[2].encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"chain.devchain" in words and port in words and b"server.embedded.guard" not in words:
            return int(folder.name)
    raise AssertionError(f"no process serves {url}")


@pytest.mark.slow
async def test_anvil_is_taken_where_it_is_and_keeps_its_chain_over_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    found = binary()
    monkeypatch.setenv("PATH", f"{Path(found).parent}{os.pathsep}{os.environ['PATH']}")
    receipts: list[str] = []
    for _ in range(2):
        with DataDir(tmp_path) as data:
            wire = Wire(await chain.start(data, 31_337))
            assert "anvil" in await wire("web3_clientVersion")
            if not receipts:
                hash_ = await wire("eth_sendRawTransaction", signed(0))
                async with asyncio.timeout(10):
                    while await wire("eth_getTransactionReceipt", hash_) is None:
                        await asyncio.sleep(0.1)
            receipts.append((await wire("eth_getTransactionReceipt", hash_))["blockNumber"])
            await wire.close()
        await _until_gone(wire.url)
    assert receipts[0] == receipts[1]


async def _until_gone(url: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(20):
        while True:
            try:
                await http.get(url)
            except httpx.TransportError:
                return
            await asyncio.sleep(0.1)
