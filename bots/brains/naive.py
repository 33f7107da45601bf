"""A baseline of `prediction`: the next change is one of the last ones, or the next value one of those.

`walk` adds the history's own changes over the horizon to the last value (a random walk with the drift
it has shown); `climate` says that the value will be what it usually was. Quantiles are order
statistics: the least one that so many of the past are not above. Whoever does not beat this knows
nothing of the series.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal

import msgspec

from bots.turn import Turn
from spaces.decimals import of_fraction


class NaiveSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    memory: Literal["walk", "climate"] = "walk"


class NaiveBrain:
    """Plays `prediction` in every variant."""

    def __init__(self, settings: NaiveSettings) -> None:
        self._settings = settings

    async def act(self, turn: Turn) -> dict[str, Any]:
        """Raises NotImplementedError for other Spaces' decisions."""
        if turn.kind not in ("quantiles", "probability"):
            raise NotImplementedError(f"the naive brain knows no {turn.kind!r} of {turn.space}")
        asked = turn.view["asked"][-1]
        history = [Fraction(value) for value in asked["history"]]
        futures = sorted(
            walked(history, turn.view["horizon"]) if self._settings.memory == "walk" else history
        )
        if turn.kind == "quantiles":
            return {"quantiles": [of_fraction(quantile(futures, q)) for q in turn.view["levels"]]}
        return {"probability": of_fraction(above(futures, Fraction(asked["threshold"])))}


def walked(history: Sequence[Fraction], horizon: int) -> list[Fraction]:
    """Where the last value goes by each change over the horizon that the history holds."""
    return [
        history[-1] + after - before
        for before, after in zip(history, history[horizon:], strict=False)
    ]


def quantile(ordered: Sequence[Fraction], level: int) -> Fraction:
    """The least of the values that `level` per cent of them are not above."""
    return ordered[-(-len(ordered) * level // 100) - 1]


def above(futures: Sequence[Fraction], threshold: Fraction) -> Fraction:
    """How often, never 0 nor 1: one more of each than were seen (Laplace)."""
    return Fraction(sum(one > threshold for one in futures) + 1, len(futures) + 2)
