"""A baseline for Trade Wars: what rose goes on rising.

It compares the last close with the average of the closes before it, and goes with the difference, the
more so the larger it is against the usual change from close to close. Time-series momentum in its
plainest form (Moskowitz, Ooi & Pedersen, "Time series momentum", 2012); on a random walk it is worth
nothing, and it knows no risk but its `most`.
"""

from __future__ import annotations

import itertools
from statistics import fmean
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bots.turn import Turn

CLOSE = 3
"""Of [open, high, low, close]."""


class TrendSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    window: Annotated[int, Meta(ge=2, le=200)] = 10
    """Closes whose average the last one is compared with."""
    most: Annotated[int, Meta(ge=1, le=100)] = 60
    """Per cent of the money in one order at most."""
    contrary: bool = False
    """Go against the trend instead: what rose falls back."""


class TrendBrain:
    """Plays `trade-wars`."""

    def __init__(self, settings: TrendSettings) -> None:
        self._settings = settings

    async def act(self, turn: Turn) -> dict[str, Any]:
        """Raises NotImplementedError for other Spaces' decisions."""
        if turn.kind != "order":
            raise NotImplementedError(f"the trend brain knows no {turn.kind!r} of {turn.space}")
        candles = [*turn.view["history"], *turn.view["candles"]][-self._settings.window - 1 :]
        strength = trend_of([float(candle[CLOSE]) for candle in candles])
        if self._settings.contrary:
            strength = -strength
        size = round(min(abs(strength), 1.0) * self._settings.most)
        if size == 0:
            return {"side": "FLAT"}
        return {"side": "LONG" if strength > 0 else "SHORT", "size": size}


def trend_of(closes: list[float]) -> float:
    """How far the last close is from the average of those before it, in usual changes; 0 where the
    price does not move or there are fewer than two closes."""
    if len(closes) < 2:
        return 0.0
    usual = fmean(abs(now - before) for before, now in itertools.pairwise(closes))
    return (closes[-1] - fmean(closes[:-1])) / (2 * usual) if usual > 0 else 0.0
