"""Which of two seats a model leans to, line by line: the better way to ask a small model. Pure.

Asked for points, a small model repeats the first number it wrote for every seat and line; asked who is
better, the probabilities of its two possible answers still move with the text. With more than two seats
it is asked about pairs (`prompt.pairs`), which also keeps its context short. The log odds of a pair are
taken as the difference of two strengths and a liking for the first place (a Bradley-Terry model with a
home advantage); since every seat stands first as often as second, least squares cancels that liking
exactly, if it is the same for every text. A seat's points are its mean chance against another one: 5.0
is no leaning, for any number of seats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from judges.parse import read_choices
from judges.prompt import letter
from judges.rubric import MILLI, TOP, Rubric
from judges.verdict import Opinion

CERTAIN = 0.95
"""Probability of the answer that was given, when the server does not tell probabilities."""
FLOOR = 0.005
"""Probability of an answer that is not among the alternatives the server told."""

Alternatives = Sequence[tuple[str, Mapping[str, float]]]
"""The answer's tokens in order: each token's text and the log probabilities of what could have stood
in its place. Empty when the server does not tell."""


class Leaning(msgspec.Struct, frozen=True):
    """One answer about one ordered pair of seats."""

    order: tuple[int, ...]
    odds: tuple[float, ...]
    """For each rubric line: log odds that the model calls the first of the pair better."""


def read_leaning(
    rubric: Rubric, order: tuple[int, ...], answer: str, alternatives: Alternatives
) -> Leaning:
    """Raises JudgeUnreadable; the reason can be told to the model."""
    letters = [letter(place) for place in range(len(order))]
    chosen = read_choices(rubric, len(order), answer)
    told = [(_bare(token), others) for token, others in alternatives if _bare(token) in letters]
    if [token for token, _ in told] != chosen:  # not told, or the letters are inside longer tokens
        told = [(choice, _certain(choice, letters)) for choice in chosen]
    return Leaning(order=order, odds=tuple(_odds(others, letters) for _, others in told))


def opinion(judge: str, leanings: Sequence[Leaning], seats: int) -> Opinion:
    """One judge's leanings, one for each of `prompt.pairs`, as points. Without reasons.

    A seat that was not asked about has no points.
    """
    if not leanings:
        raise ValueError("an opinion needs a leaning for every pair")
    asked = sorted({seat for each in leanings for seat in each.order})
    scores = tuple(_points(leanings, line, asked, seats) for line in range(len(leanings[0].odds)))
    return Opinion(judge, scores, tuple(("",) * seats for _ in scores))


def _points(
    leanings: Sequence[Leaning], line: int, asked: Sequence[int], seats: int
) -> tuple[int, ...]:
    """Thousandths of points: TOP times the mean chance to be called better than another of the asked."""
    strength = {seat: _strength(leanings, line, seat, len(asked)) for seat in asked}
    points = [0] * seats
    for seat in asked:
        chances = [_chance(strength[seat] - strength[other]) for other in asked if other != seat]
        points[seat] = round(math.fsum(chances) / len(chances) * TOP * MILLI)
    return tuple(points)


def _strength(leanings: Sequence[Leaning], line: int, seat: int, asked: int) -> float:
    """The seat's Bradley-Terry strength by least squares, up to a constant that all seats share.

    Every pair was asked equally often, so it is the sum of the seat's log odds over asked * times.
    """
    own = [
        each.odds[line] if each.order[0] == seat else -each.odds[line]
        for each in leanings
        if seat in each.order
    ]
    times = len(own) / (asked - 1)
    return math.fsum(own) / (asked * times)


def _certain(choice: str, letters: Sequence[str]) -> dict[str, float]:
    rest = (1 - CERTAIN) / max(1, len(letters) - 1)
    return {each: math.log(CERTAIN if each == choice else rest) for each in letters}


def _odds(others: Mapping[str, float], letters: Sequence[str]) -> float:
    """The log odds of the first letter against the second, from shares none of which is below FLOOR."""
    told = dict.fromkeys(letters, 0.0)
    for token, log in others.items():
        if _bare(token) in told:
            told[_bare(token)] += math.exp(min(0.0, log))
    whole = math.fsum(told.values()) or 1.0
    first, second = (max(FLOOR, told[each] / whole) for each in letters)
    return math.log(first / second)


def _chance(odds: float) -> float:
    """The logistic function; |odds| is bounded by FLOOR."""
    return 1 / (1 + math.exp(-odds))


def _bare(token: str) -> str:
    """A token's text without what JSON puts around a letter."""
    return token.strip(' \n\t",}:')
