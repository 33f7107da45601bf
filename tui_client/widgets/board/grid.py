# ruff: noqa: RUF001 - the marks are drawn with box characters
"""The grid: big marks drawn with box characters, the winning line lit, the newest mark warm."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.observed import BidTacToe, bid_tac_toe
from tui_client.state import State
from tui_client.widgets.canvas import Part, centre, line
from tui_client.widgets.pane import Pane
from tui_client.words import cell_name

BIG = (11, 5)
SMALL = (7, 3)
"""Columns and rows of a cell."""
EDGE = 3
"""Columns left of the grid for the rows' names."""

_GLYPHS: dict[tuple[int, int], dict[str, tuple[str, ...]]] = {
    BIG: {
        "X": ("  ╲     ╱  ", "   ╲   ╱   ", "     ╳     ", "   ╱   ╲   ", "  ╱     ╲  "),
        "O": ("  ╭─────╮  ", "  │     │  ", "  │     │  ", "  │     │  ", "  ╰─────╯  "),
    },
    SMALL: {
        "X": ("  ╲ ╱  ", "   ╳   ", "  ╱ ╲  "),
        "O": (" ╭───╮ ", " │   │ ", " ╰───╯ "),
    },
}
_SEAT_OF = {"X": 0, "O": 1}


def size_of(cell: tuple[int, int]) -> tuple[int, int]:
    """Columns and rows of a grid with its labels."""
    return EDGE + 3 * cell[0] + 4, 3 * cell[1] + 5


def cell_size(width: int, height: int) -> tuple[int, int]:
    """The largest cell whose grid fits."""
    columns, rows = size_of(BIG)
    return BIG if width >= columns and height >= rows else SMALL


def _ground(board: BidTacToe, cell: int) -> Style:
    """What lies behind a cell: light under the winning line and under the newest mark."""
    seat = _SEAT_OF.get(board.board[cell])
    if seat is None:
        return Style()
    newest = next((past.cell for past in reversed(board.log) if past.cell is not None), None)
    lit = cell in board.line if board.line else cell == newest
    return theme.WIN_GROUNDS[seat] if lit else Style()


def _cell_row(board: BidTacToe, cell: int, row: int, size: tuple[int, int]) -> Part:
    mark = board.board[cell]
    glyph = _GLYPHS[size].get(mark)
    if glyph is None:
        name = cell_name(cell) if row == size[1] // 2 and board.phase == "mark" else ""
        return (name.center(size[0]), theme.FAINT)
    seat = _SEAT_OF[mark]
    faded = board.phase == "over" and board.line is not None and cell not in board.line
    style = theme.SEATS_DIM[seat] if faded else theme.SEATS[seat] + Style(bold=True)
    return (glyph[row], style + _ground(board, cell))


def paint_grid(state: State, width: int, height: int) -> list[Text]:
    """The board in the middle of its place; nothing while there is none."""
    board = bid_tac_toe(state.spectated.view if state.spectated else None)
    if board is None:
        return []
    size = cell_size(width, height)
    rule = "─" * size[0]
    rows: list[Text] = [line((f"{'┌'}{rule}┬{rule}┬{rule}┐", theme.FAINT))]
    rows[0] = line(" " * EDGE, rows[0])
    for top in range(3):
        if top:
            rows.append(line(" " * EDGE, (f"├{rule}┼{rule}┼{rule}┤", theme.FAINT)))
        for inside in range(size[1]):
            label = f" {top + 1} " if inside == size[1] // 2 else "   "
            parts: list[Part] = [(label, theme.FAINT), ("│", theme.FAINT)]
            for left in range(3):
                parts += [_cell_row(board, top * 3 + left, inside, size), ("│", theme.FAINT)]
            rows.append(line(*parts))
    rows.append(line(" " * EDGE, (f"└{rule}┴{rule}┴{rule}┘", theme.FAINT)))
    names = "".join(f" {name:^{size[0]}}" for name in "abc")
    rows.append(line(" " * EDGE, (names + " ", theme.FAINT)))
    blank = max(0, (height - len(rows)) // 2)
    return [Text()] * min(blank, 3) + [centre(row, width) for row in rows]


class GridPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_grid(state, width, height)
