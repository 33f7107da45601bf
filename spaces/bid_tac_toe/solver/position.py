"""A position as a solver is asked about it: read from text, seen by one player.

Solvers see every position with the player they answer for as X, so one recursion serves both seats.
"""

from __future__ import annotations

import functools
from typing import Literal

from spaces.bid_tac_toe.solver.boards import SYMMETRIES
from spaces.bid_tac_toe.state import CELLS, EMPTY, LINES, MARKS, line_of

Player = Literal["X", "O"]
OWN, RIVAL = MARKS[0], MARKS[1]
"""In a board that is seen by a player, its own marks are X."""
_EXCHANGE = str.maketrans("XO", "OX")


def read(text: str) -> str:
    """An open board of nine characters, row by row. Raises ValueError with what is wrong."""
    board = text.strip().upper()
    if len(board) != CELLS:
        raise ValueError(
            f"a position is 9 characters, row by row, got {len(board)}: {_shown(text)}"
        )
    wrong = next((char for char in board if char not in MARKS + EMPTY), None)
    if wrong is not None:
        raise ValueError(
            f"a position is written with X, O and '.', got {wrong!r} in {_shown(text)}"
        )
    winners = {board[a] for a, b, c in LINES if board[a] == board[b] == board[c] != EMPTY}
    if len(winners) > 1:
        raise ValueError(f"an impossible position, both players have three in a row: {board}")
    if winners:
        raise ValueError(f"the game is over, {winners.pop()} has three in a row: {board}")
    if EMPTY not in board:
        raise ValueError(f"the game is over, the board is full: {board}")
    return board


def _shown(text: str) -> str:
    return repr(text if len(text) <= 20 else text[:20] + "…")


def seen_by(board: str, player: Player) -> str:
    """The board with the marks exchanged when the player is O, so that its own marks are X."""
    return board if player == "X" else board.translate(_EXCHANGE)


@functools.cache
def least_form(board: str) -> str:
    """One board for all that a turn or a reflection makes of it."""
    return min("".join(board[cell] for cell in symmetry) for symmetry in SYMMETRIES)


def free_cells(board: str) -> tuple[int, ...]:
    return tuple(cell for cell, mark in enumerate(board) if mark == EMPTY)


def marked(board: str, cell: int, mark: str) -> str:
    return board[:cell] + mark + board[cell + 1 :]


@functools.cache
def after(board: str, mark: str) -> tuple[str, ...]:
    """The different boards, up to symmetry, that a mark leads to."""
    return tuple(sorted({least_form(marked(board, cell, mark)) for cell in free_cells(board)}))


def line_owner(board: str) -> str | None:
    """`X`, `O`, or None without a line."""
    line = line_of(board)
    return None if line is None else board[line[0]]
