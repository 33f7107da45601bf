"""Series read off a table: which column is what is said or found out, and every cell is checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from server.oracle.tables import BadSeries, Row, Table
from spaces.decimals import number
from spaces.plain_text import plain_lines

Candle = tuple[str, str, str, str]
"""Open, high, low, close."""
OHLC = ("open", "high", "low", "close")
TIMES = ("date", "time", "timestamp", "datetime", "open_time", "day", "month", "year")
NAMES = ("symbol", "ticker", "pair", "series", "name", "source")
ROLES = frozenset({"time", "name", "value", *OHLC})
WORD_CHARS = 60

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}")


class Series(msgspec.Struct, frozen=True):
    """One quantity over time; all tuples are of one length."""

    name: str
    file: str
    """The file's SHA-256."""
    source: str
    """What a reader of a transcript needs to find the file, e.g. `vega-datasets 0.9.0, stocks.csv`."""
    times: tuple[str, ...]
    """As the file writes them."""
    values: tuple[str, ...]
    """Numbers (`spaces.decimals`); of candles the closes."""
    rows: tuple[int, ...]
    """Where each stands in the file."""
    candles: tuple[Candle, ...] | None = None
    """Of a file that has all four columns."""
    unit: str | None = None
    step: str | None = None
    tradable: bool = True
    """Whether it is a price, or as hard to foretell as one, and may be traded as candles."""


class Columns(msgspec.Struct, frozen=True):
    """Which column of a table is what."""

    time: str
    values: tuple[str, ...]
    """A series each, unless there are candles."""
    name: str | None = None
    """Rows with different names belong to different series."""
    candles: tuple[str, ...] = ()
    """Four columns or none."""


def read_series(
    table: Table, said: Mapping[str, str], source: str, title: str = ""
) -> tuple[Series, ...]:
    """Every series of a table, in the order of the file. `said` names columns by ROLES; what it leaves
    out is found out. Raises BadSeries."""
    columns = _columns(table, said)
    groups: dict[str, list[Row]] = {}
    for row in table.rows:
        groups.setdefault(row.cells.get(columns.name, "") if columns.name else "", []).append(row)
    found: list[Series] = []
    for name, rows in groups.items():
        many = columns.values if not columns.candles else (columns.candles[3],)
        for column in many:
            words = [title or table.name.rpartition(".")[0], name]
            words += [column] if len(many) > 1 else []
            found.append(_series(table, columns, column, rows, _name(words), source))
    return tuple(found)


def _name(words: Iterable[str]) -> str:
    """Series are named by strangers' files: one plain line of bounded length."""
    return " ".join(line for word in words for line in plain_lines(word))[:WORD_CHARS] or "series"


def _columns(table: Table, said: Mapping[str, str]) -> Columns:
    for role, column in said.items():
        if role not in ROLES:
            raise BadSeries(f"{table.name}: no role {role!r}; there are {', '.join(sorted(ROLES))}")
        if column not in table.columns:
            raise BadSeries(
                f"{table.name}: no column {column!r}; there are {_listed(table.columns)}"
            )
    by_lower = {column.lower(): column for column in table.columns}
    time = said.get("time") or _first(by_lower, TIMES)
    if time is None:
        raise BadSeries(
            f"{table.name}: no time column among {_listed(table.columns)}; name it: time=COLUMN"
        )
    name = said.get("name") or _first(by_lower, NAMES)
    candles = tuple(said.get(role) or by_lower.get(role, "") for role in OHLC)
    if all(candles) and "value" not in said:
        return Columns(time, (), name, candles)
    values = (said["value"],) if "value" in said else _numeric(table, {time, name})
    if not values:
        raise BadSeries(f"{table.name}: no column of numbers; name it: value=COLUMN")
    return Columns(time, values, name)


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(map(repr, columns))[:200]


def _first(by_lower: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((by_lower[name] for name in names if name in by_lower), None)


def _numeric(table: Table, taken: set[str | None]) -> tuple[str, ...]:
    """The columns that begin with a number; a later cell that is none is an error, not a gap."""
    first = table.rows[0].cells
    return tuple(
        column
        for column in table.columns
        if column not in taken and number(first.get(column, "")) is not None
    )


def _series(
    table: Table, columns: Columns, column: str, rows: list[Row], name: str, source: str
) -> Series:
    candles = None
    if columns.candles:
        candles = tuple(_candle(table, columns.candles, row) for row in rows)
    times = tuple(_time(table, columns.time, row) for row in rows)
    _check_order(table, columns.time, rows, times)
    return Series(
        name=name,
        file=table.sha256,
        source=source,
        times=times,
        values=tuple(_number(table, column, row) for row in rows),
        rows=tuple(row.number for row in rows),
        candles=candles,
    )


def _number(table: Table, column: str, row: Row) -> str:
    text = row.cells.get(column, "")
    value = number(text)
    if value is None:
        raise BadSeries(
            f"{table.name}, row {row.number}, column {column!r}: {text[:40]!r} is not a number; "
            "a value is a decimal such as 12.5, and none may be missing"
        )
    return value


def _candle(table: Table, columns: tuple[str, ...], row: Row) -> Candle:
    first, high, low, last = (_number(table, column, row) for column in columns)
    bounds = sorted(map(float, (first, high, low, last)))
    if float(high) != bounds[-1] or float(low) != bounds[0]:
        raise BadSeries(
            f"{table.name}, row {row.number}: high {high} and low {low} do not hold "
            f"open {first} and close {last}"
        )
    return first, high, low, last


def _time(table: Table, column: str, row: Row) -> str:
    lines = plain_lines(row.cells.get(column, ""))
    if len(lines) != 1 or len(lines[0]) > WORD_CHARS:
        raise BadSeries(f"{table.name}, row {row.number}, column {column!r}: no time")
    return lines[0]


def _check_order(table: Table, column: str, rows: list[Row], times: tuple[str, ...]) -> None:
    """Rows are in the order of time. Told for ISO dates and plain numbers; other forms are trusted."""
    for i in range(1, len(times)):
        if _falls(times[i - 1], times[i]):
            raise BadSeries(
                f"{table.name}, row {rows[i].number}, column {column!r}: {times[i]} does not come after "
                f"{times[i - 1]}; a series has one row a time, oldest first (if the rows are of "
                "several series, name the column that tells them apart: name=COLUMN)"
            )


def _falls(before: str, after: str) -> bool:
    if _ISO.match(before) and _ISO.match(after):
        return before >= after
    if number(before) is not None and number(after) is not None:
        return float(before) >= float(after)
    return False
