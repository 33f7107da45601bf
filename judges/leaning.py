"""Which seat a model leans to, line by line: the better way to ask a small model. Pure.

Asked for points, a small model repeats the first number it wrote for every seat and line; asked who is
better, the probabilities of its two possible answers still move with the text. The mean of the log
probabilities over the orders of the seats cancels a liking for the first place exactly, if that
liking is the same for every text (a Bradley-Terry model with a home advantage). A seat's points are
its share: 5.0 each is no leaning.
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
    """One answer to one order, back in seat order."""

    order: tuple[int, ...]
    logs: tuple[tuple[float, ...], ...]
    """For each rubric line and seat: log of the probability that the model calls this seat better."""


def read_leaning(
    rubric: Rubric, order: tuple[int, ...], answer: str, alternatives: Alternatives
) -> Leaning:
    """Raises JudgeUnreadable; the reason can be told to the model."""
    letters = [letter(place) for place in range(len(order))]
    chosen = read_choices(rubric, len(order), answer)
    told = [(_bare(token), others) for token, others in alternatives if _bare(token) in letters]
    if [token for token, _ in told] != chosen:  # not told, or the letters are inside longer tokens
        told = [(choice, _certain(choice, letters)) for choice in chosen]
    return Leaning(
        order=order,
        logs=tuple(_by_seat(_shares(others, letters), order) for _, others in told),
    )


def opinion(judge: str, leanings: Sequence[Leaning]) -> Opinion:
    """One judge's leanings, one for each order (`prompt.orders`), as points. Without reasons."""
    if not leanings:
        raise ValueError("an opinion needs a leaning for every order")
    seats = len(leanings[0].order)
    scores: list[tuple[int, ...]] = []
    for line in range(len(leanings[0].logs)):
        mean = [
            math.fsum(each.logs[line][seat] for each in leanings) / len(leanings)
            for seat in range(seats)
        ]
        scores.append(tuple(round(share * TOP * MILLI) for share in _normal(mean)))
    return Opinion(judge, tuple(scores), tuple(("",) * seats for _ in scores))


def _certain(choice: str, letters: Sequence[str]) -> dict[str, float]:
    rest = (1 - CERTAIN) / max(1, len(letters) - 1)
    return {each: math.log(CERTAIN if each == choice else rest) for each in letters}


def _shares(others: Mapping[str, float], letters: Sequence[str]) -> list[float]:
    """The probability of each letter among the letters, none below FLOOR, adding up to 1."""
    told = dict.fromkeys(letters, 0.0)
    for token, log in others.items():
        if _bare(token) in told:
            told[_bare(token)] += math.exp(min(0.0, log))
    whole = math.fsum(told.values()) or 1.0
    floored = [max(FLOOR, share / whole) for share in told.values()]
    return [share / math.fsum(floored) for share in floored]


def _by_seat(shares: Sequence[float], order: tuple[int, ...]) -> tuple[float, ...]:
    places = {seat: place for place, seat in enumerate(order)}
    return tuple(math.log(shares[places[seat]]) for seat in sorted(order))


def _normal(logs: Sequence[float]) -> list[float]:
    """The softmax: shares that add up to 1."""
    top = max(logs)
    parts = [math.exp(log - top) for log in logs]
    return [part / math.fsum(parts) for part in parts]


def _bare(token: str) -> str:
    """A token's text without what JSON puts around a letter."""
    return token.strip(' \n\t",}:')
