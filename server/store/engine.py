"""Connections to SQLite or PostgreSQL that behave alike: short transactions, one kind for writers.

On SQLite a writer takes the write lock when it begins (BEGIN IMMEDIATE), so that it never finds out
half-way that somebody else was faster; on PostgreSQL the statements themselves are safe under READ
COMMITTED (unique keys, guarded updates, row locks).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Table, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.store import prompt
from server.store.checkpoint import Checkpoints
from server.store.turn import Turn

BUSY_TIMEOUT_MS = 10_000
"""How long a SQLite writer waits for the writers of other processes."""
POOL_SIZE = 8
"""Connections one process keeps; a SQLite connection is a thread."""
CONNECT_TIMEOUT_S = 10

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_WRITES = {"agon_writes": True}
_LOOKS = {"agon_looks": True}


class StoreError(Exception):
    """The database cannot be used; the message names it without its password."""


class Database:
    """One engine and the two kinds of transaction on it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._writer = engine.execution_options(**_WRITES)
        self._looker = engine.execution_options(**_LOOKS)
        path = str(engine.url.database)
        self._turn = Turn(Path(path)) if self.is_sqlite else None
        self._checkpoints = Checkpoints(path) if self.is_sqlite else None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that changes nothing and waits for no writer.

        On SQLite it sees one state of the database, on PostgreSQL each of its statements does.
        """
        with _cancellation_stays():
            async with self.engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[AsyncConnection]:
        """As `reading`, for look-ups by keys alone: on SQLite they run in the event loop's thread, which a
        longer query would hold up."""
        with _cancellation_stays():
            async with self._looker.begin() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits when the block ends and rolls back when it raises.

        A cancelled block rolls back. Do nothing slow inside: on SQLite nobody else can write, and its
        statements run in the event loop's thread (`prompt.py`).
        """
        with _cancellation_stays():
            async with self._turn or nullcontext(), self._writer.begin() as connection:
                yield connection
        if self._checkpoints is not None:
            self._checkpoints.committed()

    def insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """INSERT with ON CONFLICT, which both databases spell alike and SQLAlchemy does not."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    async def ping(self) -> None:
        """One round trip. Raises StoreError."""
        try:
            async with self.reading() as connection:
                await connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            cause = getattr(error, "orig", None) or error
            raise StoreError(f"database does not answer: {self.describe()}: {cause}") from error

    def describe(self) -> str:
        """The address, without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    async def close(self) -> None:
        """Idempotent."""
        if self._checkpoints is not None:
            await self._checkpoints.close()
        await self.engine.dispose()
        if self._turn is not None:
            self._turn.close()


@contextmanager
def _cancellation_stays() -> Iterator[None]:
    """A cancelled transaction ends as one.

    When a statement is cancelled on its way, SQLAlchemy may say PendingRollbackError instead (one time in
    thirty with SQLite): whoever repeats what failed would go on for ever, and never be stopped.
    """
    try:
        yield
    except SQLAlchemyError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError from error
        raise


def open_database(url: str) -> Database:
    """A pool for `sqlite:///path` or `postgresql://…`; connects on first use. Raises StoreError.

    `postgresql://…?search_path=NAME` keeps the tables in the schema NAME, which must exist.
    """
    parsed = _parse(url)
    return Database(_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgres(parsed))


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        driver = _DRIVERS[parsed.get_backend_name()]
    except (ArgumentError, NoSuchModuleError, KeyError):
        # The url may hold a password, so it is not repeated.
        raise StoreError(
            "the database url is neither sqlite:///path nor postgresql://user@host/name"
        ) from None
    if driver.startswith("sqlite") and parsed.database in (None, "", ":memory:"):
        raise StoreError("a database needs a file: sqlite:///path")
    return parsed.set(drivername=driver)


# Errors of statements go into logs: what was to be written, prompts and seeds among it, does not.
def _sqlite(url: URL) -> AsyncEngine:
    arguments = {"async_creator_fn": prompt.connect}
    engine = create_async_engine(
        url, pool_size=POOL_SIZE, hide_parameters=True, connect_args=arguments
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "checkin", _calm)
    return engine


def _postgres(url: URL) -> AsyncEngine:
    settings = {"application_name": "agon"}
    if "search_path" in url.query:  # asyncpg takes it as a setting, not as a part of the url
        settings["search_path"] = str(url.query["search_path"])
        url = url.difference_update_query(["search_path"])
    arguments = {"timeout": CONNECT_TIMEOUT_S, "server_settings": settings}
    return create_async_engine(
        url, pool_size=POOL_SIZE, pool_pre_ping=True, hide_parameters=True, connect_args=arguments
    )


def _prepare(connection: Any, _record: Any) -> None:
    """Settings of every new SQLite connection."""
    connection.isolation_level = None  # the driver begins no transactions; `_begin` does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA foreign_keys = ON")
    # With WAL, NORMAL survives the death of any process; only a power cut may take the last commits.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA wal_autocheckpoint = 0")  # `checkpoint.py` does it
    cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    writes = options.get("agon_writes", False)
    _set_prompt(connection, writes or options.get("agon_looks", False))
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _set_prompt(connection: Connection, to: bool) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, prompt.PromptConnection), "made by `_sqlite`"
    driver.prompt = to


def _calm(connection: Any, _record: Any) -> None:
    """Back in the pool: what the next transaction does at once, it says itself."""
    if connection is not None:
        connection.driver_connection.prompt = False
