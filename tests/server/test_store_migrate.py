from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from server.store import StoreError, money, open_store, schema
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


async def test_the_migrations_build_exactly_the_schema(empty_url: str) -> None:
    database = open_database(empty_url)
    await migrate(database)
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
        named = {str(c.name) for t in schema.metadata.tables.values() for c in t.constraints}
        assert await connection.run_sync(checks) == {n for n in named if n.startswith("ck_")}
    await database.close()


async def test_opening_twice_keeps_what_is_there(empty_url: str) -> None:
    first = await open_store(empty_url)
    ember, key = await first.agents.register("Ember")
    second = await open_store(empty_url)
    assert await second.agents.by_key(key) == ember
    await first.close()
    await first.close()
    await second.close()


async def test_transfers_of_before_say_what_they_left_their_accounts_with(empty_url: str) -> None:
    """Running balances (0016) are made of what stands, and what stands cannot be changed afterwards either."""
    database = open_database(empty_url)
    await migrate(database, "0015")
    me, mint = "play:agent:a", "play:mint"
    transfers = [
        ("t1", "posted", mint, me, 100, None),
        ("t2", "pending", me, mint, 30, None),
        ("t3", "posted", mint, "play:agent:b", 7, None),
        ("t4", "void", me, mint, 30, "t2"),
        ("t5", "pending", me, mint, 40, None),
        ("t6", "post", me, mint, 40, "t5"),
        ("t7", "posted", mint, me, 1, None),
    ]
    async with database.writing() as tx:
        for id_ in (me, mint, "play:agent:b"):
            opened = {"id": id_, "asset": "play", "bound": "none", "created_ms": 1}
            counters = dict.fromkeys(
                ("debits_pending", "debits_posted", "credits_pending", "credits_posted"), 0
            )
            await tx.execute(money.ledger_account.insert().values(opened | counters))
        for id_, kind, debit, credit, micros, pending in transfers:
            await tx.execute(
                text(
                    "INSERT INTO ledger_transfer"
                    " (id, kind, debit, credit, asset, micros, pending, code, made_ms)"
                    " VALUES (:id, :kind, :debit, :credit, 'play', :micros, :pending, 'grant', 1)"
                ),
                {
                    "id": id_,
                    "kind": kind,
                    "debit": debit,
                    "credit": credit,
                    "micros": micros,
                    "pending": pending,
                },
            )
    await database.close()
    store = await open_store(empty_url)
    lines = await store.ledger.statement(me)
    assert [(line.transfer, line.balance_micros) for line in lines] == [
        ("t7", 61), ("t6", 60), ("t5", 100), ("t4", 100), ("t2", 100), ("t1", 100),
    ]  # fmt: skip
    minted = await store.ledger.statement(mint)
    assert [line.balance_micros for line in minted] == [-68, -67, -107, -107, -107, -100, -100]
    for statement in ("UPDATE ledger_transfer SET micros = 1", "DELETE FROM ledger_transfer"):
        with pytest.raises(DBAPIError, match="immutable"):
            async with store.database.writing() as tx:
                await tx.execute(text(statement))
    await store.close()


async def test_a_database_of_a_newer_program_is_left_alone(empty_url: str) -> None:
    await (await open_store(empty_url)).close()
    database = open_database(empty_url)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        await migrate(database)
    await database.close()


def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
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
            [sys.executable, "-c", program, empty_url], cwd=ROOT, stderr=subprocess.PIPE
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
