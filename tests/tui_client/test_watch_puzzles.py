"""Logic on the spectator's screen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.protocol import OpenDecision, SeatCard, SessionView
from spaces.logic import Logic
from spaces.seed import Streams
from tests.tui_client.painted import assert_fills, words_on
from tui_client import recording, screenshot, theme
from tui_client.director import step
from tui_client.recording.cast import START_MS
from tui_client.screenshot import folded
from tui_client.space_views import view_of
from tui_client.state import Move, Open, State, Tick
from tui_client.widgets.logic.observed import LOGIC, logic
from tui_client.widgets.logic.view import paint_logic
from tui_client.widgets.session.title import paint_title

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
hostile = st.one_of(
    st.text(max_size=80),
    st.text("\x1b[]/\u202e\u0301\u200d\n\r\t\x9b👩🏽🇩你 ab", max_size=200),
    st.sampled_from(["[@click=app.quit]x[/]", "\x1b[2J\x1b[1;1Hgone", "\u202egnorw", "x" * 400]),
)
counts = st.one_of(st.integers(0, 5_000), st.just(10**9))


def watching(view: SessionView) -> State:
    start: Any = recording.logic_start()
    return folded([Open(recording.PUZZLES), msgspec.structs.replace(start[0], view=view)])


@st.composite
def sessions(draw: st.DrawFn) -> SessionView:
    """Puzzles, answers and names of anybody's wording, and any numbers."""
    seats = draw(st.integers(1, 7))

    def each(of: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(of, min_size=seats, max_size=seats))

    def puzzle() -> dict[str, Any]:
        told = ("generator", "question", "topic")
        return {"round": draw(counts), **{key: draw(hostile) for key in told}}

    def past() -> dict[str, Any]:
        scored = {"scores": each(counts), "times_ms": each(counts)}
        answers = each(st.none() | hostile)
        return {**puzzle(), "solution": draw(hostile), "answers": answers, **scored}

    state = {
        "phase": draw(hostile),
        "round": draw(counts),
        "rounds": draw(counts),
        "level": draw(hostile),
        "puzzle": puzzle() if draw(st.booleans()) else None,
        "answers_in": each(st.booleans()),
        "points": each(counts),
        "times_ms": each(counts),
        "ranks": each(st.integers(0, 9)),
        "log": [past() for _ in range(draw(st.integers(0, 4)))],
    }
    return msgspec.structs.replace(
        recording.logic_view(0),
        state=state,
        status=draw(st.sampled_from(["live", "ended", "void"])),
        seats=[SeatCard(seat, "a", draw(hostile), "v") for seat in range(seats)],
        decisions=[OpenDecision(0, "answer", START_MS, attempt=draw(st.sampled_from([1, 2])))],
    )


@unhurried
@given(sessions(), st.integers(30, 140), st.integers(4, 40), st.integers(0, 99))
def test_whatever_is_answered_the_pane_keeps_its_size(
    view: SessionView, width: int, height: int, scroll: int
) -> None:
    state = msgspec.structs.replace(watching(view), scroll=scroll)
    assert view_of(view) is not None
    assert_fills(paint_logic(state, width, height), width, height)
    assert all(row.cell_len <= width for row in paint_title(state, width)[:1])


@pytest.mark.parametrize("size", [(1, 1), (4, 2), (12, 5), (20, 8)])
def test_a_place_that_is_too_small_only_must_not_fail(size: tuple[int, int]) -> None:
    assert len(paint_logic(folded(screenshot.logic()), *size)) <= size[1]


def test_what_the_rules_show_is_readable() -> None:
    space = Logic()
    space.load()
    streams = Streams(bytes(32))
    state = space.initial(space.params_type(rounds=2, topics=("chain_sum", "gcd")), streams)
    for seat in range(5):
        seen = logic(
            msgspec.structs.replace(recording.logic_view(0), state=space.observe(state, None))
        )
        assert seen is not None
        state = space.apply(state, seat, space.parse("answer", "answer: 7"), streams)
    seen = logic(msgspec.structs.replace(recording.logic_view(0), state=space.observe(state, None)))
    assert seen is not None
    assert len(seen.log) == 1
    assert seen.puzzle is not None


def test_answers_are_face_down_until_all_are_in() -> None:
    start = [Open(recording.PUZZLES), *recording.logic_start()]
    sealed = folded([*start, *recording.logic_answers(0, (3, 0, 1, 4))])
    shown = words_on(paint_logic(sealed, 120, 29))
    assert shown.count("sealed ▮") == 4
    assert "199" not in shown
    assert "turned over together" in shown
    turned = step(sealed, recording.logic_reveal(0, 2))
    shown = words_on(paint_logic(turned, 120, 29))
    assert "solution  199" in shown
    assert "✓ A Nova" in shown
    assert "✗ C Hawk" in shown
    assert "3 of 5 solved it" in shown


def test_a_void_session_says_why_and_counts_nothing() -> None:
    view = msgspec.structs.replace(
        recording.logic_view(2), status="void", outcome={"reason": "the host is gone"}
    )
    shown = words_on(paint_logic(watching(view), 120, 29))
    assert "VOID  the host is gone; nobody is scored" in shown
    assert "solved  " not in shown
    assert "WINS" not in shown


def test_the_last_answers_stay_beside_the_next_puzzle() -> None:
    shown = words_on(paint_logic(folded(screenshot.logic()), 120, 29))
    assert "PUZZLE 3" in shown
    assert "ROUND 2" in shown
    assert "✗ C Hawk" in shown, "nearly right is wrong"
    assert "no answer" in shown, "a forfeit"
    assert "forfeit" in shown.split("E Bear")[1].split("\n")[0], "in the open round, too"


def test_answers_that_were_just_turned_over_are_lit_for_a_moment() -> None:
    state = folded(screenshot.logic_result())
    bright = theme.BRIGHT.color

    def lit(now: State) -> bool:
        row = next(row for row in paint_logic(now, 120, 29) if "ROUND 3" in row.plain)
        return any(getattr(s.style, "color", None) == bright for s in row.spans if s.end == 120)

    assert lit(state)
    assert not lit(step(state, Tick(state.now_ms + 7_000)))


def test_a_grid_keeps_its_blanks_and_the_end_of_the_puzzle_is_in_sight() -> None:
    state = folded(screenshot.logic())
    low = words_on(paint_logic(state, 80, 12))
    assert "│     * X O O O" in low
    assert "↑ 1" in low
    up = words_on(paint_logic(step(state, Move(-50)), 80, 12))
    assert "Your task is to find" in up


def test_less_time_wins_among_equals() -> None:
    shown = words_on(paint_logic(folded(screenshot.logic_result()), 120, 29))
    assert "NOVA WINS" in shown
    assert "1  A Nova" in shown
    assert "2  D Quill" in shown


@pytest.mark.parametrize(
    "wrong", [{"log": 3}, {"points": [1, 2]}, {"answers_in": None}, {"ranks": ["x"] * 5}]
)
def test_another_shape_gets_the_plain_view(wrong: dict[str, Any]) -> None:
    view = recording.logic_view(1)
    broken = msgspec.structs.replace(view, state={**view.state, **wrong})
    assert view.space == LOGIC
    assert view_of(view) is not None
    assert view_of(broken) is None
