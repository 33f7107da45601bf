"""The embedded content store: Kubo's RPC on a loopback port, its blocks in the data directory (`chain.blockstore`)."""

from __future__ import annotations

import sys

import httpx

from chain.blockstore.access import USER, token_of
from server.embedded.data_dir import DataDir
from server.embedded.llm import free_port

START_TIMEOUT_S = 30.0


async def start(data: DataDir, max_bytes: int) -> str:
    """Ensure the data directory's content store; returns its URL with its password. Raises ServiceFailed."""
    folder = data.folder("ipfs")
    address = data.file("ipfs.url")

    def command() -> list[str]:
        port = free_port()
        address.write_text(f"http://{USER}:{token_of(folder)}@127.0.0.1:{port}", encoding="utf-8")
        address.chmod(0o600)
        return [sys.executable, "-m", "chain.blockstore", str(folder), str(port), str(max_bytes)]

    async def answers() -> bool:
        try:
            url = address.read_text(encoding="utf-8")
            async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
                return (await client.post(f"{url}/api/v0/id")).is_success
        except (OSError, httpx.HTTPError, httpx.InvalidURL):
            return False

    await data.ensure("ipfs", command, answers, timeout_s=START_TIMEOUT_S)
    return address.read_text(encoding="utf-8")
