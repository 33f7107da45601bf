"""A solved variant as something to look up: values, both seats' mixed bids, the best cells.

A table keeps the value of every position and, where bids are mixed, which bids: the probabilities
follow by one small system of equations from the values of the positions after it. Of the default
variant a look-up takes 0.06 ms at the median and 0.4 ms at p99 of processor time, more than 1 ms now
and then: where rounding has spoilt the equations the simplex runs (`benchmarks.solver` measures it).
Whoever plays by a table plays exactly this, rounding included; `certificate` measures it.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spaces.bid_tac_toe.solver import matrix_game
from spaces.bid_tac_toe.solver.boards import Place, children, is_open, place, symmetry_to
from spaces.bid_tac_toe.solver.induction import Bases, Solved, positions
from spaces.bid_tac_toe.solver.matrix_game import Array, Basis, Game
from spaces.bid_tac_toe.solver.stage import Grid, Stage, Variant, Win, matrix, outcome, stage
from spaces.bid_tac_toe.state import MARKS, Pair, line_of

ROUNDED_WIN = np.int16(32_767)
"""What stored grids count a won session as: values are rounded to 1/32,767 of the stake."""
_LOOSE = 4 / int(ROUNDED_WIN)
"""The gap of a look-up that a stored basis may have after rounding; beyond it the simplex runs."""
_REMEMBERED = 4_096
_STAGES = 512


class Position(NamedTuple):
    """Before a pair of bids."""

    board: str
    chips: Pair
    advantage: int | None = None
    rebids: int = 0


class Play(NamedTuple):
    """One position's equilibrium. `mixes[seat][bid]` is a probability; bids that are not listed
    are never made."""

    value: float
    """X's, -1 to 1."""
    mixes: tuple[dict[int, float], dict[int, float]]
    gap: float
    """What the mixes leave to gain by a better bid now, for both seats together."""


class Contents(NamedTuple):
    """What a table is made of, in memory and in a file."""

    variant: Variant
    boards: tuple[str, ...]
    grids: Grid
    """(grids, *variant.shape), X's values in units of 1/win."""
    win: Win
    which: npt.NDArray[np.uint16]
    """(boards, modes): the grid of each."""
    rank: npt.NDArray[np.int32]
    """(grids, *variant.shape): the row in `bases`, or -1."""
    bases: Bases
    """(mixed positions, 2, bytes): see `induction.Bases`."""


def contents(solved: Solved, *, rounded: bool) -> Contents:
    """`rounded` as in a file, or exact. To be rounded, it must have been solved so
    (`Settings.rounded_to`), or the bases belong to other values."""
    variant = solved.variant
    grids, dense = np.stack(solved.grids), np.stack(solved.bases)
    mixed = dense.any(axis=(-2, -1))
    rank = np.where(mixed, np.cumsum(mixed.ravel()).reshape(mixed.shape) - 1, -1)
    which = np.array(
        [[solved.which[board, mode] for mode in range(variant.modes)] for board in solved.boards]
    )
    return Contents(
        variant,
        solved.boards,
        np.rint(grids * int(ROUNDED_WIN)).astype(np.int16) if rounded else grids,
        ROUNDED_WIN if rounded else np.float64(1),
        which.astype(np.uint16),
        rank.astype(np.int32),
        dense[mixed],
    )


class Table:
    """Positions of one variant. Not for several threads at once that mind doing work twice."""

    def __init__(
        self, contents: Contents, name: str, exploitability: float, *, measured: bool = False
    ) -> None:
        self.variant = contents.variant
        self.name = name
        """The variant and the hash of the contents."""
        self.exploitability = exploitability
        """The most that a rival can win beyond the value of a session, in stakes."""
        self.measured = measured
        """Whether best responses have measured that; else it is a bound that was known beforehand."""
        self.contents = contents
        self._number = {board: index for index, board in enumerate(contents.boards)}
        self._stage = functools.lru_cache(_STAGES)(self._find_stage)
        self._game = functools.lru_cache(_REMEMBERED)(self._find_game)
        self._first: dict[int, tuple[str, int]] = {}
        for board, mode in itertools.product(contents.boards, range(self.variant.modes)):
            self._first.setdefault(self.alike(board, mode), (board, mode))

    @property
    def digits(self) -> int:
        """Decimal places of a value that mean something: those of the unit that values are rounded
        to, or of the tolerance of a stage where they are not."""
        win = self.contents.win
        unit = 1 / float(win) if isinstance(win, np.integer) else matrix_game.TOLERANCE
        return math.ceil(-math.log10(unit) - 1e-9)

    def warm(self) -> None:
        """Compute all stages, so that no look-up waits for one: tens of milliseconds for 100 chips."""
        for alike in itertools.islice(self._first, _STAGES):
            self._stage(alike)

    def covers(self, position: Position) -> bool:
        """Whether the position is open and its chips are in the table."""
        return (
            is_open(position.board)
            and self.variant.covers(position.chips)
            and min(position.chips) >= self.variant.lowest
        )

    def play(self, position: Position) -> Play:
        """Raises KeyError for a position that the table does not cover."""
        if not self.covers(position):
            raise KeyError(position)
        where, chips, mode = self._seen(position)
        game = self._game(where.board, chips, mode)
        mixes = (_listed(game.row), _listed(game.column))
        if where.exchanged:
            return Play(-game.value, (mixes[1], mixes[0]), game.gap)
        return Play(game.value, mixes, game.gap)

    def bid_values(self, position: Position) -> tuple[Array, Array]:
        """What each bid of X and each of O (0 up to all chips) is worth to X against the rival's mix.
        Raises KeyError."""
        where, chips, mode = self._seen(position)
        play = self.play(position)
        all_bids = (chips[0] + 1, chips[1] + 1)
        stage = self._stage(self.alike(where.board, mode))
        payoffs = matrix(self.variant, stage, chips, self.contents.win, all_bids)
        if where.exchanged:
            payoffs = -payoffs.T
        row, column = (
            np.array([mix.get(bid, 0.0) for bid in range(held + 1)])
            for mix, held in zip(play.mixes, position.chips, strict=True)
        )
        return payoffs @ column, row @ payoffs

    def value(self, position: Position) -> float:
        """X's value before a pair of bids, also of a session that is over."""
        board, chips = position.board, position.chips
        line = line_of(board)
        if line is not None:
            return 1.0 if board[line[0]] == MARKS[0] else -1.0
        if not is_open(board) and self.variant.decided_by == "draw":
            return 0.0
        if not is_open(board) or min(chips) < self.variant.lowest:
            return float(np.sign(chips[0] - chips[1]))
        where, chips, mode = self._seen(position)
        value = float(self._values(where._replace(exchanged=False), mode)[self.variant.at(chips)])
        return (-value if where.exchanged else value) / float(self.contents.win)

    def marked(self, position: Position, seat: int, cell: int) -> float:
        """X's value after a mark; the position is that after paying, with the chip passed."""
        board = position.board[:cell] + MARKS[seat] + position.board[cell + 1 :]
        return self.value(Position(board, position.chips, position.advantage))

    def best_cell(self, position: Position, seat: int) -> int:
        """Where the table's player marks after having won the bid."""
        where, chips, mode = self._seen(position._replace(rebids=0))
        marker = 1 - seat if where.exchanged else seat
        cell = int(self.cells(where.board, marker, mode)[self.variant.at(chips)])
        return symmetry_to(position.board, where)[cell]

    def cells(self, board: str, seat: int, mode: int) -> npt.NDArray[np.int64]:
        """Of a class's representative, for all chips after paying: the first of the best cells."""
        after = children(board, seat)
        win = self.contents.win
        grids = np.stack([outcome(self.variant, self._values, each, mode, win) for each in after])
        best = grids.argmax(axis=0) if seat == 0 else grids.argmin(axis=0)
        return np.asarray(np.array([each.cell for each in after])[best])

    def bids(self, board: str, mode: int) -> tuple[Array, Array]:
        """Both seats' mixes in all positions over a class's representative: (bid, *grid)."""
        variant = self.variant
        size = variant.shape[0]
        mixes = np.zeros((2, size, *variant.shape))
        for at, chips in positions(variant):
            game = self._find_game(board, chips, mode)
            mixes[0][: len(game.row), at[0], at[1]] = game.row
            mixes[1][: len(game.column), at[0], at[1]] = game.column
        return mixes[0], mixes[1]

    def alike(self, board: str, mode: int) -> int:
        """Classes and modes with the same number are bid alike."""
        return int(self.contents.which[self._number[board], mode])

    def _seen(self, position: Position) -> tuple[Place, Pair, int]:
        variant, (x, o) = self.variant, position.chips
        where = place(position.board)
        mode = variant.mode(position.advantage, position.rebids)
        if where.exchanged:
            return where, (o, x), variant.exchanged_mode(mode)
        return where, (x, o), mode

    def _values(self, where: Place, mode: int) -> Grid:
        return np.asarray(self.contents.grids[self.alike(where.board, mode)])

    def _find_stage(self, alike: int) -> Stage:
        """That of the first of the boards that are bid alike: they have the same."""
        board, mode = self._first[alike]
        return stage(self.variant, self._values, board, mode, self.contents.win)

    def _find_game(self, board: str, chips: Pair, mode: int) -> Game:
        win = self.contents.win
        payoffs = matrix(self.variant, self._stage(self.alike(board, mode)), chips, win)
        basis = self._basis(self.alike(board, mode), chips)
        if basis is not None:
            game = matrix_game.from_basis(payoffs, basis)
            if game is not None and game.gap <= _LOOSE:
                return game
        # Rounding may open the gap of a pure pair by the rounding of two values.
        saddle = 1 / float(win) if isinstance(win, np.integer) else matrix_game.SADDLE
        return matrix_game.solve(payoffs, saddle)

    def _basis(self, grid: int, chips: Pair) -> Basis | None:
        row = int(self.contents.rank[grid][self.variant.at(chips)])
        if row < 0:
            return None
        bits = np.unpackbits(self.contents.bases[row], axis=-1, bitorder="little")
        return np.flatnonzero(bits[0]), np.flatnonzero(bits[1])


def _listed(mix: Array) -> dict[int, float]:
    return {int(bid): float(mix[bid]) for bid in np.flatnonzero(mix)}
