"""Moves SQLite's write-ahead log into the database, off the event loop: it is what waits for the disk.

SQLite would do so within the COMMIT that makes the log long; that COMMIT runs in the event loop (`prompt.py`).
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

EVERY = 200
"""Commits of this process between two checkpoints: some megabytes of log."""


class Checkpoints:
    """One per process and file. `close` it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._commits = 0
        self._moving: asyncio.Task[None] | None = None

    def committed(self) -> None:
        """Count a commit, and begin to move the log when it is time."""
        self._commits += 1
        if self._commits >= EVERY and (self._moving is None or self._moving.done()):
            self._commits = 0
            self._moving = asyncio.create_task(asyncio.to_thread(checkpoint, self._path))

    async def close(self) -> None:
        """Idempotent."""
        if self._moving is not None:
            await asyncio.gather(self._moving, return_exceptions=True)


def checkpoint(path: str) -> None:
    """Move what can be moved without waiting for anybody. Blocks. A failure is made good by the next one."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.Error:
        pass  # the file is busy or gone; whoever writes to it will say so
