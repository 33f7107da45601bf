"""Bid Tac Toe on screen: the grid, and beside it the money, the auction on the table and the log."""

from __future__ import annotations

from rich.text import Text
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from server.protocol import SessionView
from tui_client import theme
from tui_client.observed import BID_TAC_TOE, bid_tac_toe
from tui_client.space_view import SpaceView
from tui_client.text import clean
from tui_client.widgets.board.auction import AuctionPane
from tui_client.widgets.board.grid import GridPane
from tui_client.widgets.board.log import LogPane
from tui_client.widgets.board.money import MoneyPane
from tui_client.widgets.canvas import line


def _progress(view: SessionView) -> str:
    board = bid_tac_toe(view)
    assert board is not None, "readable"
    if board.phase == "over":
        return "1 mark made" if board.ply == 1 else f"{board.ply} marks made"
    return f"mark {min(board.ply + 1, 9)}/9"


def _subject(view: SessionView) -> Text:
    board = bid_tac_toe(view)
    assert board is not None, "readable"
    rules = f"{clean(board.payment, 24)} · ties by {clean(board.ties, 24)}"
    return line((f" {rules} · {board.start_chips} each", theme.DIM))


def _panes() -> Widget:
    table = Vertical(MoneyPane(), AuctionPane(), LogPane(), id="table")
    return Horizontal(GridPane(), table, id=BID_TAC_TOE, classes="view")


VIEW = SpaceView(
    BID_TAC_TOE, lambda view: bid_tac_toe(view) is not None, _progress, _subject, _panes
)
