"""Taking a backup of a SQLite database that is in use: one consistent copy, which nobody waits for."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from server.backup import archive
from server.backup.archive import BackupFailed, Manifest
from server.clock import unix_ms
from server.store import StoreError, existing_store


async def make(database: Path, out: Path) -> Manifest:
    """Back up the database into the file `out`, which is replaced when there is one.

    The copy is of one instant. Writers go on meanwhile; what they write is kept in the database's log
    until the copy is made. Raises BackupFailed and StoreError.
    """
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".agon-backup-") as folder:
            copy = Path(folder) / archive.DATABASE
            await asyncio.to_thread(copy_database, database, copy)
            sound = await _is_sound(copy)
            manifest = await asyncio.to_thread(describe, copy, sound=sound)
            await asyncio.to_thread(archive.write, out, manifest, copy)
    except OSError as error:
        raise BackupFailed(f"cannot write {out}: {error.strerror}") from None
    return manifest


async def _is_sound(copy: Path) -> bool:
    """Of the copy, so that reading all of the ledger stops nobody."""
    store = await existing_store(f"sqlite:///{copy}")
    try:
        return not await store.ledger.audit()
    finally:
        await store.close()


def copy_database(source: Path, to: Path) -> None:
    """Blocks. Raises BackupFailed."""
    try:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(to)) as copy:
            # All pages in one step: a step is one reading transaction, which stops no writer; with
            # several, each write of another process would begin the copy anew.
            live.backup(copy, pages=-1)
            check(copy, source)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with no log beside it
    except sqlite3.Error as error:
        raise BackupFailed(f"cannot copy {source}: {error}") from None


def check(database: sqlite3.Connection, path: Path) -> None:
    """Raises BackupFailed when the database is damaged."""
    [(said,)] = database.execute("PRAGMA integrity_check(1)").fetchall()
    if said != "ok":
        raise BackupFailed(f"{path} is damaged: {said}")


def describe(copy: Path, *, sound: bool) -> Manifest:
    """What stands in the manifest. Blocks."""
    with closing(sqlite3.connect(copy)) as database:
        try:
            (schema,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
            live = _count(database, "session WHERE status IN ('formed', 'live')")
            held = _count(database, "hold WHERE state = 'held'")
        except sqlite3.Error as error:
            raise StoreError(f"{copy} is no database of Agon: {error}") from None
    return Manifest(
        v=archive.VERSION,
        made_ms=unix_ms(),
        schema=schema,
        bytes=copy.stat().st_size,
        sha256=archive.digest(copy),
        live_sessions=live,
        held_entries=held,
        sound=sound,
    )


def _count(database: sqlite3.Connection, what: str) -> int:
    (count,) = database.execute(f"SELECT count(*) FROM {what}").fetchone()  # noqa: S608 - ours
    return int(count)
