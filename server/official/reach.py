"""How far an interval of 95 % reaches when an estimate is pulled towards the middle of the field. Pure.

An estimate that borrows from the field has a spread s over what chance might have shown instead, and a bias, the
prior's pull. The posterior's interval takes the biases of all contestants for a normal sample; where the field is
not normal, or many are pulled alike, it reaches too short. Here the pull is taken for what it may be:

- *on average*: whatever the distribution of the biases, as long as their mean square is the one that the
  prior implies: Armstrong, Kolesar and Plagborg-Moller, "Robust empirical Bayes confidence intervals",
  Econometrica 90 (2022);
- *here*: as large as it is estimated to be for this very contestant. Half of a field that is pulled down together,
  since it hardly met the other half, shows it there.

The wider of the two stands. Both are a critical value times s; without a bias that is the usual 1.96.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr  # type: ignore[import-untyped]

Floats = NDArray[np.float64]

MISSED = 0.05
_Z = 1.959963984540054
_HALVINGS = 60
_GRID = 400


def reach(spread: Floats, mean_square_bias: Floats, bias: Floats) -> Floats:
    """Half the width of each interval, in the unit of its arguments. `spread` is above 0."""
    on_average = critical_on_average(mean_square_bias / spread**2)
    here = critical_here(np.abs(bias) / spread)
    found: Floats = spread * np.maximum(on_average, here)
    return found


def critical_here(bias: Floats) -> Floats:
    """c such that a normal variable of variance 1 around `bias` lies within c of 0 in 95 % of cases."""
    low, high = np.full_like(bias, 1.5), bias + 2.5
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        short = _outside(bias**2, middle) > MISSED
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return high


def critical_on_average(mean_square: Floats) -> Floats:
    """c such that it lies within c in at least 95 % of cases, whatever the distribution of a bias with this
    mean square."""
    allowed, critical = _table()
    # beyond the table Chebyshev's inequality is all that is left, and its square root law
    beyond = np.sqrt(np.maximum(mean_square / allowed[-1], 1))
    found: Floats = np.interp(mean_square, allowed, critical) * beyond
    return found


def _outside(square: Floats, critical: Floats) -> Floats:
    """The probability of more than `critical` away from 0, given the bias' square."""
    bias = np.sqrt(square)
    found: Floats = ndtr(-critical - bias) + ndtr(bias - critical)
    return found


@functools.cache
def _table() -> tuple[Floats, Floats]:
    """The mean square that each critical value allows for. Of all distributions of the square the worst has two
    points, 0 and where the chord from 0 touches `_outside`: the least concave function above it is that chord."""
    critical = np.concatenate([np.linspace(_Z, 4, 300), np.geomspace(4, 100, 300)[1:]])
    nothing = _outside(np.zeros_like(critical), critical)
    square = critical[:, None] ** 2 * np.linspace(0.01, 4, _GRID)
    slope = (_outside(square, critical[:, None]) - nothing[:, None]) / square
    steepest = slope.max(axis=1)
    allowed = (MISSED - nothing) / steepest
    return np.maximum.accumulate(np.maximum(allowed, 0)), critical
