"""`agon judge` as its owner types it, on a chain: registered, accepted, staked, drawn from, paid, out again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from typer.testing import CliRunner, Result

from chain.client.contract import Invocation
from chain.client.court import CourtContract
from chain.client.deployment import Manifest, Plan
from chain.client.judge_registry import JudgeRegistry
from chain.client.token import Token
from chain.devchain.accounts import ADDRESSES, KEYS
from chain.documents import court_epoch
from chain.documents.court_epoch import CourtEpoch, HearingLine, SeatLine
from judges.node.journal import Journal
from server.cli import app
from server.commands import keystore
from server.judging.records import ChainRecords
from spaces import canonical
from tests.chain.court.stage import COURT, FRAC, PLANS, REGISTRY, clerk, said
from tests.chain.node import Net, deployed, net
from tests.chain.rpc import CHAIN_ID

JUDGE, OPERATOR = 3, 4
"""Which of the known accounts."""
ESCROW = Plan("escrow", "escrow", lambda at: [at["usdc"], 3_600, 7_200])

Run = Callable[..., Awaitable[Result]]


class World(NamedTuple):
    chain: Net
    made: Manifest
    registry: JudgeRegistry
    court: CourtContract
    frac: Token


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with net() as chain:
        made = await deployed(chain, tmp_path, (*PLANS, ESCROW))
        registry = JudgeRegistry(chain.rpc, made.address("judge_registry"))
        court = CourtContract(chain.rpc, made.address("court"))
        frac = Token(chain.rpc, made.address("frac"), "frac")
        yield World(chain, made, registry, court, frac)


@pytest.fixture
def agon(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(keystore, "SCRYPT_N", 1 << 10)  # opened again by every command

    async def run(*arguments: str, who: int = JUDGE) -> Result:
        env = {
            "AGON_PASSPHRASE": "correct horse",
            "AGON_RPC_URL": world.chain.url,
            "AGON_CHAIN_MANIFEST": str(tmp_path / "manifest.json"),
            "XDG_CONFIG_HOME": str(tmp_path / f"config-{who}"),
            "XDG_DATA_HOME": str(tmp_path / f"data-{who}"),
        }
        if not (tmp_path / f"config-{who}").exists():
            key = tmp_path / f"key-{who}"
            key.write_text(KEYS[who])
            imported = await asyncio.to_thread(
                CliRunner().invoke, app, ["wallet", "import", str(key)], env=env
            )
            assert imported.exit_code == 0, imported.output
        return await asyncio.to_thread(CliRunner().invoke, app, ["judge", *arguments], env=env)

    return run


async def ok(agon: Run, *arguments: str, who: int = JUDGE) -> str:
    result = await agon(*arguments, who=who)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


async def refused(agon: Run, *arguments: str) -> str:
    result = await agon(*arguments)
    assert result.exit_code == 1, result.output
    return str(result.exception)


@pytest.mark.slow
async def test_in_and_out(agon: Run, world: World) -> None:
    await world.chain.send(0, *world.frac.transfer(ADDRESSES[JUDGE], 3_000 * FRAC))
    assert "not registered" in await ok(agon, "status")
    assert "1 to 32 ASCII characters" in await refused(agon, "register", "--family", "x" * 40)
    told = await ok(agon, "register", "--family", "sound", "--operator", ADDRESSES[OPERATOR])
    assert "it judges by sound" in told
    assert f"it counts once {ADDRESSES[OPERATOR]} has accepted it" in told
    assert "the wallet has 3,000 FRAC" in await refused(agon, "stake", "4000")
    assert "2,000 FRAC bonded" in await ok(agon, "stake", "2000")
    assert "its operator has not accepted it" in await ok(agon, "status")
    assert "has named" in await refused(agon, "accept", ADDRESSES[JUDGE])
    assert "answers for" in await ok(agon, "accept", ADDRESSES[JUDGE], who=OPERATOR)
    assert "once somebody takes the next snapshot" in await ok(agon, "status")
    await said(world.chain, world.registry.take_snapshot())
    assert "can be drawn (snapshot 1)" in await ok(agon, "status")
    assert "500 FRAC unbonding" in await ok(agon, "unbond", "500")
    assert "can be lost until then" in await refused(agon, "release")
    await world.chain.wire("evm_increaseTime", REGISTRY.unbonding_s + 60)
    await world.chain.wire("evm_mine")
    assert "1,500 FRAC in the wallet" in await ok(agon, "release")
    found = msgspec.json.decode(await ok(agon, "status", "--json"))
    assert (found["bonded"], found["in_snapshot"], found["family"]) == (1_500 * FRAC, 2_000 * FRAC, "sound")  # fmt: skip


@pytest.mark.slow
async def test_a_judge_claims_what_an_epoch_says_that_it_has_earned(
    agon: Run, world: World, tmp_path: Path
) -> None:
    chain, court = world.chain, world.court
    usdc = Token(chain.rpc, world.made.address("usdc"))
    await clerk(chain, court, world.frac)
    for call in (
        usdc.mint(ADDRESSES[0], 5_000_000),
        usdc.approve(court.address, 5_000_000),
        court.fund(5_000_000),
    ):
        await said(chain, Invocation(*call))
    judge = ADDRESSES[JUDGE].lower()
    digest = hashlib.sha256(b"something").hexdigest()
    line = HearingLine("01JD0000000000000000000001", 0, digest, digest, [SeatLine(judge, 0, 500_000, 1_234_567)])  # fmt: skip
    epoch = court_epoch.build(1, CHAIN_ID, court.address, 1, [line], {judge: (1_234_567, 1_234_567)})  # fmt: skip
    file = _written(epoch, tmp_path)
    assert "not anchored" in await refused(agon, "claim", "--from", str(file))
    roots = (bytes.fromhex(epoch.cases_root), bytes.fromhex(epoch.earned_root))
    await said(chain, court.anchor(1, *roots, epoch.total_micros))
    assert "can be vetoed still" in await refused(agon, "claim", "--from", str(file))
    await chain.wire("evm_increaseTime", COURT.window_s + 600)
    await chain.wire("evm_mine")
    told = await ok(agon, "claim", "--from", str(file))
    assert f"1.234567 USDC paid to {ADDRESSES[JUDGE]}" in told
    assert await usdc.balance(ADDRESSES[JUDGE]) == 1_234_567
    assert "claimed already" in await refused(agon, "claim", "--from", str(file))
    assert "has earned nothing" in await refused(agon, "claim", "--from", str(file), "--account", ADDRESSES[7])  # fmt: skip


def _written(epoch: CourtEpoch, folder: Path) -> Path:
    file = folder / "court-epoch.json"
    file.write_bytes(canonical.encode(msgspec.to_builtins(epoch)))
    return file


async def test_a_snapshot_is_read_from_its_log_and_held_against_its_digest(world: World) -> None:
    chain, registry, frac = world.chain, world.registry, world.frac
    records = ChainRecords(chain.rpc, world.made)
    with pytest.raises(LookupError, match="no such snapshot"):
        await records.snapshot(1)
    with pytest.raises(LookupError, match="no such batch"):
        await records.batch(1)
    await said(chain, frac.transfer(ADDRESSES[JUDGE], 2_000 * FRAC))
    for call in (
        frac.approve(registry.address, 2_000 * FRAC),
        registry.register(ADDRESSES[JUDGE], "sound", ""),
        registry.stake(2_000 * FRAC),
        registry.take_snapshot(),
    ):
        await said(chain, Invocation(*call), JUDGE)
    found = await records.snapshot(1)
    assert [(each.judge, each.weight) for each in found.judges] == [(ADDRESSES[JUDGE], 2_000 * FRAC)]  # fmt: skip


async def test_running_needs_a_registered_judge_and_a_family_that_there_is(
    agon: Run, world: World, tmp_path: Path
) -> None:
    assert "is not registered" in await refused(agon, "run")
    assert "no family of judges is called 'taste'" in await refused(agon, "run", "--family", "taste")  # fmt: skip
    assert "needs a model's URL" in await refused(agon, "run", "--family", "model:scores")
    assert "two amounts of USD" in await refused(agon, "run", "--price", "1")
    await said(world.chain, world.registry.register(ADDRESSES[JUDGE], "words", ""), JUDGE)
    assert "has staked nothing" in await refused(agon, "run")
    await said(world.chain, world.frac.transfer(ADDRESSES[JUDGE], 2_000 * FRAC))
    await said(world.chain, world.frac.approve(world.registry.address, 2_000 * FRAC), JUDGE)
    await said(world.chain, world.registry.stake(2_000 * FRAC), JUDGE)
    folder = tmp_path / "folder"
    folder.mkdir()
    journal = Journal(folder / "judge.sqlite", judge=ADDRESSES[JUDGE], court=f"{CHAIN_ID}:{world.court.address}")  # fmt: skip
    try:
        assert "another process runs" in await refused(agon, "run", "--folder", str(folder))
    finally:
        journal.close()
    for file in folder.glob("judge.sqlite*"):
        file.write_bytes(b"nonsense" * 1_000)
    assert "journal cannot be read" in await refused(agon, "run", "--folder", str(folder))
