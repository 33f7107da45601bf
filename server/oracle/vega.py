"""The recordings that come with us: series of the package vega-datasets, read from its own files.

The package is found and not imported, since importing it imports pandas. Left out is what is too short
to hold a question or has no order in time.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path
from typing import NamedTuple

import msgspec

from server.oracle.series import Series, read_series
from server.oracle.tables import BadSeries, read


class Recording(NamedTuple):
    file: str
    columns: tuple[str, ...]
    """Of values. Named, since most files hold columns that are no quantity over time."""
    unit: str
    step: str
    tradable: bool = True
    """Not so what anybody can foretell: the hour's temperature, or employment, which hardly ever falls."""


RECORDINGS = (
    Recording("stocks.csv", ("price",), "USD", "month"),
    Recording("seattle-weather.csv", ("temp_max", "temp_min", "wind"), "", "day", tradable=False),
    Recording("seattle-temps.csv", ("temp",), "degrees F", "hour", tradable=False),
    Recording("sf-temps.csv", ("temp",), "degrees F", "hour", tradable=False),
    Recording(
        "us-employment.csv",
        ("nonfarm", "manufacturing", "construction", "retail_trade", "leisure_and_hospitality"),
        "thousands",
        "month",
        tradable=False,
    ),
)
_UNITS = {"temp_max": "degrees C", "temp_min": "degrees C", "wind": "m/s"}


def recordings() -> tuple[Series, ...]:
    """Every series. Raises BadSeries."""
    spec = importlib.util.find_spec("vega_datasets")
    if spec is None or spec.origin is None:
        raise BadSeries("vega-datasets is not installed; name a file: oracle_series_file")
    folder = Path(spec.origin).parent / "_data"
    version = importlib.metadata.version("vega-datasets")
    return tuple(one for each in RECORDINGS for one in _series(folder, version, each))


def _series(folder: Path, version: str, recording: Recording) -> list[Series]:
    table = read(folder / recording.file)
    source = f"vega-datasets {version}, {recording.file}"
    many = len(recording.columns) > 1
    found = []
    for column in recording.columns:
        title = recording.file.rpartition(".")[0] + (f" {column}" if many else "")
        for one in read_series(table, {"value": column}, source, title):
            unit = _UNITS.get(column, recording.unit)
            found.append(
                msgspec.structs.replace(
                    one, unit=unit, step=recording.step, tradable=recording.tradable
                )
            )
    return found
