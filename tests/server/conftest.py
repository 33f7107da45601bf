"""A store for each test: a SQLite file of its own, or a PostgreSQL schema of its own.

`AGON_TEST_DATABASE_URL` names a PostgreSQL database in which schemas may be made and dropped.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from server.store import Store, open_store


@pytest.fixture(scope="session")
def operators_deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain with the contracts of node operators and their roles, for `operators_world` to begin with."""
    from tests.server.operators_world import deploy_into

    folder = tmp_path_factory.mktemp("operators")
    asyncio.run(deploy_into(folder))
    return folder


@pytest.fixture
async def store_url(tmp_path: Path) -> AsyncIterator[str]:
    """An empty database. PostgreSQL gets a schema of its own, dropped afterwards."""
    given = os.environ.get("AGON_TEST_DATABASE_URL")
    if not given:
        yield f"sqlite:///{tmp_path / 'agon.db'}"
        return
    url = make_url(given).set(drivername="postgresql+asyncpg")
    schema = f"agon_test_{secrets.token_hex(8)}"
    admin = create_async_engine(url)
    try:
        async with admin.begin() as connection:
            await connection.execute(text(f"CREATE SCHEMA {schema}"))
        yield url.update_query_dict({"search_path": schema}).render_as_string(hide_password=False)
    finally:
        async with admin.begin() as connection:
            await connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        await admin.dispose()


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An empty store with the newest schema."""
    opened = await open_store(store_url)
    yield opened
    await opened.close()
