"""The question as text for a language model that must forecast now.

Short and concrete, since the smallest models play: the values, what is asked, the answer format last.
"""

from __future__ import annotations

from fractions import Fraction

from spaces.decimals import of_fraction
from spaces.prediction import rules
from spaces.prediction.answers import probability_range
from spaces.prediction.state import Round, State

_PER_LINE = 12


def prompt(state: State, seat: int) -> str:
    one = state.rounds[-1]
    task = _probability_task if state.params.kind == "probability" else _quantiles_task
    return "\n".join([*_situation(state, one), *task(state, one)])


def _situation(state: State, one: Round) -> list[str]:
    history = one.asked.history
    step = f", one a {one.asked.step}" if one.asked.step else ""
    unit = f", in {one.asked.unit}" if one.asked.unit else ""
    rows = [" ".join(history[i : i + _PER_LINE]) for i in range(0, len(history), _PER_LINE)]
    scale = (
        of_fraction(Fraction(round(one.scale * 10_000), 10_000))
        if one.scale >= 1
        else of_fraction(one.scale)
    )
    return [
        f"Forecast, question {len(state.rounds)} of {state.params.questions}.",
        f"The last {len(history)} values of a series, oldest first{step}{unit}:",
        *rows,
        f"The last value is {one.last}. The usual change is about {scale}.",
    ]


def _steps(state: State) -> str:
    horizon = state.params.horizon
    return "1 step" if horizon == 1 else f"{horizon} steps"


def _quantiles_task(state: State, one: Round) -> list[str]:
    levels = state.params.levels
    listed = ", ".join(f"{level}%" for level in levels)
    many = f"{len(levels)} numbers, lowest first" if len(levels) > 1 else "1 number"
    return [
        f"Which value will follow {_steps(state)} after the last one?",
        f"Give {many}: the value is below them with a chance of {listed}.",
        "You lose less the nearer they are; honest chances lose least.",
        "Answer with one line and nothing else:",
        f"quantiles: {', '.join(['NUMBER'] * len(levels))}",
    ]


def _probability_task(state: State, one: Round) -> list[str]:
    low, high = probability_range(state.params.rule)
    return [
        f"Will the value {_steps(state)} after the last one be above {rules.threshold(state.params, one)}?",
        f"Give the probability that it will, from {low} to {high}; honest chances lose least.",
        "Answer with one line and nothing else:",
        "probability: NUMBER",
    ]
