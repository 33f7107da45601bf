"""The public observations of the Spaces that have a view of their own, read from a SessionView.

A Space that is not known here, or whose observation does not have the expected shape (another rules
version, a broken server), is read as None and gets the plain view.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from server.protocol import OpenDecision, SessionView

BID_TAC_TOE = "bid-tac-toe"
RAP_BATTLE = "rap-battle"
WRITING = "writing"
READ_FROM_TOP = frozenset({WRITING})
"""The Spaces whose texts are there at once."""


class BidLog(msgspec.Struct, frozen=True):
    """One auction: both bids, who won it and which cell the winner took (None while it decides)."""

    ply: int
    bids: tuple[int | None, int | None]
    winner: int | None = None
    tie: str | None = None
    cell: int | None = None


class BidTacToe(msgspec.Struct, frozen=True):
    """`observe(state, None)` of `bid-tac-toe`. X is seat 0; cells are row-major from the top left."""

    board: str
    chips: tuple[int, int]
    ply: int
    phase: Literal["bid", "mark", "over"]
    bids_in: tuple[bool, bool] = (False, False)
    bid_winner: int | None = None
    payment: str = "all-pay"
    ties: str = "coin"
    start_chips: int = 100
    advantage: int | None = None
    log: tuple[BidLog, ...] = ()
    line: tuple[int, int, int] | None = None


class Verse(msgspec.Struct, frozen=True):
    round: int
    seat: int
    text: str | None = None
    """None when the verse was forfeited."""


class RapBattle(msgspec.Struct, frozen=True):
    """`observe(state, None)` of `rap-battle`."""

    topic: str
    rounds: int
    bars: int
    round: int
    char_limit: int = 0
    verses: tuple[Verse, ...] = ()
    phase: str = "verse"


def bid_tac_toe(view: SessionView | None) -> BidTacToe | None:
    """The board, or None when the view holds no readable one."""
    if view is None or view.space != BID_TAC_TOE:
        return None
    try:
        board = msgspec.convert(view.state, BidTacToe)
    except msgspec.ValidationError:
        return None
    return board if len(board.board) == 9 and len(view.seats) >= 2 else None


def rap_battle(view: SessionView | None) -> RapBattle | None:
    """The battle, or None when the view holds no readable one."""
    if view is None or view.space != RAP_BATTLE or len(view.seats) < 2:
        return None
    try:
        return msgspec.convert(view.state, RapBattle)
    except msgspec.ValidationError:
        return None


def reads_from_top(view: SessionView | None) -> bool:
    """Whether the session is read from its first line on; what is told move by move starts at the end."""
    return view is not None and view.space in READ_FROM_TOP


def open_decision(view: SessionView | None, seat: int) -> OpenDecision | None:
    """The decision that a seat owes now, answered or not."""
    if view is None:
        return None
    return next((decision for decision in view.decisions if decision.seat == seat), None)


def winner(view: SessionView) -> int | None:
    """The seat that won: by the rules' returns, or by the judges' ranks; None while open or drawn."""
    scores: list[int] = []
    if view.verdict is not None:
        scores = [-rank for rank in view.verdict.ranks]
    elif isinstance((view.outcome or {}).get("returns"), list | tuple):
        assert view.outcome is not None
        scores = [value for value in view.outcome["returns"] if isinstance(value, int)]
    if not scores:
        return None
    best = max(scores)
    return scores.index(best) if scores.count(best) == 1 else None


def undecided(view: SessionView) -> bool:
    """Play is over and the judges have not spoken yet."""
    return (
        view.status == "ended"
        and view.verdict is None
        and (view.outcome or {}).get("returns") is None
    )


def step_state(view: SessionView, name: str) -> str | None:
    """How far one of the steps after play is; None when the session has no such step."""
    return next((step.state for step in view.steps if step.name == name), None)
