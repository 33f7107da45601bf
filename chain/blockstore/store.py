"""Blocks and pins on disk. Synchronous, of one thread; every method is one transaction that is on the disk when it returns.

A pinned block is never dropped: not by `remove`, not by `collect`, not for want of room. When the bound is reached, what
would not fit is refused, and says how to make room.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from chain.content import cid, dag_pb
from chain.content.cid import Cid, Codec
from chain.content.dag_pb import NotANode
from chain.content.unixfs import Block

FILE = "blocks.sqlite"
PAGE_BYTES = 16 * 1024
"""Of SQLite; transcripts are of some tens of kilobytes."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS block (digest BLOB PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS pin (
    cid BLOB PRIMARY KEY, recursive INTEGER NOT NULL, name TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS total (one INTEGER PRIMARY KEY CHECK (one = 1), bytes INTEGER NOT NULL, blocks INTEGER NOT NULL);
INSERT OR IGNORE INTO total VALUES (1, 0, 0);
CREATE TEMPORARY TABLE kept (digest BLOB PRIMARY KEY) WITHOUT ROWID;
"""


class StoreError(Exception):
    """What was asked for cannot be done; the message is for whoever asked."""


class Full(StoreError):
    """The bound would be exceeded. Nothing was written."""


class NotFound(StoreError):
    """A block is not here, and there is no network to look for it in."""

    def __init__(self, id_: Cid) -> None:
        super().__init__(f"block was not found locally (offline): ipld: could not find {id_}")


class Damaged(StoreError):
    """What is on the disk under an id is not what was written."""


class NotPinned(StoreError):
    def __init__(self) -> None:
        super().__init__(
            "not pinned or pinned indirectly"
        )  # Kubo's words, by which clients know it


class Pin(msgspec.Struct, frozen=True):
    cid: Cid
    recursive: bool = True
    """With all that is below; else the block alone."""
    name: str = ""


class Stat(msgspec.Struct, frozen=True):
    bytes: int
    """Of blocks; the file is some percent larger."""
    blocks: int
    max_bytes: int


class BlockStore:
    """`close` it. Of several on one file each sees what the others have written."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Opens or makes FILE in `folder`. Raises sqlite3.Error."""
        self._max_bytes = max_bytes
        self._db = sqlite3.connect(folder / FILE, isolation_level=None, check_same_thread=False)
        self._db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._db.execute("PRAGMA journal_mode = WAL")
        # What is answered is on the disk: a CID that has been told is worth as much as the block behind it.
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA busy_timeout = 10000")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def put(self, blocks: Sequence[Block], pins: Sequence[Pin] = ()) -> None:
        """Keep the blocks, and pin. Those that are here already cost nothing. All of it, or nothing.

        Raises Full, NotFound where a pin's blocks are not all here, StoreError where it is pinned otherwise.
        """
        with self._writing():
            if blocks:
                self._insert(blocks)
            for pin in pins:
                self._pin(pin)

    def get(self, id_: Cid) -> bytes:
        """Raises NotFound, Damaged."""
        row = self._db.execute("SELECT data FROM block WHERE digest = ?", (id_.digest,)).fetchone()
        if row is None:
            raise NotFound(id_)
        data: bytes = row[0]
        if not id_.is_of(data):
            raise Damaged(f"the block under {id_} is damaged on the disk: add it anew")
        return data

    def size(self, id_: Cid) -> int:
        """Bytes of a block. Raises NotFound."""
        query = "SELECT length(data) FROM block WHERE digest = ?"
        row = self._db.execute(query, (id_.digest,)).fetchone()
        if row is None:
            raise NotFound(id_)
        return int(row[0])

    def remove(self, id_: Cid) -> None:
        """Raises NotFound, StoreError where a pin holds it."""
        with self._writing():
            self.size(id_)
            if held := self._held_by(id_):
                raise StoreError(f"pinned: {held}")
            self._delete("digest = ?", id_.digest)

    def pin(self, pin: Pin) -> None:
        """Idempotent; another name replaces the one it had. Raises as `put`."""
        self.put((), [pin])

    def unpin(self, id_: Cid, *, recursive: bool = True) -> None:
        """Raises NotPinned, StoreError for a recursive pin where `recursive` is false."""
        with self._writing():
            found = self._standing(id_)
            if found is None:
                raise NotPinned
            if found.recursive and not recursive:
                raise StoreError(f"{id_} is pinned recursively")
            self._db.execute("DELETE FROM pin WHERE cid = ?", (id_.binary,))

    def pins(self) -> Iterator[Pin]:
        """All that were made, in the order of their ids' bytes."""
        after = b""
        while page := self.page(after):
            yield from page
            after = page[-1].cid.binary

    def page(self, after: bytes, limit: int = 1_000) -> list[Pin]:
        """The pins behind the id of these bytes; nothing holds the thread for all of them."""
        query = "SELECT cid, recursive, name FROM pin WHERE cid > ? ORDER BY cid LIMIT ?"
        rows = self._db.execute(query, (after, limit)).fetchall()
        return [Pin(cid.from_binary(binary), bool(rec), name) for binary, rec, name in rows]

    def pinned(self, id_: Cid) -> str | None:
        """`recursive`, `direct`, `indirect through ROOT`; None where it is not."""
        return self.pinned_itself(id_) or self._indirect(id_)

    def pinned_itself(self, id_: Cid) -> str | None:
        """`recursive` or `direct`; None where it is not pinned, or only through another."""
        found = self._standing(id_)
        return None if found is None else "recursive" if found.recursive else "direct"

    def below(self, id_: Cid) -> Iterator[Cid]:
        """The id and all that it links to, each once, from the root down and from the left. Raises NotFound, Damaged."""
        seen: set[bytes] = set()
        todo = [id_]
        while todo:
            current = todo.pop()
            if current.digest in seen:
                continue
            seen.add(current.digest)
            yield current
            todo += reversed(self._links(current))

    def collect(self) -> list[Cid]:
        """Drop every block that no pin holds; returns them, by their raw ids. Raises NotFound, Damaged where a pinned tree is
        broken: then nothing is dropped."""
        with self._writing():
            self._db.execute("DELETE FROM kept")
            for pin in self.pins():
                held = self.below(pin.cid) if pin.recursive else [pin.cid]
                rows = ((each.digest,) for each in held)
                self._db.executemany("INSERT OR IGNORE INTO kept VALUES (?)", rows)
            unheld = "digest NOT IN (SELECT digest FROM kept)"
            found = self._db.execute(f"SELECT digest FROM block WHERE {unheld}").fetchall()  # noqa: S608 - ours
            self._delete(unheld)
        self._db.execute("PRAGMA incremental_vacuum").fetchall()
        return [Cid(Codec.RAW, digest) for (digest,) in found]

    def stat(self) -> Stat:
        bytes_, blocks = self._db.execute("SELECT bytes, blocks FROM total").fetchone()
        return Stat(bytes_, blocks, self._max_bytes)

    def _writing(self) -> _Transaction:
        return _Transaction(self._db)

    def _insert(self, blocks: Iterable[Block]) -> None:
        before = self._db.total_changes
        added = 0
        for block in blocks:
            row = (block.cid.digest, block.data)
            if self._db.execute("INSERT OR IGNORE INTO block VALUES (?, ?)", row).rowcount:
                added += len(block.data)
        number = self._db.total_changes - before
        total = "UPDATE total SET bytes = bytes + ?, blocks = blocks + ? RETURNING bytes"
        held = self._db.execute(total, (added, number)).fetchone()[0]
        if number and held > self._max_bytes:
            raise Full(
                f"the content store is full: {added} bytes more than the {held - added} there are would exceed its "
                f"{self._max_bytes}; raise AGON_IPFS_MAX_BYTES, or unpin what is not needed and collect it (repo/gc)"
            )

    def _delete(self, where: str, *values: bytes) -> None:
        gone = self._db.execute(
            f"SELECT count(*), coalesce(sum(length(data)), 0) FROM block WHERE {where}",  # noqa: S608 - ours
            values,
        ).fetchone()
        self._db.execute(f"DELETE FROM block WHERE {where}", values)  # noqa: S608 - ours
        self._db.execute("UPDATE total SET blocks = blocks - ?, bytes = bytes - ?", gone)

    def _pin(self, pin: Pin) -> None:
        found = self._standing(pin.cid)
        if found is not None and found.recursive and not pin.recursive:
            raise StoreError(f"pin: {pin.cid} already pinned recursively")
        if found is None or pin.recursive != found.recursive:
            self._check_whole(pin)
        row = (pin.cid.binary, pin.recursive, pin.name)
        self._db.execute("INSERT OR REPLACE INTO pin VALUES (?, ?, ?)", row)

    def _check_whole(self, pin: Pin) -> None:
        for below in self.below(pin.cid) if pin.recursive else [pin.cid]:
            if below.codec is Codec.RAW:
                self.size(below)
            elif not pin.recursive:
                self.get(below)

    def _standing(self, id_: Cid) -> Pin | None:
        query = "SELECT recursive, name FROM pin WHERE cid = ?"
        row = self._db.execute(query, (id_.binary,)).fetchone()
        return None if row is None else Pin(id_, bool(row[0]), row[1])

    def _held_by(self, id_: Cid) -> str | None:
        """What holds the block, under any id of its digest."""
        for codec, version in ((Codec.RAW, 1), (Codec.DAG_PB, 1), (Codec.DAG_PB, 0)):
            found = self.pinned_itself(Cid(codec, id_.digest, version))
            if found is not None:
                return found
        return self._indirect(id_)

    def _indirect(self, id_: Cid) -> str | None:
        """Walks every pinned tree. A raw block has nothing below it, so those are passed over."""
        for pin in self.pins():
            if not pin.recursive or pin.cid.codec is Codec.RAW:
                continue
            if any(each.digest == id_.digest for each in self.below(pin.cid)):
                return f"indirect through {pin.cid}"
        return None

    def _links(self, id_: Cid) -> list[Cid]:
        if id_.codec is Codec.RAW:
            return []
        try:
            return [link.cid for link in dag_pb.decode(self.get(id_)).links]
        except NotANode as error:
            raise StoreError(f"the block under {id_} is no DAG-PB: {error}") from None


class _Transaction:
    """Writes the block's statements, or none of them."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
