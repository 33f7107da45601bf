"""Trade Wars on screen: the candles, and the desk under them."""

from __future__ import annotations

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget

from server.protocol import SessionView
from tui_client import theme
from tui_client.space_view import SpaceView
from tui_client.widgets.canvas import line
from tui_client.widgets.trade_wars.candles import CandlesPane
from tui_client.widgets.trade_wars.desk import DeskPane
from tui_client.widgets.trade_wars.figures import money
from tui_client.widgets.trade_wars.observed import TRADE_WARS, trade_wars


def _progress(view: SessionView) -> str:
    seen = trade_wars(view)
    assert seen is not None, "readable"
    if seen.series is not None:
        return ""
    return f"round {min(seen.round, seen.rounds)}/{seen.rounds}"


def _subject(view: SessionView) -> Text:
    seen = trade_wars(view)
    assert seen is not None, "readable"
    rules = f"{money(seen.stake)} each · long or short, flat after every round"
    market = "a live market" if seen.feed == "live" else "series unnamed"
    told = f" {rules} · {market}" if seen.series is None else f" {rules}"
    return line((told, theme.DIM))


def _panes() -> Widget:
    return Vertical(CandlesPane(), DeskPane(), id=TRADE_WARS, classes="view")


VIEW = SpaceView(TRADE_WARS, lambda view: trade_wars(view) is not None, _progress, _subject, _panes)
