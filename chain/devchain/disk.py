"""One SQLite file: what py-evm remembers (a map of bytes to bytes) and the rows that JSON-RPC reads.

A block is one transaction, so a process that is killed loses the block it was making and nothing else.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

CACHED = 100_000
"""Entries of the map that are kept in memory; its keys are hashes of the values, so they never change."""

_TABLES = """
CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS block (number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, json BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tx (
    hash BLOB PRIMARY KEY, number INTEGER NOT NULL, position INTEGER NOT NULL, json BLOB NOT NULL, receipt BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS tx_number ON tx (number, position);
CREATE TABLE IF NOT EXISTS log (
    number INTEGER NOT NULL, position INTEGER NOT NULL, address BLOB NOT NULL,
    topic0 BLOB, topic1 BLOB, topic2 BLOB, topic3 BLOB, json BLOB NOT NULL, PRIMARY KEY (number, position)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS log_address ON log (address, number);
CREATE TABLE IF NOT EXISTS pool (arrived INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, raw BLOB NOT NULL);
"""


class DiskInUse(OSError):
    """Another process keeps its chain in this file."""


class TxRow(NamedTuple):
    """A transaction in a block, as JSON-RPC tells it."""

    hash: bytes
    json: bytes
    receipt: bytes


class LogRow(NamedTuple):
    """`position` counts within the block."""

    position: int
    address: bytes
    topics: tuple[bytes, ...]
    json: bytes


class Disk:
    """The file at `path`, or nothing but memory. One thread at a time. Raises DiskInUse."""

    def __init__(self, path: Path | None) -> None:
        self._lock = _taken(path)
        # The thread that opens it is not the one that works with it.
        self._db = sqlite3.connect(
            ":memory:" if path is None else path, isolation_level=None, check_same_thread=False
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        # Survives the death of the process; a power cut may take the last blocks, together.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_TABLES)
        self._cache: dict[bytes, bytes] = {}

    def close(self) -> None:
        """Idempotent."""
        self._db.close()
        if self._lock is not None:
            self._lock.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._cache.clear()
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # The map, as py-evm wants it.

    def __getitem__(self, key: bytes) -> bytes:
        found = self._cache.get(key)
        if found is None:
            row = self._db.execute("SELECT v FROM kv WHERE k = ?", (key,)).fetchone()
            if row is None:
                raise KeyError(key)
            found = bytes(row[0])
            self._remember(key, found)
        return found

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO kv VALUES (?, ?)", (key, value))
        self._remember(key, value)

    def __delitem__(self, key: bytes) -> None:
        self._cache.pop(key, None)
        if not self._db.execute("DELETE FROM kv WHERE k = ?", (key,)).rowcount:
            raise KeyError(key)

    def __contains__(self, key: bytes) -> bool:
        try:
            self[key]
        except KeyError:
            return False
        return True

    def _remember(self, key: bytes, value: bytes) -> None:
        if len(self._cache) >= CACHED:
            self._cache.clear()
        self._cache[key] = value

    # Rows.

    def meta(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def add_block(
        self, number: int, hash_: bytes, json: bytes, txs: list[TxRow], logs: list[LogRow]
    ) -> None:
        self._db.execute("INSERT INTO block VALUES (?, ?, ?)", (number, hash_, json))
        self._db.executemany(
            "INSERT INTO tx VALUES (?, ?, ?, ?, ?)",
            [(tx.hash, number, at, tx.json, tx.receipt) for at, tx in enumerate(txs)],
        )
        self._db.executemany(
            "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(number, log.position, log.address, *_padded(log.topics), log.json) for log in logs],
        )

    def cut(self, above: int) -> list[bytes]:
        """Forget all blocks above; returns the hashes of their transactions, in order."""
        query = "SELECT hash FROM tx WHERE number > ? ORDER BY number, position"
        hashes = [bytes(row[0]) for row in self._db.execute(query, (above,))]
        for table in ("block", "tx", "log"):
            self._db.execute(f"DELETE FROM {table} WHERE number > ?", (above,))  # noqa: S608 - of the three
        return hashes

    def head(self) -> tuple[int, bytes] | None:
        """Number and hash of the newest block."""
        query = "SELECT number, hash FROM block ORDER BY number DESC LIMIT 1"
        row = self._db.execute(query).fetchone()
        return None if row is None else (int(row[0]), bytes(row[1]))

    def block_hash(self, number: int) -> bytes | None:
        row = self._db.execute("SELECT hash FROM block WHERE number = ?", (number,)).fetchone()
        return None if row is None else bytes(row[0])

    def block_number(self, hash_: bytes) -> int | None:
        row = self._db.execute("SELECT number FROM block WHERE hash = ?", (hash_,)).fetchone()
        return None if row is None else int(row[0])

    def block(self, number: int) -> bytes | None:
        row = self._db.execute("SELECT json FROM block WHERE number = ?", (number,)).fetchone()
        return None if row is None else bytes(row[0])

    def txs(self, number: int) -> list[bytes]:
        query = "SELECT json FROM tx WHERE number = ? ORDER BY position"
        return [bytes(row[0]) for row in self._db.execute(query, (number,))]

    def tx(self, hash_: bytes) -> TxRow | None:
        query = "SELECT hash, json, receipt FROM tx WHERE hash = ?"
        row = self._db.execute(query, (hash_,)).fetchone()
        return None if row is None else TxRow(*map(bytes, row))

    def last_with_txs(self) -> int:
        """The newest block that holds a transaction; 0 when none does."""
        return int(self._db.execute("SELECT coalesce(max(number), 0) FROM tx").fetchone()[0])

    def logs(
        self,
        first: int,
        last: int,
        addresses: list[bytes],
        topics: list[list[bytes]],
        limit: int,
    ) -> list[bytes]:
        """Of the blocks `first` to `last`, in order; an empty list stands for any address or topic."""
        wanted = [("address", addresses)] + [(f"topic{at}", any_) for at, any_ in enumerate(topics)]
        where, values = "number BETWEEN ? AND ?", [first, last]  # type: tuple[str, list[object]]
        for column, any_of in wanted:
            if any_of:
                where += f" AND {column} IN ({','.join('?' * len(any_of))})"
                values += any_of
        query = f"SELECT json FROM log WHERE {where} ORDER BY number, position LIMIT ?"  # noqa: S608 - of columns
        return [bytes(row[0]) for row in self._db.execute(query, (*values, limit))]

    def pool(self) -> list[bytes]:
        """Raw transactions that wait, in the order of their arrival."""
        return [bytes(row[0]) for row in self._db.execute("SELECT raw FROM pool ORDER BY arrived")]

    def add_to_pool(self, hash_: bytes, raw: bytes) -> None:
        self._db.execute("INSERT OR IGNORE INTO pool (hash, raw) VALUES (?, ?)", (hash_, raw))

    def drop_from_pool(self, hashes: list[bytes]) -> None:
        self._db.executemany("DELETE FROM pool WHERE hash = ?", [(each,) for each in hashes])


def _padded(topics: tuple[bytes, ...]) -> tuple[bytes | None, ...]:
    return (*topics, *(None,) * (4 - len(topics)))


def _taken(path: Path | None) -> IO[bytes] | None:
    """A lock that the kernel drops when the process ends, however it ends."""
    if path is None:
        return None
    lock = path.with_suffix(".lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise DiskInUse(f"another process runs the chain in {path}") from None
    return lock
