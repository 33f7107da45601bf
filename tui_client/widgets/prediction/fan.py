"""The fan: the series as a line of dots, and at its horizon a column for each seat's quantiles, or a bar
for its probability. What came out is drawn across."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.state import State
from tui_client.widgets.canvas import centre, fit, frame, line, spread
from tui_client.widgets.chart.axis import Marked, beside, labels, width_of
from tui_client.widgets.chart.plot import LINE, Column, Plot
from tui_client.widgets.chart.scale import Scale, over
from tui_client.widgets.deciding import SEALED
from tui_client.widgets.pane import Pane
from tui_client.widgets.places import ranks
from tui_client.widgets.prediction.caption import legend, source, title
from tui_client.widgets.prediction.observed import Asked, Forecast, Prediction, prediction
from tui_client.widgets.prediction.shown import inner_at, median_at, shown
from tui_client.words import seat_mark

FOOT_ROWS = 2
"""Under the plot: the seats' letters, and where the question comes from."""
COLUMN = (5, 8)
"""Cells of a seat's column, narrow and wide."""
BAR = (14, 24)
"""Cells of a probability's bar."""
WIDE = 100
REACH = 0.6
"""How far beyond the series' own height a forecast may stretch the scale."""


def _scale(seen: Prediction, one: Asked, rows: int) -> Scale:
    """The series, what came out and the threshold are in sight; far quantiles are clipped."""
    certain = [float(value) for value in one.history]
    certain += [float(one.threshold)] if one.threshold is not None else []
    certain += [float(one.resolution.value)] if one.resolution is not None else []
    base = over(certain, rows)
    if seen.kind != "quantiles":
        return base
    room = REACH * (base.high - base.low)
    told = [float(value) for given in one.forecasts or () if given for value in given]
    near = [max(base.low - room, min(base.high + room, value)) for value in told]
    return over([*certain, *near], rows)


def _seat_styles(one: Asked, seats: int) -> list[Style]:
    """The accents of the best two of this question, once it is scored."""
    ranking = ranks(one.scores_micros) if one.scores_micros is not None else [1] * seats
    return [theme.place_style(seat, ranking) for seat in range(seats)]


class _Fan:
    """One painting of a question."""

    def __init__(self, seen: Prediction, one: Asked, seats: int, width: int, rows: int) -> None:
        wide = width >= WIDE
        self.seen, self.one, self.seats, self.rows = seen, one, seats, rows
        self.apart = COLUMN[wide]
        self.bar = BAR[wide]
        fan = seats * self.apart if seen.kind == "quantiles" else self.bar + 8
        self.width = width
        self.now = max(2, width - fan - 2)
        """The column behind the last value shown."""
        self.scale = _scale(seen, one, rows)
        self.styles = _seat_styles(one, seats)
        self.plot = Plot(width, rows + 1)

    def draw(self) -> Plot:
        plot, one = self.plot, self.one
        values = [float(value) for value in one.history]
        plot.curve(self.now, values, self.scale, theme.PLAIN)
        for y in range(self.rows + 1):
            plot.put(self.now, y, "┊", theme.FRAME)
        self._foot()
        if self.seen.kind == "quantiles":
            self._columns()
        else:
            self._bars()
        return plot

    def _foot(self) -> None:
        count = len(self.one.history)
        self.plot.write(0, self.rows, f"{count} values", theme.FAINT)
        self.plot.write(max(0, self.now - 4), self.rows, "now", theme.FAINT)

    # ------------------------------------------------------------------ quantiles

    def _x(self, seat: int) -> int:
        return self.now + 1 + seat * self.apart + self.apart // 2

    def _columns(self) -> None:
        one = self.one
        for seat in range(self.seats):
            style = self.styles[seat]
            self.plot.put(self._x(seat), self.rows, seat_mark(seat), style + Style(bold=True))
            if one.forecasts is None:
                self._sealed(self._x(seat), self.rows // 2, one.forecasts_in[seat])
            elif (given := one.forecasts[seat]) is None:
                self.plot.put(self._x(seat), self.rows // 2, "-", theme.FAINT)
            else:
                self._interval(self._x(seat), given, style)
        if one.resolution is not None:
            row = self.scale.row(float(one.resolution.value))
            self.plot.rule(self.now + 1, self.width, row, "╌", theme.BRIGHT)

    def _sealed(self, x: int, y: int, is_in: bool) -> None:
        self.plot.put(x, y, SEALED if is_in else "·", theme.BRIGHT if is_in else theme.FAINT)

    def _interval(self, x: int, given: Forecast, style: Style) -> None:
        values = sorted(float(value) for value in given)
        low, high = inner_at(len(values))
        column = Column(values[0], values[low], values[high], values[-1])
        self.plot.column(x, column, self.scale, style, LINE)
        middle = values[min(median_at(self.seen), len(values) - 1)]
        row = self.scale.row(middle)
        if self.scale.low <= middle <= self.scale.high:
            self.plot.write(x - 1, row, "╺◆╸", style + Style(bold=True))
        for end, beyond, arrow in (
            (0, values[-1] > self.scale.high, "↑"),
            (self.rows - 1, values[0] < self.scale.low, "↓"),
        ):
            if beyond:
                self.plot.put(x, end, arrow, style)

    # ------------------------------------------------------------------ probabilities

    def _bars(self) -> None:
        one, x = self.one, self.now + 2
        apart = 2 if self.rows >= self.seats * 2 else 1
        top = max(0, (self.rows - self.seats * apart + apart - 1) // 2)
        for seat in range(self.seats):
            y, style = top + seat * apart, self.styles[seat]
            if y >= self.rows:
                return
            self.plot.put(x, y, seat_mark(seat), style + Style(bold=True))
            if one.forecasts is None:
                self._sealed(x + 2, y, one.forecasts_in[seat])
            elif (given := one.forecasts[seat]) is None:
                self.plot.put(x + 2, y, "-", theme.FAINT)
            else:
                self._bar(x + 2, y, float(given[0]), style)
        if one.threshold is not None:
            row = self.scale.row(float(one.threshold))
            self.plot.rule(0, self.now, row, "╌", theme.DIM)
        if one.resolution is not None:
            row = self.scale.row(float(one.resolution.value))
            self.plot.put(self.now, row, "◆", theme.BRIGHT)

    def _bar(self, x: int, y: int, share: float, style: Style) -> None:
        share = max(0.0, min(1.0, share))
        filled = round(share * self.bar)
        shade = theme.DIM if style == theme.PLAIN else style
        self.plot.write(x, y, "━" * filled, shade)
        self.plot.write(x + filled, y, "─" * (self.bar - filled), theme.FRAME)
        self.plot.write(x + self.bar + 1, y, f"{share:.0%}", theme.BRIGHT)


def _axis(seen: Prediction, one: Asked, scale: Scale) -> dict[int, Text]:
    marked = []
    if one.resolution is not None:
        marked.append(Marked(float(one.resolution.value), "◆", theme.BRIGHT + Style(bold=True)))
    if one.threshold is not None:
        marked.append(Marked(float(one.threshold), "╌", theme.PLAIN))
    if one.resolution is None:
        marked.append(Marked(float(one.history[-1]), "▸", theme.PLAIN))
    return labels(scale, marked)


def paint_fan(state: State, width: int, height: int) -> list[Text]:
    """The question that is on, or the one that has just come out, in a frame."""
    view = state.spectated.view if state.spectated else None
    seen = prediction(view)
    if view is None or seen is None:
        return []
    at = shown(state, seen)
    inner = max(1, width - 4)
    if at is None:
        blank = [Text()] * max(0, (height - 3) // 2)
        told = "asking for a question …" if view.status == "live" else "nothing was asked"
        asking = centre(line((told, theme.DIM)), inner)
        return frame(line(("QUESTION 1", theme.TITLE)), [*blank, asking], width, height)
    one, rows = seen.asked[at], max(1, height - 2 - FOOT_ROWS)
    found = _axis(seen, one, _scale(seen, one, rows))
    beside_width = width_of(found)
    fan = _Fan(seen, one, len(view.seats), max(1, inner - beside_width - 1), rows)
    drawn = beside(fan.draw().lines(), found, beside_width)
    left, key = source(seen, one)
    foot = spread(left, key, inner) if left.cell_len + key.cell_len < inner else fit(left, inner)
    return frame(title(seen, one, at), [*drawn, foot], width, height, legend(state, view, one))


class FanPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_fan(state, width, height)
