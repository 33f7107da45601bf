"""One pair of sealed bids as a matrix game: what every pair of bids leads to.

Equilibria of the whole game follow by backward induction over such stages (Shapley, "Stochastic
games", 1953): the payoffs of a stage are the values of the positions after it. Values are X's, from
-1 (O wins) to +1 (X wins).

A grid holds one value for all chips of X and O over the same board and mode. In all-pay and poorman
its entry [a, b] is for a chips of X and b of O. In Richman no chip leaves the game, and the entry
[a, 0] is for a chips of X, the rest being O's.

A mode is what else a position remembers: who holds the advantage chip (0: X, 1: O), or how often this
bid was tied (0 .. MAX_REBIDS); always 0 with a coin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from spaces.bid_tac_toe.solver.boards import Child, Place, children
from spaces.bid_tac_toe.state import Pair
from spaces.bid_tac_toe.variants import MAX_REBIDS, FullBoard, Params, Payment, Ties

Grid = npt.NDArray[Any]
"""Of floats, or of integers that count a unit."""
Win = np.float64 | np.int16
"""What a grid counts a won session as, of the grid's type."""
WIN = np.float64(1)
Values = Callable[[Place, int], Grid]
"""The grid of a class of boards in a mode."""


class Variant(msgspec.Struct, frozen=True):
    """The rules of a table and the chips that it covers."""

    payment: Payment
    ties: Ties
    decided_by: FullBoard
    chips: int
    """All-pay and poorman: neither seat has more. Richman: half of the total."""

    @classmethod
    def of(cls, params: Params) -> Variant:
        return cls(params.payment, params.ties, params.decided_by, params.chips)

    @property
    def name(self) -> str:
        return f"{self.payment}-{self.ties}-{self.decided_by}-{self.chips}"

    @property
    def one_axis(self) -> bool:
        """Whether X's chips tell O's."""
        return self.payment == "richman"

    @property
    def total(self) -> int:
        return 2 * self.chips

    @property
    def shape(self) -> Pair:
        return (self.total + 1, 1) if self.one_axis else (self.chips + 1, self.chips + 1)

    @property
    def lowest(self) -> int:
        """The least chips that a seat can bid with: where it is bankrupt at 0, that is 1."""
        return 0 if self.one_axis else 1

    @property
    def modes(self) -> int:
        return {"coin": 1, "advantage-chip": 2, "rebid": MAX_REBIDS + 1}[self.ties]

    def mode(self, advantage: int | None, rebids: int) -> int:
        return {"coin": 0, "advantage-chip": advantage or 0, "rebid": rebids}[self.ties]

    def exchanged_mode(self, mode: int) -> int:
        return 1 - mode if self.ties == "advantage-chip" else mode

    def covers(self, chips: Pair) -> bool:
        if self.one_axis:
            return min(chips) >= 0 and sum(chips) == self.total
        return min(chips) >= 0 and max(chips) <= self.chips

    def includes(self, other: Variant) -> bool:
        """Whether a table of this variant answers for every position of the other."""
        fits = other.chips == self.chips if self.one_axis else other.chips <= self.chips
        return fits and msgspec.structs.replace(other, chips=self.chips) == self

    def at(self, chips: Pair) -> Pair:
        """Where the chips stand in a grid."""
        return (chips[0], 0) if self.one_axis else chips

    def purses(self) -> tuple[Grid, Grid]:
        """The chips of X and of O for every entry of a grid."""
        x, other = np.indices(self.shape)
        return (x, self.total - x) if self.one_axis else (x, other)


def bids(chips: Pair) -> Pair:
    """How many bids of X and of O are worth a thought: 0 up to one more than the rival can pay.
    A higher one wins no more and pays more."""
    x, o = chips
    return min(x, o + 1) + 1, min(o, x + 1) + 1


def exchanged(variant: Variant, grid: Grid) -> Grid:
    """A grid as the other seat sees it."""
    return -grid[::-1] if variant.one_axis else -grid.T


def by_money(variant: Variant, win: Win) -> Grid:
    """Who has more chips wins: the grid of bankruptcy, and of a full board decided by money."""
    x, o = variant.purses()
    return np.asarray(np.sign(x - o) * win, dtype=type(win))


class Stage(NamedTuple):
    """The grids of what a bid's winner makes of a board, by the chips left after paying."""

    x_wins: Grid
    o_wins: Grid
    x_ties: Grid
    """When X wins a tie."""
    o_ties: Grid
    x_share: float
    """The probability with which X wins a tie."""
    again: Grid | None = None
    """By the chips before: the values of bidding again, where a tie is free."""


def stage(variant: Variant, values: Values, board: str, mode: int, win: Win = WIN) -> Stage:
    """`win` is what a grid counts a won session as. `board` is a class's representative."""

    def after(seat: int, mode: int) -> Grid:
        return _after(variant, values, board, seat, mode, win)

    match variant.ties:
        case "coin":
            x, o = after(0, 0), after(1, 0)
            return Stage(x, o, x, o, 0.5)
        case "rebid":
            x, o = after(0, 0), after(1, 0)
            again = None if mode == MAX_REBIDS else values(Place(board, False), mode + 1)
            return Stage(x, o, x, o, 0.5, again)
        case "advantage-chip":
            x, o = after(0, mode), after(1, mode)
            if mode == 0:
                return Stage(x, o, after(0, 1), o, 1.0)
            return Stage(x, o, x, after(1, 0), 0.0)


def _after(variant: Variant, values: Values, board: str, seat: int, mode: int, win: Win) -> Grid:
    """The best that the seat can make of a mark, for all chips."""
    best: Grid | None = None
    for child in children(board, seat):
        grid = outcome(variant, values, child, mode, win)
        if best is None:
            best = grid
        else:
            best = np.maximum(best, grid) if seat == 0 else np.minimum(best, grid)
    assert best is not None, "an open board has a free cell"
    return best


def outcome(variant: Variant, values: Values, child: Child, mode: int, win: Win = WIN) -> Grid:
    """The grid after a mark; `mode` counts for the next bid."""
    if child.place is not None:
        if not child.place.exchanged:
            return values(child.place, mode)
        return exchanged(variant, values(child.place, variant.exchanged_mode(mode)))
    if child.line:
        return np.full(variant.shape, win if child.line > 0 else -win)
    if variant.decided_by == "money":
        return by_money(variant, win)
    return np.zeros(variant.shape, dtype=type(win))


def matrix(
    variant: Variant, stage: Stage, chips: Pair, win: Win = WIN, most: Pair | None = None
) -> Grid:
    """X's payoffs as floats, X's bids by O's: `most` of them, by default those worth a thought."""
    a, b = chips
    m, n = most or bids(chips)
    mine, theirs = a - np.arange(m), b - np.arange(n)
    ties = np.arange(min(m, n))
    match variant.payment:
        case "all-pay":
            both = (slice(a - m + 1, a + 1), slice(b - n + 1, b + 1))
            x = stage.x_wins[both][::-1, ::-1]
            o = stage.o_wins[both][::-1, ::-1]
            x_at = o_at = (a - ties, b - ties)
        case "poorman":
            x = stage.x_wins[mine, b][:, None]
            o = stage.o_wins[a, theirs][None, :]
            x_at, o_at = (a - ties, np.full_like(ties, b)), (np.full_like(ties, a), b - ties)
        case "richman":
            x = stage.x_wins[mine, 0][:, None]
            o = stage.o_wins[a + np.arange(n), 0][None, :]
            x_at, o_at = (a - ties, np.zeros_like(ties)), (a + ties, np.zeros_like(ties))
    payoffs = np.where(np.arange(m)[:, None] > np.arange(n), x, o).astype(np.float64)
    if stage.again is not None:
        payoffs[ties, ties] = stage.again[variant.at(chips)]
    else:
        share = stage.x_share
        payoffs[ties, ties] = share * stage.x_ties[x_at] + (1 - share) * stage.o_ties[o_at]
    return payoffs / float(win)
