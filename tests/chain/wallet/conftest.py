from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chain.wallet.stage import Stage, on_disk, staged


@pytest.fixture
async def stage(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(await on_disk(tmp_path_factory), tmp_path) as found:
        yield found
