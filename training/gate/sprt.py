"""The sequential test of a candidate: pairs of matches until it is known to be better, or known not to be. Pure.

Wald's SPRT ("Sequential Tests of Statistical Hypotheses", 1945) of the mean score p0 against p1, generalised as test
frameworks of chess engines do it: the likelihoods are those of the distribution that fits best among all with the mean
p0, and among all with the mean p1 (M. Van den Bergh, "The generalized maximum likelihood ratio for the expectation value
of a distribution", 2019). The unit is a *pair*: two matches with one seed, seats flipped. Its score is one of five, so what the
two matches owe to the seed and to the seats is in the variance of the pairs, and need not be guessed.

A match is worth 2 half points won, 1 drawn, 0 lost; a pair 0 to 4.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

OUTCOMES = 5
"""Scores of a pair."""
MOST_PAIRS = 250
"""After so many a test that has not decided is given up."""
UNSEEN = 0.1
"""Pairs that a score nobody has seen yet is taken to have been seen: without it no distribution of another mean fits."""

State = Literal["running", "passed", "failed", "undecided"]
Counts = tuple[int, int, int, int, int]
Share = Annotated[float, Meta(gt=0, lt=1)]


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is asked: is the mean score p1 rather than p0, with errors of at most alpha and beta?"""

    p0: Share = 0.5
    p1: Share = 0.6
    alpha: Share = 0.05
    """To pass a candidate of the mean score p0."""
    beta: Share = 0.05
    """To fail one of the mean score p1."""
    most: Annotated[int, Meta(ge=1, le=10_000)] = MOST_PAIRS
    """Pairs."""

    def __post_init__(self) -> None:
        if not self.p0 < self.p1:
            raise ValueError(f"p0 is {self.p0} and p1 {self.p1}; p0 must be the smaller one")

    @property
    def lower(self) -> float:
        """At or below it the candidate has failed."""
        return math.log(self.beta / (1 - self.alpha))

    @property
    def upper(self) -> float:
        """At or above it the candidate has passed."""
        return math.log((1 - self.beta) / self.alpha)


class Sprt(msgspec.Struct, frozen=True, kw_only=True):
    """A test after some pairs. `take` makes the next one."""

    bounds: Bounds = Bounds()
    counts: Counts = (0, 0, 0, 0, 0)
    """Pairs by their score, 0 to 4 half points."""
    llr: float = 0.0
    """Of p1 against p0, in nats; between two bounds while the test runs."""
    state: State = "running"

    @property
    def pairs(self) -> int:
        return sum(self.counts)

    @property
    def score(self) -> float:
        """The mean, between 0 and 1; a half before the first pair."""
        return mean(self.counts)

    def take(self, half_points: int) -> Sprt:
        """After one more pair. A test that has ended stays as it is. Raises ValueError for what is no score of a pair."""
        if not 0 <= half_points < OUTCOMES:
            raise ValueError(f"a pair scores 0 to {OUTCOMES - 1} half points, not {half_points}")
        if self.state != "running":
            return self
        found = list(self.counts)
        found[half_points] += 1
        counts: Counts = (found[0], found[1], found[2], found[3], found[4])
        ratio = llr(counts, self.bounds.p0, self.bounds.p1)
        return msgspec.structs.replace(
            self, counts=counts, llr=ratio, state=_state(ratio, sum(counts), self.bounds)
        )


def after(scores: Sequence[int], bounds: Bounds = Bounds()) -> list[Sprt]:  # noqa: B008 # frozen
    """The test after each pair, in order: what is drawn."""
    found = [Sprt(bounds=bounds)]
    for each in scores:
        found.append(found[-1].take(each))
    return found[1:]


def _state(ratio: float, pairs: int, bounds: Bounds) -> State:
    if ratio >= bounds.upper:
        return "passed"
    if ratio <= bounds.lower:
        return "failed"
    return "undecided" if pairs >= bounds.most else "running"


@functools.lru_cache(maxsize=16_384)
def llr(counts: Counts, p0: float, p1: float) -> float:
    """The generalised log-likelihood ratio of the mean p1 against p0, in nats."""
    seen = [max(float(each), UNSEEN) for each in counts]
    total = sum(seen)
    shares = [each / total for each in seen]
    tilt0, tilt1 = _tilt(shares, p0), _tilt(shares, p1)
    # The best distribution of the mean p gives a score x the share / (1 + tilt * (x - p)).
    return total * sum(
        share * math.log((1 + tilt0 * (x - p0)) / (1 + tilt1 * (x - p1)))
        for x, share in zip(_SCORES, shares, strict=True)
    )


_SCORES = tuple(each / (OUTCOMES - 1) for each in range(OUTCOMES))
_STEPS = 200


def _tilt(shares: Sequence[float], p: float) -> float:
    """The root t of sum share * (x - p) / (1 + t * (x - p)), which falls from +inf to -inf on the interval where all
    denominators are positive: Newton's steps, and half of the bracket where one would leave it."""
    low, high = -1 / (_SCORES[-1] - p), 1 / (p - _SCORES[0])
    t = 0.0
    for _ in range(_STEPS):
        value = slope = 0.0
        for x, share in zip(_SCORES, shares, strict=True):
            part = (x - p) / (1 + t * (x - p))
            value += share * part
            slope -= share * part * part
        if value > 0:
            low = t
        else:
            high = t
        step = t - value / slope
        following = step if low < step < high else (low + high) / 2
        if abs(following - t) <= 1e-13 * (1 + abs(t)):
            break
        t = following
    return t


def mean(counts: Sequence[int]) -> float:
    """The score per match, between 0 and 1; a half of no pairs."""
    pairs = sum(counts)
    if not pairs:
        return 0.5
    return sum(x * count for x, count in zip(_SCORES, counts, strict=True)) / pairs


_Z_95 = 1.959964


def interval(counts: Sequence[int], z: float = _Z_95) -> tuple[float, float]:
    """The 95 % interval of the score per match: Wilson's, of as many coins as the pairs are worth; (0, 1) of no pairs.

    A pair varies less than a coin with the same mean, by the factor that its own variance says; one pair in doubt, half of it
    swept and half of it lost, keeps that factor from nothing. A test that stops when it is sure ends with a score that is a
    little too high, or too low: the interval is of what was played, and does not correct for that.
    """
    pairs = sum(counts)
    if not pairs:
        return 0.0, 1.0
    doubted = [
        count + (0.5 if x in (0.0, 1.0) else 0.0) for x, count in zip(_SCORES, counts, strict=True)
    ]
    centre = sum(x * count for x, count in zip(_SCORES, doubted, strict=True)) / sum(doubted)
    spread = sum(count * (x - centre) ** 2 for x, count in zip(_SCORES, doubted, strict=True))
    factor = spread / sum(doubted) / (centre * (1 - centre))
    coins, share = pairs / factor, mean(counts)
    scale = 1 + z * z / coins
    middle = (share + z * z / (2 * coins)) / scale
    reach = z * math.sqrt(share * (1 - share) / coins + z * z / (4 * coins * coins)) / scale
    # Rounding must not leave the score outside.
    return max(0.0, min(share, middle - reach)), min(1.0, max(share, middle + reach))
