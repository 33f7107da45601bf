"""What a judge has found and signed: one SQLite file of its own, mode 600.

A hearing's sheet, reasons, salt, ordinal and signed commitment are one row, which is written once and never changed: it stands
before anything is sent, so whoever kills the judge at any instant finds it sending the same again. Who loses the file
can reveal nothing that was committed, and must not commit again in those hearings; `duty.Step.STRANGER` holds that.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from judges.llm import Call
from judges.node.duty import Kept
from judges.node.sheet import Scored

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hearing (
    case_id TEXT NOT NULL, hearing INTEGER NOT NULL, session TEXT NOT NULL, space TEXT NOT NULL,
    ordinal INTEGER NOT NULL UNIQUE, salt BLOB NOT NULL, scored BLOB NOT NULL, scores_hash BLOB NOT NULL, commitment BLOB NOT NULL,
    signature BLOB NOT NULL, sealed_ms INTEGER NOT NULL, committed_ms INTEGER, revealed_ms INTEGER,
    PRIMARY KEY (case_id, hearing)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS call (
    id INTEGER PRIMARY KEY, case_id TEXT NOT NULL, hearing INTEGER NOT NULL, model TEXT NOT NULL, places TEXT NOT NULL,
    attempts INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, latency_ms INTEGER NOT NULL,
    cost_nanos INTEGER NOT NULL, at_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS call_case ON call (case_id, hearing);
"""


class JournalInUse(OSError):
    """Another process runs this judge."""


class WrongFolder(ValueError):
    """The journal is of another judge or of another court."""


class Signed(msgspec.Struct, frozen=True):
    """What makes a sheet a commitment."""

    scores_hash: bytes
    commitment: bytes
    signature: bytes
    """Of the message Commit."""


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """One hearing's row."""

    session: str
    case: str
    hearing: int
    space: str
    ordinal: int
    salt: bytes
    scored: Scored
    scores_hash: bytes
    commitment: bytes
    signature: bytes
    sealed_ms: int
    committed_ms: int | None
    revealed_ms: int | None

    @property
    def kept(self) -> Kept:
        return Kept(self.committed_ms is not None, self.revealed_ms is not None)


class Totals(msgspec.Struct, frozen=True):
    """`cost_nanos`: thousandths of a micro-dollar, by the prices that the judge's owner named."""

    hearings: int
    committed: int
    revealed: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    latency_ms: int
    cost_nanos: int


class Price(msgspec.Struct, frozen=True):
    """Micro-dollars for a million tokens, which is thousandths of a micro-dollar for a thousand."""

    prompt: int = 0
    completion: int = 0

    def nanos(self, call: Call) -> int:
        return (
            self.prompt * call.prompt_tokens + self.completion * call.completion_tokens
        ) // 1_000


_COLUMNS = (
    "session, case_id, hearing, space, ordinal, salt, scored, scores_hash, commitment, signature,"
    " sealed_ms, committed_ms, revealed_ms"
)


class Journal:
    """The file at `path`. One thread at a time. Raises JournalInUse; WrongFolder where it is of another judge or court."""

    def __init__(self, path: Path, *, judge: str, court: str) -> None:
        """`court` names chain and contract, as in 8453:0x…"""
        self._lock = _taken(path)
        try:
            path.touch(mode=0o600)
            os.chmod(path, 0o600)  # salts are in it; it may have been copied here
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(_TABLES)
            self._belongs(path, judge=judge, court=court)
        except BaseException:
            self._lock.close()
            raise

    def close(self) -> None:
        """Idempotent."""
        self._db.close()
        self._lock.close()

    # ----------------------------------------------------------------------- one sheet a hearing

    def sealed(self, case: str, hearing: int) -> Sealed | None:
        query = f"SELECT {_COLUMNS} FROM hearing WHERE case_id = ? AND hearing = ?"  # noqa: S608 - constants
        return _sealed(self._db.execute(query, (case, hearing)).fetchone())

    def of_session(self, session: str) -> list[Sealed]:
        """All hearings of a case, the first one first."""
        return _of_session(self._db, session)

    def since(self, sealed_ms: int, *, below: int | None, limit: int) -> list[Sealed]:
        """Hearings whose sheets were sealed then or later, the newest first: `limit` at the most, with ordinals below `below`."""
        query = (
            f"SELECT {_COLUMNS} FROM hearing WHERE sealed_ms >= ? AND (? IS NULL OR ordinal < ?)"  # noqa: S608 - constants
            " ORDER BY ordinal DESC LIMIT ?"
        )
        rows = self._db.execute(query, (sealed_ms, below, below, limit)).fetchall()
        return [found for row in rows if (found := _sealed(row)) is not None]

    def seal(
        self,
        *,
        session: str,
        case: str,
        hearing: int,
        space: str,
        scored: Scored,
        salt: bytes,
        sign: Callable[[int], Signed],
        least_ordinal: int,
        now_ms: int,
    ) -> Sealed:
        """Keep a sheet and what commits to it, for good. `sign` is given the ordinal: the lowest that no hearing of this journal
        has, and at least `least_ordinal`. A hearing that has its sheet keeps that one, whatever is said now."""
        with self._writing():
            standing = self.sealed(case, hearing)
            if standing is not None:
                return standing
            (last,) = self._db.execute("SELECT max(ordinal) FROM hearing").fetchone()
            ordinal = max(least_ordinal, 0 if last is None else last + 1)
            signed = sign(ordinal)
            row = (case, hearing, session, space, ordinal, salt, msgspec.json.encode(scored))
            self._db.execute(
                "INSERT INTO hearing (case_id, hearing, session, space, ordinal, salt, scored, scores_hash, commitment,"
                " signature, sealed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, signed.scores_hash, signed.commitment, signed.signature, now_ms),
            )
        found = self.sealed(case, hearing)
        assert found is not None, "it was inserted"
        return found

    def committed(self, case: str, hearing: int, now_ms: int) -> None:
        """The commitment was taken. The first time stands."""
        self._stamp("committed_ms", case, hearing, now_ms)

    def revealed(self, case: str, hearing: int, now_ms: int) -> None:
        self._stamp("revealed_ms", case, hearing, now_ms)

    def _stamp(self, column: str, case: str, hearing: int, now_ms: int) -> None:
        query = f"UPDATE hearing SET {column} = ? WHERE case_id = ? AND hearing = ? AND {column} IS NULL"  # noqa: S608
        with self._writing():
            self._db.execute(query, (now_ms, case, hearing))

    # ----------------------------------------------------------------------- what it took

    def asked(
        self, case: str, hearing: int, calls: Sequence[Call], price: Price, now_ms: int
    ) -> None:
        """Note questions to a model."""
        rows = [
            (
                *(case, hearing, each.model, ",".join(map(str, each.order)), each.attempts),
                *(each.prompt_tokens, each.completion_tokens, each.latency_ms),
                *(price.nanos(each), now_ms),
            )
            for each in calls
        ]
        with self._writing():
            self._db.executemany(
                "INSERT INTO call (case_id, hearing, model, places, attempts, prompt_tokens, completion_tokens, latency_ms,"
                " cost_nanos, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def totals(self) -> Totals:
        return _totals(self._db)

    # -----------------------------------------------------------------------

    def _belongs(self, path: Path, *, judge: str, court: str) -> None:
        for name, value in (("judge", judge.lower()), ("court", court.lower())):
            row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
            if row is None:
                self._db.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
            elif row[0] != value:
                raise WrongFolder(
                    f"{path.parent} is the folder of {name} {row[0]}, and this is {name} {value}: a judge has a folder of its own,"
                    " and another one for each court (--folder)"
                )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _sealed(row: tuple[Any, ...] | None) -> Sealed | None:
    if row is None:
        return None
    session, case, hearing, space, ordinal, salt, scored, *rest = row
    scores_hash, commitment, signature, sealed_ms, committed_ms, revealed_ms = rest
    return Sealed(
        session=session,
        case=case,
        hearing=hearing,
        space=space,
        ordinal=ordinal,
        salt=salt,
        scored=msgspec.json.decode(scored, type=Scored),
        scores_hash=scores_hash,
        commitment=commitment,
        signature=signature,
        sealed_ms=sealed_ms,
        committed_ms=committed_ms,
        revealed_ms=revealed_ms,
    )


def _of_session(db: sqlite3.Connection, session: str) -> list[Sealed]:
    query = f"SELECT {_COLUMNS} FROM hearing WHERE session = ? ORDER BY hearing"  # noqa: S608 - constants
    return [found for row in db.execute(query, (session,)) if (found := _sealed(row)) is not None]


def _taken(path: Path) -> IO[bytes]:
    """A lock that the kernel drops when the process ends, however it ends."""
    lock = path.with_suffix(".lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise JournalInUse(f"another process runs the judge of {path.parent}") from None
    return lock


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Of a journal that another process may have open."""
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        yield db


def totals_at(path: Path) -> Totals | None:
    """None where there is no journal. Another process may have it open."""
    if not path.exists():
        return None
    with _reading(path) as db:
        return _totals(db)


def of_session_at(path: Path, session: str) -> list[Sealed]:
    """As `Journal.of_session`. Another process may have it open."""
    if not path.exists():
        return []
    with _reading(path) as db:
        return _of_session(db, session)


def _totals(db: sqlite3.Connection) -> Totals:
    hearings = db.execute(
        "SELECT count(*), count(committed_ms), count(revealed_ms) FROM hearing"
    ).fetchone()
    calls = db.execute(
        "SELECT count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0),"
        " coalesce(sum(latency_ms), 0), coalesce(sum(cost_nanos), 0) FROM call"
    ).fetchone()
    return Totals(*hearings, *calls)
