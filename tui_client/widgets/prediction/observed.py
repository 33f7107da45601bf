"""The public observation of `prediction`, read from a SessionView."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from server.protocol import SessionView
from spaces.decimals import Number
from tui_client.remembered import Remembered

PREDICTION = "prediction"
MAX_SEATS = 9
MAX_QUESTIONS = 50

Micros = Annotated[int, Meta(ge=-(10**16), le=10**16)]
Forecast = Annotated[tuple[Number, ...], Meta(min_length=1, max_length=99)]
Level = Annotated[int, Meta(ge=0, le=100)]


class Resolution(msgspec.Struct, frozen=True):
    """What the value was, and where anybody can look it up."""

    value: Number
    at: str = ""
    series: str = ""
    source: str | None = None
    file: str | None = None
    row: int | None = None


class Asked(msgspec.Struct, frozen=True):
    """One question; lists by seat."""

    history: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=1_000)]
    forecasts_in: tuple[bool, ...]
    forecasts: tuple[Forecast | None, ...] | None = None
    """None until all are in."""
    unit: str | None = None
    step: str | None = None
    source: str = ""
    commit: str | None = None
    threshold: Number | None = None
    resolution: Resolution | None = None
    scores_micros: tuple[Micros, ...] | None = None


class Prediction(msgspec.Struct, frozen=True):
    """`observe(state, None)` of `prediction`."""

    phase: Literal["asking", "forecast", "resolving", "over"]
    kind: Literal["quantiles", "probability"]
    question: int
    questions: int
    totals_micros: tuple[Micros, ...]
    score: str = ""
    feed: str = "recorded"
    horizon: int = 1
    levels: Annotated[tuple[Level, ...], Meta(max_length=99)] = ()
    asked: Annotated[tuple[Asked, ...], Meta(max_length=MAX_QUESTIONS)] = ()


def _read(view: SessionView) -> Prediction | None:
    if view.space != PREDICTION:
        return None
    try:
        seen = msgspec.convert(view.state, Prediction)
    except msgspec.ValidationError:
        return None
    seats = len(view.seats)
    by_seat: list[Sequence[object]] = [seen.totals_micros]
    for one in seen.asked:
        by_seat += [
            listed
            for listed in (one.forecasts_in, one.forecasts, one.scores_micros)
            if listed is not None
        ]
    if [card.seat for card in view.seats] != list(range(seats)) or not 1 <= seats <= MAX_SEATS:
        return None
    return seen if all(len(listed) == seats for listed in by_seat) else None


prediction = Remembered(_read)
"""The questions, or None when the view holds no readable ones."""
