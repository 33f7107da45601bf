"""A game of Bid Tac Toe in five auctions."""

from __future__ import annotations

from typing import Any

import msgspec

from server.protocol import (
    Event,
    ServerMessage,
    SessionView,
    Snapshot,
    Step,
    Update,
    Watching,
)
from tui_client.recording.cast import (
    BOARD,
    EPOCH,
    GREEDY,
    SOLVER,
    START_MS,
    decision,
    session_update,
)

AUCTIONS: tuple[tuple[tuple[int, int], int, str | None, int], ...] = (
    ((17, 17), 0, "coin", 4),
    ((11, 19), 1, None, 0),
    ((22, 9), 0, None, 2),
    ((14, 24), 1, None, 6),
    ((8, 12), 1, None, 3),
)
"""Bids, winner, tie, cell. Five auctions: O holds the left column."""

REGRET: dict[str, Any] = {
    "kind": "regret",
    "table": "all-pay-coin-money-100@1db303573bae64d5",
    "plies": [
        {"ply": ply, "bid_regret_milli": [0, 0], "mark_regret_milli": marked, "value_milli": value}
        for ply, (marked, value) in enumerate(((0, 0), (0, 608), (168, 440), (0, 573), (0, -395)))
    ],
    "mean_regret_milli": [34, 0],
}
"""What the solver says of this game."""


def board_view(auctions: int, bids_in: tuple[bool, bool] = (False, False)) -> SessionView:
    """The game after so many auctions, with the bids of the next that are in."""
    board, chips = [*"........."], [100, 100]
    log = []
    for ply, (bids, winner, tie, cell) in enumerate(AUCTIONS[:auctions]):
        board[cell] = "XO"[winner]
        chips = [have - bid for have, bid in zip(chips, bids, strict=True)]
        log.append({"ply": ply, "bids": list(bids), "winner": winner, "tie": tie, "cell": cell})
    over = auctions == len(AUCTIONS)
    state = {
        "board": "".join(board),
        "chips": chips,
        "ply": auctions,
        "phase": "over" if over else "bid",
        "bids_in": list(bids_in),
        "bid_winner": None,
        "payment": "all-pay",
        "ties": "coin",
        "decided_by": "money",
        "start_chips": 100,
        "advantage": None,
        "log": log,
        "line": [0, 3, 6] if over else None,
        "winner": 1 if over else None,
    }
    turn = 1 + 2 * auctions
    open_ones = [decision(seat, "bid", 17_000, done=bids_in[seat]) for seat in (0, 1)]
    return SessionView(
        session=BOARD,
        space="bid-tac-toe",
        rules="bid-tac-toe/1",
        status="ended" if over else "live",
        opened_ms=START_MS - 95_000,
        seats=[SOLVER, GREEDY],
        state=state,
        headline=f"mark {auctions + 1}/9, bidding, X {chips[0]} : {chips[1]} O",
        turn=turn,
        decisions=[] if over else open_ones,
        outcome={"termination": "line", "returns": [-1, 1]} if over else None,
        steps=[Step("sealed", "done"), Step("rated", "waiting")] if over else [],
    )


def board_start() -> list[ServerMessage]:
    channel = f"session:{BOARD}"
    return [Snapshot(channel, EPOCH, 1, board_view(0)), Watching(channel, 31)]


def board_auction(number: int) -> list[Update]:
    """One auction: the first bid sealed, then both turned over and the mark made."""
    bids, winner, _, cell = AUCTIONS[number]
    first = 2 + 6 * number
    turn = 1 + 2 * number
    at = 9_000 * (number + 1)
    revealed = [{"seat": seat, "action": {"bid": bid}} for seat, bid in enumerate(bids)]
    mark = {"turn": turn + 1, "kind": "mark", "action": {"cell": cell}}
    ended = Event(first + 5, at, "end", "host", {"termination": "line", "returns": [-1, 1]})
    going = Event(first + 5, at, "turn", "host", {"turn": turn + 2, "decisions": []})
    return [
        session_update(
            BOARD,
            first,
            [Event(first, at - 4_000, "sealed", "seat:1")],
            board_view(number, (False, True)),
        ),
        session_update(
            BOARD,
            first + 5,
            [
                Event(first + 1, at, "sealed", "seat:0"),
                Event(first + 2, at, "reveal", "host", {"turn": turn, "actions": revealed}),
                Event(first + 3, at, "turn", "host", {"turn": turn + 1, "decisions": []}),
                Event(first + 4, at, "action", f"seat:{winner}", mark),
                ended if number + 1 == len(AUCTIONS) else going,
            ],
            board_view(number + 1),
        ),
    ]


def board_regret(annotation: dict[str, Any] = REGRET) -> Update:
    """What each seat gave away, told after the last auction."""
    first = 2 + 6 * len(AUCTIONS)
    view = msgspec.structs.replace(board_view(len(AUCTIONS)), annotations=[annotation])
    event = Event(first, 46_000, "annotation", "host", annotation)
    return session_update(BOARD, first, [event], view)
