"""Files that a user names: columns found or said, and mistakes told with file, row and column."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from server.config import ConfigError
from server.oracle.feeds import columns, named, oracle
from server.oracle.series import Series
from server.oracle.tables import BadSeries


def read(path: Path, *said: str) -> tuple[Series, ...]:
    return named(path, columns(said))


def csv(folder: Path, *lines: str) -> Path:
    path = folder / "tea.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def parquet(folder: Path, table: dict[str, Sequence[Any]]) -> Path:
    pa, pq = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    path = folder / "tea.parquet"
    pq.write_table(pa.table(table), path)
    return path


def test_columns_are_found(tmp_path: Path) -> None:
    path = csv(tmp_path, "Date,price,note", "1901-01,10.50,x", "1901-02,11,y")
    (one,) = read(path)
    assert one.name == "tea"
    assert (one.times, one.values, one.rows) == (("1901-01", "1901-02"), ("10.5", "11"), (2, 3))
    assert one.file == hashlib.sha256(path.read_bytes()).hexdigest()
    assert one.source == "tea.csv"


def test_each_column_of_numbers_is_a_series(tmp_path: Path) -> None:
    path = csv(tmp_path, "green,day,black", "1,1,5", "2,2,6")
    assert [(one.name, one.values) for one in read(path)] == [
        ("tea green", ("1", "2")),
        ("tea black", ("5", "6")),
    ]


def test_a_column_of_names_tells_series_apart(tmp_path: Path) -> None:
    lines = ["symbol,time,price", "A,1,5", "B,1,7", "A,2,6", "B,2,8"]
    assert [(one.name, one.values, one.rows) for one in read(csv(tmp_path, *lines))] == [
        ("tea A", ("5", "6"), (2, 4)),
        ("tea B", ("7", "8"), (3, 5)),
    ]


def test_candles_are_found_in_any_case(tmp_path: Path) -> None:
    path = csv(tmp_path, "time,Open,High,Low,Close,Volume", "1,10,12,9,11,5", "2,11,11,10,10.5,6")
    (one,) = read(path)
    assert one.candles == (("10", "12", "9", "11"), ("11", "11", "10", "10.5"))
    assert one.values == ("11", "10.5")


def test_columns_may_be_said(tmp_path: Path) -> None:
    path = csv(tmp_path, "when,who,bid,ask", "1,A,5,6", "2,A,7,8")
    (one,) = read(path, "time=when", "value=ask", "name = who")
    assert (one.name, one.values) == ("tea A", ("6", "8"))
    with pytest.raises(BadSeries, match=r"no time column among 'when', 'who'.*time=COLUMN"):
        read(path)
    with pytest.raises(BadSeries, match="no column 'mid'; there are 'when', 'who', 'bid', 'ask'"):
        read(path, "time=when", "value=mid")
    with pytest.raises(BadSeries, match="not role=COLUMN"):
        read(path, "price=ask")


@pytest.mark.parametrize(
    ("lines", "named_"),
    [
        (
            ["date,price", "1901-01,5", "1901-02,n/a"],
            r"tea\.csv, row 3, column 'price': 'n/a' is not a number",
        ),
        (["date,price", "1901-01,5", "1901-02,"], "row 3, column 'price': '' is not a number"),
        (
            ["date,price", "1901-02,5", "1901-01,6"],
            "row 3, column 'date': 1901-01 does not come after",
        ),
        (["date,price", "1901-01,5", "1901-01,6"], "row 3, .*name=COLUMN"),
        (["date,price", "5,5", "10,6", "9,7"], "row 4, column 'date': 9 does not come after 10"),
        (["date,price", ",5"], "row 2, column 'date': no time"),
        (["date,price", "1901-01,5,6"], "row 2: not as many cells"),
        (["date,price", "1901-01"], "row 2: not as many cells"),
        (["date,price"], "no rows"),
        (["date,word", "1901-01,x"], "no column of numbers"),
        (["time,open,high,low,close", "1,10,10,9,11"], "row 2: high 10 and low 9 do not hold"),
        (["date,price", "1901-01,1", "1901-02,1" + "0" * 15], "is not a number"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, lines: list[str], named_: str) -> None:
    with pytest.raises(BadSeries, match=named_):
        read(csv(tmp_path, *lines))


def test_json_keeps_the_digits_that_are_written(tmp_path: Path) -> None:
    path = tmp_path / "tea.json"
    path.write_text('[{"date": "1901", "price": 0.1000000001}, {"date": "1902", "price": 2}]')
    (one,) = read(path)
    assert one.values == ("0.1", "2")
    assert one.rows == (1, 2)


@pytest.mark.parametrize(
    ("name", "text", "named_"),
    [
        ("tea.json", "{}", "a list of objects"),
        ("tea.json", "[1]", "row 1: not an object"),
        ("tea.json", "[" * 100_000, "not JSON"),
        ("tea.json", "", "not JSON"),
        ("tea.xlsx", "", r"read from \.csv, \.json, \.parquet"),
        ("tea.csv", 'date,price\n1,"2\n', "not CSV"),
        ("tea.parquet", "PAR1", "not Parquet"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, name: str, text: str, named_: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadSeries, match=named_):
        read(path)


def test_a_file_that_is_not_there_and_one_of_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(BadSeries, match=r"cannot read .*tea\.csv: No such file"):
        read(tmp_path / "tea.csv")
    (tmp_path / "tea.csv").write_bytes(b"date,price\n1,\xff\n")
    with pytest.raises(BadSeries, match="not UTF-8 text: byte 13"):
        read(tmp_path / "tea.csv")


def test_parquet_of_every_kind_of_number_and_time(tmp_path: Path) -> None:
    times = [datetime(1901, 1, 1), datetime(1901, 1, 2), datetime(1901, 1, 3)]
    path = parquet(
        tmp_path,
        {
            "time": times,
            "price": [1.5, 2.25, 1e-3],
            "sold": [1, 2, 3],
            "exact": [Decimal("1.10"), Decimal("2.20"), Decimal("3.30")],
            "words": ["a", "b", "c"],
        },
    )
    found = {one.name: one for one in read(path)}
    assert found["tea price"].values == ("1.5", "2.25", "0.001")
    assert found["tea sold"].values == ("1", "2", "3")
    assert found["tea exact"].values == ("1.1", "2.2", "3.3")
    assert set(found) == {"tea price", "tea sold", "tea exact"}
    assert found["tea price"].times[1] == "1901-01-02T00:00:00"


@pytest.mark.parametrize("hole", [None, float("nan"), float("inf")])
def test_a_hole_in_parquet_is_told(tmp_path: Path, hole: float | None) -> None:
    path = parquet(tmp_path, {"time": [1, 2, 3], "price": [1.5, 2.5, hole]})
    with pytest.raises(BadSeries, match=r"tea\.parquet, row 3, column 'price'"):
        read(path)


def test_names_from_a_file_are_plain_and_bounded(tmp_path: Path) -> None:
    nasty = "A\x1b[2J\u202e" + "x" * 200
    path = tmp_path / "tea.json"
    path.write_text(json.dumps([{"date": str(n), "symbol": nasty, "price": n} for n in (1, 2)]))
    (one,) = read(path)
    assert one.name.isprintable()
    assert len(one.name) <= 60


def test_knobs_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    for knobs, named_ in [
        (("", ("tea",), ""), "oracle_series_columns: not role=COLUMN"),
        ((str(tmp_path / "tea.csv"), (), ""), "oracle_series_file: no file"),
    ]:
        with pytest.raises(ConfigError, match=named_):
            oracle(*knobs)
