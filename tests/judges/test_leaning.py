"""Leanings: the probabilities of two letters, both orders, as points."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges import leaning, panel
from judges.faults import JudgeUnreadable
from judges.leaning import Alternatives, Leaning, read_leaning
from judges.prompt import pairs
from judges.rubric import RAP_BATTLE

LINES = [line.name for line in RAP_BATTLE.lines]
Tokens = list[tuple[str, dict[str, float]]]


def answer(*letters: str) -> str:
    return json.dumps(dict(zip(LINES, letters, strict=True)))


def told(*first: float) -> Alternatives:
    """The tokens of an answer whose letters were A with these probabilities."""
    tokens: Tokens = [("{", {"{": 0.0})]
    for name, p in zip(LINES, first, strict=True):
        letter = "A" if p >= 0.5 else "B"
        others = {"A": math.log(p / 2), '"A': math.log(p / 2), "B": math.log(1 - p), "x": -9.0}
        tokens += [('"', {}), (name, {name: 0.0}), ('":"', {}), (letter, others), ('",', {})]
    return tokens


def lean(order: tuple[int, int], *first: float) -> Leaning:
    letters = ["A" if p >= 0.5 else "B" for p in first]
    return read_leaning(RAP_BATTLE, order, answer(*letters), told(*first))


def test_probabilities_become_the_odds_of_who_stands_first() -> None:
    odds = lean((1, 0), 0.8, 0.5, 0.2, 0.5).odds
    assert [round(math.exp(each), 6) for each in odds] == [4.0, 1.0, 0.25, 1.0]


def test_a_liking_for_the_first_place_cancels_exactly() -> None:
    """Odds of 4 for who stands first, whoever it is: no leaning at all."""
    found = leaning.opinion("m", [lean((0, 1), *[0.8] * 4), lean((1, 0), *[0.8] * 4)], 2)
    assert found.scores_milli == ((5_000, 5_000),) * 4


def test_what_is_left_is_the_leaning() -> None:
    """Odds 4 * 2 for seat 0 in front and 4 / 2 for seat 1 in front: odds of 2, two thirds."""
    found = leaning.opinion("m", [lean((0, 1), *[8 / 9] * 4), lean((1, 0), *[2 / 3] * 4)], 2)
    assert found.scores_milli == ((6_667, 3_333),) * 4
    assert panel.aggregate(RAP_BATTLE, [found]).ranks == (1, 2)


@pytest.mark.parametrize(
    "alternatives",
    [(), [("A", {})], [('{"flow":"A","wordplay":"B","comeback":"A","topic":"A"}', {})]],
)
def test_without_probabilities_the_letters_count(alternatives: Alternatives) -> None:
    letters = answer("A", "B", "A", "A")
    one = read_leaning(RAP_BATTLE, (0, 1), letters, alternatives)
    assert [odds > 2 for odds in one.odds] == [True, False, True, True]
    same = read_leaning(RAP_BATTLE, (1, 0), letters, ())
    assert leaning.opinion("m", [one, same], 2).scores_milli == ((5_000, 5_000),) * 4


@pytest.mark.parametrize(
    "text", ["", "A", answer("A", "B", "C", "A"), answer("a", "B", "A", "A"), '{"flow":"A"}']
)
def test_other_answers_are_faults(text: str) -> None:
    with pytest.raises(JudgeUnreadable):
        read_leaning(RAP_BATTLE, (0, 1), text, ())


_p = st.floats(0.0, 1.0, exclude_min=True, exclude_max=True)
_four = st.tuples(_p, _p, _p, _p).filter(lambda ps: all(1e-9 < p < 1 - 1e-9 for p in ps))


@given(_four, _four)
def test_points_are_shares_and_swap_with_the_seats(
    first: tuple[float, ...], second: tuple[float, ...]
) -> None:
    one = leaning.opinion("m", [lean((0, 1), *first), lean((1, 0), *second)], 2).scores_milli
    other = leaning.opinion("m", [lean((1, 0), *first), lean((0, 1), *second)], 2).scores_milli
    for line, swapped in zip(one, other, strict=True):
        assert abs(sum(line) - 10_000) <= 1
        assert line == swapped[::-1]


_strengths = st.lists(st.floats(-2, 2), min_size=2, max_size=6)


def points_of(strengths: list[float], liking: float, asked: list[int]) -> list[int]:
    """What a judge gives who answers by strengths and a liking for who stands first."""
    leanings = [
        Leaning(pair, (strengths[pair[0]] - strengths[pair[1]] + liking,)) for pair in pairs(asked)
    ]
    [line] = leaning.opinion("m", leanings, len(strengths)).scores_milli
    return list(line)


@given(_strengths, st.floats(-3, 3))
def test_with_any_number_of_seats_the_liking_cancels_and_the_strengths_are_found(
    strengths: list[float], liking: float
) -> None:
    seats = range(len(strengths))
    points = points_of(strengths, liking, list(seats))
    for seat in seats:
        gaps = [strengths[other] - strengths[seat] for other in seats if other != seat]
        chance = sum(1 / (1 + math.exp(gap)) for gap in gaps) / len(gaps)
        assert abs(points[seat] - 10_000 * chance) <= 1
    assert abs(sum(points) - 5_000 * len(seats)) <= len(seats), "even is 5.0 for any number"


def test_who_was_not_asked_about_has_no_points_and_costs_nobody_any() -> None:
    assert points_of([0.0] * 5, 1.0, [0, 2, 3]) == [5_000, 0, 5_000, 5_000, 0]


def test_certainty_is_bounded() -> None:
    leanings = [lean((0, 1), *[1 - 1e-12] * 4), lean((1, 0), *[1e-12] * 4)]
    assert leaning.opinion("m", leanings, 2).scores_milli[0] == (9_950, 50)
