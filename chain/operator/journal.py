"""What an operator was asked to keep, keeps and has attested: one SQLite file of its own.

Every method is one transaction. What stands here is either learnt again (tasks, from the arena) or true for ever (a leaf: the
block is pinned), so whoever loses the file keeps the same blocks anew and answers for the old batches from their lists.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from chain.attestation import LEAF_BYTES, Leaf, batch_root, read_leaves

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch (
    id INTEGER PRIMARY KEY AUTOINCREMENT, root BLOB NOT NULL, list_digest BLOB NOT NULL, list BLOB NOT NULL, made_ms INTEGER NOT NULL,
    number INTEGER, list_due_ms INTEGER
);
CREATE INDEX IF NOT EXISTS batch_number ON batch (number);
CREATE INDEX IF NOT EXISTS batch_list ON batch (list_digest);
CREATE TABLE IF NOT EXISTS task (
    cid TEXT PRIMARY KEY, bytes INTEGER NOT NULL, kind TEXT NOT NULL, session TEXT NOT NULL,
    mine INTEGER, due_ms INTEGER NOT NULL, tries INTEGER NOT NULL,
    leaf BLOB, kept_ms INTEGER, batch INTEGER REFERENCES batch (id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS task_undecided ON task (cid) WHERE mine IS NULL AND leaf IS NULL;
CREATE INDEX IF NOT EXISTS task_wanted ON task (due_ms) WHERE mine = 1 AND leaf IS NULL;
CREATE INDEX IF NOT EXISTS task_kept ON task (kept_ms) WHERE leaf IS NOT NULL AND batch IS NULL;
CREATE INDEX IF NOT EXISTS task_batch ON task (batch) WHERE batch IS NOT NULL;
"""
# task.mine: null until it is decided. batch.number: the contract's, null until its event was read; batch.list_due_ms: when the
# list is to be handed in, null where it need not be.


class JournalInUse(OSError):
    """Another process runs this operator."""


class Task(msgspec.Struct, frozen=True):
    """A block that somebody asks operators to keep."""

    cid: str
    """CIDv1, raw."""
    bytes: int
    """As it was told; what counts is what comes."""
    kind: str
    session: str
    """What it is of."""


class Wanted(msgspec.Struct, frozen=True):
    """A task of ours whose block we do not have yet."""

    task: Task
    tries: int


class Made(msgspec.Struct, frozen=True):
    """A batch of ours that the chain is not known to have."""

    id: int
    root: bytes
    list: bytes
    """The leaves, one behind the other."""

    @property
    def count(self) -> int:
        return len(self.list) // LEAF_BYTES


class Totals(msgspec.Struct, frozen=True):
    tasks: int
    mine: int
    kept: int
    kept_bytes: int
    attested: int
    """Blocks of batches whose event was read."""


class Journal:
    """The file at `path`. One thread at a time. Raises JournalInUse."""

    def __init__(self, path: Path) -> None:
        self._lock = _taken(path)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Idempotent."""
        self._db.close()
        self._lock.close()

    # ----------------------------------------------------------------------- what is asked for

    def after(self) -> int:
        """The number of the last task that was taken; 0 before the first."""
        return int(self._meta("after") or 0)

    def last(self) -> str:
        """The CID of that task; empty before the first."""
        return str(self._meta("last") or "")

    def take(self, tasks: Sequence[Task], after: int, replicas: int) -> None:
        """Note tasks, and that all up to number `after` are known. Idempotent by their CIDs."""
        rows = [(each.cid, each.bytes, each.kind, each.session) for each in tasks]
        with self._writing():
            self._db.executemany(
                "INSERT OR IGNORE INTO task (cid, bytes, kind, session, due_ms, tries) VALUES (?, ?, ?, ?, 0, 0)",
                rows,
            )
            if replicas != self.replicas():
                self._set_meta("replicas", replicas)
                self._forget_decisions()
            self._set_meta("after", after)
            if tasks:
                self._set_meta("last", tasks[-1].cid)

    def begin_anew(self) -> None:
        """Ask for all tasks again: the arena's numbers are others than they were."""
        with self._writing():
            self._set_meta("after", 0)

    def replicas(self) -> int:
        """How many operators are to keep each block, as it was told last; 0 before."""
        return int(self._meta("replicas") or 0)

    # ----------------------------------------------------------------------- which are ours

    def undecided(self, limit: int) -> list[str]:
        query = "SELECT cid FROM task WHERE mine IS NULL AND leaf IS NULL LIMIT ?"
        return [row[0] for row in self._db.execute(query, (limit,))]

    def decide(self, decisions: Sequence[tuple[str, bool]]) -> None:
        with self._writing():
            self._db.executemany(
                "UPDATE task SET mine = ? WHERE cid = ?", [(mine, cid) for cid, mine in decisions]
            )

    def forget_decisions(self) -> None:
        """The operators are others than they were. What is kept already stays kept."""
        with self._writing():
            self._forget_decisions()

    def _forget_decisions(self) -> None:
        self._db.execute("UPDATE task SET mine = NULL WHERE mine IS NOT NULL AND leaf IS NULL")

    # ----------------------------------------------------------------------- keeping

    def wanted(self, now_ms: int, limit: int) -> list[Wanted]:
        """What is to be fetched, the longest due first."""
        query = (
            "SELECT cid, bytes, kind, session, tries FROM task"
            " WHERE mine = 1 AND leaf IS NULL AND due_ms <= ? ORDER BY due_ms LIMIT ?"
        )
        rows = self._db.execute(query, (now_ms, limit))
        return [Wanted(Task(*row[:4]), row[4]) for row in rows]

    def put_off(self, cid: str, due_ms: int) -> None:
        """It could not be had."""
        query = "UPDATE task SET due_ms = ?, tries = tries + 1 WHERE cid = ?"
        with self._writing():
            self._db.execute(query, (due_ms, cid))

    def keep(self, leaves: Sequence[tuple[str, Leaf]]) -> None:
        """Blocks are pinned, by their CIDs. The first leaf of each stands."""
        rows = [(leaf.encode(), leaf.size, leaf.time_ms, cid) for cid, leaf in leaves]
        query = "UPDATE task SET leaf = ?, bytes = ?, kept_ms = ?, mine = 1 WHERE cid = ? AND leaf IS NULL"
        with self._writing():
            self._db.executemany(query, rows)

    # ----------------------------------------------------------------------- attesting

    def unattested(self) -> tuple[int, int]:
        """How many leaves are in no batch, and when the oldest was kept (unix ms; 0 where there is none)."""
        query = "SELECT count(*), coalesce(min(kept_ms), 0) FROM task WHERE leaf IS NOT NULL AND batch IS NULL"
        count, oldest = self._db.execute(query).fetchone()
        return int(count), int(oldest)

    def ageing(self, made_ms: int, first_batch: int, limit: int) -> list[str]:
        """CIDs of what is in confirmed batches that were made before `made_ms`, or that need not be kept any more (numbers
        below `first_batch`)."""
        query = (
            "SELECT cid FROM task JOIN batch ON batch.id = task.batch"
            " WHERE batch.number IS NOT NULL AND (batch.made_ms < ? OR batch.number < ?) LIMIT ?"
        )
        return [row[0] for row in self._db.execute(query, (made_ms, first_batch, limit))]

    def renew(self, cid: str) -> None:
        """Have its leaf attested anew."""
        with self._writing():
            self._db.execute("UPDATE task SET batch = NULL WHERE cid = ?", (cid,))

    def lose(self, cid: str) -> None:
        """The block is not here any more: it is to be decided on and had anew."""
        query = (
            "UPDATE task SET leaf = NULL, kept_ms = NULL, batch = NULL, mine = NULL WHERE cid = ?"
        )
        with self._writing():
            self._db.execute(query, (cid,))

    def gather(self, limit: int, now_ms: int) -> Made | None:
        """Make a batch of the oldest leaves that are in none; None where there are none."""
        query = (
            "SELECT cid, leaf FROM task WHERE leaf IS NOT NULL AND batch IS NULL"
            " ORDER BY kept_ms, cid LIMIT ?"
        )
        with self._writing():
            rows = self._db.execute(query, (limit,)).fetchall()
            if not rows:
                return None
            list_ = b"".join(row[1] for row in rows)
            root = batch_root(read_leaves(list_))
            added = self._db.execute(
                "INSERT INTO batch (root, list_digest, list, made_ms) VALUES (?, ?, ?, ?)",
                (root, hashlib.sha256(list_).digest(), list_, now_ms),
            )
            assert added.lastrowid is not None, "it was inserted"
            self._db.executemany(
                "UPDATE task SET batch = ? WHERE cid = ?",
                [(added.lastrowid, row[0]) for row in rows],
            )
        return Made(added.lastrowid, root, list_)

    def unconfirmed(self) -> list[Made]:
        """Batches whose event was not read, oldest first."""
        query = "SELECT id, root, list FROM batch WHERE number IS NULL ORDER BY id"
        return [Made(*row) for row in self._db.execute(query)]

    def confirm(self, id_: int, number: int) -> None:
        """Its event was read; its list is to be handed in."""
        query = "UPDATE batch SET number = ?, list_due_ms = 0 WHERE id = ?"
        with self._writing():
            self._db.execute(query, (number, id_))

    def lists_due(self, now_ms: int, limit: int) -> list[tuple[int, bytes, int]]:
        """Number, list, and when it was made, of confirmed batches whose list is to be handed in."""
        query = (
            "SELECT number, list, made_ms FROM batch WHERE number IS NOT NULL AND list_due_ms <= ?"
            " ORDER BY list_due_ms LIMIT ?"
        )
        return [(row[0], bytes(row[1]), row[2]) for row in self._db.execute(query, (now_ms, limit))]

    def list_due(self, number: int, due_ms: int | None) -> None:
        """None: it was handed in, or nobody wants it."""
        query = "UPDATE batch SET list_due_ms = ? WHERE number = ?"
        with self._writing():
            self._db.execute(query, (due_ms, number))

    def forget_confirmations(self) -> None:
        """The chain has changed its mind: look again which batches it has."""
        with self._writing():
            self._db.execute("UPDATE batch SET number = NULL WHERE number IS NOT NULL")

    def list_of(self, digest: bytes) -> bytes | None:
        """The list of leaves that has this SHA-256."""
        query = "SELECT list FROM batch WHERE list_digest = ? LIMIT 1"
        row = self._db.execute(query, (digest,)).fetchone()
        return None if row is None else bytes(row[0])

    def confirmed(self, root: bytes) -> set[int]:
        """The contract's numbers of our batches of that root."""
        query = "SELECT number FROM batch WHERE root = ? AND number IS NOT NULL"
        return {row[0] for row in self._db.execute(query, (root,))}

    def totals(self) -> Totals:
        return _totals(self._db)

    # -----------------------------------------------------------------------

    def _meta(self, name: str) -> Any:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def _set_meta(self, name: str, value: int | str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _taken(path: Path) -> IO[bytes]:
    """A lock that the kernel drops when the process ends, however it ends."""
    lock = path.with_suffix(".lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise JournalInUse(f"another process runs the operator of {path.parent}") from None
    return lock


def totals_at(path: Path) -> Totals | None:
    """Of a journal that another process may have open; None where there is none."""
    if not path.exists():
        return None
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        return _totals(db)


def _totals(db: sqlite3.Connection) -> Totals:
    tasks, mine, kept, size = db.execute(
        "SELECT count(*), coalesce(sum(mine), 0), count(leaf),"
        " coalesce(sum(CASE WHEN leaf IS NOT NULL THEN bytes END), 0) FROM task"
    ).fetchone()
    attested = db.execute(
        "SELECT count(*) FROM task JOIN batch ON batch.id = task.batch WHERE batch.number IS NOT NULL"
    ).fetchone()[0]
    return Totals(tasks, mine, kept, size, attested)
