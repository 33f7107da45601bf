"""The log posterior of the Davidson-Luce model under normal priors, and its maximum. Pure.

The parameters are the log strengths of the field, then the log deltas of the tie sizes. The log posterior is concave,
so Newton's steps, halved where they would lead down, find the one maximum.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, lapack  # type: ignore[import-untyped]

from server.official.stages import Choices

Floats = NDArray[np.float64]

TOLERANCE = 1e-10
"""Of a step: far below a printed point, so that the same is printed anywhere."""
MAX_STEPS = 100
_CHUNK = 8_192


class NoMaximum(ArithmeticError):
    """The steps did not come to rest: a defect, since the log posterior is concave."""


class Point:
    """The log posterior at some parameters, its gradient, and the information."""

    def __init__(self, at: Floats, parts: Sequence[Part], precision: Floats) -> None:
        count = len(at)
        information = np.zeros(count * count)
        self.at = at
        self.value = -float(at @ (precision * at)) / 2
        self.gradient = -precision * at
        for part in parts:
            for chunk in part.under(at):
                self.value += chunk.value
                _add(self.gradient, chunk.where, chunk.surprise)
                pairs = chunk.where[:, :, None] * count + chunk.where[:, None, :]
                _add(information, pairs, chunk.information)
        information[:: count + 1] += precision
        self.information = information.reshape(count, count)


def maximum(start: Floats, parts: Sequence[Part], precision: Floats) -> Point:
    """By Newton's steps, halved where they would lead down."""
    point = Point(start, parts, precision)
    for _ in range(MAX_STEPS):
        step = cho_solve(cho_factor(point.information), point.gradient)
        ahead = Point(point.at + step, parts, precision)
        while ahead.value < point.value - 1e-9 * (1 + abs(point.value)):
            step /= 2
            ahead = Point(point.at + step, parts, precision)
        point = ahead
        if np.max(np.abs(step), initial=0.0) < TOLERANCE:
            return point
    raise NoMaximum(f"no maximum after {MAX_STEPS} steps of {len(start)} parameters")


class Part:
    """Choices out of equally many seats, and the sets that could have been chosen."""

    def __init__(self, choices: Choices, sizes: Sequence[int], field: int) -> None:
        seats = choices.seats
        sets = [
            members
            for size in (1, *sizes)
            if size <= seats
            for members in itertools.combinations(range(seats), size)
        ]
        # (sets, seats + tie sizes): how a set's log weight depends on its seats' theta and on log delta
        self._design = np.zeros((len(sets), seats + len(sizes)))
        for row, members in enumerate(sets):
            self._design[row, list(members)] = 1 / len(members)
            if len(members) > 1:
                self._design[row, seats + sizes.index(len(members))] = 1
        squares = np.einsum("sa,sb->sab", self._design, self._design)
        self._squares = squares.reshape(len(sets), -1)
        shared = choices.chosen.sum(axis=1, keepdims=True)
        tied = [shared == size for size in sizes]
        self._observed = np.hstack([choices.chosen / shared, *tied]).astype(float)
        ties = np.broadcast_to(np.arange(field, field + len(sizes)), (len(choices), len(sizes)))
        self._where = np.hstack([choices.left, ties])

    def under(self, at: Floats) -> Iterator[Chunk]:
        """The choices, some thousands at a time, under these parameters."""
        for start in range(0, len(self._where), _CHUNK):
            where = self._where[start : start + _CHUNK]
            weights = at[where] @ self._design.T
            top = weights.max(axis=1, keepdims=True)
            shares = np.exp(weights - top)
            total = shares.sum(axis=1, keepdims=True)
            shares /= total
            observed = self._observed[start : start + _CHUNK]
            expected = shares @ self._design
            width = where.shape[1]
            information = (shares @ self._squares).reshape(-1, width, width)
            information -= expected[:, :, None] * expected[:, None, :]
            value = float(np.sum(observed * at[where]) - np.sum(top + np.log(total)))
            yield Chunk(where, observed - expected, information, value)


class Chunk(msgspec.Struct, frozen=True):
    """Some choices under some parameters."""

    where: NDArray[np.intp]
    """(choices, width): which parameters they depend on."""
    surprise: Floats
    """(choices, width): what was chosen less what was expected: the score."""
    information: Floats
    """(choices, width, width)"""
    value: float
    """Their log likelihood."""


def _add(to: Floats, where: NDArray[np.intp], what: Floats) -> None:
    """Add, also where the same place is named again. One dimension is what numpy does fast."""
    np.add.at(to, where.ravel(), what.ravel())


def inverse(matrix: Floats) -> tuple[Floats, float]:
    """Of a positive definite matrix, with its log determinant; half the work of a general inverse."""
    factor, failed = lapack.dpotrf(matrix, lower=1)
    if failed:
        raise NoMaximum(f"the information is not positive definite at row {failed}")
    half, _ = lapack.dpotri(factor, lower=1)
    lower = np.tril(half)
    return lower + np.tril(lower, -1).T, 2 * float(np.sum(np.log(np.diag(factor))))
