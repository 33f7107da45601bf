"""A gate from its results: read in order, whatever order they come in; what is played next, and when it is over."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.gate import format as answers
from training.gate import pairing, progress
from training.gate.format import Answers
from training.gate.pairing import Match, Plan
from training.gate.progress import Result
from training.gate.sprt import Bounds

GOOD = (Answers(5, 5), Answers(5, 5))


def plan(**changed: object) -> Plan:
    whole = {"space": "bid-tac-toe", "candidate": "a@v3", "current": "a@v2", "pool": ("r@v1",)}
    return msgspec.convert({**whole, "pool_pairs": 4, **changed}, Plan)


def played(gate: Plan, score: float, seed: int, at_once: int = 4) -> tuple[progress.Standing, int]:
    """A gate played to its end, its matches ending in any order; the candidate wins each with that chance."""
    rng, results, open_ = random.Random(seed), dict[str, Result](), dict[str, Match]()
    while (found := progress.standing(gate, results)).verdict is None:
        open_ |= {match.name: match for match in progress.wanted(gate, results, open_, at_once)}
        assert open_, "a gate that is not over has something to play"
        assert len(open_) <= 2 * at_once + 1, "a pair is begun whole"
        name = rng.choice(sorted(open_))
        chance = score if open_.pop(name).arm == "current" else 0.5
        results[name] = Result(2 * (rng.random() < chance), GOOD)
    return found, len(results)


def test_a_better_candidate_is_promoted_after_the_pool() -> None:
    found, matches = played(plan(), 0.85, seed=1)
    assert found.verdict is not None
    assert found.verdict.decision == "promote"
    assert found.seen.pool.pairs == 4
    assert matches >= 2 * found.test.pairs + 4 * 4
    assert found.seen.candidate.turns == 5 * 2 * (found.test.pairs + 8)


def test_who_fails_meets_no_pool() -> None:
    found, matches = played(plan(), 0.3, seed=2)
    assert found.verdict is not None
    assert found.verdict.decision == "keep"
    assert found.seen.pool.pairs == 0
    assert matches <= 2 * (found.test.pairs + progress.AHEAD * 4)


@given(st.integers(0, 2**32), st.lists(st.integers(0, 2), min_size=8, max_size=80))
def test_the_order_of_ends_changes_nothing(seed: int, scores: list[int]) -> None:
    matches = [m for n in range(len(scores) // 2) for m in pairing.against_current(plan(), n)]
    results = {m.name: Result(s, GOOD) for m, s in zip(matches, scores, strict=False)}
    shuffled = list(results.items())
    random.Random(seed).shuffle(shuffled)
    assert progress.standing(plan(), dict(shuffled)) == progress.standing(plan(), results)


def test_a_pair_that_is_still_played_holds_up_those_after_it() -> None:
    first, second = pairing.against_current(plan(), 0)
    later = {m.name: Result(2) for n in range(1, 40) for m in pairing.against_current(plan(), n)}
    assert progress.standing(plan(), {first.name: Result(2), **later}).test.pairs == 0
    whole = {first.name: Result(2), second.name: Result(2), **later}
    assert progress.standing(plan(), whole).test.state == "passed"


def test_a_pair_that_was_given_up_counts_for_nothing_and_too_many_end_the_gate() -> None:
    results = {m.name: Result(None) for n in range(3) for m in pairing.against_current(plan(), n)}
    found = progress.standing(plan(), results)
    assert (found.test.pairs, found.seen.given_up, found.verdict) == (0, 3, None)
    more = {m.name: Result(None) for m in pairing.against_current(plan(), 3)}
    ended = progress.standing(plan(), results | more).verdict
    assert ended is not None
    assert ended.decision == "undecided"
    assert "could not be played" in ended.reasons[0]


def test_no_more_is_begun_than_can_be_read() -> None:
    short = plan(bounds=Bounds(most=2))
    assert len(list(progress.wanted(short, {}, (), 50))) == 4


@pytest.mark.parametrize(("seat", "turns", "valid"), [(0, 2, 1), (1, 2, 0)])
def test_answers_are_counted_as_the_transcript_has_them(seat: int, turns: int, valid: int) -> None:
    def entry(by: str, type_: str, **body: object) -> dict[str, object]:
        return {"by": by, "type": type_, "body": body}

    entries = [
        entry("host", "turn", turn=1),
        entry("seat:0", "fault", attempt=1, code="unparsable"),
        entry("seat:0", "action", turn=1),
        entry("seat:1", "fault", attempt=1, code="illegal"),
        entry("seat:1", "fault", attempt=2, code="illegal"),
        entry("host", "forfeit", seat=1),
        entry("seat:1", "fault", attempt=1, code="late"),
        entry("seat:1", "action", turn=2),
        entry("seat:0", "action", turn=2),
    ]
    assert answers.of_seat(entries, seat) == Answers(turns, valid)
