"""The money: what each seat has left as a bar and a number, and whether its bid is in."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from server.protocol import SeatCard
from tui_client import theme
from tui_client.observed import BidTacToe, bid_tac_toe, open_decision
from tui_client.state import State
from tui_client.widgets.board.regret import mean, regret
from tui_client.widgets.canvas import bar, frame, line, spread
from tui_client.widgets.pane import Pane
from tui_client.words import MARKS, clock, name_of

SEALED = "▮"


def doing(state: State, board: BidTacToe, seat: int) -> Text:
    """What a seat is at now: sealed, bidding or marking with its clock; at last what it gave away."""
    view = state.spectated.view if state.spectated else None
    decision = open_decision(view, seat)
    if view is None:
        return Text()
    if board.phase == "over" or view.status != "live":
        return mean(regret(view), seat)
    if board.bids_in[seat] and board.phase == "bid":
        return line((f"sealed {SEALED}", theme.BRIGHT))
    if decision is None or decision.done:
        return Text()
    left = decision.deadline_ms - state.arena_ms
    hurry = theme.ALARM if left < 5_000 else theme.DIM
    verb = "bids" if decision.kind == "bid" else "marks"
    again = " (last try)" if decision.attempt > 1 else ""
    return line((f"{verb}{again} … ", theme.DIM), (clock(left), hurry))


def _seat_rows(state: State, board: BidTacToe, card: SeatCard, width: int) -> list[Text]:
    seat = card.seat
    chip = (" +tie chip", theme.MONEY) if board.advantage == seat else ("", theme.DIM)
    name = line((f"{MARKS[seat]} ", theme.seat_style(seat)), (name_of(card), theme.BRIGHT), chip)
    number = line((f" {board.chips[seat]:>4}", theme.MONEY))
    full = max(board.start_chips, *board.chips)
    track = bar(board.chips[seat], full, max(4, width - number.cell_len), theme.seat_style(seat))
    return [spread(name, doing(state, board, seat), width), line(track, number)]


def paint_money(state: State, width: int, height: int) -> list[Text]:
    """Two rows a seat, in a frame."""
    view = state.spectated.view if state.spectated else None
    board = bid_tac_toe(view)
    if board is None or view is None:
        return []
    rows: list[Text] = []
    for card in view.seats[:2]:
        rows += _seat_rows(state, board, card, width - 4)
        if height > 6 and card.seat == 0:
            rows.append(Text())
    return frame(line(("MONEY", theme.TITLE)), rows, width, min(height, 7))


class MoneyPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_money(state, width, height)
