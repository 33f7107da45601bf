"""One hearing: nothing is told before its end, nobody commits twice, late is late, and it ends whatever judges do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.court import hearing as h
from judges.court.hearing import Hearing, Phase, Refused, SeatState
from judges.court.terms import TERMS, quorum, reserves

COMMIT_MS, REVEAL_MS = 100, 50


def panel(seats: int = 5, spare: int | None = None) -> Hearing:
    count = reserves(seats) if spare is None else spare
    judges = [f"judge {at}" for at in range(seats)]
    return h.opened(judges, [f"reserve {at}" for at in range(count)], COMMIT_MS, REVEAL_MS, 0)


def all_commit(hearing: Hearing, now_ms: int) -> Hearing:
    for each in hearing.sitting():
        if not each.bound:
            hearing = h.commit(hearing, each.judge, now_ms)
    return hearing


def states(hearing: Hearing) -> str:
    """One letter a judge, in the order of the draw."""
    letters = {SeatState.REPLACED: "x", SeatState.ABSENT: "a"}
    return "".join(letters.get(each.state, each.state[0]) for each in hearing.bench)


def refused(move: Callable[[], Hearing]) -> str:
    with pytest.raises(Refused) as caught:
        move()
    return caught.value.word


def test_all_commit_all_reveal_and_it_is_decided_at_once() -> None:
    hearing = all_commit(panel(), 10)
    assert (hearing.phase, hearing.by_ms) == (Phase.REVEALING, 10 + REVEAL_MS)
    for each in hearing.sitting():
        assert not hearing.told
        hearing = h.reveal(hearing, each.judge, 20)
    assert (hearing.phase, hearing.told, hearing.due_ms) == (Phase.DECIDED, True, None)
    assert states(hearing) == "rrrrrdd"


def test_reserves_sit_for_those_who_do_not_commit_and_only_once() -> None:
    hearing = panel()
    for at in range(3):
        hearing = h.commit(hearing, f"judge {at}", 10)
    assert refused(lambda: h.commit(hearing, "reserve 0", 20)) == "not-called"
    hearing = h.passed(hearing, COMMIT_MS)
    assert (states(hearing), hearing.by_ms) == ("cccxxdd", 2 * COMMIT_MS)
    assert refused(lambda: h.commit(hearing, "judge 3", COMMIT_MS + 1)) == "late"
    hearing = h.commit(hearing, "reserve 0", COMMIT_MS + 1)
    hearing = h.passed(hearing, 2 * COMMIT_MS)
    assert (states(hearing), hearing.phase) == ("cccxxca", Phase.REVEALING)


def test_more_absent_than_reserves_leaves_seats_empty() -> None:
    hearing = h.commit(panel(5, spare=1), "judge 0", 0)
    hearing = h.passed(hearing, COMMIT_MS)
    assert states(hearing) == "cxaaad"
    hearing = h.commit(hearing, "reserve 0", COMMIT_MS)
    assert (hearing.phase, states(hearing)) == (Phase.FAILED, "cxaaac")


def test_a_deadline_strikes_before_a_message_of_the_same_millisecond() -> None:
    hearing = panel(5, spare=0)
    for at in range(4):
        hearing = h.commit(hearing, f"judge {at}", COMMIT_MS - 1)
    assert refused(lambda: h.commit(hearing, "judge 4", COMMIT_MS)) == "late"
    hearing = h.passed(hearing, COMMIT_MS)
    assert hearing.phase is Phase.REVEALING
    assert refused(lambda: h.reveal(hearing, "judge 0", hearing.by_ms)) == "late"


def test_what_a_judge_may_not_do() -> None:
    hearing = h.commit(panel(), "judge 0", 0)
    assert refused(lambda: h.commit(hearing, "judge 0", 1)) == "twice"
    assert refused(lambda: h.commit(hearing, "somebody", 1)) == "not-seated"
    assert refused(lambda: h.reveal(hearing, "judge 0", 1)) == "early"
    assert refused(lambda: h.reveal(hearing, "judge 1", 1)) == "no-commitment"
    shown = h.reveal(all_commit(hearing, 2), "judge 0", 3)
    assert refused(lambda: h.reveal(shown, "judge 0", 4)) == "twice"


def test_a_panel_too_few_of_which_reveal_has_failed() -> None:
    hearing = all_commit(panel(), 0)
    for at in range(quorum(5) - 1):
        hearing = h.reveal(hearing, f"judge {at}", 1)
    hearing = h.passed(hearing, hearing.by_ms)
    assert (hearing.phase, hearing.missing()) == (Phase.FAILED, ["judge 2", "judge 3", "judge 4"])


def test_hiding_what_was_found_costs_more_than_not_having_looked() -> None:
    lock = 10**18
    hidden, absent = h.missing(lock, bound=True), h.missing(lock, bound=False)
    assert hidden.slash == lock > absent.slash > 0
    assert (hidden.skill, absent.skill) == (TERMS.skill_floor, 0)


moves = st.lists(
    st.tuples(
        st.sampled_from(["commit", "reveal", "pass"]),
        st.integers(0, 11),
        st.integers(0, 60),
    ),
    max_size=60,
)


@given(st.sampled_from([1, 3, 5, 7]), st.integers(0, 3), moves)
def test_whatever_happens(seats: int, spare: int, happening: list[tuple[str, int, int]]) -> None:
    hearing, now_ms = panel(seats, spare), 0
    names = [each.judge for each in hearing.bench] + ["stranger"]
    bound: set[str] = set()
    shown: set[str] = set()
    for what, at, later_ms in happening:
        now_ms += later_ms
        before, judge = hearing, names[at % len(names)]
        try:
            if what == "commit":
                hearing = h.commit(hearing, judge, now_ms)
                assert judge not in bound, "one commitment a judge"
                assert before.phase is Phase.COMMITTING
                bound.add(judge)
            elif what == "reveal":
                hearing = h.reveal(hearing, judge, now_ms)
                assert judge in bound
                assert judge not in shown
                shown.add(judge)
            else:
                hearing = h.passed(hearing, now_ms)
        except Refused:
            assert hearing is before
            hearing = h.passed(hearing, now_ms)
        assert h.passed(hearing, now_ms) == hearing, "the same moment changes nothing twice"
        assert set(hearing.revealed()) == shown
        assert {each.judge for each in hearing.bench if each.bound} == bound
        if hearing.phase in (Phase.COMMITTING, Phase.REVEALING):
            assert not hearing.told
            assert now_ms < hearing.by_ms
        if shown:
            assert hearing.phase is not Phase.COMMITTING, "nobody can follow who has revealed"
        if before.over:
            assert hearing == before
    for _ in range(3):  # it ends by the clock alone
        if hearing.due_ms is not None:
            hearing = h.passed(hearing, max(now_ms, hearing.due_ms))
    assert hearing.over
    assert (hearing.phase is Phase.DECIDED) == (len(shown) >= max(1, quorum(seats)))
    assert not set(hearing.missing()) & shown
