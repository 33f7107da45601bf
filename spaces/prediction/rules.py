"""Question, forecasts of all seats at once, cut-off, resolution; and again.

A forfeited forecast costs what `score` says and the session goes on. When nobody has answered
anything the termination is `forfeit`.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

from spaces.decimals import LIMIT
from spaces.prediction.answers import (
    Action,
    Probability,
    Quantiles,
    check_probability,
    check_quantiles,
    probability_range,
)
from spaces.prediction.observations import Asked, Resolved, commitment, read
from spaces.prediction.params import RETRY_FACTOR, Params
from spaces.prediction.score import (
    JUMP_SCALES,
    crps,
    forfeited_crps,
    forfeited_probability,
    micros,
    probability_loss,
)
from spaces.prediction.state import SEATS, Forecast, Round, State
from spaces.seed import Streams
from spaces.space import (
    IllegalAction,
    Inquiry,
    InvalidObservation,
    Note,
    Observation,
    Outcome,
)

LARGEST_SCALE = LIMIT // 10
"""Clear of the limit of numbers, so that views can tell the scale."""
QUESTION_LIMIT_MS = 60_000
"""For the oracle to find a question."""


def initial(params: Params, streams: Streams) -> State:
    """Draw n is 128 bits of the stream `question:<n>` as a decimal string, n from 1."""
    draws = []
    for n in range(1, params.questions + 1):
        high, low = islice(streams.words(f"question:{n}"), 2)
        draws.append(str(high << 64 | low))
    return State(params=params, draws=tuple(draws))


def inquiry(state: State) -> Inquiry | None:
    match state.phase:
        case "asking":
            return Inquiry("question", _ask(state), QUESTION_LIMIT_MS)
        case "resolving":
            wait_ms = state.params.wait_ms
            limit_ms = wait_ms + state.params.resolution_limit_s * 1_000
            return Inquiry("resolution", _ask(state), limit_ms, wait_ms)
    return None


def _ask(state: State) -> dict[str, Any]:
    """Everything that tells which value is meant, so that any oracle gives the same answer."""
    params, current = state.params, state.current
    ask: dict[str, Any] = {
        "feed": params.feed,
        "series": params.series,
        "draw": state.draws[len(state.rounds) - (current is not None)],
        "history": params.history,
        "horizon": params.horizon,
    }
    if params.feed == "live":
        ask["step_s"] = params.step_s
    if used := _used(state):
        ask["used"] = used
    if current is not None and current.asked.after_ms is not None:
        ask["after_ms"] = current.asked.after_ms
    return ask


def not_after_ms(params: Params, current: Round) -> int | None:
    """When a live question takes no more forecasts; a recorded one's answer is never told too soon.

    It is where the step begins whose close is asked for, or, with a short horizon, as long after it
    as both attempts at a question of the last moment need; that is never after the close, which
    `Params` sees to.
    """
    after_ms = current.asked.after_ms
    if params.feed != "live" or after_ms is None:
        return None
    steps_s = (params.horizon - 1) * params.step_s
    attempts_s = params.step_s + RETRY_FACTOR * params.cutoff_s
    return after_ms + max(steps_s, attempts_s) * 1_000


def _used(state: State) -> list[dict[str, Any]]:
    """The windows of the earlier questions, by the row of the last value shown. What one shows or asks for
    may be in no other: else the answer to the third could stand in the history of the first."""
    asked = state.rounds if state.current is None else state.rounds[:-1]
    opened = [one.resolved for one in asked if one.resolved is not None]
    return [{"series": one.series, "row": one.row} for one in opened if one.row is not None]


def learn(state: State, observation: Observation) -> State:
    """Raises InvalidObservation."""
    match state.phase:
        case "asking":
            asked = read(observation, Asked)
            _check_asked(state, asked)
            new = Round(asked=asked, source=observation.source)
            return msgspec.structs.replace(state, rounds=(*state.rounds, new))
        case "resolving":
            resolved = read(observation, Resolved)
            _check_resolved(state, resolved)
            return _with(state, resolved=resolved, resolved_source=observation.source)
    raise InvalidObservation("prediction: nothing was asked")


def _check_asked(state: State, asked: Asked) -> None:
    params = state.params
    if len(asked.history) != params.history:
        raise InvalidObservation(f"prediction: {len(asked.history)} values for {params.history}")
    if asked.horizon != params.horizon:
        raise InvalidObservation(f"prediction: horizon {asked.horizon} for {params.horizon}")
    if params.feed == "recorded" and asked.commit is None:
        raise InvalidObservation("prediction: a recorded question without its commitment")
    if params.feed == "live" and asked.after_ms is None:
        raise InvalidObservation("prediction: a live question without its time")
    scale = Round(asked=asked, source="").scale
    if scale == 0:
        raise InvalidObservation(
            "prediction: a history that does not move leaves nothing to forecast"
        )
    if scale >= LARGEST_SCALE:
        raise InvalidObservation("prediction: a history that moves too far for numbers to tell")


def _check_resolved(state: State, resolved: Resolved) -> None:
    current = state.rounds[-1]
    commit = current.asked.commit
    if commit is not None:
        if resolved.file is None or resolved.row is None:
            raise InvalidObservation("prediction: the commitment of the question is not opened")
        draw = state.draws[len(state.rounds) - 1]
        if commitment(draw, resolved.file, resolved.series, resolved.row) != commit:
            raise InvalidObservation(
                "prediction: the resolution is not what the question committed to"
            )
    distance = abs(Fraction(resolved.value) - Fraction(current.last))
    if distance > JUMP_SCALES * current.scale:
        raise InvalidObservation(f"prediction: {resolved.value} is out of all proportion")


def _with(state: State, **changes: Any) -> State:
    changed = msgspec.structs.replace(state.rounds[-1], **changes)
    return msgspec.structs.replace(state, rounds=(*state.rounds[:-1], changed))


def forecast(state: State, seat: int, action: Action) -> State:
    """Raises IllegalAction."""
    current = state.current
    if current is None or seat not in current.owing:
        raise IllegalAction(f"seat {seat} has no forecast to give now")
    params = state.params
    match action:
        case Quantiles(values) if params.kind == "quantiles":
            check_quantiles(action, params.levels, *current.range)
        case Probability(value) if params.kind == "probability":
            check_probability(action, *probability_range(params.rule))
            values = (value,)
        case _:
            raise IllegalAction(f"the question asks for {params.kind}")
    return _with(state, forecasts=_put(current.forecasts, seat, values))


def forfeit(state: State, seat: int) -> State:
    """Raises ValueError when the seat owed nothing."""
    current = state.current
    if current is None or seat not in current.owing:
        raise ValueError(f"seat {seat} owes no decision")
    return _with(state, forfeited=_put(current.forfeited, seat, True))


def _put(row: tuple[Any, ...], seat: int, value: Any) -> tuple[Any, ...]:
    return (*row[:seat], value, *row[seat + 1 :])


def threshold(params: Params, asked: Round) -> str:
    """Of a probability question."""
    return asked.last if params.threshold is None else params.threshold


@lru_cache(maxsize=1_024)  # asked for several times a viewer
def scores(params: Params, asked: Round) -> tuple[int, ...] | None:
    """By seat, in millionths, more is better; None before the resolution."""
    if asked.resolved is None:
        return None
    value = Fraction(asked.resolved.value)
    return tuple(-micros(_loss(params, asked, one, value)) for one in asked.forecasts)


def _loss(params: Params, asked: Round, given: Forecast | None, value: Fraction) -> Fraction:
    if params.kind == "probability":
        if given is None:
            return forfeited_probability(params.rule)
        happened = value > Fraction(threshold(params, asked))
        return probability_loss(params.rule, Fraction(given[0]), happened)
    if given is None:
        return forfeited_crps(Fraction(asked.last), params.levels, value, asked.scale)
    return crps([Fraction(one) for one in given], params.levels, value) / asked.scale


def totals(state: State) -> tuple[int, ...]:
    """By seat, of the questions that are resolved."""
    each = [scores(state.params, one) for one in state.rounds]
    resolved = [row for row in each if row is not None]
    return tuple(sum(row[seat] for row in resolved) for seat in range(SEATS))


def outcome(state: State) -> Outcome | None:
    if state.phase != "over":
        return None
    silent = all(one is None for asked in state.rounds for one in asked.forecasts)
    return Outcome("forfeit" if silent else "complete", totals(state))


def notes(state: State) -> tuple[Note, ...]:
    """`scored`, of each resolved question: what anybody needs to compute its scores again."""
    told = []
    for n, asked in enumerate(state.rounds, 1):
        row = scores(state.params, asked)
        if row is None:
            continue
        scale = asked.scale
        body = {
            "question": n,
            "rule": state.params.rule,
            "scale": [str(scale.numerator), str(scale.denominator)],
            "scores_micros": list(row),
        }
        told.append(Note("scored", body))
    return tuple(told)
