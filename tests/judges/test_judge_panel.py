"""From answers to a verdict: strict reading, both orders, medians, ties."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges import panel
from judges.faults import JudgeUnreadable
from judges.parse import MAX_ANSWER, read_ballot
from judges.rubric import RAP_BATTLE
from judges.verdict import Opinion

LINES = [line.name for line in RAP_BATTLE.lines]


def answer(first: int = 7, second: int = 5, **changes: Any) -> dict[str, Any]:
    """A well-formed answer that gives A and B the same scores on each line."""
    return {name: {"reason": "ok", "A": first, "B": second} for name in LINES} | changes


def opinion(judge: str, first: int, second: int) -> Opinion:
    return Opinion(judge, ((first, second),) * 4, (((f"{judge} on 0", f"{judge} on 1"),) * 4))


def test_scores_come_back_in_seat_order() -> None:
    text = json.dumps(answer(7, 5))
    assert read_ballot(RAP_BATTLE, (0, 1), text).scores == ((7, 5),) * 4
    assert read_ballot(RAP_BATTLE, (1, 0), text).scores == ((5, 7),) * 4


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "Rapper A wins",
        "[]",
        "null",
        json.dumps(answer())[:-1],
        json.dumps(answer()) + " and that is that",
        "```json\n" + json.dumps(answer()) + "\n```",
        json.dumps(answer(11, 5)),
        json.dumps(answer(-1, 5)),
        json.dumps(answer(7.5, 5)),  # type: ignore[arg-type]
        json.dumps(answer("7", 5)),  # type: ignore[arg-type]
        json.dumps(answer(True, 5)),
        json.dumps(answer(flow={"reason": "ok", "A": 7})),
        json.dumps(answer(flow={"reason": "ok", "A": 7, "B": 5, "C": 1})),
        json.dumps(answer(flow={"A": 7, "B": 5})),
        json.dumps(answer(winner="A")),
        json.dumps(dict.fromkeys(LINES, 5)),
        json.dumps({name: value for name, value in answer().items() if name != "topic"}),
        "x" * (MAX_ANSWER + 1),
    ],
)
def test_whatever_is_not_the_form_is_a_fault_and_no_zero(text: str) -> None:
    with pytest.raises(JudgeUnreadable) as caught:
        read_ballot(RAP_BATTLE, (0, 1), text)
    assert len(caught.value.reason) < 500


@given(st.text(max_size=300))
def test_any_text_is_a_ballot_or_a_fault(text: str) -> None:
    with pytest.raises(JudgeUnreadable):
        read_ballot(RAP_BATTLE, (0, 1), text)


def test_reasons_are_plain_short_and_name_seats() -> None:
    hostile = "Rapper A \x1b[31mburns\x07 rapper b\n" + "x" * 500
    text = json.dumps(answer(flow={"reason": hostile, "A": 1, "B": 2}))
    reason = read_ballot(RAP_BATTLE, (1, 0), text).reasons[0]
    assert reason.startswith("seat 1 (31mburns seat 0 x")
    assert len(reason) <= 110


def test_a_liking_for_the_first_place_cancels() -> None:
    ballots = [
        read_ballot(RAP_BATTLE, order, json.dumps(answer(9, 3))) for order in ((0, 1), (1, 0))
    ]
    found = panel.opinion("m", ballots, 2)
    assert found.scores_milli == ((6_000, 6_000),) * 4
    assert panel.aggregate(RAP_BATTLE, [found]).ranks == (1, 1)


def test_each_seat_has_the_reason_of_the_order_in_which_it_stood_first() -> None:
    ballots = [
        read_ballot(RAP_BATTLE, order, json.dumps(answer(flow={"reason": why, "A": 5, "B": 5})))
        for order, why in (((0, 1), "crisp"), ((1, 0), "slack"))
    ]
    assert panel.opinion("m", ballots, 2).reasons[0] == ("crisp", "slack")


def test_the_median_is_of_judges_not_of_their_weight() -> None:
    verdict = panel.aggregate(
        RAP_BATTLE,
        [opinion("a", 8_000, 2_000), opinion("b", 7_000, 3_000), opinion("liar", 0, 10_000)],
    )
    assert verdict.totals_milli == (7_000, 3_000)
    assert verdict.ranks == (1, 2)
    assert verdict.lines[0].reasons == ("b on 0", "b on 1")
    assert verdict.judges == ("a", "b", "liar")


def test_of_two_middles_the_lower_stands() -> None:
    assert panel.lower_median([4, 1, 3, 2]) == 2


@pytest.mark.parametrize(
    ("totals", "expected"),
    [
        ((7_000, 6_750), (1, 2)),
        ((7_000, 6_751), (1, 1)),
        ((6_751, 7_000), (1, 1)),
        ((5_000, 7_000), (2, 1)),
        ((7_000, 7_000, 1_000), (1, 1, 3)),
        ((6_800, 6_600, 7_000), (1, 3, 1)),
    ],
)
def test_ranks(totals: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert panel.ranks(totals, RAP_BATTLE.tie_milli) == expected


def test_no_opinion_is_no_verdict() -> None:
    with pytest.raises(ValueError, match="at least one"):
        panel.aggregate(RAP_BATTLE, [])
    with pytest.raises(ValueError, match="every order"):
        panel.opinion("m", [], 2)


_scores = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=4, max_size=4)


@given(_scores, _scores)
def test_swapping_the_seats_swaps_the_verdict(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    def found(pairs: list[tuple[tuple[int, int], list[tuple[int, int]]]]) -> Opinion:
        ballots = [
            read_ballot(
                RAP_BATTLE,
                order,
                json.dumps(
                    {
                        name: {"reason": "r", "A": a, "B": b}
                        for name, (a, b) in zip(LINES, scores, strict=True)
                    }
                ),
            )
            for order, scores in pairs
        ]
        return panel.opinion("m", ballots, 2)

    one = panel.aggregate(RAP_BATTLE, [found([((0, 1), first), ((1, 0), second)])])
    other = panel.aggregate(RAP_BATTLE, [found([((1, 0), first), ((0, 1), second)])])
    assert one.totals_milli == other.totals_milli[::-1]
    assert one.ranks == other.ranks[::-1]
    assert all(0 <= total <= 10_000 for total in one.totals_milli)
