"""The contracts' arithmetic is that of `judges.court`, number for number."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import msgspec
import pytest
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.client.plans import COURT_TERMS, ReckonerTerms
from chain.court import seed as seeds
from chain.court.filing import packed
from judges.court.draw import Candidate, TooFew, draw
from judges.court.overturn import overturn_slash
from judges.court.reckoning import Question, reckon, totals_of
from judges.court.terms import TERMS
from tests.chain.contracts import deploy, reverts

CASE, SEED = b"\x01" * 32, b"\x02" * 32
SCORES = st.one_of(st.integers(0, 10_000), st.sampled_from([0, 5_000, 5_001, 10_000]))


@cache
def contract() -> Any:
    return deploy("reckoner", msgspec.structs.astuple(ReckonerTerms()))


def words(sheet: list[int]) -> list[int]:
    return [
        sum(score << 16 * at for at, score in enumerate(sheet[16 * word : 16 * word + 16]))
        for word in range(4)
    ]


def test_the_terms_of_a_deployment_are_those_that_the_rules_were_simulated_with() -> None:
    for name in ReckonerTerms.__struct_fields__:
        assert getattr(ReckonerTerms(), name) == getattr(TERMS, name), name
    for name in (
        "no_commit_bps",
        "no_reveal_bps",
        "rolling_floor",
        "rolling_bps",
        "overturned_bps",
    ):
        assert getattr(COURT_TERMS, name) == getattr(TERMS, name), name


@st.composite
def hearings(draw: st.DrawFn) -> tuple[Question, list[list[int]], list[int] | None]:
    lines, contestants = draw(st.integers(1, 8)), draw(st.integers(1, 8))
    if draw(st.booleans()):
        lines, contestants = min(lines, 4), min(contestants, 2)
    size = lines * contestants
    sheet = st.lists(SCORES, min_size=size, max_size=size)
    seats = draw(st.sampled_from([1, 3, 5, 7, 11, 15]))
    question = Question(
        weights=tuple(draw(st.lists(st.integers(1, 255), min_size=lines, max_size=lines))),
        contestants=contestants,
        prior=tuple(draw(st.lists(SCORES, min_size=lines, max_size=lines))),
        scale=draw(st.one_of(st.integers(1, 10**8), st.just(2_000_000))),
        seats=seats,
        fee=draw(st.integers(0, 10**8)),
        lock=draw(st.integers(0, 10**22)),
    )
    sheets = draw(st.lists(sheet, min_size=1, max_size=min(seats, 7)))
    return question, sheets, draw(st.one_of(st.none(), sheet))


def asked(question: Question) -> tuple[int, ...]:
    return (
        packed(question.weights, 8),
        question.contestants,
        packed(question.prior, 16),
        question.scale,
        question.seats,
        question.fee,
        question.lock,
    )


def hold(question: Question, sheets: list[list[int]], answer: list[int] | None) -> None:
    due = reckon(question, sheets, answer)
    medians, totals, margin, seats, result = contract().reckon(
        asked(question), [words(each) for each in sheets], answer is not None, words(answer or [])
    )
    assert (tuple(medians), tuple(totals), margin) == (due.medians, due.totals, due.margin)
    assert [tuple(each) for each in seats] == [(s.skill, s.pay, s.slash) for s in due.seats]
    assert (
        result
        == contract().result(list(due.totals))
        == sum(total << 16 * at for at, total in enumerate(due.totals)) + (due.margin << 128)
    )


@settings(max_examples=6, deadline=None)
@given(hearings())
def test_a_hearing_comes_to_the_same(given_: Any) -> None:
    hold(*given_)


def test_a_close_panel_with_one_outlier_comes_to_the_same() -> None:
    rng = random.Random(5)
    for seats in (5, 7):
        truth = [7_000, 5_500] * 4
        sheets = [[each + rng.randint(-300, 300) for each in truth] for _ in range(seats - 1)]
        question = Question((3, 2, 1, 1), 2, (5_000,) * 4, 2_000_000, seats, 10**6, 10**20)
        hold(question, [*sheets, [10_000 - each for each in truth]], None)
        hold(question, [*sheets, [0, 10_000] * 4], None)
        found = reckon(question, [*sheets, [0, 10_000] * 4])
        assert [each.slash > 0 for each in found.seats] == [False] * (seats - 1) + [True]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(hearings())
def test_many_hearings_come_to_the_same(given_: Any) -> None:
    hold(*given_)


@pytest.mark.slow
def test_the_largest_hearing_comes_to_the_same() -> None:
    rng = random.Random(3)
    sheets = [[rng.randint(0, 10_000) for _ in range(64)] for _ in range(31)]
    hold(Question((255,) * 8, 8, (4_000,) * 8, 10**6, 31, 10**8, 10**21), sheets, None)


@st.composite
def snapshots(draw: st.DrawFn) -> list[Candidate]:
    count = draw(st.integers(1, 20))
    operators, families = draw(st.integers(1, count)), draw(st.integers(1, 5))
    return [
        Candidate(
            f"0x{number + 1:040x}",
            f"0x{draw(st.integers(1, operators)):040x}",
            draw(st.integers(1, families)).to_bytes(32, "big").hex(),
            draw(st.one_of(st.integers(0, 3), st.integers(10**21, 10**24))),
        )
        for number in range(count)
    ]


def drawn(candidates: list[Candidate], seats: int, seed: bytes, hearing: int) -> list[int]:
    _, found = contract().draw(
        [each.judge for each in candidates],
        [each.operator for each in candidates],
        [bytes.fromhex(each.family) for each in candidates],
        [each.weight for each in candidates],
        seats,
        seed,
        CASE,
        hearing,
    )
    return list(found)


def hold_draw(candidates: list[Candidate], seats: int, seed: bytes, hearing: int) -> None:
    found = drawn(candidates, seats, seed, hearing)
    chance = seeds.words(seed, CASE, hearing)
    if len(found) < seats:
        with pytest.raises(TooFew, match=f"only {len(found)} of {seats}"):
            draw(candidates, seats, chance)
    else:
        due = draw(candidates, seats, chance)
        assert found == [*due.seated, *due.reserves]


@settings(max_examples=8, deadline=None)
@given(snapshots(), st.sampled_from([1, 3, 5, 7, 15]), st.integers(0, 5), st.binary(min_size=4))
def test_the_same_judges_are_drawn(
    candidates: list[Candidate], seats: int, hearing: int, chance: bytes
) -> None:
    hold_draw(candidates, seats, keccak(chance), hearing)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(snapshots(), st.sampled_from([1, 3, 5, 7, 15]), st.integers(0, 5), st.binary(min_size=4))
def test_many_panels_are_the_same(
    candidates: list[Candidate], seats: int, hearing: int, chance: bytes
) -> None:
    hold_draw(candidates, seats, keccak(chance), hearing)


@pytest.mark.slow
def test_the_largest_panel_of_the_largest_snapshot_is_the_same() -> None:
    candidates = [
        Candidate(
            f"0x{number + 1:040x}", f"0x{number + 1:040x}", bytes([number % 9] * 32).hex(), 10**21
        )
        for number in range(256)
    ]
    hold_draw(candidates, 31, SEED, 2)
    assert len(drawn(candidates, 31, SEED, 2)) == 42


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_the_same_judges_pay_for_a_winner_that_fell(data: st.DataObject) -> None:
    contestants, lines = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3))
    total = st.lists(
        st.sampled_from([4_000, 5_000, 5_500, 6_200]), min_size=contestants, max_size=contestants
    )
    was, last = data.draw(total), data.draw(total)
    sheet = data.draw(st.lists(SCORES, min_size=lines * contestants, max_size=lines * contestants))
    weights = tuple(data.draw(st.lists(st.integers(1, 9), min_size=lines, max_size=lines)))
    question = Question(weights, contestants, (5_000,) * lines, 1, 5, 0, 100)
    margin = data.draw(st.sampled_from([0, 1, 500, 700]))
    it = contract()
    found = it.overturned(
        it.result(was), it.result(last), margin, packed(weights, 8), contestants, words(sheet)
    )
    assert found == bool(overturn_slash(question, sheet, was, last, margin))
    assert tuple(it.totals(packed(weights, 8), contestants, words(sheet))) == totals_of(
        question, sheet
    )
    best = [each == max(was) for each in was] == [each == max(last) for each in last]
    assert it.same_winners(it.result(was), it.result(last)) == best


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 10_000), max_size=64))
def test_a_sheet_is_packed(sheet: list[int]) -> None:
    assert list(contract().packed(sheet, len(sheet))) == words(sheet)


def test_what_is_no_sheet_and_no_rubric_is_refused() -> None:
    it = contract()
    with reverts("reckoner: the sheet is of another size"):
        it.packed([1, 2], 3)
    with reverts("reckoner: a score is 0 to 10000"):
        it.packed([10_001], 1)
    for weights, why in (
        (0, "reckoner: a rubric has 1 to 8 lines"),
        (1 << 64, "reckoner: a line without a weight"),
        (1 + (1 << 16), "reckoner: a line without a weight"),
        (int.from_bytes(bytes([1] * 9)), "reckoner: a rubric has 1 to 8 lines"),
    ):
        with reverts(why):
            it.lines(weights)
    with reverts("reckoner: no sheet was revealed"):
        it.reckon((1, 2, 0, 1, 5, 0, 0), [], False, [0] * 4)
    with reverts("reckoner: a panel has 1 to 31 seats"):
        it.draw([], [], [], [], 0, SEED, CASE, 0)
