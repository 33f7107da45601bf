"""A SQLite connection that does short work at once, in the event loop's thread, instead of by its own.

aiosqlite sends every call to a thread, and SQLAlchemy makes four of them for one statement (cursor, execute,
fetch, close): a hop costs several times what the statement of a short transaction does. Within a transaction that
has the write lock nothing waits any more, so its statements run here, in tens of microseconds each. What may
take long keeps to the thread: waiting for the lock (BEGIN), writing out (COMMIT), and all reading that was not
said to be a look-up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import aiosqlite

_SLOW = ("BEGIN", "COMMIT")


class PromptConnection(aiosqlite.Connection):
    """As aiosqlite's; `prompt` says whether statements run at once."""

    prompt = False

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._connection is not None and self._at_once(fn, args):
            return fn(*args, **kwargs)
        by_thread: Any = super()._execute  # which has no types
        return await by_thread(fn, *args, **kwargs)

    def _at_once(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
        name = getattr(fn, "__name__", "")
        if name == "cursor":
            return True
        if name == "rollback":
            return not self._conn.in_transaction  # a pool's: there is nothing to undo
        if not self.prompt or name == "commit":
            return False
        return not (args and isinstance(args[0], str) and args[0].startswith(_SLOW))


def connect(database: str, **options: Any) -> PromptConnection:
    """What `aiosqlite.connect` does, with a connection of ours."""
    options["check_same_thread"] = False  # used by one thread at a time, but by two

    def connector() -> sqlite3.Connection:
        made: sqlite3.Connection = sqlite3.connect(database, **options)
        return made

    made = PromptConnection(connector, iter_chunk_size=64)
    made._thread.daemon = True  # as SQLAlchemy does with its own
    return made
