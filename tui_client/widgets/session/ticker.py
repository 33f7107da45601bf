"""One line under every session: what just happened, in words, fading when it is old."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.state import Link, State
from tui_client.text import clean
from tui_client.widgets.canvas import fit, line
from tui_client.widgets.pane import Pane

FRESH_MS = 6_000


def paint_ticker(state: State, width: int) -> Text:
    spectated = state.spectated
    if spectated is None:
        return Text()
    if spectated.trouble:
        return fit(line((f" {clean(spectated.trouble, 160)}", theme.ALARM)), width)
    if spectated.place.lost and state.link is Link.LIVE:
        return line((" catching up…", theme.DIM))
    if not spectated.notes:
        return line((" joining…", theme.DIM)) if spectated.view is None else Text()
    last = spectated.notes[-1]
    fresh = state.now_ms - spectated.noted_ms < FRESH_MS
    dot = theme.seat_style(last.seat) if last.seat is not None and fresh else theme.FAINT
    words = theme.ALARM if last.alarm and fresh else theme.PLAIN if fresh else theme.DIM
    return fit(line((" ● ", dot), (last.text, words)), width)


class TickerPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return [paint_ticker(state, width)]
