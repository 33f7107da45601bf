"""The embedded chain: anvil where its binary is on PATH, else our own (`chain.devchain`), on a loopback port.

Both keep their chain in the data directory. Ours loses nothing when it is killed; anvil writes its state at intervals and
when it is told to stop.
"""

from __future__ import annotations

import fcntl
import shutil
import socket
import sys
from pathlib import Path

import httpx

from server.embedded.data_dir import DataDir

START_TIMEOUT_S = 30.0
BLOCK_S = 1
ANVIL_SAVES_S = 10


async def start(data: DataDir, chain_id: int) -> str:
    """Ensure the data directory's chain; returns its URL. Raises ServiceFailed."""
    url_file = data.file("chain.url")

    def command() -> list[str]:
        port = _port(data)
        url_file.write_text(f"http://127.0.0.1:{port}", encoding="utf-8")
        anvil = shutil.which("anvil")
        return _anvil(anvil, data, port, chain_id) if anvil else _ours(data, port, chain_id)

    async def answers() -> bool:
        try:
            return await _chain_id(url_file.read_text(encoding="utf-8")) == chain_id
        except (OSError, httpx.HTTPError, ValueError, KeyError, TypeError):
            return False

    await data.ensure("chain", command, answers, timeout_s=START_TIMEOUT_S)
    return url_file.read_text(encoding="utf-8")


def url(folder: Path) -> str:
    """Of the chain that runs in a data directory. Raises OSError where none has been started."""
    return (folder / "chain.url").read_text(encoding="utf-8")


def _ours(data: DataDir, port: int, chain_id: int) -> list[str]:
    file = data.folder("chain") / "devchain.sqlite"
    return [
        sys.executable,
        "-m",
        "chain.devchain",
        str(file),
        str(port),
        str(chain_id),
        str(BLOCK_S),
    ]


def _anvil(binary: str, data: DataDir, port: int, chain_id: int) -> list[str]:
    state = data.folder("chain") / "anvil.json"
    return [
        binary,
        *("--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id)),
        *("--block-time", str(BLOCK_S), "--silent"),
        *("--state", str(state), "--state-interval", str(ANVIL_SAVES_S), "--preserve-historical-states"),
    ]  # fmt: skip


async def _chain_id(url: str) -> int:
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
        answer = await client.post(url, json=body)
    return int(answer.json()["result"], 16)


def _port(data: DataDir) -> int:
    """The chain's port of before, so that its URL stays; another one only where a stranger has taken it."""
    try:
        before = int(data.file("chain.url").read_text(encoding="utf-8").rpartition(":")[2])
    except (OSError, ValueError):
        return _free_port(0)
    if _minded(data):
        return before  # it is only down for a moment, or busy: its guard keeps that port
    try:
        return _free_port(before)
    except OSError:
        return _free_port(0)


def _minded(data: DataDir) -> bool:
    """Whether a guard lives (`guard.py`)."""
    with data.file("chain.guard").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _free_port(wanted: int) -> int:
    """Raises OSError where it is taken; 0 finds a free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", wanted))
        port: int = probe.getsockname()[1]
        return port
