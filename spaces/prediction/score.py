"""What a forecast costs: proper scoring rules in exact arithmetic.

A proper rule is one whose expected loss is least for whoever says what he believes (Gneiting & Raftery,
"Strictly proper scoring rules, prediction, and estimation", 2007). Three are kept:

- `crps`: the continuous ranked probability score as far as K quantiles tell it, 2/K times the sum of
  the pinball losses (Berrisch & Ziel, "CRPS learning", 2023), in units of the history's `scale`.
- `brier`: (p - o)^2, o = 1 where it happened.
- `log`: -ln of the probability given to what happened.

These are `scoringrules`' `crps_quantile`, `brier_score` and `log_score`. Returns are money, and a
replay on any machine must find the same ones, so they are computed from fractions (the logarithm by
`decimal`, which rounds it correctly) and not from floats. `by_scoringrules` gives the library's own
figures: `spaces.prediction.audit` holds a transcript against them, and tests hold the two together
within 1e-9 for whatever hypothesis thinks of (docs/decisions/0007-exact-scores.md).

No loss is clamped: a cap on a loss invites long shots once one is near it. What is bounded instead
is what one may answer (`reach`, LOG_LEAST), and within a bound the honest answer stays the best. The
division by the scale keeps propriety, too, since neither the forecast nor the value is in it. Rounding
to a millionth moves an expected loss by half a millionth at most.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

from spaces.prediction.params import Score

MICROS = 10**6
"""Returns are whole millionths of a loss, below zero: more is better."""
REACH_SCALES = 1_000
"""A quantile lies within so many scales of the last value."""
JUMP_SCALES = 10**6
"""A value farther than this from the last one is no observation but a mistake of the feed."""
LOG_LEAST = Fraction(1, 1_000)
"""Where the log score decides, a probability lies from this to one minus this."""
FORFEIT_SCALES = 2
"""What a missing answer costs under `crps`, beyond the loss of `it stays where it is`; see below."""

_LOGARITHM = Context(prec=40, rounding=ROUND_HALF_EVEN)


def scale(history: Sequence[Fraction], horizon: int) -> Fraction:
    """How far the series usually goes: its mean absolute change over one step or over the horizon,
    whichever is more. 0 for a history that does not move."""
    return max(_mean_change(history, 1), _mean_change(history, horizon))


def _mean_change(history: Sequence[Fraction], steps: int) -> Fraction:
    changes = [abs(b - a) for a, b in zip(history, history[steps:], strict=False)]
    return sum(changes, Fraction(0)) / max(1, len(changes))


def reach(last: Fraction, scale: Fraction) -> tuple[Fraction, Fraction]:
    """The least and the greatest value that a quantile may have."""
    return last - REACH_SCALES * scale, last + REACH_SCALES * scale


def pinball(quantile: Fraction, level: Fraction, value: Fraction) -> Fraction:
    if value >= quantile:
        return level * (value - quantile)
    return (1 - level) * (quantile - value)


def crps(quantiles: Sequence[Fraction], levels: Sequence[int], value: Fraction) -> Fraction:
    """`levels` in per cent, as many as quantiles. In the value's unit."""
    pairs = zip(quantiles, levels, strict=True)
    losses = [pinball(quantile, Fraction(level, 100), value) for quantile, level in pairs]
    return 2 * sum(losses, Fraction(0)) / len(losses)


def brier(probability: Fraction, happened: bool) -> Fraction:
    return (probability - happened) ** 2


def log(probability: Fraction, happened: bool) -> Fraction:
    """To 40 digits. The probability of what happened is above 0."""
    given = probability if happened else 1 - probability
    quotient = _LOGARITHM.divide(Decimal(given.numerator), Decimal(given.denominator))
    return Fraction(-quotient.ln(_LOGARITHM))


def probability_loss(rule: Score, probability: Fraction, happened: bool) -> Fraction:
    return log(probability, happened) if rule == "log" else brier(probability, happened)


def forfeited_crps(
    last: Fraction, levels: Sequence[int], value: Fraction, scale: Fraction
) -> Fraction:
    """The loss, in scales, of a seat that did not answer: whatever the value turns out to be, it is never
    less than that of the naive forecaster, who says of the next change what the last ones were.

    For if q = last - a is a quantile of level t of those changes X, then t * a <= E|X| (Markov) and
    pinball(q) <= pinball(last) + t * a, and alike above; the mean of 2/K over K levels gives 2 E|X|
    at most, and E|X| <= scale.
    """
    return crps([last] * len(levels), levels, value) / scale + FORFEIT_SCALES


def forfeited_probability(rule: Score) -> Fraction:
    """The worst that an answer can cost."""
    return log(LOG_LEAST, True) if rule == "log" else Fraction(1)


def micros(loss: Fraction) -> int:
    """Half to even."""
    return round(loss * MICROS)


def by_scoringrules(
    rule: Score, forecast: Sequence[Fraction], levels: Sequence[int], value: Fraction
) -> float:
    """The same loss by the library, as a float: `crps` in the value's unit, else `value` is 1 where it
    happened and 0 where it did not. Importing the library takes seconds, so no rule calls this."""
    library: Any = importlib.import_module("scoringrules")
    given = [float(one) for one in forecast]
    match rule:
        case "crps":
            per_one = [level / 100 for level in levels]
            return float(library.crps_quantile(float(value), given, per_one, backend="numpy"))
        case "brier":
            return float(library.brier_score(float(value), given[0], backend="numpy"))
        case "log":
            return float(library.log_score(float(value), given[0], backend="numpy"))
