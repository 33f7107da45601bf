"""A CSV, JSON or Parquet file as rows of text, each with its number, and the file's SHA-256.

Read as text and not through pandas: a price must come out with the digits that stand in the file.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import io
import json
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

MAX_BYTES = 64 * 1024 * 1024
"""Of a file; it is held in memory."""


class BadSeries(ValueError):
    """A file holds no series that can be asked; the message names file, row and column, and what was
    expected there."""


class Row(msgspec.Struct, frozen=True):
    number: int
    """CSV: the line of the file, the header being 1. JSON and Parquet: the record, from 1."""
    cells: dict[str, str]
    """By column. A missing value is the empty text."""


class Table(msgspec.Struct, frozen=True):
    name: str
    """Of the file, without its folder."""
    sha256: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read(path: Path) -> Table:
    """Raises BadSeries."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise BadSeries(f"{path.name}: a series is read from {', '.join(_READERS)}")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadSeries(f"{path.name}: a file has at most {MAX_BYTES} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise BadSeries(f"cannot read {path}: {error.strerror}") from None
    rows = tuple(reader(path.name, data))
    if not rows:
        raise BadSeries(
            f"{path.name}: no rows; the first line names the columns, the others are data"
        )
    return Table(path.name, hashlib.sha256(data).hexdigest(), tuple(rows[0].cells), rows)


def _csv(name: str, data: bytes) -> Iterable[Row]:
    try:
        # utf-8-sig: spreadsheets write a byte order mark
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        for cells in reader:
            if None in cells or None in cells.values():
                raise BadSeries(
                    f"{name}, row {reader.line_num}: not as many cells as the header has columns"
                )
            yield Row(reader.line_num, {key.strip(): (cells[key] or "").strip() for key in cells})
    except UnicodeDecodeError as error:
        raise BadSeries(f"{name} is not UTF-8 text: byte {error.start}") from None
    except csv.Error as error:
        raise BadSeries(f"{name} is not CSV: {error}") from None


def _json(name: str, data: bytes) -> Iterable[Row]:
    try:
        records = json.loads(data, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise BadSeries(f"{name} is not JSON: {error}") from None
    if not isinstance(records, list):
        raise BadSeries(f"{name}: a series in JSON is a list of objects")
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise BadSeries(f"{name}, row {number}: not an object; a row names its columns")
        yield Row(number, {str(key): _text(value) for key, value in record.items()})


def _parquet(name: str, data: bytes) -> Iterable[Row]:
    # Imported here, since it takes long and few feeds need it.
    pa: Any = importlib.import_module("pyarrow")
    pq: Any = importlib.import_module("pyarrow.parquet")

    try:
        records = pq.read_table(pa.BufferReader(data)).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BadSeries(f"{name} is not Parquet: {str(error).splitlines()[0]}") from None
    for number, record in enumerate(records, 1):
        yield Row(number, {str(key): _text(value) for key, value in record.items()})


def _text(value: Any) -> str:
    if value is None or isinstance(value, dict | list | bytes):
        return ""
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    return str(value).strip()


_READERS: dict[str, Callable[[str, bytes], Iterable[Row]]] = {
    ".csv": _csv,
    ".json": _json,
    ".parquet": _parquet,
}
