"""The leaderboard of one Space: rating with its interval, and who moved."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import BoardRow
from tui_client import theme
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import frame, line, spread
from tui_client.widgets.pane import Pane
from tui_client.words import NAME_LIMIT, points, space_title


def _moved(row: BoardRow) -> tuple[str, Style]:
    if row.moved > 0:
        return f" ▲{min(row.moved, 99)}", theme.BRIGHT
    if row.moved < 0:
        return f" ▼{min(-row.moved, 99)}", theme.DIM
    return "   ", theme.FAINT


def _row(row: BoardRow, width: int) -> Text:
    rank = " ?" if row.provisional else f"{row.rank:>2}"
    style = theme.DIM if row.provisional else theme.PLAIN
    name = clean(row.name, NAME_LIMIT)
    left = line((f"{rank} ", theme.DIM), (name, theme.BRIGHT if row.rank == 1 else style))
    right = line(
        (f" {points(row.mu_milli)}", style),
        (f" ±{points(row.sigma_milli)}", theme.FAINT),
        _moved(row),
    )
    return spread(left, right, width)


def paint_standings(state: State, width: int, height: int) -> list[Text]:
    """One Space's; the edge says which of how many, since tab turns to the next."""
    rows = [_row(row, width - 4) for row in (state.board.rows if state.board else [])]
    if not rows:
        rows = [line(("nobody is rated yet", theme.FAINT))]
    title = line(("BOARD ", theme.TITLE), (space_title(state.board_space), theme.DIM))
    spaces = state.spaces()
    at = spaces.index(state.board_space) + 1 if state.board_space in spaces else 1
    return frame(title, rows, width, height, line((f"{at}/{len(spaces)}", theme.FAINT)))


class StandingsPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_standings(state, width, height)
