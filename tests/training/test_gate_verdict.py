"""What comes of a gate: the test, the answers and the pool together, in words."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.gate import format as answers
from training.gate import pool, sprt, verdict
from training.gate.format import Answers
from training.gate.pool import Compared
from training.gate.sprt import Bounds, Sprt
from training.gate.verdict import Evidence

PASSED = sprt.after([4] * 20)[-1]
FAILED = sprt.after([2] * 20)[-1]
OPEN = sprt.after([4, 0, 2])[-1]
UNDECIDED = sprt.after([4, 0], Bounds(most=2))[-1]
EVEN = Compared((2, 3, 2, 1) * 5, (2, 2, 3, 1) * 5)
WORSE = Compared((0, 1, 0, 1) * 5, (3, 2, 3, 2) * 5)


def seen(test: Sprt = PASSED, **more: object) -> Evidence:
    well = {"candidate": Answers(500, 495), "current": Answers(500, 480), "pool": EVEN}
    return msgspec.structs.replace(Evidence(test=test), **{**well, **more})


def test_better_as_valid_and_no_worse_against_the_pool_is_promoted() -> None:
    found = verdict.final(seen())
    assert found.decision == "promote"
    assert "more like 60% than 50%" in found.reasons[0]
    assert "99.0% of its 500 first answers" in found.reasons[1]
    assert "no ground lost" in found.reasons[2]


def test_fewer_valid_answers_keep_the_current_version() -> None:
    spoilt = seen(candidate=Answers(500, 460))
    assert verdict.decided(spoilt) == verdict.final(spoilt)
    found = verdict.final(spoilt)
    assert found.decision == "keep"
    assert "Fewer of its first answers" in found.reasons[0]


def test_a_loss_against_the_pool_keeps_the_current_version() -> None:
    assert verdict.decided(seen(pool=WORSE)) is None, "only the pool can tell"
    found = verdict.final(seen(pool=WORSE))
    assert found.decision == "keep"
    assert "lost ground" in found.reasons[0]


@pytest.mark.parametrize(
    ("test", "decision", "words"),
    [
        (FAILED, "keep", "not shown to be better"),
        (UNDECIDED, "undecided", "decides neither"),
    ],
)
def test_what_the_test_turns_away_needs_no_pool(test: Sprt, decision: str, words: str) -> None:
    found = verdict.decided(seen(test, pool=Compared()))
    assert found is not None
    assert found.decision == decision
    assert words in found.reasons[0]


def test_nothing_is_decided_while_the_test_runs() -> None:
    assert verdict.decided(seen(OPEN)) is None


def test_a_gate_that_was_stopped_says_why() -> None:
    found = verdict.stopped(seen(OPEN), "Its owner stopped it.")
    assert found.decision == "undecided"
    assert found.reasons[0] == "Its owner stopped it."


def test_pairs_that_could_not_be_played_are_told() -> None:
    assert "1 pair could not be played" in verdict.final(seen(given_up=1)).reasons[-1]


def test_the_exact_tests_agree_with_what_can_be_counted_by_hand() -> None:
    # 1 of 3 against 3 of 3: of the 15 ways to place 4 valid answers among 6, 3 have one or none on the left.
    assert answers.worse(Answers(3, 1), Answers(3, 3)) == pytest.approx(3 / 15)
    # Three differences, all down by one: one of eight ways is so low.
    assert pool.worse(Compared((1, 1, 1), (2, 2, 2))) == pytest.approx(1 / 8)
    assert pool.worse(Compared()) == 1


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_fewer_valid_answers_are_never_less_suspicious(a: int, b: int, c: int, d: int) -> None:
    one, other = Answers(a + b, a), Answers(c + d, c)
    p = answers.worse(one, other)
    assert 0 <= p <= 1
    if a and one.turns and other.turns:
        assert answers.worse(Answers(a + b, a - 1), other) <= p + 1e-9


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=30))
def test_the_pool_is_compared_the_same_both_ways(pairs: list[tuple[int, int]]) -> None:
    forth = Compared(tuple(a for a, _ in pairs), tuple(b for _, b in pairs))
    back = Compared(forth.current, forth.candidate)
    assert pool.worse(forth) + pool.worse(back) >= 1 - 1e-12
    assert not (pool.lost_ground(forth) and pool.lost_ground(back))


def test_pairs_that_only_one_could_play_are_not_compared() -> None:
    assert pool.comparable((4, None, 2), (1, 3, None)) == Compared((4,), (1,))
