"""Prediction on the spectator's screen."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.style import Style

from server.protocol import OpenInquiry, SeatCard, SessionView
from tests.tui_client.painted import assert_fills, words_on
from tui_client import recording, screenshot, theme
from tui_client.director import step
from tui_client.recording import questions
from tui_client.screenshot import EVERYBODY, folded
from tui_client.space_views import view_of
from tui_client.state import Input, Move, Open, State, Tick
from tui_client.widgets.prediction.fan import paint_fan
from tui_client.widgets.prediction.observed import prediction
from tui_client.widgets.prediction.scores import paint_scores
from tui_client.widgets.prediction.shown import RESULT_MS
from tui_client.widgets.session.title import paint_title

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

numbers = st.one_of(
    st.sampled_from(["0", "-0.000000001", "999999999999999", "-999999999999999", "41.2"]),
    st.integers(-(10**15) + 1, 10**15 - 1).map(str),
)
micros = st.integers(-(10**15), 10**15)


def watching(view: SessionView) -> State:
    happened: list[Input] = [Open(recording.QUESTIONS), *questions.questions_start(view)]
    return folded(happened)


def with_question(view: SessionView, **changes: Any) -> SessionView:
    """The last question changed."""
    asked = [*view.state["asked"][:-1], {**view.state["asked"][-1], **changes}]
    return msgspec.structs.replace(view, state={**view.state, "asked": asked})


@st.composite
def sessions(draw: st.DrawFn) -> SessionView:
    kind = draw(st.sampled_from(["quantiles", "probability"]))
    resolved = draw(st.integers(0, 3))
    sealed = None if resolved == 3 else draw(st.sampled_from([None, (), (1, 3), EVERYBODY]))
    view = questions.questions_view(resolved, sealed, kind)
    if not view.state["asked"]:
        return view
    forecast = st.none() | st.lists(numbers, min_size=1, max_size=9)
    words = draw(st.text(max_size=80))
    resolution: dict[str, Any] = {
        "value": draw(numbers), "at": words, "series": words, "source": words,
        "file": words, "row": draw(st.none() | st.integers(0, 10**30)),
    }  # fmt: skip
    changed = with_question(
        view,
        history=draw(st.lists(numbers, min_size=1, max_size=9)),
        forecasts=draw(st.none() | st.lists(forecast, min_size=5, max_size=5)),
        resolution=draw(st.sampled_from([None, resolution])),
        scores_micros=draw(st.none() | st.lists(micros, min_size=5, max_size=5)),
        threshold=draw(st.none() | numbers),
        unit=words,
        step=draw(st.none() | st.text(max_size=80)),
        commit=draw(st.none() | st.text(max_size=80)),
        source=words,
    )
    totals = draw(st.lists(micros, min_size=5, max_size=5))
    levels = draw(st.sampled_from([[], [50], [5, 25, 50, 75, 95], [1, 99]]))
    state = {**changed.state, "totals_micros": totals, "levels": levels, "score": words}
    seats = [SeatCard(seat, "a", draw(st.text(max_size=90)), "v") for seat in range(5)]
    status = draw(st.sampled_from(["live", "ended", "void"]))
    outcome = draw(st.sampled_from([None, {"reason": "\x1b[2Jx"}]))
    return msgspec.structs.replace(
        changed, state=state, seats=seats, status=status, outcome=outcome
    )


@unhurried
@given(sessions(), st.integers(20, 140), st.integers(4, 40), st.integers(0, 9))
def test_whatever_is_forecast_the_panes_keep_their_size(
    view: SessionView, width: int, height: int, scroll: int
) -> None:
    state = msgspec.structs.replace(watching(view), scroll=scroll)
    assert view_of(view) is not None
    assert_fills(paint_fan(state, width, height), width, height)
    assert_fills(paint_scores(state, width, height), width, height)
    paint_title(state, width)


def test_what_cannot_be_read_gets_the_plain_view() -> None:
    view = questions.questions_view(1, (3,))
    wrong: tuple[dict[str, Any], ...] = (
        {"history": []},
        {"history": ["inf"]},
        {"forecasts": [["1"]]},
        {"forecasts": [[], [], [], [], []]},
        {"scores_micros": [1]},
        {"threshold": "high"},
    )
    for changes in wrong:
        assert view_of(with_question(view, **changes)) is None
    fewer = msgspec.structs.replace(view, seats=view.seats[:4])
    assert view_of(fewer) is None


def test_forecasts_are_face_down_until_all_are_in() -> None:
    state = folded(screenshot.prediction_sealed())
    fan = words_on(paint_fan(state, 80, 11))
    assert fan.count("▮") == 2
    assert "sealed 2/5" in fan
    assert "◆╸" not in fan
    assert words_on(paint_scores(state, 80, 8)).count("sealed ▮") == 2


def test_all_in_shows_the_fan_and_waits_for_the_value() -> None:
    fan = words_on(paint_fan(folded(screenshot.prediction_resolving()), 120, 21))
    assert fan.count("╺◆╸") == 5
    assert "resolving …" in fan
    assert "╌╌╌" not in fan
    assert "committed to as df5d4860…" in fan


def test_what_came_out_is_drawn_across_and_its_source_named() -> None:
    fan = words_on(paint_fan(folded(screenshot.prediction()), 120, 21))
    assert "╌╌╌╌│╌╌" in fan
    assert "Tide at Gull Rock, 1931-04-10, row 41 of 7be17be1…  opens 2fa89693…" in fan
    assert "◆ 266.2" in fan


def test_a_question_that_came_out_stays_for_a_moment() -> None:
    state = folded(screenshot.prediction())
    assert "QUESTION 1" in words_on(paint_fan(state, 80, 11))
    later = step(state, Tick(state.now_ms + RESULT_MS))
    assert "QUESTION 2" in words_on(paint_fan(later, 80, 11))
    assert "thinks" in words_on(paint_scores(later, 80, 8))
    back = step(later, Move(-1))
    assert "QUESTION 1" in words_on(paint_fan(back, 80, 11))
    assert "266.2" in words_on(paint_fan(step(back, Move(-9)), 80, 11))


def test_far_quantiles_are_clipped_and_pointed_at() -> None:
    view = questions.questions_view(1, EVERYBODY)
    wild = [["-100000", "-90000", "0", "90000", "100000"], *[["1"] * 5] * 4]
    fan = words_on(paint_fan(watching(with_question(view, forecasts=wild)), 120, 21))
    assert fan.count("↑") == 1
    assert fan.count("↓") == 5
    assert "⠒" in fan  # the series is still a curve, not a line at the edge


def test_a_probability_is_a_bar_and_the_question_is_answered_in_words() -> None:
    state = folded(screenshot.probability())
    fan = words_on(paint_fan(state, 80, 11))
    assert "above 349.8?" in fan
    assert "◆ no: 332.3" in fan
    assert "A ━━━━━━━━━━━─── 80%" in fan
    assert "90 %" in words_on(paint_scores(state, 80, 8))


def test_the_best_of_a_question_and_of_all_are_marked() -> None:
    rows = paint_scores(folded(screenshot.prediction_result()), 120, 8)
    assert "Hawk WINS" in rows[0].plain
    hawk = next(row for row in rows if "C Hawk" in row.plain)
    assert "*-0.246" in hawk.plain
    assert theme.SEATS[0] + Style(bold=True) in [span.style for span in hawk.spans]
    assert words_on(rows).count("*") == 3


def test_a_forfeited_forecast_is_told() -> None:
    view = questions.questions_view(1, EVERYBODY)
    given = [None, *[["300"] * 5] * 4]
    state = watching(with_question(view, forecasts=given))
    assert "no forecast" in words_on(paint_scores(state, 80, 8))
    assert words_on(paint_fan(state, 80, 11)).count("╺◆╸") == 4


def test_every_moment_is_readable() -> None:
    for kind in ("quantiles", "probability"):
        for resolved in range(4):
            view = questions.questions_view(resolved, kind=kind)
            assert prediction(view) is not None
            assert_fills(paint_fan(watching(view), 80, 11), 80, 11)


def test_a_live_value_is_waited_for_with_a_clock() -> None:
    view = questions.questions_view(1, EVERYBODY)
    opens = OpenInquiry(4, "resolution", recording.START_MS + 80_000, recording.START_MS + 99_000)
    state = watching(msgspec.structs.replace(view, inquiry=opens))
    assert "resolving … 1:20" in words_on(paint_fan(state, 80, 11))
    later = step(state, Tick(recording.START_MS + 90_000))
    assert "resolving … ─╮" in words_on(paint_fan(later, 80, 11))


def test_a_void_session_waits_for_nothing() -> None:
    asked = msgspec.structs.replace(questions.questions_view(1, EVERYBODY), status="void")
    assert "never came out" in words_on(paint_fan(watching(asked), 80, 11))
    nothing = msgspec.structs.replace(questions.questions_view(0), status="void")
    assert "nothing was asked" in words_on(paint_fan(watching(nothing), 80, 11))
    assert "VOID" in words_on(paint_scores(watching(nothing), 80, 8))


def test_a_void_session_has_forecasts_and_no_scores() -> None:
    view = msgspec.structs.replace(
        questions.questions_view(2, EVERYBODY),
        status="void",
        outcome={"reason": "no value in time"},
    )
    for width in (80, 120):
        rows = paint_scores(watching(view), width, 8)
        assert_fills(rows, width, 8)
        shown = words_on(rows)
        assert "VOID  no value in time; nobody is scored" in shown
        assert "…" in shown, "what was said"
        assert "total" not in shown
        assert "Q1" not in shown
        assert "*" not in shown
