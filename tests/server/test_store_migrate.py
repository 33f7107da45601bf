from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from server.store import StoreError, open_store, schema
from server.store.engine import open_database
from server.store.migrate import migrate

ROOT = Path(__file__).parents[2]


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, schema.metadata))


def checks(connection: Connection) -> set[str | None]:
    found = inspect(connection)
    return {
        check["name"]
        for table in found.get_table_names()
        for check in found.get_check_constraints(table)
    }


async def test_the_migrations_build_exactly_the_schema(store_url: str) -> None:
    database = open_database(store_url)
    await migrate(database)
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
        named = {str(c.name) for t in schema.metadata.tables.values() for c in t.constraints}
        assert await connection.run_sync(checks) == {n for n in named if n.startswith("ck_")}
    await database.close()


async def test_opening_twice_keeps_what_is_there(store_url: str) -> None:
    first = await open_store(store_url)
    ember, key = await first.agents.register("Ember")
    second = await open_store(store_url)
    assert await second.agents.by_key(key) == ember
    await first.close()
    await first.close()
    await second.close()


async def test_a_database_of_a_newer_program_is_left_alone(store_url: str) -> None:
    await (await open_store(store_url)).close()
    database = open_database(store_url)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        await migrate(database)
    await database.close()


def test_processes_that_start_at_once_migrate_once(store_url: str) -> None:
    program = (
        "import asyncio, sys; from server.store import open_store\n"
        "async def main():\n"
        "    store = await open_store(sys.argv[1])\n"
        "    await store.agents.register('Ember')\n"
        "    await store.close()\n"
        "asyncio.run(main())"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, store_url], cwd=ROOT, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    errors = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors


@pytest.mark.parametrize(
    "url", ["", "mysql://u:hunter2@h/d", "sqlite://", "sqlite:///:memory:", "nonsense"]
)
async def test_a_url_that_is_no_database_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(StoreError) as error:
        await open_store(url)
    assert "hunter2" not in str(error.value)


async def test_a_database_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    for url in (
        "postgresql://agon:hunter2@127.0.0.1:1/agon",
        f"sqlite:///{tmp_path}/missing/agon.db",
    ):
        with pytest.raises(StoreError) as error:
            await open_store(url)
        assert "hunter2" not in str(error.value)
        assert "agon" in str(error.value)
