from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chain.client.plans import Fixed, plans
from chain.devchain.accounts import ADDRESSES
from tests.chain.node import deployed, net
from tests.chain.wallet.stage import Stage, staged


@pytest.fixture(scope="session")
def contracts_on_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain with all contracts and nothing else, and its manifest: deployed once, copied for each test."""
    folder = tmp_path_factory.mktemp("deployed")

    async def deploy() -> None:
        async with net(folder / "devchain.sqlite") as chain:
            await deployed(chain, folder, plans(Fixed(ADDRESSES[0])))

    asyncio.run(deploy())
    return folder


@pytest.fixture
async def stage(contracts_on_disk: Path, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(contracts_on_disk, tmp_path) as found:
        yield found
