"""An operator's own reading of the contract of operators: its logs in a database of its own, and the roll that they add up to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from chain.client.contract import Contract
from chain.client.index import Indexer, LogSource, Position
from chain.operator.keeper import Look
from chain.operator.roll import Roll
from server.store import chain as tables
from server.store.chain_logs import ChainLogs
from server.store.engine import Database, open_database
from server.store.schema import metadata

READER = "operator"
PAGE = 2_000


async def open_books(path: Path) -> Database:
    """A database with the tables of the chain's client and nothing else; made where there is none. Raises StoreError."""
    _prepare(path)
    database = open_database(f"sqlite:///{path}")
    names = ("chain_key", "chain_tx", "chain_attempt", "chain_cursor", "chain_log")
    chosen = [getattr(tables, name) for name in names]
    async with database.writing() as connection_:
        await connection_.run_sync(lambda sync: metadata.create_all(sync, tables=chosen))
    return database


def _prepare(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)  # what is to be sent is in it before anybody else may know it
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


class Reading:
    """Of the contract's logs, which go on from where they were read to. One per database."""

    def __init__(
        self,
        *,
        node: LogSource,
        database: Database,
        contract: Contract,
        start: int,
        confirmations: int,
        alarm: Callable[[str, str], None],
    ) -> None:
        self._node = node
        self._contract = contract
        self._logs = ChainLogs(database)
        self._indexer = Indexer(
            node=node,
            store=self._logs,
            reader=READER,
            addresses=[contract.address],
            start=start,
            confirmations=confirmations,
            alarm=alarm,
        )
        self._roll = Roll()
        self._at: Position | None = None

    async def look(self) -> Look:
        """Read as far as may be. Raises OSError, and what the database raises."""
        while await self._indexer.round():
            pass
        positions = await self._logs.positions(READER)
        # Another process that reads into the same books may have undone what we have added up.
        changed = self._at is not None and self._at not in positions
        if changed:
            self._roll, self._at = Roll(), None
        if positions:
            await self._add(-1 if self._at is None else self._at.number, positions[0].number)
            self._at = positions[0]
        return Look(self._roll, (await self._node.head()).number, changed)

    async def _add(self, after: int, upto: int) -> None:
        limit = PAGE
        while after < upto:
            logs = await self._logs.logs(READER, after, limit)
            last = upto
            if len(logs) == limit:  # the last block may be cut
                last = min(upto, logs[-1].number - 1)
                if last <= after:
                    limit *= 2
                    continue
            for log in logs:
                event = self._contract.event(log) if log.number <= last else None
                if event is not None:
                    self._roll.take(event)
            after = last
