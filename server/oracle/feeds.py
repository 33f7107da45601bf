"""The feeds of a process, from its configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from server.config import ConfigError
from server.oracle import tables, vega
from server.oracle.feed import Feed, OracleFault
from server.oracle.live import LiveFeed, connect
from server.oracle.oracle import Oracle
from server.oracle.recorded import RecordedFeed
from server.oracle.series import ROLES, Series, read_series
from server.oracle.tables import BadSeries


def oracle(series_file: str, series_columns: Sequence[str], exchange: str) -> Oracle:
    """`recorded` replays the named file, or vega-datasets when none is named; `live` is there when an
    exchange is named. The file is read when it is first asked for. Raises ConfigError."""
    try:
        said = columns(series_columns)
    except BadSeries as error:
        raise ConfigError(f"oracle_series_columns: {error}") from None
    path = Path(series_file)
    if series_file and not path.is_file():
        raise ConfigError(f"oracle_series_file: no file {series_file!r}")
    load = (lambda: named(path, said)) if series_file else vega.recordings
    feeds: dict[str, Feed] = {"recorded": RecordedFeed(load)}
    if exchange:
        try:
            feeds["live"] = LiveFeed(connect(exchange))
        except OracleFault as fault:
            raise ConfigError(f"oracle_exchange: {fault}") from None
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
