"""Putting a backup in the place of a data directory's records, and its live state aside.

Nothing is lost: what was there is kept beside it. Whenever this is cut off, the directory holds either
the old database or the new one, whole.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from server.backup import archive, making
from server.backup.archive import BackupFailed, Manifest
from server.clock import unix_ms
from server.embedded import database
from server.embedded.data_dir import DataDir
from server.store import merit
from server.store.audit import OPERATOR
from server.store.revision import knows

LIVE = "redis"
"""The embedded Redis's folder."""
WAIT_S = 10.0
"""Services of an arena that has just ended need some seconds to end."""


def restore(path: Path, data: DataDir) -> Manifest:
    """Blocks. Raises BackupFailed, and then nothing has changed."""
    manifest = archive.read_manifest(path)
    if not knows(manifest.schema):
        raise BackupFailed(
            f"{path} has the schema {manifest.schema}, which a newer Agon has made: restore it with that"
        )
    try:
        with _alone(data):
            fresh = data.file(f"{database.FILE}.restoring")
            archive.extract(path, manifest, fresh)
            try:
                _note(fresh, path, manifest)
                _put_in_place(data, fresh)
            finally:
                fresh.unlink(missing_ok=True)
    except OSError as error:
        raise BackupFailed(f"cannot restore to {data.path}: {error.strerror or error}") from None
    return manifest


@contextmanager
def _alone(data: DataDir) -> Iterator[None]:
    """Hold the directory's lock alone: as long as any process uses it, that fails. Raises BackupFailed."""
    data.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    data.path.chmod(0o700)
    with data.users_lock.open("a") as lock:
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise BackupFailed(
                        f"an arena uses {data.path}: stop it first, or name another folder"
                    ) from None
                time.sleep(0.1)
        yield


def _note(fresh: Path, path: Path, manifest: Manifest) -> None:
    """A line in the audit log of what is restored, which also proves that it can be written to."""
    from server.identity import new_id

    with closing(sqlite3.connect(fresh)) as restored:
        making.check(restored, path)
        if merit.audit.name in _tables(restored):
            restored.execute(
                "INSERT INTO audit (id, at_ms, actor, act, subject, reason, detail) "
                "VALUES (?, ?, ?, 'restore', ?, 'restored from a backup', ?)",
                (
                    new_id(),
                    unix_ms(),
                    OPERATOR,
                    path.name[:128],
                    f'{{"made_ms":{manifest.made_ms}}}',
                ),
            )
            restored.commit()


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


def _put_in_place(data: DataDir, fresh: Path) -> None:
    standing, live = data.file(database.FILE), data.file(LIVE)
    aside = data.file(f"before-restore-{unix_ms()}")
    if standing.exists() or live.exists():
        aside.mkdir(mode=0o700)
    if live.exists():
        live.rename(aside / LIVE)  # first: an arena without live state is one that can go on
    if standing.exists():
        _close(standing, aside)
        os.link(standing, aside / database.FILE)
    fresh.replace(standing)
    _sync(data.path)


def _close(standing: Path, aside: Path) -> None:
    """Bring the log of the old database into it, or put it aside: a log that is left would be read with
    the new one."""
    try:
        with closing(sqlite3.connect(standing)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        pass  # it may be damaged, which may be why we restore
    for suffix in ("-wal", "-shm"):
        beside = standing.with_name(standing.name + suffix)
        if beside.exists():
            beside.rename(aside / beside.name)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
