"""`agon chain deploy` against a running chain: once, and in words when it cannot."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from chain.devchain.accounts import ADDRESSES, KEYS
from chain.devchain.server import serving
from server.cli import app


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with serving(None, interval_s=0) as found:
        yield found


async def chain(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["chain", *words])


async def deploy(url: str, manifest: Path, *more: str) -> Result:
    words = ["chain", "deploy", "--rpc", url, "--manifest", str(manifest), *more]
    return await asyncio.to_thread(CliRunner().invoke, app, words)


async def test_contracts_are_deployed_once_and_told(url: str, tmp_path: Path) -> None:
    manifest = tmp_path / "chain.json"
    first = await deploy(url, manifest)
    assert first.exit_code == 0, (first.output, first.exception)
    assert "escrow stands at 0x" in first.output
    written = manifest.read_bytes()
    again = await deploy(url, manifest)
    assert "stands at" not in again.output
    assert (
        again.output.splitlines()
        == first.output.splitlines()[-len(json.loads(written)["contracts"]) :]
    )
    assert manifest.read_bytes() == written


@pytest.mark.slow
async def test_a_role_is_offered_and_taken_by_the_key_that_is_to_have_it(
    url: str, tmp_path: Path
) -> None:
    manifest, key = tmp_path / "chain.json", tmp_path / "settler.key"
    await deploy(url, manifest)
    made = await chain("key", str(key))
    address = made.output.strip()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    here = ("--rpc", url, "--manifest", str(manifest))
    nothing = await chain("take", *here, "--key-file", str(key))
    assert "no role is offered" in str(nothing.exception)
    for _ in range(2):
        offered = await chain("roles", *here, "--settler", address, "--json")
        [settler] = [each for each in json.loads(offered.output) if each["role"] == "settler"]
        assert settler == {
            "contract": "escrow", "role": "settler", "holder": None, "offered": address
        }  # fmt: skip
    without_gas = await chain("take", *here, "--key-file", str(key))
    assert "insufficient funds" in str(without_gas.exception)
    key.unlink()
    key.write_text(KEYS[3])
    key.chmod(0o600)
    await chain("roles", *here, "--settler", ADDRESSES[3], "--publisher", ADDRESSES[3])
    taken = await chain("take", *here, "--key-file", str(key))
    assert [line.split()[:2] for line in taken.output.splitlines()] == [
        ["escrow", "settler"], ["rewards", "publisher"], ["fractals", "publisher"]
    ]  # fmt: skip
    shown = await chain("roles", *here)
    assert f"escrow     settler     {ADDRESSES[3]}" in shown.output


@pytest.mark.slow
async def test_the_court_is_shown_and_given_its_bond_and_judges_pay(
    url: str, tmp_path: Path
) -> None:
    manifest = tmp_path / "chain.json"
    await deploy(url, manifest)
    here = ("--rpc", url, "--manifest", str(manifest))
    shown = await chain("fund-court", *here)
    assert "0 FRAC, 100000 wanted" in shown.output
    paid = await chain("fund-court", *here, "--bond", "100000", "--json")
    told = json.loads(paid.output)
    assert told["bond"] == told["wanted_bond"] == 100_000 * 10**18
    poor = await chain("fund-court", *here, "--pay", "5")
    assert "has too little" in str(poor.exception)
    offered = await chain("roles", *here, "--clerk", ADDRESSES[3], "--json")
    [clerk] = [each for each in json.loads(offered.output) if each["role"] == "clerk"]
    assert (clerk["contract"], clerk["offered"]) == ("court", ADDRESSES[3])


async def test_what_cannot_be_is_told_in_words(url: str, tmp_path: Path) -> None:
    manifest = tmp_path / "chain.json"
    refused = await deploy(url, manifest, "--treasury", "0xabc")
    assert "no address as EIP-55 writes them" in str(refused.exception)
    refused = await deploy("http://127.0.0.1:9", manifest)
    assert "the chain's node failed" in str(refused.exception)
    manifest.write_text("{}")
    refused = await deploy(url, manifest)
    assert "no manifest of a deployment" in str(refused.exception)
