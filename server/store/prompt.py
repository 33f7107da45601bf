"""A SQLite connection that does short work at once, in the event loop's thread, instead of by its own.

aiosqlite sends every call to a thread, and SQLAlchemy makes four of them for one statement (cursor, execute,
fetch, close). A hop costs more than the statement of a short transaction does, and where the event loop is busy the
thread waits for the interpreter, up to 5 ms each time, with the write lock in its hands. So whoever has the turn to
write (`turn.py`) does all of it here: nothing it calls waits, and COMMIT only appends to the write-ahead log, since
`checkpoint.py` moves the log into the database. Look-ups by key run here, too; all other reading keeps to the
thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import aiosqlite


class PromptConnection(aiosqlite.Connection):
    """As aiosqlite's; `prompt` says whether what is asked for is done at once."""

    prompt = False

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._connection is not None and self._at_once(fn):
            return fn(*args, **kwargs)
        by_thread: Any = super()._execute  # which has no types
        return await by_thread(fn, *args, **kwargs)

    def _at_once(self, fn: Callable[..., Any]) -> bool:
        if self.prompt:
            return True
        name = getattr(fn, "__name__", "")
        # Of a pool's rollback there is nothing to undo.
        return name == "cursor" or (name == "rollback" and not self._conn.in_transaction)


def connect(database: str, **options: Any) -> PromptConnection:
    """What `aiosqlite.connect` does, with a connection of ours."""
    options["check_same_thread"] = False  # used by one thread at a time, but by two

    def connector() -> sqlite3.Connection:
        made: sqlite3.Connection = sqlite3.connect(database, **options)
        return made

    made = PromptConnection(connector, iter_chunk_size=64)
    made._thread.daemon = True  # as SQLAlchemy does with its own
    return made
