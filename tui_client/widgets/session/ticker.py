"""One line under every session: what just happened, in words, fading when it is old.

Where there is room, it says besides what else is being played.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.spectated import Spectated
from tui_client.state import Link, State
from tui_client.text import clean
from tui_client.widgets.canvas import fit, line, spread
from tui_client.widgets.lobby.live import against
from tui_client.widgets.pane import Pane
from tui_client.words import Note, space_title

FRESH_MS = 6_000
MATCH_WIDTH = 30
"""Cells for the names of another match of many seats."""
ELSEWHERE_MS = 6_000
"""How long one of the other matches is named before the next one is."""


def paint_ticker(state: State, width: int) -> Text:
    told = _told(state, width)
    for other in _elsewhere(state):
        if told.cell_len + 3 + other.cell_len <= width:
            return spread(told, other, width)
    return told


def _elsewhere(state: State) -> Sequence[Text]:
    """Another live match, first with what happens in it; each in turn, by the clock."""
    spectated = state.spectated
    live = state.lobby.live if state.lobby and spectated else []
    others = [card for card in live if spectated and card.session != spectated.session]
    if not others:
        return ()
    card = others[state.now_ms // ELSEWHERE_MS % len(others)]
    match = line(
        ("also live: ", theme.FAINT),
        (f"{space_title(card.space)} ", theme.DIM),
        against(card, MATCH_WIDTH),
    )
    now = clean(card.headline.split(",")[0].split(":")[0], 40)
    return line(match, (f", {now} ", theme.DIM)), line(match, " ")


def _told(state: State, width: int) -> Text:
    """What happened last, at most `width` cells."""
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
    dot = _dot(spectated, last) if fresh else theme.FAINT
    words = theme.ALARM if last.alarm and fresh else theme.PLAIN if fresh else theme.DIM
    said = line((" ● ", dot), (last.text, words))
    return said if said.cell_len <= width else fit(said, width)


def _dot(spectated: Spectated, last: Note) -> Style:
    if last.seat is None:
        return theme.FAINT
    two = spectated.view is None or len(spectated.view.seats) == 2
    return theme.seat_style(last.seat) if two else theme.BRIGHT


class TickerPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return [paint_ticker(state, width)]
