"""The position of a prediction session and what can be read off it."""

from __future__ import annotations

import functools
from fractions import Fraction

import msgspec

from spaces.decimals import at_least, at_most
from spaces.prediction.observations import Asked, Resolved
from spaces.prediction.params import Params
from spaces.prediction.score import reach, scale

SEATS = 5

Forecast = tuple[str, ...]
"""Quantiles, lowest level first, or one probability."""


class Round(msgspec.Struct, frozen=True):
    """One question, from its cut-off's beginning to its resolution."""

    asked: Asked
    source: str
    """Of the question."""
    forecasts: tuple[Forecast | None, ...] = (None,) * SEATS
    """By seat. Sealed until nobody owes one any more."""
    forfeited: tuple[bool, ...] = (False,) * SEATS
    resolved: Resolved | None = None
    resolved_source: str | None = None

    @property
    def owing(self) -> tuple[int, ...]:
        """The seats that still owe a forecast."""
        rows = zip(self.forecasts, self.forfeited, strict=True)
        return tuple(seat for seat, (one, gone) in enumerate(rows) if one is None and not gone)

    @property
    def last(self) -> str:
        return self.asked.history[-1]

    @property
    def scale(self) -> Fraction:
        return _scale(self.asked.history, self.asked.horizon)

    @property
    def range(self) -> tuple[str, str]:
        """The least and the greatest number that a quantile may be."""
        low, high = reach(Fraction(self.last), self.scale)
        return at_least(low), at_most(high)


class State(msgspec.Struct, frozen=True):
    params: Params
    draws: tuple[str, ...]
    """By question, from the seed: which window of which series. Secret until its resolution, since
    with the draw anybody could ask the same feed."""
    rounds: tuple[Round, ...] = ()

    @property
    def current(self) -> Round | None:
        """The question that is asked now, from its arrival to its resolution."""
        if self.rounds and self.rounds[-1].resolved is None:
            return self.rounds[-1]
        return None

    @property
    def phase(self) -> str:
        """`asking`, `forecast`, `resolving` or `over`."""
        if self.current is not None:
            return "forecast" if self.current.owing else "resolving"
        return "over" if len(self.rounds) == self.params.questions else "asking"


@functools.lru_cache(maxsize=4_096)
def _scale(history: tuple[str, ...], horizon: int) -> Fraction:
    return scale([Fraction(value) for value in history], horizon)
