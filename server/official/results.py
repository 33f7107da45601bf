"""The published results file: Parquet, a row for each seat of each session of one Space.

Written once and never changed; it is named by the SHA-256 of its bytes. `docs/ratings.md` says what the columns
mean, to whoever reads it without us.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from server.official.document import ResultsFile, path_of
from server.official.outcomes import Move, Outcome, SeatOutcome

FORMAT = "agon-results/1"

_WORD = pa.dictionary(pa.int32(), pa.string())
_SESSION = {
    "session": pa.string(),
    "space": _WORD,
    "rules": _WORD,
    "tier_micros": pa.int64(),
    "asset": _WORD,
    "status": _WORD,
    "reason": _WORD,
    "season": pa.int32(),
    "opened_ms": pa.int64(),
    "sealed_ms": pa.int64(),
    "settled_ms": pa.int64(),
    "digest": pa.string(),
    "rated": pa.bool_(),
}
_SEAT = {
    "seat": pa.int16(),
    "agent": _WORD,
    "version": _WORD,
    "name": _WORD,
    "owner": pa.int16(),
    "rank": pa.int16(),
    "score_milli": pa.int64(),
    "entry_micros": pa.int64(),
    "won_micros": pa.int64(),
}
_MOVE = {
    "number": pa.int32(),
    "was_mu_milli": pa.int32(),
    "was_sigma_milli": pa.int32(),
    "mu_milli": pa.int32(),
    "sigma_milli": pa.int32(),
    "was_division": pa.int16(),
    "division": pa.int16(),
}
COLUMNS = {**_SESSION, **_SEAT, **_MOVE}
SCHEMA = pa.schema(COLUMNS, metadata={"format": FORMAT})


class BadResults(ValueError):
    """The file is not a results file, or is damaged; the message names it."""


class ResultsWriter:
    """Writes one file into a folder. Not safe to share; blocks, so use it in a thread."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        # a name of its own: a writer that died, or is slow to die, is in nobody's way
        self._path = folder / f".{secrets.token_hex(8)}.part"
        self._writer = pq.ParquetWriter(self._path, SCHEMA, compression="zstd")
        self._sessions = self._rows = 0

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """More sessions, in the order in which they are to stand in the file."""
        rows = [row for each in outcomes for row in _rows(each)]
        if rows:
            self._writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
        self._sessions += len(outcomes)
        self._rows += len(rows)

    def finish(self) -> ResultsFile:
        """Put the file in its place, whole and durable or not at all."""
        self._writer.close()
        with self._path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        os.replace(self._path, path_of(self._folder, digest))
        return ResultsFile(digest, size, self._sessions, self._rows)

    def abandon(self) -> None:
        """Leave nothing behind. Harmless after `finish`."""
        self._writer.close()
        self._path.unlink(missing_ok=True)


def source_of(path: Path) -> ResultsFile:
    """What a board made from this file would name. Raises BadResults."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        table = pq.read_table(path, columns=["session"])
        sessions = len(table.column("session").unique())
    except (OSError, pa.ArrowException, KeyError) as error:
        raise BadResults(f"cannot read {path}: {error}") from None
    return ResultsFile(digest, size, sessions, table.num_rows)


def read(path: Path) -> list[Outcome]:
    """All sessions of a file, in its order. Raises BadResults."""
    return list(_outcomes(path))


def _outcomes(path: Path) -> Iterator[Outcome]:
    try:
        with pq.ParquetFile(path) as file:
            if (file.schema_arrow.metadata or {}).get(b"format") != FORMAT.encode():
                raise BadResults(f"{path} is no results file of Agon ({FORMAT})")
            seats: list[dict[str, Any]] = []
            for batch in file.iter_batches(batch_size=10_000, columns=list(COLUMNS)):
                for row in batch.to_pylist():
                    if seats and seats[0]["session"] != row["session"]:
                        yield _outcome(seats)
                        seats = []
                    seats.append(row)
            if seats:
                yield _outcome(seats)
    except (OSError, pa.ArrowException, KeyError, msgspec.ValidationError) as error:
        raise BadResults(f"cannot read {path}: {error}") from None


def _rows(outcome: Outcome) -> Iterable[dict[str, Any]]:
    session = {name: getattr(outcome, name) for name in _SESSION}
    for seat in outcome.seats:
        row = {**session, **{name: getattr(seat, name) for name in _SEAT}}
        yield row if seat.move is None else {**row, **msgspec.to_builtins(seat.move)}


def _outcome(seats: Sequence[dict[str, Any]]) -> Outcome:
    session = {name: seats[0][name] for name in _SESSION}
    return msgspec.convert({**session, "seats": [_seat(row) for row in seats]}, Outcome)


def _seat(row: dict[str, Any]) -> SeatOutcome:
    move = None if row["number"] is None else msgspec.convert({n: row[n] for n in _MOVE}, Move)
    return msgspec.convert({**{n: row[n] for n in _SEAT}, "move": move}, SeatOutcome)
