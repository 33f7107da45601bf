"""Zero-sum matrix games: the row player's payoffs, both players' equilibrium mixes, and how far off.

By von Neumann ("Zur Theorie der Gesellschaftsspiele", 1928) such a game has a value, which its two
players' linear programmes share (Dantzig, "A proof of the equivalence of the programming problem and
the game problem", 1951). `solve` is a dense tableau simplex, quick for the bids of one position
(up to 101 by 101): the payoffs are shifted to be positive, the column player maximises the sum of y
under M y <= 1, and the slack basis is feasible. `by_linear_programme` is the same game through
SciPy's HiGHS: slow, independent, the reference.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Basis = tuple[npt.NDArray[Any], npt.NDArray[Any]]
"""As many choices of the row player as of the column player, in order. Between them the payoffs,
shifted to be positive, form a regular matrix, which gives both mixes back (`from_basis`)."""

SADDLE = 1e-12
"""Maximin and minimax closer than this are one: both players have a pure best choice."""
TOLERANCE = 1e-6
"""The widest gap that `solve` returns without asking the linear programme."""
_COST = 1e-10
_PIVOT = 1e-7
_TIE = 1e-9
_NUDGE = 1e-7
"""Right-hand sides are 1 and a little, differing by row, since equal ones make the simplex stall
(Charnes, 1952); the payoffs of the game see none of it but a gap of this order."""
_MAX_PIVOTS = 2_000


class Game(NamedTuple):
    """A solved game. `row` and `column` are probabilities that add up to 1."""

    value: float
    """The middle between what `row` guarantees and what `column` concedes."""
    row: Array
    column: Array
    gap: float
    """What `column` concedes at most less what `row` guarantees: 0 at an equilibrium."""
    basis: Basis | None = None
    """The choices that the mixes are made of, where the simplex found them."""


def judged(matrix: Array, row: Array, column: Array) -> Game:
    """Two mixes with their value and gap, by multiplication only."""
    concedes, guarantees = float((matrix @ column).max()), float((row @ matrix).min())
    return Game((concedes + guarantees) / 2, row, column, concedes - guarantees)


def solve(matrix: Array, saddle: float = SADDLE) -> Game:
    """An equilibrium with a gap of at most TOLERANCE, of payoffs of the order of 1; or a pair of pure
    choices with a gap of at most `saddle`."""
    worst, best = matrix.min(axis=1), matrix.max(axis=0)
    i, j = int(worst.argmax()), int(best.argmin())
    if best[j] - worst[i] <= saddle:
        row, column = _pure(matrix.shape[0], i), _pure(matrix.shape[1], j)
        return Game(float(best[j] + worst[i]) / 2, row, column, float(best[j] - worst[i]))
    found = _simplex(matrix)
    if found is not None and found.gap <= TOLERANCE:
        return found
    return by_linear_programme(matrix)


def from_basis(matrix: Array, basis: Basis) -> Game | None:
    """The mixes that make the rival's choices in the basis equally good; None where the matrix of
    the basis is singular. The gap tells whether it is an equilibrium's basis."""
    rows, columns = basis
    shifted = matrix[np.ix_(rows, columns)] - (matrix.min() - 1.0)
    try:
        inverse = np.linalg.inv(shifted)
    except np.linalg.LinAlgError:
        return None
    row, column = np.zeros(matrix.shape[0]), np.zeros(matrix.shape[1])
    row[rows] = np.maximum(inverse.sum(axis=0), 0.0)
    column[columns] = np.maximum(inverse.sum(axis=1), 0.0)
    if not (row.any() and column.any()):
        return None
    return judged(matrix, row / row.sum(), column / column.sum())._replace(basis=basis)


def _pure(size: int, choice: int) -> Array:
    mix = np.zeros(size)
    mix[choice] = 1.0
    return mix


def _simplex(matrix: Array) -> Game | None:
    """An equilibrium, or None where rounding has spoilt the tableau.

    The tableau is condensed: row i holds the basic variable `basic[i]`, column j the free one
    `free[j]`; variables below n are the column player's, the others the slacks of the rows.
    """
    m, n = matrix.shape
    table = np.empty((m + 1, n + 1))
    np.subtract(matrix, matrix.min() - 1.0, out=table[:m, :n])
    table[:m, n] = 1.0 + _NUDGE * ((np.arange(m) * 7919) % 101) / 101
    table[m] = -1.0
    table[m, n] = 0.0
    basic, free = np.arange(n, n + m), np.arange(n)
    ratios = np.empty(m)
    change = np.empty_like(table)
    for _ in range(_MAX_PIVOTS):
        costs = table[m, :n]
        q = int(costs.argmin())
        if costs[q] >= -_COST:
            return _read(matrix, table, basic, free)
        column = table[:m, q]
        ratios.fill(np.inf)
        np.divide(table[:m, n], column, out=ratios, where=column > _PIVOT)
        p = int(ratios.argmin())
        if ratios[p] == np.inf:
            return None
        _pivot(table, p, q, change)
        basic[p], free[q] = free[q], basic[p]
    return None


def _pivot(table: Array, p: int, q: int, change: Array) -> None:
    inverse = 1.0 / table[p, q]
    row = table[p] * inverse
    column = table[:, q].copy()
    np.multiply(column[:, None], row, out=change)
    table -= change
    table[p] = row
    table[:, q] = column * -inverse
    table[p, q] = inverse


def _read(matrix: Array, table: Array, basic: npt.NDArray[Any], free: npt.NDArray[Any]) -> Game:
    m, n = matrix.shape
    both = np.zeros(n + m)
    both[basic] = table[:m, n]
    column = np.maximum(both[:n], 0.0)
    both.fill(0.0)
    both[free] = table[m, :n]
    row = np.maximum(both[n:], 0.0)
    game = judged(matrix, row / row.sum(), column / column.sum())
    return game._replace(basis=(np.sort(free[free >= n]) - n, np.sort(basic[basic < n])))


def by_linear_programme(matrix: Array) -> Game:
    """The same by SciPy's HiGHS. Raises ArithmeticError where that finds no optimum."""
    row = _maximin(matrix)
    column = _maximin(-matrix.T)
    return judged(matrix, row, column)


def _maximin(matrix: Array) -> Array:
    """The mix of rows that guarantees most: maximise v under x M >= v, x a distribution."""
    from scipy.optimize import linprog  # type: ignore[import-untyped]

    m, n = matrix.shape
    found = linprog(
        c=np.append(np.zeros(m), -1.0),
        A_ub=np.hstack([-matrix.T, np.ones((n, 1))]),
        b_ub=np.zeros(n),
        A_eq=np.append(np.ones(m), 0.0)[None, :],
        b_eq=[1.0],
        bounds=[(0, None)] * m + [(None, None)],
        method="highs",
    )
    if not found.success:
        raise ArithmeticError(f"the linear programme of a {m} by {n} game: {found.message}")
    mix = np.maximum(found.x[:m], 0.0)
    return np.asarray(mix / mix.sum())
