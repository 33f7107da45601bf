"""A real anvil (foundry): the binary that npm carries, fetched once into a cache of tests and started by itself.

npm's own wrapper would die of a signal before the binary has written its state, so it is not used.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

VERSION = "1.7.1"
START_S = 20


def binary() -> str:
    """From PATH, else from npm. Skips the test where there is neither."""
    found = shutil.which("anvil")
    if found:
        return found
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        pytest.skip("no anvil on PATH, and npm's is fetched for linux-amd64 only")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "agon-tests" / f"anvil-{VERSION}"
    fetched = folder / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
    if not fetched.exists():
        _fetch(folder)
    if not fetched.exists():
        pytest.skip(f"npm has put no anvil at {fetched}")
    return str(fetched)


def _fetch(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no anvil on PATH, and no npm to fetch it with")
    folder.mkdir(parents=True, exist_ok=True)
    package = f"@foundry-rs/anvil@{VERSION}"
    words = [
        npm,
        "install",
        "--no-audit",
        "--no-fund",
        "--silent",
        "--prefix",
        str(folder),
        package,
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"npm cannot fetch anvil: {(done.stderr or done.stdout).strip()[:200]}")


@asynccontextmanager
async def anvil(*options: str) -> AsyncIterator[str]:
    """One at the URL that is yielded; a block a transaction, unless `options` say otherwise."""
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        binary(), "--host", "127.0.0.1", "--port", str(port), "--silent", *options
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(START_S):
            while True:
                try:
                    await http.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"})
                    break
                except httpx.TransportError:
                    assert process.returncode is None, "anvil ended at once"
                    await asyncio.sleep(0.05)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
