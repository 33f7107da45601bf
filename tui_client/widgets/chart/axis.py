"""The values at the right edge of a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.widgets.canvas import fit, line
from tui_client.widgets.chart.scale import LABEL_CHARS, Scale

APART = 4
"""Rows from one value to the next."""


class Marked:
    """A value that is named on the axis, with the sign before it."""

    def __init__(self, value: float, sign: str, style: Style) -> None:
        self.value, self.sign, self.style = value, sign, style


def labels(scale: Scale, marked: Sequence[Marked]) -> dict[int, Text]:
    """By row: the marked values, the first ones winning, and plain ones where nothing is near."""
    found: dict[int, Text] = {}
    for mark in marked:
        row = scale.row(mark.value)
        label = scale.label(mark.value)
        found.setdefault(row, line((f"{mark.sign} {label}", mark.style)))
    for row in range(0, scale.rows, APART):
        if not {row - 1, row, row + 1} & found.keys():
            found[row] = line((f"  {scale.label(scale.at(row))}", theme.FAINT))
    return found


def width_of(found: Mapping[int, Text]) -> int:
    return min(LABEL_CHARS + 2, max((label.cell_len for label in found.values()), default=0))


def beside(rows: Sequence[Text], found: Mapping[int, Text], width: int) -> list[Text]:
    """The plot's rows with their values at the right; `width` is that of the values."""
    return [line(row, " ", fit(found.get(at, Text()), width)) for at, row in enumerate(rows)]
