"""The log of a Bid Tac Toe, newest first, in words."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.observed import BidLog, bid_tac_toe
from tui_client.state import State
from tui_client.widgets.board.regret import beside, forfeited, missing, ply_of, regret
from tui_client.widgets.canvas import Part, frame, line, spread
from tui_client.widgets.pane import Pane
from tui_client.words import MARKS, cell_name

WIDE = 60
"""Inner cells from which on a row has room for the names of the seats beside their regret."""


def _row(past: BidLog) -> Text:
    parts: list[Part] = [(f"{past.ply + 1:>2}. ", theme.FAINT), ("bids ", theme.DIM)]
    for seat, bid in enumerate(past.bids):
        weight = Style(bold=past.winner == seat)
        parts.append(("-" if bid is None else str(bid), theme.seat_style(seat) + weight))
        if seat == 0:
            parts.append((" : ", theme.FAINT))
    parts.append((" → ", theme.FAINT))
    if past.winner is None:
        return line(*parts, ("a tie, bid again", theme.DIM))
    if past.tie:
        parts.append((f"{past.tie}, ", theme.DIM))
    takes = f" takes {cell_name(past.cell)}" if past.cell is not None else " to mark"
    return line(*parts, (MARKS[past.winner], theme.seat_style(past.winner)), (takes, theme.PLAIN))


def _forfeit_row(ply: int, seats: Sequence[int]) -> Text:
    parts: list[Part] = [(f"{ply + 1:>2}. ", theme.FAINT)]
    for at, seat in enumerate(dict.fromkeys(seats)):
        parts += [(" and ", theme.DIM)] if at else []
        parts.append((MARKS[seat], theme.seat_style(seat)))
    return line(*parts, (" forfeited", theme.PLAIN))


def paint_log(state: State, width: int, height: int) -> list[Text]:
    """Newest first; beside each row what it gave away, once the arena has told."""
    view = state.spectated.view if state.spectated else None
    board = bid_tac_toe(view)
    if board is None or view is None:
        return []
    told, inner = regret(view), width - 4
    wide = inner >= WIDE
    rows = []
    for at, past in enumerate(board.log):
        one, row = ply_of(told, at, past.ply), _row(past)
        rows.append(row if one is None else spread(row, beside(one, past.winner, wide=wide), inner))
    if (gone := forfeited(told, len(board.log))) is not None:
        row = _forfeit_row(gone.ply, gone.forfeit)
        rows.append(spread(row, beside(gone, gone.forfeit[0], wide=wide), inner))
    rows.reverse()
    if not rows:
        rows = [line(("the first bids are being made", theme.FAINT))]
    if (why := missing(told)) is not None:
        rows.insert(0, why)
    back = min(state.scroll, max(0, len(rows) - (height - 2)))
    named = told is not None and told.plies and not wide
    note = line(("regret  X    O", theme.DIM)) if named else None
    return frame(line(("LOG", theme.TITLE)), rows[back:], width, height, note)


class LogPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_log(state, width, height)
