"""Logic on screen: the puzzle at the left; at the right the seats, and the answers of the last round,
which stay while the next puzzle is solved."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget

from server.protocol import SessionView
from tui_client import theme
from tui_client.space_view import SpaceView
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import abreast, line
from tui_client.widgets.logic.observed import LOGIC, logic
from tui_client.widgets.logic.puzzle import paint_puzzle
from tui_client.widgets.logic.rounds import paint_rounds
from tui_client.widgets.logic.seats import paint_seats
from tui_client.widgets.pane import Pane

FRESH_MS = 6_000
"""How long the answers that were just turned over are lit."""


def paint_logic(state: State, width: int, height: int) -> list[Text]:
    spectated = state.spectated
    seen = logic(spectated.view if spectated else None)
    if spectated is None or spectated.view is None or seen is None:
        return []
    left = width // 2
    right = width - left
    puzzle = paint_puzzle(seen, state.scroll, left, height)
    seats = paint_seats(spectated, seen, right, state.now_ms)
    cards = spectated.view.seats
    fresh = bool(spectated.revealed_ms) and state.now_ms - spectated.revealed_ms < FRESH_MS
    room = max(0, height - len(seats))
    rounds = paint_rounds(seen.log, cards, right, room, back=state.scroll, fresh=fresh)
    return abreast(puzzle, [*seats, *rounds])[:height]


def _progress(view: SessionView) -> str:
    seen = logic(view)
    assert seen is not None, "readable"
    if seen.puzzle is None:
        return f"{len(seen.log)} puzzles"
    return f"puzzle {min(seen.round, seen.rounds)}/{seen.rounds}"


def _subject(view: SessionView) -> Text:
    seen = logic(view)
    assert seen is not None, "readable"
    return line(
        (f" {clean(seen.level, 24)} puzzles", theme.PLAIN),
        (", the same for all; time breaks ties", theme.DIM),
    )


class LogicPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_logic(state, width, height)


def _panes() -> Widget:
    return Vertical(LogicPane(), id=LOGIC, classes="view")


VIEW = SpaceView(LOGIC, lambda view: logic(view) is not None, _progress, _subject, _panes)
