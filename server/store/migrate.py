"""Bring a database to the newest schema, safely when many processes start at once.

Whoever comes first migrates in one transaction; the others wait for the lock and find the work done. Where there is
nothing to do, nobody takes it.
On PostgreSQL the lock is an advisory one; on SQLite it is the write lock that the transaction holds.

A change of `schema.py` needs a new file in `migrations/versions`; a test compares what both build. Nothing
migrates backwards: a restored backup does.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, text

from server.store.engine import Database, StoreError
from server.store.revision import newest

_ADVISORY_LOCK = 0x61676F6E
"""`agon` in ASCII."""
_WAL_ATTEMPTS = 50
_WAL_PAUSE_S = 0.1


async def migrate(database: Database, to: str = "head") -> None:
    """Idempotent. `to` is a revision, for tests of the one that follows it. Raises StoreError when the database is away or newer than this program knows."""
    if database.is_sqlite:
        await _prepare_file(database)
    else:
        await database.ping()
    if to == "head" and await _heads(database) == (newest(),):
        return
    async with database.writing() as connection:
        if not database.is_sqlite:
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK}
            )
        try:
            await connection.run_sync(_upgrade, to)
        except CommandError as error:
            raise StoreError(f"cannot migrate {database.describe()}: {error}") from None


async def _heads(database: Database) -> tuple[str, ...]:
    """The revision that the database has; empty before the first migration."""
    async with database.reading() as connection:
        return await connection.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_heads()
        )


def _upgrade(connection: Connection, to: str) -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


async def _prepare_file(database: Database) -> None:
    try:
        await asyncio.to_thread(_use_wal, str(database.engine.url.database))
    except sqlite3.Error as error:
        raise StoreError(f"cannot open {database.describe()}: {error}") from None


def _use_wal(path: str) -> None:
    """Readers and the writer do not block each other. The mode is a property of the file.

    Blocks. SQLite answers `locked` at once, without waiting, when two connections change the mode
    together. Raises sqlite3.Error.
    """
    for attempt in range(1, _WAL_ATTEMPTS + 1):
        with closing(sqlite3.connect(path)) as connection:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if attempt == _WAL_ATTEMPTS:
                    raise
        time.sleep(_WAL_PAUSE_S)
