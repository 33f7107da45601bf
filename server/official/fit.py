"""The Davidson-Luce model of a field of contestants, with what is sure of each. Pure.

Of the seats that are left, the set S shares the best place with probability in proportion to
delta(|S|) * (product of the strengths in S)^(1/|S|); delta(1) is 1. Without ties this is Plackett-Luce, with
two seats Bradley-Terry, and Davidson's model of 1970 where those may draw. Firth, Kosmidis and Turner,
"Davidson-Luce model for multi-item choice with ties" (2019, arXiv:1909.07123). With log strengths theta and log
deltas every term is linear below a log-sum-exp, so the log likelihood is concave: Newton's method finds its maximum.

The likelihood alone would not do. Where somebody has only won it has no maximum. And opponents are matched by
ratings that hold the very luck that is to be told from strength: the field then looks wider than it is (Bramley,
"Investigating the reliability of adaptive comparative judgment", Cambridge Assessment 2015), and of maximum
likelihood's 95 % intervals only 75 to 80 % hold the truth (docs/ratings.md). So strengths are taken for draws from
a normal field of unknown width tau: what was matched when does not matter to such a posterior, and of the rows that
come out on top as many hold as of all. The width is integrated over and not estimated, since an estimate as certain
as it pretends to be makes intervals too narrow. How far an interval reaches allows for fields that are not normal
(`reach.py`). For each width the posterior is taken for normal around its mode: Rue,
Martino and Chopin, "Approximate Bayesian inference for latent Gaussian models by using integrated nested Laplace
approximations", JRSS B 71 (2009).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, lapack  # type: ignore[import-untyped]

from server.official.reach import reach
from server.official.stages import Choices, tie_sizes

Floats = NDArray[np.float64]

WIDTH_SCALE = 2.0
"""tau's prior is half-normal with this scale: a width of 1 is usual, and of 4 hard to believe."""
TIE_PRECISION = 0.25
"""Of the normal prior of each log delta about 0: a standard deviation of 2."""
TOLERANCE = 1e-10
"""Of a step of Newton's: far below a printed point, so that the same is printed anywhere."""
MAX_STEPS = 100
_STEP = 0.02
"""Of log tau. Widths lie on this grid, whatever the data, so that everybody integrates over the same ones."""
_COARSE = 5
"""Steps at once, where the posterior of tau is wide enough."""
_BOUND = 150
"""Steps: tau is between 1/20 and 20."""
_NEGLIGIBLE = 12.0
"""A width is left out when the best is e^12 times as likely."""
_CHUNK = 8_192
_SPECK = 1e-12
"""A variance that is nothing but rounding."""


class NoMaximum(ArithmeticError):
    """Newton's steps did not come to rest: a defect, since the posterior is log-concave."""


class Fit(msgspec.Struct, frozen=True):
    theta: Floats
    """(field,): means of the log strengths, as differences from their mean under the weights."""
    doubt: Floats
    """(field,): the posterior's standard deviations of these differences."""
    reach: Floats
    """(field,): half the widths of their 95 % intervals, see `reach`."""
    width: float
    """Mean of tau."""
    tie: dict[int, float]
    """By the number that share a place: log delta, at the likeliest width."""


def fit(field: int, choices: Sequence[Choices], weights: Floats | None = None) -> Fit:
    """Fit so many contestants to the choices between them. `weights` (default: equal) say which mean of the
    field all is told against. Raises NoMaximum.

    Some dozens of factorisations of a matrix of that size: a second or two for 500.
    """
    share = np.ones(field) if weights is None else weights
    share = share / share.sum()
    widths = _Widths(field, choices, share)
    best = widths.likeliest()
    found = [widths.at(place) for place in widths.around(best)]
    weight = np.exp([each.log_density - widths.at(best).log_density for each in found])
    weight /= weight.sum()
    theta = weight @ np.array([each.theta for each in found])
    variance = weight @ np.array([each.variance + (each.theta - theta) ** 2 for each in found])
    pull = weight @ np.array([each.mean_square_pull for each in found])
    return Fit(
        theta=theta,
        doubt=np.sqrt(variance),
        reach=reach(
            np.sqrt(np.maximum(variance - pull, _SPECK)),
            pull,
            weight @ np.array([each.pull for each in found]),
        ),
        width=float(weight @ np.array([each.width for each in found])),
        tie=widths.at(best).tie,
    )


class _Width(msgspec.Struct, frozen=True):
    """The posterior, as if the width of the field were known."""

    width: float
    log_density: float
    """Of log tau, up to a constant."""
    theta: Floats
    variance: Floats
    mean_square_pull: Floats
    """The part of the variance that is bias: how far the prior pulls, on the mean over fields of this width."""
    pull: Floats
    """How far it pulls here, as far as that can be told."""
    tie: dict[int, float]


class _Widths:
    """The widths that have been looked at, by their place on the grid; each begins where the last one ended."""

    def __init__(self, field: int, choices: Sequence[Choices], share: Floats) -> None:
        self._field = field
        self._sizes = tie_sizes(choices)
        self._parts = [_Part(each, self._sizes, field) for each in choices]
        self._share = share
        self._known: dict[int, _Width] = {}
        self._at: Floats = np.zeros(field + len(self._sizes))

    def likeliest(self) -> int:
        """The best place that coarse steps uphill from tau = 1 lead to."""
        place = 0
        for step in (_COARSE, -_COARSE):
            while abs(place + step) <= _BOUND and self._better(place + step, place):
                place += step
        return place

    def around(self, best: int) -> list[int]:
        """The places that matter, ascending; close ones where the posterior is narrow."""
        beside = [self.at(best + step) for step in (-_COARSE, _COARSE)]
        top = self.at(best).log_density
        narrow = all(each.log_density < top - 1 for each in beside)
        places = [best]
        for step in (1, -1):
            stride, place = step * (1 if narrow else _COARSE), best
            while abs(place) <= _BOUND and self.at(place).log_density > top - _NEGLIGIBLE:
                place += stride
                places.append(place)
        return sorted(places)

    def at(self, place: int) -> _Width:
        if place not in self._known:
            self._known[place] = self._look(math.exp(place * _STEP))
        return self._known[place]

    def _better(self, one: int, other: int) -> bool:
        return self.at(one).log_density > self.at(other).log_density

    def _look(self, width: float) -> _Width:
        precision = np.full(len(self._at), TIE_PRECISION)
        precision[: self._field] = 1 / width**2
        top = _maximum(self._at, self._parts, precision)
        self._at = top.at
        covariance, log_determinant = _inverse(top.information)
        field, share = self._field, self._share
        theta, covariance = top.at[:field], covariance[:field, :field]
        against = covariance @ share
        # with P the prior's precision: V P V of the pull's square, V P theta of the pull itself
        pull_against = covariance @ against / width**2
        pull = covariance @ theta / width**2
        # Laplace's integral over all parameters, tau's prior, and the step from tau to log tau
        log_density = top.value - field * math.log(width) - log_determinant / 2
        log_density += math.log(width) - (width / WIDTH_SCALE) ** 2 / 2
        return _Width(
            width,
            log_density,
            theta - share @ theta,
            np.diag(covariance) - 2 * against + share @ against,
            np.sum(covariance**2, axis=1) / width**2 - 2 * pull_against + share @ pull_against,
            pull - share @ pull,
            dict(zip(self._sizes, top.at[field:].tolist(), strict=True)),
        )


class _Point:
    """The log posterior at some parameters, its gradient, and the information."""

    def __init__(self, at: Floats, parts: Sequence[_Part], precision: Floats) -> None:
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


def _maximum(start: Floats, parts: Sequence[_Part], precision: Floats) -> _Point:
    """By Newton's steps, halved where they would lead down."""
    point = _Point(start, parts, precision)
    for _ in range(MAX_STEPS):
        step = cho_solve(cho_factor(point.information), point.gradient)
        ahead = _Point(point.at + step, parts, precision)
        while ahead.value < point.value - 1e-9 * (1 + abs(point.value)):
            step /= 2
            ahead = _Point(point.at + step, parts, precision)
        point = ahead
        if np.max(np.abs(step), initial=0.0) < TOLERANCE:
            return point
    raise NoMaximum(f"no maximum after {MAX_STEPS} steps of {len(start)} parameters")


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

    def under(self, at: Floats) -> Iterator[_Chunk]:
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
            yield _Chunk(where, observed - expected, information, value)


class _Chunk(msgspec.Struct, frozen=True):
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


def _inverse(matrix: Floats) -> tuple[Floats, float]:
    """Of a positive definite matrix, with its log determinant; half the work of a general inverse."""
    factor, failed = lapack.dpotrf(matrix, lower=1)
    if failed:
        raise NoMaximum(f"the information is not positive definite at row {failed}")
    half, _ = lapack.dpotri(factor, lower=1)
    lower = np.tril(half)
    return lower + np.tril(lower, -1).T, 2 * float(np.sum(np.log(np.diag(factor))))
