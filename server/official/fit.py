"""The Davidson-Luce model of a field of contestants, with what is sure of each. Pure.

Of the seats that are left, the set S shares the best place with probability in proportion to
delta(|S|) * (product of the strengths in S)^(1/|S|); delta(1) is 1. Without ties this is Plackett-Luce, with
two seats Bradley-Terry, and Davidson's model of 1970 where those may draw. Firth, Kosmidis and Turner,
"Davidson-Luce model for multi-item choice with ties" (2019, arXiv:1909.07123). With log strengths theta and log
deltas every term is linear below a log-sum-exp, so the log likelihood is concave: Newton's method finds its maximum.

The likelihood alone would not do. Where somebody has only won it has no maximum. And opponents are matched by
ratings that hold the very luck that is to be told from strength: the field then looks wider than it is (Bramley,
"Investigating the reliability of adaptive comparative judgment", Cambridge Assessment 2015), and of maximum
likelihood's 95 % intervals some 78 % hold the truth (docs/ratings.md). So strengths are taken for draws from
a normal field of unknown width tau: what was matched when does not matter to such a posterior, and of the rows that
come out on top as many hold as of all. The width is integrated over and not estimated, since an estimate as certain
as it pretends to be makes intervals too narrow. How far an interval reaches allows for fields that are not normal
(`reach.py`). For each width the posterior is taken for normal around its mode: Rue,
Martino and Chopin, "Approximate Bayesian inference for latent Gaussian models by using integrated nested Laplace
approximations", JRSS B 71 (2009).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from server.official.likelihood import Floats, Part, inverse, maximum
from server.official.reach import reach
from server.official.stages import Choices, tie_sizes

WIDTH_SCALE = 2.0
"""tau's prior is half-normal with this scale: a width of 1 is usual, and of 4 hard to believe."""
TIE_PRECISION = 0.25
"""Of the normal prior of each log delta about 0: a standard deviation of 2."""
_STEP = 0.02
"""Of log tau. Widths lie on this grid, whatever the data, so that everybody integrates over the same ones."""
_COARSE = 5
"""Steps at once, where the posterior of tau is wide enough."""
_BOUND = 150
"""Steps: tau is between 1/20 and 20."""
_NEGLIGIBLE = 12.0
"""A width is left out when the best is e^12 times as likely."""
_SPECK = 1e-12
"""A variance that is nothing but rounding."""


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
    field all is told against. Raises likelihood.NoMaximum.

    Some dozens of factorisations of a matrix of that size: 3 s of processor time for 1,000, 12 s for 2,000.
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


class _Width(msgspec.Struct, frozen=True, kw_only=True):
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
        self._parts = [Part(each, self._sizes, field) for each in choices]
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
        top = maximum(self._at, self._parts, precision)
        self._at = top.at
        covariance, log_determinant = inverse(top.information)
        field, share = self._field, self._share
        theta, covariance = top.at[:field], covariance[:field, :field]
        against = covariance @ share
        # with P the prior's precision: V P V of the pull's square, V P theta of the pull itself
        pull_against = covariance @ against / width**2
        pull = covariance @ theta / width**2
        # Laplace's integral over all parameters, tau's prior, and the step from tau to log tau
        log_density = top.value - field * math.log(width) - log_determinant / 2
        log_density += math.log(width) - (width / WIDTH_SCALE) ** 2 / 2
        square = np.sum(covariance**2, axis=1) / width**2
        return _Width(
            width=width,
            log_density=log_density,
            theta=theta - share @ theta,
            variance=np.diag(covariance) - 2 * against + share @ against,
            mean_square_pull=square - 2 * pull_against + share @ pull_against,
            pull=pull - share @ pull,
            tie=dict(zip(self._sizes, top.at[field:].tolist(), strict=True)),
        )
