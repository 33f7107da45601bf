"""Numbers over an agent's sessions as curves: rating with its interval, return, score. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.owner.careers import Series
from tui_client.widgets.canvas import fit, frame, line
from tui_client.widgets.chart.axis import Marked, beside, labels, width_of
from tui_client.widgets.chart.plot import Plot
from tui_client.widgets.chart.scale import over

SMOOTH = 10
"""Sessions of a running mean: one score says little."""
BAND = 2
"""Sigmas on each side of a rating."""


class Curve(NamedTuple):
    values: tuple[float, ...]
    style: Style


def curves(series: Series | None, metric: str, style: Style = theme.SEATS[0]) -> list[Curve]:
    """What there is to draw of a metric, the faint ones first; values in the metric's own unit."""
    points = series.points if series is not None else ()
    match metric:
        case "rating":
            rated = [
                (each.mu_milli / 1_000, (each.sigma_milli or 0) / 1_000)
                for each in points
                if each.mu_milli is not None
            ]
            band = [
                Curve(tuple(mu + side * BAND * sigma for mu, sigma in rated), theme.FAINT)
                for side in (-1, 1)
            ]
            return [*band, Curve(tuple(mu for mu, _ in rated), style)] if rated else []
        case "return":
            told = tuple(each.roi_milli / 10 for each in points if each.roi_milli is not None)
            return [Curve(told, style)] if told else []
        case _:
            told = tuple(
                each.score_milli / 1_000 for each in points if each.score_milli is not None
            )
            return [Curve(told, theme.FAINT), Curve(_mean(told), style)] if told else []


def _mean(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(
        sum(values[max(0, at - SMOOTH + 1) : at + 1]) / min(SMOOTH, at + 1)
        for at in range(len(values))
    )


TITLES = {"rating": "RATING", "return": "RETURN %", "score": "SCORE"}
NOTES = {
    "rating": f"±{BAND} sigma",
    "return": "of what was paid",
    "score": f"mean of {SMOOTH}",
}
EMPTY = {
    "rating": "no rating yet",
    "return": "nothing paid yet",
    "score": "no score yet",
}


def paint_plot(
    metric: str,
    drawn: Sequence[Curve],
    width: int,
    height: int,
    *,
    waiting: bool = False,
    noted: bool = True,
) -> list[Text]:
    """The curves on one scale in a frame, the last values of those that are not faint on the axis."""
    title = line((TITLES[metric], theme.TITLE))
    rows = height - 2
    shown = [curve for curve in drawn if curve.values]
    if not shown or rows < 1 or width < 16:
        words = "…" if waiting else EMPTY[metric]
        return frame(title, [line((words, theme.FAINT))], width, height)
    scale = over([value for curve in shown for value in curve.values], rows)
    marked = [
        Marked(curve.values[-1], "▸", curve.style) for curve in shown if curve.style != theme.FAINT
    ]
    found = labels(scale, list(reversed(marked)))
    side = width_of(found)
    inner = max(1, width - 4 - side - 1)
    plot = Plot(inner, rows)
    longest = max(len(curve.values) for curve in shown)
    for curve in shown:
        values = curve.values if len(curve.values) > 1 else curve.values * 2
        across = inner * len(curve.values) // longest  # a session has the same width in each
        plot.curve(max(2, across), values, scale, curve.style)
    if metric == "return" and scale.low < 0 < scale.high:
        plot.rule(0, inner, scale.row(0), "╌", theme.FRAME)
    note = line((NOTES[metric], theme.FAINT)) if noted else None
    return frame(title, beside(plot.lines(), found, side), width, height, note)


def side_by_side(blocks: Sequence[Sequence[Text]]) -> list[Text]:
    """Frames of one height beside each other."""
    return [line(*rows) for rows in zip(*blocks, strict=True)] if blocks else [fit(Text(), 0)]
