"""The candles: up is a thin bar, down a solid one; the rounds under them, the entry across them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import centre, frame, line
from tui_client.widgets.chart.axis import Marked, beside, labels, width_of
from tui_client.widgets.chart.plot import LINE, SOLID, Column, Plot
from tui_client.widgets.chart.scale import LABEL_CHARS, Scale, over
from tui_client.widgets.pane import Pane
from tui_client.widgets.trade_wars.figures import SIGNS, per_cent
from tui_client.widgets.trade_wars.observed import Prices, TradeWars, trade_wars

ROUND_ROWS = 1
"""Under the plot: which round it was, and how many went which way."""
_WAITING = {
    "history": "waiting for prices …",
    "unmask": "all is traded; asking what it was …",
}


class Slot(NamedTuple):
    """A column of the chart: a candle, or the place of one to come."""

    prices: Prices | None
    round: int
    """0: the history."""
    begins: bool = False
    """It stands behind a boundary, which has a column of its own."""


def slots(seen: TradeWars) -> list[Slot]:
    """The history, then every round with a boundary before it, as wide as it will be."""
    found = [Slot(prices, 0) for prices in seen.history]
    played = list(seen.candles)
    for number in range(1, seen.rounds + 1):
        first = (number - 1) * seen.candles_per_round
        found.append(Slot(None, number, begins=True))
        found += [
            Slot(played[at] if at < len(played) else None, number)
            for at in range(first, first + seen.candles_per_round)
        ]
    return found


def window(every: Sequence[Slot], round_: int, room: int, back: int) -> Sequence[Slot]:
    """At most `room` columns: the round that is played in sight, `back` columns earlier."""
    if len(every) <= room:
        return every
    end = max((at + 1 for at, slot in enumerate(every) if slot.round <= round_), default=0)
    end = max(room, min(len(every), end) - back)
    return every[end - room : end]


def _scale(shown: Sequence[Slot], entry: float | None, rows: int) -> Scale:
    ends = [float(price) for slot in shown if slot.prices for price in slot.prices[1:3]]
    return over([*ends, *([entry] if entry is not None else [])], rows)


def _draw_candle(plot: Plot, x: int, slot: Slot, scale: Scale, newest: bool) -> None:
    assert slot.prices is not None
    opened, high, low, close = map(float, slot.prices)
    up = close >= opened
    style = theme.PLAIN if up else theme.DIM
    if slot.round == 0:
        style = theme.FAINT
    elif newest:
        style = theme.BRIGHT + Style(bold=True)
    column = Column(low, min(opened, close), max(opened, close), high)
    plot.column(x, column, scale, style, LINE if up else SOLID)


def _counts(seen: TradeWars, number: int, width: int) -> str:
    """`2 ▲3 ▼1`: a round and how many were long and short."""
    past = next((past for past in seen.log if past.round == number), None)
    told = str(number)
    if past is not None:
        for side in ("LONG", "SHORT"):
            count = sum(order is not None and order.side == side for order in past.orders)
            told += f" {SIGNS[side]}{count}" if count else ""
    return told if len(told) <= width else told[:width]


def _drawn(seen: TradeWars, shown: Sequence[Slot], scale: Scale, width: int) -> Plot:
    plot = Plot(width, scale.rows + ROUND_ROWS)
    apart = 2 if len(shown) * 2 <= width else 1
    last = max((at for at, slot in enumerate(shown) if slot.prices), default=-1)
    for at, slot in enumerate(shown):
        x = at * apart
        if slot.prices is not None:
            _draw_candle(plot, x, slot, scale, newest=at == last and slot.round > 0)
        if slot.begins and slot.round <= seen.round:
            for y in range(scale.rows + ROUND_ROWS):
                plot.put(x, y, "┊", theme.FRAME)
            told = _counts(seen, slot.round, seen.candles_per_round * apart)
            current = slot.round == seen.round and seen.series is None
            plot.write(x + 1, scale.rows, told, theme.PLAIN if current else theme.DIM)
    if shown and shown[0].round == 0:
        plot.write(0, scale.rows, "before", theme.FAINT)
    entry = _entry(seen)
    if entry is not None:
        here = [at * apart for at, slot in enumerate(shown) if slot.round == seen.round]
        if here:
            plot.rule(here[0], here[-1] + 1, scale.row(entry), "┈", theme.DIM)
    return plot


def _entry(seen: TradeWars) -> float | None:
    """Where the positions of the running round opened."""
    return float(seen.entry) if seen.entry is not None and seen.positions else None


def _last(seen: TradeWars) -> float | None:
    candles = seen.candles or seen.history
    return float(candles[-1][3]) if candles else None


def _title(seen: TradeWars) -> Text:
    if seen.series is not None:
        name, first, last = (
            clean(words, most)
            for words, most in (
                (seen.series.name, 40),
                (seen.series.first, 24),
                (seen.series.last, 24),
            )
        )
        return line(
            ("IT WAS  ", theme.DIM), (name, theme.TITLE), (f"  {first} to {last}", theme.PLAIN)
        )
    if not seen.history:
        return line(("PRICES", theme.TITLE))
    where = f"ROUND {seen.round}"
    if seen.positions:
        return line(
            (where, theme.TITLE), (f"  candle {seen.candle}/{seen.candles_per_round}", theme.PLAIN)
        )
    told = _WAITING.get(seen.phase, "orders are sealed until all are in")
    return line((where, theme.TITLE), (f"  {told}", theme.DIM))


def _note(seen: TradeWars) -> Text | None:
    last, entry = _last(seen), _entry(seen)
    if seen.series is not None:
        return line((clean(seen.series.source, 48), theme.DIM))
    if last is None or entry is None:
        return None
    return line(("┈ entry  now ", theme.DIM), (per_cent(last, entry), theme.BRIGHT))


def paint_candles(state: State, width: int, height: int) -> list[Text]:
    """In a frame; scrolled back where not all candles have room."""
    seen = trade_wars(state.spectated.view if state.spectated else None)
    if seen is None:
        return []
    rows, inner = max(1, height - 2 - ROUND_ROWS), max(1, width - 4)
    last = _last(seen)
    if last is None:
        blank = [Text()] * ((rows - 1) // 2)
        waiting = centre(line((_WAITING["history"], theme.DIM)), inner)
        return frame(_title(seen), [*blank, waiting], width, height)
    room = max(1, inner - LABEL_CHARS - 3)
    shown = window(slots(seen), seen.round, room, state.scroll)
    entry = _entry(seen)
    scale = _scale(shown, entry, rows)
    marked = [Marked(last, "▸", theme.BRIGHT)]
    if entry is not None:
        marked.append(Marked(entry, "┈", theme.PLAIN))
    found = labels(scale, marked)
    beside_width = width_of(found)
    plot = _drawn(seen, shown, scale, max(1, inner - beside_width - 1))
    return frame(
        _title(seen), beside(plot.lines(), found, beside_width), width, height, _note(seen)
    )


class CandlesPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_candles(state, width, height)
