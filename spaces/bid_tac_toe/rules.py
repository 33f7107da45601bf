"""What follows from a bid, a mark and a forfeit, and when a session is over.

After every mark the checks come in this order: line, full board, bankruptcy. So an all-in bid whose
mark makes a line wins although its seat is broke.
"""

from __future__ import annotations

import msgspec

from spaces.bid_tac_toe.state import MARKS, Pair, Round, State, line_of
from spaces.bid_tac_toe.variants import MAX_REBIDS, Params, Payment
from spaces.seed import Streams
from spaces.space import IllegalAction, Outcome

WIN: dict[int | None, Pair] = {0: (1, -1), 1: (-1, 1), None: (0, 0)}
"""Returns by winning seat; None is a draw."""


def initial(params: Params, streams: Streams) -> State:
    holder = streams.coin("advantage") if params.ties == "advantage-chip" else None
    return State(params=params, board="." * 9, chips=(params.chips, params.chips), advantage=holder)


def place_bid(state: State, seat: int, bid: int, streams: Streams) -> State:
    """Seal a bid; the second one reveals both. Raises IllegalAction."""
    if state.bid_winner is not None or state.bids[seat] is not None:
        raise IllegalAction(f"seat {seat} has no bid to place now")
    if not 0 <= bid <= state.chips[seat]:
        raise IllegalAction(f"a bid is 0 to {state.chips[seat]}, your chips, got {bid}")
    first, second = (bid if i == seat else state.bids[i] for i in (0, 1))
    if first is None or second is None:
        return msgspec.structs.replace(state, bids=(first, second))
    return _reveal(state, (first, second), streams)


def _reveal(state: State, bids: Pair, streams: Streams) -> State:
    """Both bids are in: find the winner, let the chips move."""
    winner, tie = _bid_winner(state, bids, streams)
    return msgspec.structs.replace(
        state,
        bids=(None, None),
        chips=state.chips
        if winner is None
        else paid(state.params.payment, state.chips, bids, winner),
        advantage=1 - state.advantage
        if tie == "chip" and state.advantage is not None
        else state.advantage,
        log=(*state.log, Round(ply=state.ply, bids=bids, winner=winner, tie=tie)),
    )


def _bid_winner(state: State, bids: Pair, streams: Streams) -> tuple[int | None, str | None]:
    """The winning seat (None: bid again) and how a tie was broken."""
    if bids[0] != bids[1]:
        return (0 if bids[0] > bids[1] else 1), None
    if state.params.ties == "advantage-chip":
        return state.advantage, "chip"
    if state.params.ties == "rebid" and state.rebids < MAX_REBIDS:
        return None, "rebid"
    return streams.coin(f"coin:{state.ply}"), "coin"


def paid(payment: Payment, chips: Pair, bids: Pair, winner: int) -> Pair:
    """The chips after a bid that `winner` won."""
    x, o = chips
    match payment:
        case "all-pay":
            return x - bids[0], o - bids[1]
        case "richman":
            price = bids[winner]
            return (x - price, o + price) if winner == 0 else (x + price, o - price)
        case "poorman":
            return (x - bids[0], o) if winner == 0 else (x, o - bids[1])


def place_mark(state: State, seat: int, cell: int) -> State:
    """Mark a cell for the winner of the bid. Raises IllegalAction."""
    if state.bid_winner != seat:
        raise IllegalAction(f"seat {seat} has no mark to place now")
    if cell not in state.free_cells:
        free = ", ".join(map(str, state.free_cells))
        raise IllegalAction(f"cell {cell} cannot be marked; free cells: {free}")
    board = state.board[:cell] + MARKS[seat] + state.board[cell + 1 :]
    marked = msgspec.structs.replace(state.log[-1], cell=cell)
    return msgspec.structs.replace(state, board=board, log=(*state.log[:-1], marked))


def forfeit(state: State, seat: int) -> State:
    """`seat` failed its open decision. It loses the session.

    When both bids of one turn are forfeited neither seat is to blame more than the other, whatever
    the order in which the host says so: that is a draw. Raises ValueError when the seat owed nothing.
    """
    if not owes(state, seat):
        raise ValueError(f"seat {seat} owes no decision")
    x, o = (gone or i == seat for i, gone in enumerate(state.forfeited))
    return msgspec.structs.replace(state, forfeited=(x, o))


def owes(state: State, seat: int) -> bool:
    """Whether the seat's decision of this turn is open; another seat's forfeit does not close it."""
    if played_out(state) is not None or state.forfeited[seat]:
        return False
    if state.bid_winner is not None:
        return state.bid_winner == seat
    return state.bids[seat] is None


def outcome(state: State) -> Outcome | None:
    match state.forfeited:
        case (True, True):
            return Outcome("forfeit", WIN[None])
        case (True, False):
            return Outcome("forfeit", WIN[1])
        case (False, True):
            return Outcome("forfeit", WIN[0])
    return played_out(state)


def played_out(state: State) -> Outcome | None:
    """The end by play: line, full board, bankruptcy, in this order."""
    if state.bid_winner is not None:
        return None  # a mark is owed: an all-in winner is not broke before it has marked
    line = line_of(state.board)
    if line is not None:
        return Outcome("line", WIN[MARKS.index(state.board[line[0]])])
    x, o = state.chips
    if not state.free_cells:
        by_money = state.params.decided_by == "money"
        return Outcome("board-full", WIN[_richer(x, o) if by_money else None])
    if state.params.bankrupts and 0 in (x, o):
        return Outcome("bankruptcy", WIN[_richer(x, o)])
    return None


def _richer(x: int, o: int) -> int | None:
    if x == o:
        return None
    return 0 if x > o else 1
