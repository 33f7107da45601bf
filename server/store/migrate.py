"""Bring a database to the newest schema, safely when many processes start at once.

Whoever comes first migrates in one transaction; the others wait for the lock and find the work done.
On PostgreSQL the lock is an advisory one; on SQLite it is the write lock that the transaction holds.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Connection, text

from server.store.engine import Database

_ADVISORY_LOCK = 0x61676F6E
"""`agon` in ASCII."""
_WAL_ATTEMPTS = 50
_WAL_PAUSE_S = 0.1


async def migrate(database: Database) -> None:
    """Idempotent. A schema newer than this program is an error of alembic's, not a downgrade."""
    if database.is_sqlite:
        await _use_wal(database)
    async with database.writing() as connection:
        if not database.is_sqlite:
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK}
            )
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def _use_wal(database: Database) -> None:
    """Readers and the writer do not block each other. The mode is a property of the file.

    SQLite answers `locked` at once, without waiting, when two connections change the mode together.
    """
    for attempt in range(_WAL_ATTEMPTS):
        async with database.engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            try:
                await raw.execute("PRAGMA journal_mode = WAL")
                return
            except Exception as error:
                if "locked" not in str(error) or attempt == _WAL_ATTEMPTS - 1:
                    raise
        await asyncio.sleep(_WAL_PAUSE_S)
