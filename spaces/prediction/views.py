"""What each viewer may see of a prediction session: the filter of sealed forecasts and of the draws.

The observation:

- `phase`: `asking` (the oracle looks for a question), `forecast`, `resolving` or `over`
- `kind`, `score`, `feed`, `levels` (per cent), `questions`, `question` (the one that is on, from 1),
  `horizon`, `cutoff_s`
- `asked`: every question so far, the one that is on last. Each has
  - `history` (decimal strings, oldest first), `unit`, `step`, `source`, `commit`
  - `threshold` (of a probability), `range` (what a number of the answer may be), `scale` (how far the
    series usually goes, rounded; losses count in it)
  - `forecasts_in` by seat; `forecasts` by seat, null until all are in, then each a list of decimal
    strings (a quantile a level, or one probability) or null where it was forfeited
  - `resolution`: null, or `value`, `at`, `series`, `source`, and of a recorded series `file`, `row`
    and `salt`, which open `commit`
  - `scores_micros` by seat: null until the resolution; below zero, more is better
- `totals_micros` by seat, of the resolved questions
- `termination`: null until the end
- a seat besides sees its own sealed forecast as `your_forecast` (null when there is none)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from spaces.decimals import of_fraction
from spaces.prediction import rules
from spaces.prediction.answers import probability_range
from spaces.prediction.state import SEATS, Forecast, Round, State
from spaces.seat_names import seat_name


def observe(state: State, viewer: int | None) -> dict[str, Any]:
    params, outcome = state.params, rules.outcome(state)
    number = len(state.rounds) + (state.phase == "asking")
    seen: dict[str, Any] = {
        "phase": state.phase,
        "kind": params.kind,
        "score": params.rule,
        "feed": params.feed,
        "levels": list(params.levels),
        "questions": params.questions,
        "question": number,
        "horizon": params.horizon,
        "cutoff_s": params.cutoff_s,
        "asked": [_asked(state, n) for n in range(len(state.rounds))],
        "totals_micros": list(rules.totals(state)),
        "termination": outcome.termination if outcome else None,
    }
    if viewer is not None:
        mine = state.current.forecasts[viewer] if state.current else None
        seen["your_forecast"] = None if mine is None else list(mine)
    return seen


def _asked(state: State, n: int) -> dict[str, Any]:
    params, one = state.params, state.rounds[n]
    probability = params.kind == "probability"
    scores = rules.scores(params, one)
    return {
        "history": list(one.asked.history),
        "unit": one.asked.unit,
        "step": one.asked.step,
        "source": one.source,
        "commit": one.asked.commit,
        "threshold": rules.threshold(params, one) if probability else None,
        "range": list(probability_range(params.rule) if probability else one.range),
        "scale": of_fraction(one.scale),
        "forecasts_in": [forecast is not None for forecast in one.forecasts],
        "forecasts": None if one.owing else [_listed(forecast) for forecast in one.forecasts],
        "resolution": _resolution(one, state.draws[n]),
        "scores_micros": None if scores is None else list(scores),
    }


def _listed(forecast: Forecast | None) -> list[str] | None:
    return None if forecast is None else list(forecast)


def _resolution(one: Round, draw: str) -> dict[str, Any] | None:
    if one.resolved is None:
        return None
    told: dict[str, Any] = msgspec.to_builtins(one.resolved)
    told["source"] = one.resolved_source
    told["salt"] = draw if one.asked.commit is not None else None
    return told


def headline(state: State, names: Sequence[str] = ()) -> str:
    """At most 80 characters."""
    params, phase = state.params, state.phase
    where = f"question {len(state.rounds) + (phase == 'asking')}/{params.questions}"
    match phase:
        case "asking":
            return f"{where}: asking"
        case "forecast":
            answered = sum(forecast is not None for forecast in state.rounds[-1].forecasts)
            return f"{where}: {answered} of {SEATS} forecasts in"
        case "resolving":
            return f"{where}: waiting for the value"
    best = max(rules.totals(state))
    leaders = [seat for seat, total in enumerate(rules.totals(state)) if total == best]
    if len(leaders) == 1:
        who = f"{seat_name(names, leaders[0])} leads"
    else:
        who = f"{len(leaders)} seats share the lead"
    questions = f"{params.questions} question{'s' if params.questions > 1 else ''}"
    return f"{questions}, {who} with {decimal(best)}"


def decimal(micros: int) -> str:
    """A score for people: in whole units, three places."""
    sign, milli = ("-" if micros < 0 else ""), (abs(micros) + 500) // 1_000
    return f"{sign}{milli // 1_000}.{milli % 1_000:03}"


def render(state: State, names: Sequence[str] = ()) -> str:
    lines = [headline(state, names)]
    for n, one in enumerate(state.rounds, 1):
        lines += _rendered(state, n, one, names)
    return "\n".join(lines)


def _rendered(state: State, n: int, one: Round, names: Sequence[str]) -> list[str]:
    params = state.params
    unit = f" in {one.asked.unit}" if one.asked.unit else ""
    lines = [
        f"[question {n}] {len(one.asked.history)} values{unit}, the last {one.last}; {source_words(one)}"
    ]
    if params.kind == "probability":
        lines.append(f"  above {rules.threshold(params, one)} after {params.horizon} steps?")
    else:
        lines.append(f"  quantiles {_per_cents(params.levels)} after {params.horizon} steps")
    if not one.owing:
        scores = rules.scores(params, one) or (None,) * SEATS
        lines += [
            f"  {seat_name(names, seat)}: {_told(one.forecasts[seat], scores[seat])}"
            for seat in range(SEATS)
        ]
    if one.resolved is not None:
        told = one.resolved
        lines.append(f"  value {told.value} at {told.at}, {told.series}")
    return lines


def source_words(one: Round) -> str:
    return one.source if len(one.source) <= 100 else f"{one.source[:97]}..."


def _per_cents(levels: tuple[int, ...]) -> str:
    return ", ".join(f"{level}%" for level in levels)


def _told(forecast: Forecast | None, score: int | None) -> str:
    said = "(no forecast)" if forecast is None else ", ".join(forecast)
    scored = "" if score is None else f"  score {decimal(score)}"
    return f"{said}{scored}"
