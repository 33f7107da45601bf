from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.training.eligibility import (
    DAY_MS,
    FAILED_REST_MS,
    LONGEST_REST_MS,
    WEEK_MS,
    Consent,
    History,
    budget_frees_ms,
    look,
    needed,
    rest_ms,
    spent_ms,
)
from server.training.eta import eta_s, thinned
from server.training.states import OPEN, OVER, State, WrongTransition, check

NOW_MS = 1_800_000_000_000
ON = Consent(on=True)


def test_the_published_formula() -> None:
    assert [needed(league) for league in range(6)] == [40, 36, 32, 28, 24, 20]


@pytest.mark.parametrize(
    ("consent", "history", "reason"),
    [
        (ON, History(scored=12), "12 of 40 scored sessions"),
        (ON, History(scored=27, league=3), "27 of 28 scored sessions"),
        (ON, History(scored=90, job="01J8"), "training 01J8 is under way; one at a time"),
        (ON, History(scored=90, obstacle="the agent is archived"), "the agent is archived"),
        (
            Consent(),
            History(scored=40),
            "40 of 40 scored sessions; training is off: turn it on",
        ),
        (
            ON,
            History(scored=40, kept=1, kept_ms=NOW_MS - DAY_MS + 1),
            "resting after a gate that was failed: 1 hour left",
        ),
        (
            ON,
            History(scored=40, kept=2, kept_ms=NOW_MS),
            "resting after a gate that was failed, the 2. in a row: 48 hours left",
        ),
        (
            ON,
            History(scored=40, failed_ms=NOW_MS - FAILED_REST_MS + 1),
            "resting after a training that could not be done: 1 hour left",
        ),
        (
            Consent(on=True, budget_s=600),
            History(scored=40, spent=((NOW_MS - DAY_MS, 400_000), (NOW_MS, 200_000))),
            "the week's budget is used up: 600 of 600 device-seconds",
        ),
    ],
)
def test_it_always_says_why_not_yet(consent: Consent, history: History, reason: str) -> None:
    found = look(consent, history, NOW_MS)
    assert (found.ready, found.reason) == (False, reason)


def test_it_may_begin() -> None:
    for history in (
        History(scored=40),
        History(scored=20, league=5),
        History(scored=40, kept=1, kept_ms=NOW_MS - DAY_MS),
    ):
        assert look(ON, history, NOW_MS).ready
    assert look(Consent(), History(scored=40), NOW_MS, by_hand=True).ready, "asking is consent"
    assert not look(Consent(), History(scored=39), NOW_MS, by_hand=True).ready, "and no more"


def test_rests_double_and_end() -> None:
    assert [rest_ms(kept) // DAY_MS for kept in range(6)] == [0, 1, 2, 4, 7, 7]
    assert rest_ms(200) == LONGEST_REST_MS


spent = st.lists(
    st.tuples(st.integers(NOW_MS - 2 * WEEK_MS, NOW_MS), st.integers(1, 10**7)), max_size=8
)


@given(spent, st.integers(60, 7 * 86_400))
@example([(NOW_MS, 60_000), (NOW_MS, 60_000)], 60)
def test_the_budget_frees_at_the_first_moment_of_a_week_within_it(
    used: list[tuple[int, int]], budget_s: int
) -> None:
    history, consent = History(spent=tuple(used)), Consent(on=True, budget_s=budget_s)
    at_ms = budget_frees_ms(consent, history, NOW_MS)
    assert NOW_MS <= at_ms <= NOW_MS + WEEK_MS
    assert spent_ms(history, at_ms) < budget_s * 1_000
    if at_ms > NOW_MS:
        assert spent_ms(history, at_ms - 1) >= budget_s * 1_000


@given(st.builds(History, scored=st.integers(0, 100), league=st.integers(0, 5)), st.integers(0, 50))
def test_more_sessions_never_make_it_wait(history: History, more: int) -> None:
    import msgspec

    later = msgspec.structs.replace(history, scored=history.scored + more)
    assert look(ON, later, NOW_MS).ready >= look(ON, history, NOW_MS).ready


def test_every_open_state_has_a_way_on_and_none_leads_out_of_the_end() -> None:
    for source in State:
        ways = []
        for target in State:
            try:
                check(source, target)
            except WrongTransition:
                continue
            ways.append(target)
        assert bool(ways) == (source in OPEN)
        assert source in OVER or {State.FAILED, State.CANCELLED} <= set(ways)
        assert source not in ways
    with pytest.raises(WrongTransition, match="a job that is queued cannot be gating"):
        check(State.QUEUED, State.GATING)


def test_the_rest_of_the_steps_at_the_speed_so_far() -> None:
    assert eta_s(0, 100, 0) is None
    assert eta_s(25, 100, 10_000) == 30
    assert eta_s(99, 100, 1) == 1, "rounded up"
    assert eta_s(100, 100, 99_999) == 0


@given(st.integers(1, 5_000))
def test_a_thinned_curve_keeps_its_ends(count: int) -> None:
    kept = thinned([(i, i) for i in range(count)])
    assert len(kept) == min(count, 200)
    assert (kept[0][0], kept[-1][0]) == (0, count - 1)
    assert sorted(set(kept)) == kept
