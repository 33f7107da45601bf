"""A sensible player of Bid Tac Toe: knows what a mark is worth and bids its share of the chips.

What a mark is worth comes from the random-turn game: toss a coin for every mark and play well. In
Richman bidding with real-valued chips its value V settles the game: whoever bids the fraction
(V+ - V-)/2 of all chips plays optimally (Lazarus et al., "Richman games", 1996, where R = 1 - V). Here it
is the guide in every variant, with some randomness, since a bid that can be foreseen can be outbid
by one. It is no solver: all-pay bidding wants mixed strategies of whole games.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bots.turn import Turn
from spaces.bid_tac_toe.views import free_cells

_LINES = (
    (0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6),
)  # fmt: skip
_MARKS = "XO"


class BidderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seed: int | None = None
    boldness: Annotated[float, Meta(gt=0, le=3)] = 1.0
    """Multiplies every bid that is not forced."""


class BidderBrain:
    """Plays `bid-tac-toe` in every variant."""

    def __init__(self, settings: BidderSettings) -> None:
        self._rng = Random(settings.seed)  # noqa: S311 # play, not secrets
        self._boldness = settings.boldness

    async def act(self, turn: Turn) -> dict[str, Any]:
        """Raises NotImplementedError for other Spaces' decisions."""
        match turn.kind:
            case "bid":
                return {"bid": self._bid(turn.view, turn.seat)}
            case "mark":
                return {"cell": best_cell(turn.view["board"], turn.seat, self._rng)}
            case kind:
                raise NotImplementedError(f"the bidder knows no {kind!r} of {turn.space}")

    def _bid(self, view: dict[str, Any], seat: int) -> int:
        board = view["board"]
        mine, theirs = int(view["chips"][seat]), int(view["chips"][1 - seat])
        # One more than the rival can pay wins for certain; equal is enough with the tie chip.
        enough = theirs if view["advantage"] == seat else theirs + 1
        i_win, they_win = completes(board, seat), completes(board, 1 - seat)
        if (i_win or they_win) and mine >= enough and (i_win or mine > enough):
            return enough
        swing = swing_of(board, seat)
        if view["payment"] == "all-pay":
            wish = self._all_pay(mine, swing, urgent=i_win or they_win)
        else:
            wish = swing / 2 * (mine + theirs) * self._rng.uniform(0.9, 1.2)
        bid = min(round(wish * self._boldness), enough, mine)
        # Broke without a line is lost where chips leave the game: keep one, unless the mark wins or
        # losing the bid loses.
        keeps = 0 if i_win or they_win or view["payment"] == "richman" else 1
        return max(0, min(bid, mine - keeps))

    def _all_pay(self, mine: int, swing: float, *, urgent: bool) -> float:
        """A mixed bid: both pay, so foreseeable bids are the losing ones."""
        low, high = (0.45, 1.0) if urgent else (0.1, 0.9)
        return mine * self._rng.uniform(low, high) * (1.0 if urgent else swing)


def best_cell(board: str, seat: int, rng: Random) -> int:
    """The mark of the highest value: a win before a block before the rest; ties by chance."""
    values = {cell: _after(board, cell, seat) for cell in free_cells({"board": board})}
    best = max(values.values())
    return rng.choice([cell for cell, value in values.items() if value > best - 1e-9])


def swing_of(board: str, seat: int) -> float:
    """How much the next mark is worth to `seat`: V if it marks less V if the rival does, 0 to 1."""
    mine = max(_after(board, cell, seat) for cell in free_cells({"board": board}))
    theirs = min(1 - _after(board, cell, 1 - seat) for cell in free_cells({"board": board}))
    return mine - theirs


def completes(board: str, seat: int) -> bool:
    """Whether one more mark makes a line."""
    mark = _MARKS[seat]
    return any(sorted(board[cell] for cell in line) == sorted([mark, mark, "."]) for line in _LINES)


def _after(board: str, cell: int, seat: int) -> float:
    """The value to `seat` of the position after its mark."""
    x_value = value(board[:cell] + _MARKS[seat] + board[cell + 1 :])
    return x_value if seat == 0 else 1 - x_value


@cache
def value(board: str) -> float:
    """The probability that X wins the random-turn game, draws as a half. At most 3^9 boards."""
    for a, b, c in _LINES:
        if board[a] == board[b] == board[c] != ".":
            return 1.0 if board[a] == "X" else 0.0
    free = [cell for cell, mark in enumerate(board) if mark == "."]
    if not free:
        return 0.5
    if_x = max(value(f"{board[:cell]}X{board[cell + 1 :]}") for cell in free)
    if_o = min(value(f"{board[:cell]}O{board[cell + 1 :]}") for cell in free)
    return (if_x + if_o) / 2
