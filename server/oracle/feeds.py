"""The feeds of a process, from its configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from server.oracle import tables, vega
from server.oracle.feed import Feed
from server.oracle.live import LiveFeed, connect
from server.oracle.oracle import Oracle
from server.oracle.recorded import RecordedFeed
from server.oracle.series import ROLES, Series, read_series
from server.oracle.tables import BadSeries


def oracle(series_file: str, series_columns: Sequence[str], exchange: str) -> Oracle:
    """`recorded` replays the named file, or vega-datasets when none is named; `live` is there when an
    exchange is named. Raises BadSeries for a mistake in `series_columns` and OracleFault for an
    exchange that is not to be had; the file is read when it is first asked for."""
    said = columns(series_columns)
    path = Path(series_file)
    load = (lambda: named(path, said)) if series_file else vega.recordings
    feeds: dict[str, Feed] = {"recorded": RecordedFeed(load)}
    if exchange:
        feeds["live"] = LiveFeed(connect(exchange))
    return Oracle(feeds)


def named(path: Path, said: Mapping[str, str]) -> tuple[Series, ...]:
    """The series of a file that the operator names. Raises BadSeries."""
    return read_series(tables.read(path), said, path.name)


def columns(words: Sequence[str]) -> dict[str, str]:
    """`role=COLUMN` words by role. Raises BadSeries."""
    said: dict[str, str] = {}
    for word in words:
        role, equals, column = word.partition("=")
        if not equals or role.strip() not in ROLES:
            raise BadSeries(f"not role=COLUMN with a role of {', '.join(sorted(ROLES))}: {word!r}")
        said[role.strip()] = column.strip()
    return said
