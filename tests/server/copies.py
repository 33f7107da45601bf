"""Copies of one migrated PostgreSQL database: a test has one of its own, and the next is made meanwhile."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import URL

from server.store import open_store

T = TypeVar("T")


def fresh_name() -> str:
    return f"agon_test_{secrets.token_hex(8)}"


class Copies:
    """One connection in a thread of its own, which outlives the loops of tests; databases are made and dropped beside the one given."""

    def __init__(self, given: URL) -> None:
        self._given = given.set(drivername="postgresql+asyncpg")
        self._turn = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._admin = self._do(self._connect()).result()
        self._template = self._do(self._migrated()).result()
        self._next = self._do(self._copy())
        self._drops: list[Future[None]] = []

    def url(self, name: str) -> str:
        return self._given.set(database=name).render_as_string(hide_password=False)

    async def take(self) -> str:
        """The name of a database with the newest schema, in which nobody has written."""
        name = await asyncio.wrap_future(self._next)
        self._next = self._do(self._copy())
        return name

    def drop(self, name: str) -> None:
        """Soon. What an earlier one has raised is raised now."""
        for each in [each for each in self._drops if each.done()]:
            self._drops.remove(each)
            each.result()
        self._drops.append(self._do(self._say(f"DROP DATABASE {name} WITH (FORCE)")))

    def close(self) -> None:
        for name in (self._next.result(), self._template):
            self.drop(name)
        for each in self._drops:
            each.result()
        self._do(self._admin.close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, what: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(what, self._loop)

    async def _connect(self) -> Any:
        at = self._given
        return await asyncpg.connect(
            host=at.host, port=at.port, user=at.username, password=at.password, database=at.database
        )

    async def _say(self, statement: str) -> None:
        async with self._turn:
            await self._admin.execute(statement)

    async def _migrated(self) -> str:
        """Nobody stays connected to it: it could not be copied."""
        name = fresh_name()
        await self._say(f"CREATE DATABASE {name}")
        await (await open_store(self.url(name))).close()
        return name

    async def _copy(self) -> str:
        name = fresh_name()
        await self._say(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return name
