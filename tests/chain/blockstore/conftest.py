"""A content store at work: ours, as a process of its own, and, where AGON_TEST_KUBO_URL names its RPC, a real Kubo."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from chain.blockstore.access import USER, token_of
from chain.content.ipfs import Ipfs

KUBO = os.environ.get("AGON_TEST_KUBO_URL", "")
MAX_BYTES = 512 * 1024 * 1024


class Served:
    """Our store in a process."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://{USER}:{token_of(self.folder)}@127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "chain.blockstore", str(self.folder), str(self.port)]
        self.process = subprocess.Popen(
            [*command, str(self.max_bytes)], cwd=Path(__file__).parents[3]
        )
        deadline = time.monotonic() + 30
        while not self._answers():
            assert time.monotonic() < deadline, "the store does not come up"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return httpx.post(f"{self.url}/api/v0/id", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("blockstore"))
    yield served
    served.stop()


@pytest.fixture(
    params=[
        "ours",
        pytest.param(
            "kubo",
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(not KUBO, reason="AGON_TEST_KUBO_URL names no Kubo"),
            ],
        ),
    ]
)
def url(request: pytest.FixtureRequest) -> str:
    return KUBO if request.param == "kubo" else str(request.getfixturevalue("ours").url)


@pytest.fixture
async def ipfs(url: str) -> AsyncIterator[Ipfs]:
    async with Ipfs(url) as client:
        yield client
