"""The auction: bids come in face down, are turned over together, and at last the result stands here."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import SessionView
from tui_client import theme
from tui_client.observed import BidLog, BidTacToe, bid_tac_toe, winner
from tui_client.state import State
from tui_client.widgets.board.money import SEALED
from tui_client.widgets.canvas import centre, frame, line
from tui_client.widgets.pane import Pane
from tui_client.words import MARKS, names, termination, void_reason

REVEAL_MS = 2_500
"""How long turned bids stay in sight although the next auction has begun."""

_PAYS = {
    "all-pay": "both pay their bid",
    "richman": "the winner pays the other",
    "poorman": "the winner pays the bank",
}


def _numbers(bids: tuple[int | None, int | None], won: int | None) -> Text:
    def shown(seat: int) -> tuple[str, Style]:
        bid = bids[seat]
        weight = Style(bold=True, underline=won == seat)
        text = "-" if bid is None else str(bid)
        return text, theme.seat_style(seat) + weight

    return line(
        ("X  ", theme.DIM), shown(0), ("   :   ", theme.FAINT), shown(1), ("  O", theme.DIM)
    )


def told(past: BidLog, who: dict[int, str]) -> str:
    """Who won a turned auction, in words."""
    if past.winner is None:
        return "a tie: both bid again"
    name = who.get(past.winner, MARKS[past.winner])
    if past.tie == "coin":
        return f"a tie: the coin gives it to {name}"
    if past.tie == "chip":
        return f"a tie: the chip gives it to {name}"
    return f"{name} wins the mark"


def _sealed(board: BidTacToe) -> Text:
    shown = [SEALED * 3 if is_in else "· · ·" for is_in in board.bids_in]
    styles = [theme.seat_style(s) if board.bids_in[s] else theme.FAINT for s in (0, 1)]
    return line(
        ("X  ", theme.DIM),
        (shown[0], styles[0]),
        ("   :   ", theme.FAINT),
        (shown[1], styles[1]),
        ("  O", theme.DIM),
    )


def _result(view: SessionView, board: BidTacToe) -> list[Text]:
    outcome = view.outcome or {}
    if view.status == "void":
        return [line(("VOID", theme.ALARM)), line((void_reason(view), theme.DIM))]
    won = winner(view)
    why = termination(str(outcome.get("termination", "")))
    money = line((f"{board.chips[0]} : {board.chips[1]}", theme.MONEY), (" left", theme.DIM))
    if won is None:
        return [line(("DRAW", theme.TITLE)), line((why, theme.PLAIN)), money]
    style = theme.seat_style(won) + Style(bold=True)
    name = names(view).get(won, MARKS[won]).upper()
    return [line((f"{MARKS[won]}  {name} WINS", style)), line((why, theme.PLAIN)), money]


def paint_auction(state: State, width: int, height: int) -> list[Text]:
    """Four rows in a frame: the present auction, the turned bids, or the result."""
    spectated = state.spectated
    view = spectated.view if spectated else None
    board = bid_tac_toe(view)
    if spectated is None or view is None or board is None:
        return []
    title = line((f"AUCTION {min(board.ply + 1, 9)}", theme.TITLE))
    fresh = state.now_ms - spectated.revealed_ms < REVEAL_MS
    if view.status != "live":
        title, rows = line(("RESULT", theme.TITLE)), _result(view, board)
    elif board.log and (board.phase == "mark" or fresh):
        past = board.log[-1]
        words = line((told(past, names(view)), theme.PLAIN))
        pays = line((_PAYS.get(board.payment, ""), theme.DIM))
        rows = [_numbers(past.bids, past.winner), words, pays]
        title = line((f"AUCTION {past.ply + 1}", theme.TITLE))
    else:
        waiting = "both are in" if all(board.bids_in) else "bids stay face down until both are in"
        rows = [_sealed(board), Text(), line((waiting, theme.DIM))]
    if height > 6:
        rows = [Text(), *rows]
    return frame(title, [centre(row, width - 4) for row in rows], width, height)


class AuctionPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_auction(state, width, height)
