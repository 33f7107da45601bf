"""A curve in one row."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client.widgets.canvas import fit, line
from tui_client.widgets.chart.scale import Scale

_LEVELS = "▁▂▃▄▅▆▇█"


def spark(values: Sequence[float], scale: Scale, width: int, style: Style) -> Text:
    """The last value of each of `width` equal stretches; fewer values take fewer cells."""
    if width <= 0:
        return Text(end="")
    shown = list(values)
    if len(shown) > width:
        shown = [shown[(at + 1) * len(shown) // width - 1] for at in range(width)]
    top = len(_LEVELS) - 1
    marks = "".join(_LEVELS[top - scale.step(value, len(_LEVELS))] for value in shown)
    return fit(line((marks, style)), width)
