"""Thresholds when money can be divided at will: what share of it forces a result.

Before each mark both bid. With the share of all money as the only quantity that matters, every
position has a critical share: a player with more forces its goal whatever the rival does, one with
less cannot (Lazarus, Loeb, Propp, Ullman, "Richman games", 1996; Lazarus, Loeb, Propp, Stromquist,
Ullman, "Combinatorial games under auction play", 1999). Let `low` be the share that is critical after
the player's best mark, `high` after the rival's. The critical bid makes both outcomes just enough:

Richman, the winner pays the loser, money 1 in all: with share t and bid b, `t - b = low` when the bid
wins and `t + b = high` when the rival wins with as much. So `t = (low + high) / 2` and
`b = (high - low) / 2`.

Poorman, the winner pays the bank, so that 1 - b is left: `(t - b) / (1 - b) = low` and
`t / (1 - b) = high`. The difference is `b / (1 - b) = high - low`, so with d = high - low

    b = d / (1 + d)        t = high / (1 + d)        both as shares of the money before the bid.

These equations hold for every goal; only the final boards differ: 0 is a goal reached at any share, 1 a
goal out of reach, and a full board that is decided by money is reached by more than half of it.

There is no such share in all-pay, where losing bids cost too and forcing needs luck: see
`equilibrium`. The theory knows no bankruptcy either: here nobody loses because its money is gone.
"""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Literal, NamedTuple

from spaces.bid_tac_toe.solver.position import (
    OWN,
    RIVAL,
    Player,
    after,
    free_cells,
    least_form,
    line_owner,
    marked,
    seen_by,
)
from spaces.bid_tac_toe.state import EMPTY
from spaces.bid_tac_toe.variants import FullBoard, Payment

Goal = Literal["win", "not-lose"]


class Threshold(NamedTuple):
    """What a player needs for one goal, all money together being 1."""

    share: Fraction
    """More than this forces the goal; 0 is "always", 1 is "never"."""
    bid: Fraction
    """The critical bid, 0 when neither mark matters."""
    squares: tuple[int, ...]
    """The cells whose mark leaves the lowest threshold, ascending."""


def threshold(
    board: str,
    player: Player,
    goal: Goal,
    payment: Payment,
    decided_by: FullBoard = "draw",
) -> Threshold:
    """The threshold of an open board. Raises ValueError for all-pay, which has none."""
    if payment == "all-pay":
        raise ValueError("all-pay has no real thresholds: its bids must be mixed; see equilibrium")
    seen = seen_by(board, player)
    low, high = _around(seen, goal, payment, decided_by)
    squares = tuple(
        cell
        for cell in free_cells(seen)
        if _share(least_form(marked(seen, cell, OWN)), goal, payment, decided_by) == low
    )
    bid = (high - low) / 2 if payment == "richman" else (high - low) / (1 + high - low)
    return Threshold(_between(low, high, payment), bid, squares)


def _around(
    board: str, goal: Goal, payment: Payment, decided_by: FullBoard
) -> tuple[Fraction, Fraction]:
    """The critical shares after the player's best mark and after the rival's."""
    low = min(_share(next_, goal, payment, decided_by) for next_ in after(board, OWN))
    high = max(_share(next_, goal, payment, decided_by) for next_ in after(board, RIVAL))
    return low, high


def _between(low: Fraction, high: Fraction, payment: Payment) -> Fraction:
    return (low + high) / 2 if payment == "richman" else high / (1 + high - low)


@functools.cache  # 765 boards up to symmetry, times eight questions
def _share(board: str, goal: Goal, payment: Payment, decided_by: FullBoard) -> Fraction:
    owner = line_owner(board)
    if owner is not None:
        return Fraction(0 if owner == OWN else 1)
    if EMPTY not in board:
        if decided_by == "money":
            return Fraction(1, 2)
        return Fraction(1 if goal == "win" else 0)
    return _between(*_around(board, goal, payment, decided_by), payment)
