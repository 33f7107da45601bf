"""A store for each test: a SQLite file, or a PostgreSQL database, of its own.

`AGON_TEST_DATABASE_URL` names a PostgreSQL database; schemas and databases may be made and dropped beside it. What a test begins
with is a copy of one that was migrated once, which a test would else spend more time on than on what it tries.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from server.store import Store, open_store
from tests.server.copies import Copies, fresh_name


@pytest.fixture(scope="session")
def operators_deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain with the contracts of node operators and their roles, for `operators_world` to begin with."""
    from tests.server.operators_world import deploy_into

    folder = tmp_path_factory.mktemp("operators")
    asyncio.run(deploy_into(folder))
    return folder


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema, once `store_url` has made it."""
    return tmp_path_factory.mktemp("migrated") / "agon.db"


@pytest.fixture
async def empty_url(tmp_path: Path) -> AsyncIterator[str]:
    """A database without any table. PostgreSQL gets a schema of its own, dropped afterwards."""
    given = os.environ.get("AGON_TEST_DATABASE_URL")
    if not given:
        yield _sqlite(tmp_path / "agon.db")
        return
    url = make_url(given).set(drivername="postgresql+asyncpg")
    schema = fresh_name()
    admin = create_async_engine(url)
    try:
        async with admin.begin() as connection:
            await connection.execute(text(f"CREATE SCHEMA {schema}"))
        yield url.update_query_dict({"search_path": schema}).render_as_string(hide_password=False)
    finally:
        async with admin.begin() as connection:
            await connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        await admin.dispose()


@pytest.fixture(scope="session")
def copies() -> Iterator[Copies | None]:
    """Of a migrated PostgreSQL database, where there is one."""
    given = os.environ.get("AGON_TEST_DATABASE_URL")
    if not given:
        yield None
        return
    made = Copies(make_url(given))
    yield made
    made.close()


@pytest.fixture
async def store_url(tmp_path: Path, migrated: Path, copies: Copies | None) -> AsyncIterator[str]:
    """A database with the newest schema, in which nobody has written."""
    if copies is not None:
        name = await copies.take()
        yield copies.url(name)
        copies.drop(name)
        return
    if not migrated.exists():
        await (await open_store(_sqlite(migrated))).close()
    shutil.copyfile(migrated, tmp_path / "agon.db")
    yield _sqlite(tmp_path / "agon.db")


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An empty store with the newest schema."""
    opened = await open_store(store_url)
    yield opened
    await opened.close()


def _sqlite(file: Path) -> str:
    return f"sqlite:///{file}"
