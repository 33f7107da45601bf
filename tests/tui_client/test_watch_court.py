"""The court over a session: what is shown when, and that nothing which arrives breaks it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol import CaseView
from tests.tui_client.painted import assert_fills, words_on
from tui_client import recording
from tui_client.director import step
from tui_client.docket import chosen_judge, wanted
from tui_client.owner.calls import Answered, Problem, Refused
from tui_client.recording import trial
from tui_client.screenshot import folded, lobby
from tui_client.state import Back, Move, Open, OpenJudge, State, Tick, ToggleCourt, ToggleFollow
from tui_client.state import wanted as channels
from tui_client.widgets.court.docket import paint_cases, paint_judges
from tui_client.widgets.court.judge import paint_judge
from tui_client.widgets.court.progress import paint_progress, sitting
from tui_client.widgets.court.view import paint_court
from tui_client.widgets.footer import keys
from tui_client.widgets.rap.verdict import paint_verdict


def at_court(court: CaseView, *happened: Any) -> State:
    shown = [Open(recording.RAP), trial.at_court(court), *happened]
    return step(folded(shown), Tick(recording.START_MS))


def test_the_court_opens_over_its_session_and_goes_before_it() -> None:
    state = at_court(trial.case(3), ToggleCourt(), Move(2))
    assert state.court == 2
    assert ("c", "court") not in keys(state)
    under = step(state, Back())
    assert under.court is None
    assert under.spectated is not None
    assert ("c", "court") in keys(under)


def test_a_session_without_a_court_has_none_to_show() -> None:
    state = folded([Open(recording.RAP), *recording.rap_start(2), ToggleCourt()])
    assert state.court is None
    assert ("c", "court") not in keys(state)


def test_another_session_is_not_shown_with_the_court_of_the_last() -> None:
    assert step(at_court(trial.decided(), ToggleCourt()), Open(recording.BOARD)).court is None


def test_before_all_have_revealed_no_score_is_painted() -> None:
    words = words_on(paint_court(at_court(trial.case(5, 4), ToggleCourt()), 110, 40))
    assert "scores are sealed" in words
    assert "MEDIANS" not in words


def test_the_verdict_names_each_judges_score_its_pay_and_its_words() -> None:
    words = words_on(paint_court(at_court(trial.decided(), ToggleCourt()), 110, 60))
    for told in ("EMBER WINS", "by 0.30", "+0.000714", "model:leaning", "soil from ash is neat"):
        assert told in words


def test_a_judge_that_is_far_off_is_seen_to_lose_its_stake() -> None:
    sheet = msgspec.structs.replace(
        trial.decided().sheets[0],
        pay_micros=-2_000,
        skill_ppm=-5_000_000,
        slash_frac=str(5 * 10**18),
    )
    words = words_on(paint_court(at_court(trial.decided(sheets=[sheet]), ToggleCourt()), 120, 60))
    assert "-5.00" in words
    assert "loses 5 FRAC" in words


def test_while_it_judges_the_panel_stands_where_the_verdict_will() -> None:
    words = words_on(paint_verdict(at_court(trial.case(3)), 110))
    assert "committed 3/5" in words
    assert "0:41" in words


def test_what_the_panel_found_stands_there_while_it_can_be_appealed_against() -> None:
    found = trial.decided(final=False, appeal_by_ms=recording.START_MS + 92_000)
    words = words_on(paint_verdict(at_court(found), 110))
    for told in ("EMBER WINS", "not final yet", "to appeal 1:32", "flow", "“the triplet run"):
        assert told in words
    assert "reading" not in words


def test_whoever_reads_the_court_is_not_led_away_by_following() -> None:
    other = [*lobby(), ToggleFollow(), trial.at_court(trial.decided()), ToggleCourt()]
    state = step(folded([Open(recording.RAP), *other]), Tick(recording.START_MS + 600_000))
    assert state.court is not None
    assert state.spectated is not None
    assert state.spectated.session == recording.RAP


def test_a_reserve_is_on_the_panel_once_it_sits() -> None:
    waits = msgspec.structs.replace(trial.case().panel[0], reserve=True)
    assert sitting(trial.case(panel=[waits])) == []
    sits = msgspec.structs.replace(waits, state="committed")
    assert sitting(trial.case(panel=[sits])) == [sits]


@pytest.mark.parametrize(
    "state", ["wanted", "filed", "committing", "revealing", "failed", "forced"]
)
def test_every_state_has_a_line(state: str) -> None:
    assert len(paint_progress(trial.case(state=state), 0).plain) > len("court  ")


@given(
    st.lists(st.lists(st.integers(-(2**60), 2**60), max_size=3), max_size=9),
    st.lists(st.lists(st.text(max_size=40), max_size=3), max_size=9),
    st.integers(0, 2**53),
    st.text(max_size=60),
    st.tuples(st.integers(20, 130), st.integers(3, 40)),
)
def test_whatever_arrives_is_painted_in_its_place(
    scores: list[list[int]],
    reasons: list[list[str]],
    contestants: int,
    words: str,
    size: tuple[int, int],
) -> None:
    sheet = trial.decided().sheets[0]
    sheet = msgspec.structs.replace(sheet, scores_milli=scores, reasons=reasons, slash_frac=words)
    court = trial.decided(
        sheets=[sheet], contestants=contestants, medians_milli=scores, note=words, case=words
    )
    assert_fills(paint_court(at_court(court, ToggleCourt()), *size), *size)


# ---------------------------------------------------------------------- the page of the court


def at_docket(*happened: Any) -> State:
    return step(folded([ToggleCourt(), *trial.docket(), *happened]), Tick(recording.START_MS))


def test_the_page_of_the_court_follows_its_channel_and_asks_for_judges_only_while_it_is_open() -> (
    None
):
    state = folded([ToggleCourt()])
    assert "court" in channels(state)
    assert [call.path for call in wanted(state.docket, 0)] == ["/v1/judges"]
    closed = step(state, Back())
    assert "court" not in channels(closed)
    assert wanted(closed.docket, 0) == []


def test_a_case_of_the_page_opens_its_session_and_comes_back_to_it() -> None:
    state = at_docket(Open(recording.RAP))
    assert state.spectated is not None
    under = step(state, Back())
    assert under.spectated is None
    assert under.docket is not None


def test_the_cursor_walks_from_cases_to_judges_and_a_judges_page_lies_over_both() -> None:
    state = at_docket(Move(100))
    assert state.docket is not None
    assert chosen_judge(state.docket) == trial.JUDGES[5]
    page = step(state, OpenJudge(trial.JUDGES[0]))
    assert page.docket is not None
    asked = [call.path for call in wanted(page.docket, recording.START_MS)]
    assert f"/v1/judges/{trial.JUDGES[0]}" in asked
    back = step(page, Back())
    assert back.docket is not None
    assert back.docket.judge is None


def test_a_judges_page_tells_what_it_earned_and_where_it_failed() -> None:
    state = at_docket(OpenJudge(trial.JUDGES[0]), *trial.judge()[1:])
    words = words_on(paint_judge(state, 120, 30))
    for told in ("1,000 FRAC", "0.0184 USDC", "+0.41 over its last 20", "absent", "loses 1 FRAC"):
        assert told in words


def test_where_judges_cannot_be_had_the_page_says_why() -> None:
    problem = Problem(503, "court-off", "this arena has no court")
    state = folded([ToggleCourt(), Refused("GET /v1/judges #0", problem)])
    assert "this arena has no court" in words_on(paint_judges(state, 80, 10))


def test_an_answer_that_comes_when_the_page_is_closed_changes_nothing() -> None:
    late = Answered("GET /v1/judges #0", None)
    assert folded([late]).docket is None


@pytest.mark.parametrize("size", [(20, 3), (60, 12), (120, 34)])
def test_the_page_fills_its_place(size: tuple[int, int]) -> None:
    state = at_docket()
    assert_fills(paint_cases(state, *size), *size)
    assert_fills(paint_judges(state, *size), *size)
    assert_fills(paint_judge(at_docket(OpenJudge(trial.JUDGES[0])), *size), *size)
