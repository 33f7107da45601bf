"""`agon operator` as its owner types it, on a chain, killed again and again while it works."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from chain.attestation import read_leaves
from chain.client.contract import Invocation
from chain.content import cid
from chain.content.cid import Cid, Codec
from chain.content.ipfs import Ipfs
from chain.devchain.accounts import KEYS
from server.cli import app
from server.store import Store
from tests.chain.blockstore.conftest import Served
from tests.chain.node import net
from tests.server.operator_world import (
    FRAC,
    OPERATOR,
    TERMS,
    OperatorWorld,
    deployed,
    operator_world,
    until,
)

ROOT = Path(__file__).parents[2]
KILLS = 8
AT_ONCE = 2
"""Sessions before each of them."""

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
async def world(tmp_path: Path, store: Store, redis: Redis) -> AsyncIterator[OperatorWorld]:
    async with net(tmp_path / "devchain.sqlite") as chain:
        await deployed(chain, tmp_path)
        async with operator_world(chain, tmp_path, store, redis) as found:
            yield found


@pytest.fixture
def content(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path / "node")
    yield served
    served.stop()


@pytest.fixture
def env(world: OperatorWorld, content: Served, tmp_path: Path) -> dict[str, str]:
    key = tmp_path / "key"
    key.write_text(KEYS[OPERATOR])
    return {
        "AGON_PASSPHRASE": "correct horse",
        "AGON_RPC_URL": world.net.url,
        "AGON_CHAIN_MANIFEST": str(tmp_path / "chain.json"),
        "AGON_URL": world.api,
        "AGON_OPERATOR_IPFS_URL": content.url,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }


@pytest.fixture
async def agon(env: dict[str, str], tmp_path: Path) -> Run:
    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=env)

    made = await run("wallet", "import", str(tmp_path / "key"))
    assert made.exit_code == 0, (made.output, made.exception)
    return run


async def ok(agon: Run, *arguments: str) -> str:
    result = await agon("operator", *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


@pytest.mark.slow
async def test_in_and_out(agon: Run, world: OperatorWorld) -> None:
    transfer = world.frac.transfer((await ok(agon, "status")).split()[1], 3_000 * FRAC)
    await world.send(0, Invocation(*transfer))
    told = await ok(agon, "register", "--endpoint", "https://node.example")
    assert "is registered: Qm" in told
    refused = await agon("operator", "stake", "4000")
    assert refused.exit_code == 1
    assert "the wallet has 3,000 FRAC" in str(refused.exception)
    assert "2,000 FRAC bonded" in await ok(agon, "stake", "2000")
    assert "one of 1 operators" in await ok(agon, "status", "--confirmations", "0")
    assert "500 FRAC unbonding" in await ok(agon, "unbond", "500")
    early = await agon("operator", "release")
    assert early.exit_code == 1
    assert "can be lost until then" in str(early.exception)
    await world.pass_time(TERMS.unbonding_s + 60, 1)
    assert "1,500 FRAC in the wallet" in await ok(agon, "release")
    found = msgspec.json.decode(await ok(agon, "status", "--json", "--confirmations", "0"))
    assert (found["bonded"], found["unbonding"], found["stands"]) == (1_500 * FRAC, 0, True)


@pytest.mark.slow
async def test_killed_again_and_again_it_attests_each_block_once(
    agon: Run, world: OperatorWorld, content: Served, env: dict[str, str], tmp_path: Path
) -> None:
    await world.stake()
    chance = random.Random(5)
    documents: list[bytes] = []
    for _ in range(KILLS):
        process = await _start(env)
        documents += [await world.pinned() for _ in range(AT_ONCE)]
        await asyncio.sleep(chance.uniform(2.0, 9.0))
        process.send_signal(signal.SIGKILL)
        await process.wait()
    process = await _start(env)
    try:
        async with Ipfs(content.url) as ipfs:

            async def attested() -> list[bytes]:
                found = []
                for batch in await world.events("Attested"):
                    list_ = await ipfs.block(Cid(Codec.RAW, batch["list_digest"]))
                    found += [leaf.digest for leaf in read_leaves(list_)]
                return found

            async def all_attested() -> bool:
                return len(await attested()) >= len(documents)

            await until(all_attested, "all is attested", within_s=180)
            await asyncio.sleep(3)
            wanted = sorted(cid.of(document).digest for document in documents)
            assert sorted(await attested()) == wanted
            for document in documents:
                assert await ipfs.pinned(cid.of(document))
    finally:
        process.kill()
        await process.wait()


async def _start(env: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server.cli", "operator", "run",
        "--leaves", "2", "--every", "1", "--confirmations", "0",
        cwd=ROOT, env=os.environ | env,
    )  # fmt: skip
