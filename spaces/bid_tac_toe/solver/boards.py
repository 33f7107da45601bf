"""Open boards of tic-tac-toe up to symmetry, and what a mark makes of each.

A board is open when it has no line and a free cell. Bidding lets a seat mark several times in a row,
so the counts of X and O are free: 11,093 open boards in 803 classes under the eight symmetries of the
square and the exchange of the seats. Exchanging the seats turns the value round:
V(board, a, b) = -V(board with X and O exchanged, b, a).
"""

from __future__ import annotations

import functools
import itertools
from typing import NamedTuple

from spaces.bid_tac_toe.state import CELLS, EMPTY, MARKS, line_of

_TURN = (6, 3, 0, 7, 4, 1, 8, 5, 2)
"""Cell i of the turned board is cell _TURN[i] of the board."""
_FLIP = (2, 1, 0, 5, 4, 3, 8, 7, 6)
_EXCHANGE = str.maketrans("XO", "OX")


class Place(NamedTuple):
    """A board as one of its class."""

    board: str
    """The class's representative."""
    exchanged: bool
    """Whether X and O were exchanged to get it."""


class Child(NamedTuple):
    """What a mark leads to. `place` is None when that ends the session whatever the chips are or
    by comparing them."""

    cell: int
    place: Place | None
    line: int
    """+1: a line of X, -1: of O, 0: none; 0 without a `place` is a full board."""


def _symmetries() -> tuple[tuple[int, ...], ...]:
    turned = [tuple(range(CELLS))]
    for _ in range(3):
        turned.append(tuple(turned[-1][cell] for cell in _TURN))
    return tuple(turned + [tuple(each[cell] for cell in _FLIP) for each in turned])


SYMMETRIES = _symmetries()


def is_open(board: str) -> bool:
    return EMPTY in board and line_of(board) is None


@functools.cache
def place(board: str) -> Place:
    """The class of an open board: the least string of its symmetric forms."""
    forms = [
        ("".join(form[cell] for cell in symmetry), exchanged)
        for exchanged, form in ((False, board), (True, board.translate(_EXCHANGE)))
        for symmetry in SYMMETRIES
    ]
    return Place(*min(forms))


@functools.cache
def symmetry_to(board: str, where: Place) -> tuple[int, ...]:
    """Which cell of the board stands at each cell of its class's representative."""
    form = board.translate(_EXCHANGE) if where.exchanged else board
    return next(
        symmetry
        for symmetry in SYMMETRIES
        if "".join(form[cell] for cell in symmetry) == where.board
    )


@functools.cache
def classes() -> tuple[str, ...]:
    """Every representative, fewest free cells first, so that children stand before their parents."""
    every = ("".join(cells) for cells in itertools.product(EMPTY + MARKS, repeat=CELLS))
    return tuple(
        sorted(
            {place(board).board for board in every if is_open(board)},
            key=lambda board: (board.count(EMPTY), board),
        )
    )


@functools.cache
def number() -> dict[str, int]:
    """Each representative's index in `classes()`."""
    return {board: index for index, board in enumerate(classes())}


@functools.cache
def children(board: str, seat: int) -> tuple[Child, ...]:
    """Every mark of `seat` on an open board, in the order of the cells."""
    return tuple(_child(board, seat, cell) for cell in range(CELLS) if board[cell] == EMPTY)


def _child(board: str, seat: int, cell: int) -> Child:
    after = board[:cell] + MARKS[seat] + board[cell + 1 :]
    if line_of(after) is not None:
        return Child(cell, None, 1 - 2 * seat)
    return Child(cell, place(after) if EMPTY in after else None, 0)
