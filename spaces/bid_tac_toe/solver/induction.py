"""Backward induction over the classes of boards: the value of every position of a variant.

A mark always follows a bid, so the positions over one board need only those over boards with one free
cell less, and do not need each other. Different classes often have the same stage (what matters is
which lines are left), so of 803 classes of all-pay fewer than 200 are ever solved.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from spaces.bid_tac_toe.solver import matrix_game, regret_matching
from spaces.bid_tac_toe.solver.boards import Place, classes
from spaces.bid_tac_toe.solver.matrix_game import Game
from spaces.bid_tac_toe.solver.stage import WIN, Grid, Stage, Variant, by_money, matrix, stage
from spaces.bid_tac_toe.state import EMPTY

Method = Literal["simplex", "regret-matching"]
Bases = npt.NDArray[np.uint8]
"""For each position of a grid, for each seat, a bit for each bid of the simplex's last basis; nothing
where a pure bid is best, or where another method was used."""


class Settings(NamedTuple):
    method: Method = "simplex"
    tolerance: float = matrix_game.TOLERANCE
    """The widest gap of a stage, in units of the stake."""
    workers: int = 1
    """Threads; more than one helps with `compiled`."""
    rounded_to: int | None = None
    """Values are rounded to this part of the stake as soon as they are known, so that all that
    follows is exact for the rounded ones, as they stand in a file. None: not rounded."""
    compiled: bool = False
    """As machine code: a hundred times faster, after half a minute of compiling, once. Needs Numba
    (the extra `solver`)."""


class Solved(NamedTuple):
    """All positions of a variant. Grid `which[class, mode]` is that of a class of boards."""

    variant: Variant
    boards: tuple[str, ...]
    """The classes that `which` counts; those of `classes()`, or some of them."""
    grids: list[Grid]
    bases: list[Bases]
    which: dict[tuple[str, int], int]
    gap: float
    """The widest gap of any stage."""


class _Swept(NamedTuple):
    grid: Grid
    bases: Bases
    gap: float


def has_compiler() -> bool:
    """Whether Numba is installed (the extra `solver`)."""
    return importlib.util.find_spec("numba") is not None


def solve(
    variant: Variant,
    settings: Settings = Settings(),  # noqa: B008 # immutable
    boards: tuple[str, ...] | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Solved:
    """Every position of the variant over `boards`, which must hold all boards that follow theirs and
    stand as in `classes()`; `progress` hears how many of all (class, mode) are done."""
    boards = classes() if boards is None else boards
    known: dict[bytes, int] = {}
    found = Solved(variant, boards, [], [], {}, 0.0)
    widest = 0.0
    with ThreadPoolExecutor(settings.workers) as pool:
        for step in _steps(variant, boards):
            fresh: dict[bytes, Stage] = {}
            keys = {}
            for board, mode in step:
                what = stage(variant, functools.partial(_grid, found), board, mode)
                keys[board, mode] = key = _digest(what)
                if key not in known:
                    fresh[key] = what
            swept = pool.map(functools.partial(_sweep, variant, settings), fresh.values())
            for key, each in zip(fresh, swept, strict=True):
                known[key] = len(found.grids)
                unit = settings.rounded_to
                found.grids.append(
                    each.grid if unit is None else np.rint(each.grid * unit) / unit + 0.0
                )
                found.bases.append(each.bases)
                widest = max(widest, each.gap)
            found.which.update({where: known[key] for where, key in keys.items()})
            progress(len(found.which), len(boards) * variant.modes)
    return found._replace(gap=widest)


def _grid(found: Solved, place: Place, mode: int) -> Grid:
    return found.grids[found.which[place.board, mode]]


def _steps(variant: Variant, boards: tuple[str, ...]) -> Iterable[list[tuple[str, int]]]:
    """What may be solved at the same time: boards with as many free cells; and where ties are bid
    again, the last bid before the earlier ones."""
    for _, level in itertools.groupby(boards, key=lambda board: board.count(EMPTY)):
        same = list(level)
        if variant.ties == "rebid":
            for mode in reversed(range(variant.modes)):
                yield [(board, mode) for board in same]
        else:
            yield [(board, mode) for board in same for mode in range(variant.modes)]


def _digest(what: Stage) -> bytes:
    digest = hashlib.blake2b(repr(what.x_share).encode(), digest_size=32)
    for grid in (what.x_wins, what.o_wins, what.x_ties, what.o_ties, what.again):
        digest.update(b"-" if grid is None else np.ascontiguousarray(grid + 0.0).tobytes())
    return digest.digest()


def _sweep(variant: Variant, settings: Settings, what: Stage) -> _Swept:
    if settings.compiled:
        return _compiled_sweep(variant, settings, what)
    grid, bases = _blank(variant)
    widest = 0.0
    for at, chips in positions(variant):
        game = _solve(matrix(variant, what, chips), settings)
        grid[at] = game.value
        _note(bases, at, game)
        widest = max(widest, game.gap)
    return _Swept(grid, bases, widest)


def _compiled_sweep(variant: Variant, settings: Settings, what: Stage) -> _Swept:
    from spaces.bid_tac_toe.solver import compiled

    grid, bases = _blank(variant)
    gaps = np.zeros(variant.shape)
    contiguous = [np.ascontiguousarray(each, dtype=np.float64) for each in what[:4]]
    again = contiguous[0] if what.again is None else np.ascontiguousarray(what.again)
    sweep: Any = compiled.sweep  # its arguments, by position, are beyond the types
    sweep(
        grid, gaps, bases, variant.lowest, variant.total, compiled.PAYMENTS[variant.payment],
        *contiguous, what.x_share, again, what.again is not None,
        compiled.METHODS[settings.method], settings.tolerance, regret_matching.MOST,
    )  # fmt: skip
    # Rounding spoils one tableau in some ten thousand; another order of operations saves it.
    for at in map(tuple, np.argwhere(gaps > settings.tolerance)):
        x, o = variant.purses()
        game = matrix_game.solve(matrix(variant, what, (int(x[at]), int(o[at]))))
        grid[at], gaps[at] = game.value, game.gap
        bases[at] = 0
        _note(bases, at, game)
    return _Swept(grid, bases, max(0.0, float(gaps.max())))


def _solve(payoffs: Grid, settings: Settings) -> Game:
    if settings.method == "regret-matching":
        return regret_matching.solve(payoffs, settings.tolerance)
    return matrix_game.solve(payoffs)


def _blank(variant: Variant) -> tuple[Grid, Bases]:
    """Before any bid: who is richer has won. That stays so where a seat is bankrupt."""
    width = (variant.chips + 8) // 8
    return by_money(variant, WIN), np.zeros((*variant.shape, 2, width), dtype=np.uint8)


def positions(variant: Variant) -> Iterable[tuple[tuple[int, int], tuple[int, int]]]:
    """(where in the grid, chips) of each position that is played."""
    x, o = variant.purses()
    for at in itertools.product(*map(range, variant.shape)):
        chips = int(x[at]), int(o[at])
        if min(chips) >= variant.lowest:
            yield (at[0], at[1]), chips


def _note(bases: Bases, at: Any, game: Game) -> None:
    if game.basis is not None:
        for seat, choices in enumerate(game.basis):
            np.bitwise_or.at(bases[at][seat], choices >> 3, (1 << (choices & 7)).astype(np.uint8))
