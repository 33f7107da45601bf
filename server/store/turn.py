"""Whose turn it is to write to a SQLite file, among all tasks of all processes on this machine.

SQLite lets one write at a time and has no queue: who finds the file locked sleeps, in its thread, and looks
again up to 100 ms later, so a few busy processes spend most of their time asleep. Our transactions take a
few milliseconds, so here they are taken in order within a process, and between processes by a lock of the file
system, which goes with its process however that ends.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path
from types import TracebackType

LOOK_S = 0.001
"""How soon it is noticed that another process has done. Waiting in a thread instead would take longer: a thread
that wakes waits for the interpreter, 5 ms where the event loop is busy."""
KEEP_S = 0.01
"""How long one process may keep the turn from others that wait."""
_MODE = 0o600


class Turn:
    """An asynchronous context manager: the block has the turn. Not to be nested; cancelling is safe.

    A process keeps the lock for those of its tasks that wait, but not longer than KEEP_S; then another process
    that waits has it next. That takes two locks: who waits for the turn holds the place of the next one, so who
    gives the turn away and wants it again comes after.
    """

    def __init__(self, database: Path) -> None:
        """`database` is the SQLite file; the locks are two files beside it, which stay."""
        self._turn = _FileLock(database.with_name(f"{database.name}.turn"))
        self._next = _FileLock(database.with_name(f"{database.name}.next"))
        self._here = asyncio.Lock()
        self._wanting = 0
        """Tasks of this process that wait for the turn."""
        self._since_s: float | None = None
        """Since when this process has the turn, on the loop's clock; None: it has it not."""

    async def __aenter__(self) -> None:
        self._wanting += 1
        try:
            await self._here.acquire()
        except BaseException:
            self._wanting -= 1
            if not self._here.locked():
                self._give()  # it was kept for us
            raise
        self._wanting -= 1
        try:
            if self._since_s is None:
                await self._take()
        except BaseException:
            self._here.release()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._since_s is not None, "taken on entry"
        if not self._wanting or asyncio.get_running_loop().time() - self._since_s > KEEP_S:
            self._give()
        self._here.release()

    async def _take(self) -> None:
        await self._next.take()
        try:
            await self._turn.take()
        finally:
            self._next.give()
        self._since_s = asyncio.get_running_loop().time()

    def _give(self) -> None:
        if self._since_s is not None:
            self._since_s = None
            self._turn.give()

    def close(self) -> None:
        """Idempotent."""
        self._turn.close()
        self._next.close()


class _FileLock:
    """flock(2), waited for without a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    async def take(self) -> None:
        while not self._taken():  # noqa: ASYNC110 (another process tells no event)
            await asyncio.sleep(LOOK_S)

    def _taken(self) -> bool:
        if self._fd is None:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def give(self) -> None:
        assert self._fd is not None, "taken before"
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
