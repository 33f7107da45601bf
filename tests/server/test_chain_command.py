"""`agon chain deploy` against a running chain: once, and in words when it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from chain.devchain.server import serving
from server.cli import app


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with serving(None, interval_s=0) as found:
        yield found


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
    assert again.output.splitlines() == first.output.splitlines()[-9:]
    assert manifest.read_bytes() == written


async def test_what_cannot_be_is_told_in_words(url: str, tmp_path: Path) -> None:
    manifest = tmp_path / "chain.json"
    refused = await deploy(url, manifest, "--treasury", "0xabc")
    assert "no address as EIP-55 writes them" in str(refused.exception)
    refused = await deploy("http://127.0.0.1:9", manifest)
    assert "the chain's node failed" in str(refused.exception)
    manifest.write_text("{}")
    refused = await deploy(url, manifest)
    assert "no manifest of a deployment" in str(refused.exception)
