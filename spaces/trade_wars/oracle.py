"""What the oracle is asked and what its answers must be: `history`, then a `candle` at a time, at the
end `unmask`.

A recorded series could be looked up, so nothing names it before `unmask`: not the answers, not their
sources (a source commits to the window, salted with the draw). Who owns the recording can still find
the window by its prices: where something is at stake, take a live feed.

- `history` is answered by {"candles": [[open, high, low, close], …]}, oldest first, and of a live feed
  besides `after_ms`, when the next candle begins (unix milliseconds).
- `candle` `index` (0 is the first after the history) by {"open", "high", "low", "close"}.
- `unmask` by {"series", "first", "last"}.

Prices are decimals above zero (`spaces.decimals`).
"""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from spaces import canonical
from spaces.decimals import Number, of_fraction
from spaces.plain_text import plain_lines
from spaces.space import Inquiry, InvalidObservation, Observation
from spaces.trade_wars.state import Candle, State, Unmasked

Words = Annotated[str, Meta(min_length=1, max_length=100)]


class History(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    candles: tuple[tuple[Number, Number, Number, Number], ...]
    after_ms: Annotated[int, Meta(ge=0, le=canonical.MAX_INTEGER)] | None = None


class Revealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    series: Words
    first: Words
    last: Words


def inquiry(state: State) -> Inquiry | None:
    params = state.params
    match state.phase:
        case "history":
            return Inquiry("history", _window(state), params.oracle_ms)
        case "candles":
            return _candle_inquiry(state)
        case "unmask":
            return Inquiry("unmask", _window(state), params.oracle_ms)
        case _:
            return None


def _candle_inquiry(state: State) -> Inquiry:
    params, ask = state.params, _window(state) | {"index": candle_index(state)}
    if params.feed == "recorded":
        return Inquiry("candle", ask, params.oracle_ms, params.candle_ms)
    step_ms = params.step_s * 1_000
    first = not state.rounds[-1].marks
    # The answer exists when the candle has closed: of a round's first one after the gap.
    return Inquiry(
        "candle", ask, params.oracle_ms + (params.gap + 1) * step_ms, 0 if first else step_ms
    )


def candle_index(state: State) -> int:
    """Of the next candle, counted from the end of the history."""
    return len(state.candles) + len(state.rounds) * state.params.gap


def entry_ms(state: State) -> int | None:
    """When the first candle of the round to be decided opens, at whose open a live feed trades. None
    for a recorded one, and while there is nothing to decide."""
    if state.after_ms is None or state.phase != "decide":
        return None
    params = state.params
    index = len(state.candles) + (len(state.rounds) + 1) * params.gap
    return state.after_ms + index * params.step_s * 1_000


def _window(state: State) -> dict[str, Any]:
    params = state.params
    ask: dict[str, Any] = {
        "feed": params.feed,
        "series": params.series,
        "draw": state.draw,
        "history": params.history,
        "candles": params.window,
        "step_s": params.step_s,
    }
    return ask if state.after_ms is None else ask | {"after_ms": state.after_ms}


T = TypeVar("T", History, Candle, Revealed)


def _read(observation: Observation, shape: type[T]) -> T:
    try:
        return msgspec.convert(observation.value, shape)
    except msgspec.ValidationError as error:
        raise InvalidObservation(f"trade-wars: {error}") from None


def read_history(state: State, observation: Observation) -> tuple[tuple[Candle, ...], int | None]:
    """The candles and, of a live feed, when they ended. Raises InvalidObservation."""
    told = _read(observation, History)
    if len(told.candles) != state.params.history:
        raise InvalidObservation(
            f"trade-wars: {state.params.history} candles were asked for, got {len(told.candles)}"
        )
    if (told.after_ms is not None) != (state.params.feed == "live"):
        raise InvalidObservation("trade-wars: after_ms is for a live feed, and it needs one")
    return tuple(_checked(Candle(*prices)) for prices in told.candles), told.after_ms


def read_candle(observation: Observation) -> Candle:
    """Raises InvalidObservation."""
    return _checked(_read(observation, Candle))


def _checked(candle: Candle) -> Candle:
    low, high = Fraction(candle.low), Fraction(candle.high)
    inner = (Fraction(candle.open), Fraction(candle.close))
    if not 0 < low <= min(inner) <= max(inner) <= high:
        shown = ", ".join((candle.open, candle.high, candle.low, candle.close))
        raise InvalidObservation(f"trade-wars: no candle has open, high, low, close {shown}")
    return candle


def read_unmasked(observation: Observation) -> Unmasked:
    """Raises InvalidObservation."""
    told = _read(observation, Revealed)
    for text in (told.series, told.first, told.last, observation.source):
        if plain_lines(text) != [text]:
            raise InvalidObservation(f"trade-wars: not one line of plain text: {text!r}")
    return Unmasked(told.series, told.first, told.last, observation.source)


def made_up(state: State, rng: random.Random) -> Observation:
    """Some valid answer to the open inquiry: a random walk, now and then with a crash or a boom."""
    match state.phase:
        case "history":
            walk = [_step("100", rng)]
            while len(walk) < state.params.history:
                walk.append(_step(walk[-1].close, rng))
            value: dict[str, Any] = {"candles": [[c.open, c.high, c.low, c.close] for c in walk]}
            if state.params.feed == "live":
                value["after_ms"] = 1_750_000_000_000
        case "candles":
            value = msgspec.to_builtins(_step(state.last_close, rng))
        case _:
            value = {"series": "made up", "first": "2001-01-01", "last": "2001-02-19"}
    return Observation("made up", value)


def _step(before: str, rng: random.Random) -> Candle:
    widest = 60 if rng.random() < 0.03 else 3
    opened = Fraction(before)
    moved = opened * (100 + rng.randint(-widest, widest)) / 100
    closed = max(Fraction(round(moved * 100), 100), Fraction(1, 100))
    prices = (opened, max(opened, closed), min(opened, closed), closed)
    return Candle(*map(of_fraction, prices))
