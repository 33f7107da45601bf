"""The Davidson-Luce model, fitted with Jeffreys' prior. Pure.

Of the seats that are left, the set S shares the best place with probability in proportion to
delta(|S|) * (product of the strengths in S)^(1/|S|); delta(1) is 1. Without ties this is Plackett-Luce, with
two seats Bradley-Terry, and Davidson's model of 1970 where those may draw. Firth, Kosmidis and Turner,
"Davidson-Luce model for multi-item choice with ties" (2019, arXiv:1909.07123).

The parameters are the log strengths theta and the log deltas. What is maximised is the log likelihood plus half
the log determinant of the information, which is Jeffreys' prior: it is finite where somebody has only won, it
takes away the first order of the bias by which few sessions exaggerate, and it knows no origin, so that it pulls
nobody towards a middle that he has never met. Firth, "Bias reduction of maximum likelihood estimates", Biometrika
80 (1993); Kosmidis and Firth, "Jeffreys-prior penalty, finiteness and shrinkage in binomial-response generalized
linear models", Biometrika 108 (2021). Groups that have never met are held together by normal priors ten wide: their
distance is then as uncertain as it should be.

With the leverages held still, the prior is a part of an observation more of every set that could have been chosen
(a in the code); the information of such augmented data is the curvature that the steps use. What is uncertain is
told by the inverse of the observed information at the maximum, without the augmentation.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, lapack  # type: ignore[import-untyped]

from server.official.stages import Choices, tie_sizes

Floats = NDArray[np.float64]

PRIOR_PRECISION = 0.01
"""Of every parameter, about 0: a standard deviation of 10, or 1,700 points, where 1 is much."""
TOLERANCE = 1e-10
"""Of a step: far below a printed point, so that the same is printed anywhere."""
MAX_STEPS = 500
_CHUNK = 8_192


class NoMaximum(ArithmeticError):
    """The steps did not come to rest."""


class Fit:
    """The maximum and what is known around it."""

    def __init__(self, theta: Floats, covariance: Floats, tie: dict[int, float]) -> None:
        self.theta = theta
        """(field,): log strengths; only their differences mean anything."""
        self.covariance = covariance
        """(field, field)"""
        self.tie = tie
        """By the number that share a place: log delta."""


def fit(field: int, choices: Sequence[Choices]) -> Fit:
    """Fit a field of so many contestants to the choices between them. Raises NoMaximum.

    About ten steps, each of one inversion of a matrix of that size: seconds for a thousand.
    """
    sizes = tie_sizes(choices)
    parts = [_Part(each, sizes, field) for each in choices]
    at: Floats = np.zeros(field + len(sizes))
    look = _Look(at, parts)
    for _ in range(MAX_STEPS):
        step = cho_solve(cho_factor(look.curvature), look.gradient)
        ahead = _Look(at + step, parts)
        while ahead.value < look.value - 1e-9 * (1 + abs(look.value)):
            step = step / 2
            ahead = _Look(at + step, parts)
        at += step
        look = ahead
        if np.max(np.abs(step), initial=0.0) < TOLERANCE:
            tie = dict(zip(sizes, at[field:].tolist(), strict=True))
            return Fit(at[:field], look.covariance[:field, :field], tie)
    raise NoMaximum(f"no maximum after {MAX_STEPS} steps for a field of {field}")


class _Part:
    """Choices out of equally many seats, and the sets that could have been chosen."""

    def __init__(self, choices: Choices, sizes: Sequence[int], field: int) -> None:
        seats = choices.seats
        sets = [
            members
            for size in (1, *sizes)
            if size <= seats
            for members in itertools.combinations(range(seats), size)
        ]
        self.design = np.zeros((len(sets), seats + len(sizes)))
        """(sets, seats + tie sizes): how a set's log weight depends on its seats' theta and on log delta."""
        for row, members in enumerate(sets):
            self.design[row, list(members)] = 1 / len(members)
            if len(members) > 1:
                self.design[row, seats + sizes.index(len(members))] = 1
        self._squares = np.einsum("sa,sb->sab", self.design, self.design).reshape(len(sets), -1)
        shared = choices.chosen.sum(axis=1, keepdims=True)
        tied = [shared == size for size in sizes]
        self._observed = np.hstack([choices.chosen / shared, *tied]).astype(float)
        ties = np.broadcast_to(np.arange(field, field + len(sizes)), (len(choices), len(sizes)))
        self._where = np.hstack([choices.left, ties])

    def under(self, at: Floats) -> Iterator[_Chunk]:
        """The choices, some thousands at a time, under these parameters."""
        for start in range(0, len(self._where), _CHUNK):
            where = self._where[start : start + _CHUNK]
            weights = at[where] @ self.design.T
            top = weights.max(axis=1, keepdims=True)
            shares = np.exp(weights - top)
            total = shares.sum(axis=1, keepdims=True)
            shares /= total
            observed = self._observed[start : start + _CHUNK]
            expected = shares @ self.design
            width = where.shape[1]
            information = (shares @ self._squares).reshape(-1, width, width)
            information -= expected[:, :, None] * expected[:, None, :]
            value = float(np.sum(observed * at[where]) - np.sum(top + np.log(total)))
            yield _Chunk(where, shares, observed - expected, expected, information, value)


class _Chunk:
    """Some choices under some parameters."""

    def __init__(
        self,
        where: NDArray[np.intp],
        shares: Floats,
        surprise: Floats,
        expected: Floats,
        information: Floats,
        value: float,
    ) -> None:
        self.where = where
        """(choices, width): which parameters they depend on."""
        self.shares = shares
        """(choices, sets): the probabilities of the sets."""
        self.surprise = surprise
        """(choices, width): what was chosen less what was expected: the score."""
        self.expected = expected
        self.information = information
        """(choices, width, width)"""
        self.value = value
        """Their log likelihood."""

    def pairs(self, count: int) -> NDArray[np.intp]:
        """Where `information` belongs in a flat matrix of `count` rows."""
        return self.where[:, :, None] * count + self.where[:, None, :]


class _Look:
    """All that is needed of one point: the value, its gradient, the uncertainty, and a curvature to step by."""

    def __init__(self, at: Floats, parts: Sequence[_Part]) -> None:
        count = len(at)
        information = np.zeros(count * count)
        self.value = -PRIOR_PRECISION / 2 * float(at @ at)
        self.gradient = -PRIOR_PRECISION * at
        for part in parts:
            for chunk in part.under(at):
                self.value += chunk.value
                _add(self.gradient, chunk.where, chunk.surprise)
                _add(information, chunk.pairs(count), chunk.information)
        information[:: count + 1] += PRIOR_PRECISION
        self.covariance, log_determinant = _inverse(information.reshape(count, count))
        self.value += log_determinant / 2
        for part in parts:
            for chunk in part.under(at):
                self._augment(part, chunk, information)
        self.curvature = information.reshape(count, count)

    def _augment(self, part: _Part, chunk: _Chunk, information: Floats) -> None:
        """Add to gradient and curvature what Jeffreys' prior says of these choices."""
        around = self.covariance[chunk.where[:, :, None], chunk.where[:, None, :]]
        apart = part.design - chunk.expected[:, None, :]
        # (choices, sets): half the leverage of every set that could have been chosen
        a = chunk.shares / 2 * ((apart @ around) * apart).sum(axis=2)
        _add(self.gradient, chunk.where, (a[:, None, :] @ apart)[:, 0])
        weight = a.sum(axis=1)[:, None, None]
        _add(information, chunk.pairs(len(self.gradient)), chunk.information * weight)


def _add(to: Floats, where: NDArray[np.intp], what: Floats) -> None:
    """Add, also where the same place is named again. One dimension is what numpy does fast."""
    np.add.at(to, where.ravel(), what.ravel())


def _inverse(matrix: Floats) -> tuple[Floats, float]:
    """Of a positive definite matrix, with its log determinant; half the work of a general inverse."""
    factor, failed = lapack.dpotrf(matrix, lower=1)
    if failed:
        raise NoMaximum(f"the information is not positive definite at row {failed}")
    half, _ = lapack.dpotri(factor, lower=1)
    lower = np.tril(half)
    return lower + np.tril(lower, -1).T, 2 * float(np.sum(np.log(np.diag(factor))))
