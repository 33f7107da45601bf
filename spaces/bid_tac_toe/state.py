"""The position of a session of Bid Tac Toe and what can be read off it."""

from __future__ import annotations

import functools

import msgspec

from spaces.bid_tac_toe.variants import Params

MARKS = "XO"
"""Seat 0 is X, seat 1 is O."""
EMPTY = "."
CELLS = 9

LINES = (
    (0, 1, 2), (3, 4, 5), (6, 7, 8),
    (0, 3, 6), (1, 4, 7), (2, 5, 8),
    (0, 4, 8), (2, 4, 6),
)  # fmt: skip

Pair = tuple[int, int]


class Round(msgspec.Struct, frozen=True):
    """One pair of revealed bids and what followed."""

    ply: int
    bids: Pair
    winner: int | None
    """None when the tie is bid again."""
    tie: str | None = None
    """How a tie was broken: `coin`, `chip` or `rebid`; None when there was none."""
    cell: int | None = None
    """None until the winner has marked."""


class State(msgspec.Struct, frozen=True):
    params: Params
    board: str
    """Nine characters in row-major order: `X`, `O` or `.`."""
    chips: Pair
    advantage: int | None
    """The seat that holds the advantage chip; None unless ties are broken by it."""
    bids: tuple[int | None, int | None] = (None, None)
    """Sealed bids of this ply. Secret until both are in, and forgotten when they are revealed."""
    log: tuple[Round, ...] = ()
    forfeited: tuple[bool, bool] = (False, False)

    @property
    def ply(self) -> int:
        """Marks on the board, 0 .. 9."""
        return CELLS - self.board.count(EMPTY)

    @property
    def bid_winner(self) -> int | None:
        """The seat that has won the bid and must mark now."""
        if self.log and self.log[-1].cell is None:
            return self.log[-1].winner
        return None

    @property
    def rebids(self) -> int:
        """Ties in a row that were bid again over this ply."""
        return sum(1 for past in self.log if past.ply == self.ply and past.winner is None)

    @property
    def free_cells(self) -> tuple[int, ...]:
        return free_cells_of(self.board)


@functools.cache  # at most 3^9 boards
def free_cells_of(board: str) -> tuple[int, ...]:
    return tuple(cell for cell, mark in enumerate(board) if mark == EMPTY)


@functools.cache  # at most 3^9 boards, asked for several times an action
def line_of(board: str) -> tuple[int, int, int] | None:
    """The completed line, or None; a board of play never has lines of both seats."""
    for line in LINES:
        first, second, third = (board[cell] for cell in line)
        if first == second == third != EMPTY:
            return line
    return None
