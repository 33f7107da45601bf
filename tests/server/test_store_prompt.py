"""Short work at once, long work by the thread: what a SQLite connection does where."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from server.store.engine import Database, open_database


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'a.db'}"


async def where(url: str, kind: str) -> list[str]:
    """The threads in which a transaction's two statements ran."""
    database = open_database(url)
    seen: list[str] = []
    async with getattr(database, kind)() as tx:
        raw = await tx.get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None

        def note() -> int:
            seen.append("here" if threading.current_thread() is threading.main_thread() else "away")
            return 1

        await driver.create_function("note", 0, note)
        for _ in range(2):
            await tx.execute(text("SELECT note()"))
    await database.close()
    return seen


async def test_a_writer_s_statements_run_here(url: str) -> None:
    assert await where(url, "writing") == ["here", "here"]


async def test_a_look_up_runs_here(url: str) -> None:
    assert await where(url, "looking") == ["here", "here"]


async def test_reading_may_take_long_so_it_runs_by_the_thread(url: str) -> None:
    assert await where(url, "reading") == ["away", "away"]


async def test_waiting_for_the_lock_holds_up_nobody_else(url: str) -> None:
    """Another process writes: our loop goes on while we wait for it."""
    ours, theirs = open_database(url), open_database(url)
    ticks = 0

    async def write() -> None:
        async with ours.writing() as tx:
            await tx.execute(text("CREATE TABLE b (x)"))

    async with theirs.writing() as tx:
        await tx.execute(text("CREATE TABLE a (x)"))
        waiting = asyncio.create_task(write())
        while ticks < 20:
            await asyncio.sleep(0.005)
            ticks += 1
        assert not waiting.done()
    await asyncio.wait_for(waiting, 5)
    await ours.close()
    await theirs.close()


async def _fail(database: Database) -> None:
    async with database.writing() as tx:
        await tx.execute(text("CREATE TABLE IF NOT EXISTS a (x)"))
        raise ZeroDivisionError


async def test_a_failed_writer_leaves_the_connection_as_it_was(url: str) -> None:
    database = open_database(url)
    for _ in range(20):  # more than the pool has connections
        with pytest.raises(ZeroDivisionError):
            await _fail(database)
    async with database.writing() as tx:
        await tx.execute(text("CREATE TABLE a (x)"))
    await database.close()
