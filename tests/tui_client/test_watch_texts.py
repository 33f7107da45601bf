"""Writing on the spectator's screen."""

from __future__ import annotations

import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.protocol import Evidence, RubricLine, SeatCard, SessionView, VerdictView
from spaces.seed import Streams
from spaces.writing import Writing
from tests.tui_client.painted import FORBIDDEN, words_on
from tui_client import screenshot
from tui_client.director import step
from tui_client.recording import texts
from tui_client.screenshot import folded
from tui_client.space_views import view_of
from tui_client.state import Move, Open, State, Turn
from tui_client.widgets.footer import paint_footer
from tui_client.widgets.session.title import paint_title
from tui_client.widgets.writing.observed import written
from tui_client.widgets.writing.verdict import paint_ranking, reason
from tui_client.widgets.writing.view import paint_writing

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
hostile = st.one_of(
    st.text(max_size=80),
    st.text("\x1b[]/\u202e\u0301\u200d\n\r\t\x9b👩🏽🇩你 ab", max_size=300),
    st.sampled_from(["[@click=app.quit]x[/]", "\x1b[2J\x1b[1;1Hgone", "\u202egnorw", "x\n" * 300]),
)
numbers = st.one_of(st.integers(-5, 20_000), st.sampled_from([10**15, -(10**15)]))


def watching(view: SessionView) -> State:
    start: Any = texts.writing_start()
    return folded([Open(texts.TEXTS), msgspec.structs.replace(start[0], view=view)])


@st.composite
def verdicts(draw: st.DrawFn, seats: int) -> VerdictView:
    """Also ones with too few or too many numbers for the seats."""
    some = st.lists(numbers, max_size=seats + 2)
    words = st.lists(hostile, max_size=seats + 2)
    lines = draw(st.lists(st.builds(RubricLine, hostile, some, words), max_size=8))
    evidence = draw(st.lists(st.builds(Evidence, hostile, some, hostile), max_size=6))
    ranks = draw(st.lists(st.integers(-1, 9), max_size=seats + 1))
    judges = draw(st.lists(hostile, max_size=6))
    return VerdictView("r", lines, draw(some), ranks, evidence, judges, draw(hostile))


@st.composite
def sessions(draw: st.DrawFn) -> SessionView:
    """Briefs, texts, names and verdicts of anybody's wording."""
    seats, points = draw(st.integers(1, 7)), draw(st.integers(0, 10))
    met = st.none() | st.lists(st.booleans(), min_size=points, max_size=points)
    told = [
        {
            "seat": seat,
            "state": draw(st.sampled_from(["writing", "in", "forfeited"])),
            "text": draw(st.none() | hostile),
            "met": draw(met),
        }
        for seat in range(seats)
    ]
    words = {key: draw(hostile) for key in ("form", "subject", "task", "phase")}
    constraints = [{"is": "x", "says": draw(hostile)} for _ in range(points)]
    state = {**words, "constraints": constraints, "char_limit": 600, "texts": told}
    return texts.writing_view(
        (),
        state=state,
        status=draw(st.sampled_from(["live", "ended", "void"])),
        outcome=draw(st.sampled_from([None, {"reason": "\x1b[2J"}, {"termination": "complete"}])),
        verdict=draw(st.none() | verdicts(seats)),
        seats=[SeatCard(seat, "a", draw(hostile), "v") for seat in range(seats)],
    )


@unhurried
@given(
    sessions(),
    st.integers(40, 140),
    st.integers(5, 40),
    st.integers(0, 99),
    st.none() | st.integers(0, 8),
)
def test_whatever_is_written_stays_in_its_place(
    view: SessionView, width: int, height: int, scroll: int, front: int | None
) -> None:
    state = msgspec.structs.replace(watching(view), scroll=scroll, front=front)
    assert view_of(view) is not None
    rows = paint_writing(state, width, height)
    assert len(rows) <= height
    assert {row.cell_len for row in rows} == {width}
    assert (
        not {unicodedata.category(character) for row in rows for character in row.plain} & FORBIDDEN
    )
    paint_title(state, width)


@pytest.mark.parametrize("size", [(1, 1), (4, 2), (12, 5), (20, 8)])
@pytest.mark.parametrize("made", [screenshot.writing, screenshot.writing_in_front])
def test_a_place_that_is_too_small_only_must_not_fail(made: Any, size: tuple[int, int]) -> None:
    assert len(paint_writing(folded(made()), *size)) <= size[1]


def test_what_the_rules_show_is_readable() -> None:
    space, streams = Writing(), Streams(bytes(32))
    state = space.initial(space.params_type(), streams)
    for seat in range(5):
        shown = texts.writing_view((), state=space.observe(state, None))
        assert (seen := written(shown)) is not None
        assert not seen.revealed
        state = (
            space.forfeit(state, seat, streams)
            if seat == 2
            else space.apply(state, seat, space.parse("text", f"A line of seat {seat}."), streams)
        )
    seen = written(texts.writing_view((), state=space.observe(state, None)))
    assert seen is not None
    assert seen.revealed
    assert [text.state for text in seen.texts] == ["in", "in", "forfeited", "in", "in"]


def test_a_text_is_face_down_until_all_are_in() -> None:
    shown = words_on(paint_writing(folded(screenshot.writing_sealed()), 120, 29))
    assert shown.count("sealed ▮") == 2
    assert "forfeited" in shown
    assert "writes" in shown
    assert "░" in shown
    assert "bakery" not in shown
    assert "✓" not in shown


def test_points_are_marked_for_every_text_under_its_letter() -> None:
    rows = paint_writing(folded(screenshot.writing_revealed()), 120, 29)
    head = next(row.plain for row in rows if "A B C D E" in row.plain)
    warm = next(row.plain for row in rows if '"warm" or "love"' in row.plain)
    assert "✓ ✗ · ✓ ✓" in warm
    assert abs(head.index("A B C D E") - warm.index("✓ ✗ · ✓ ✓")) <= 1
    assert "judges are reading 5 texts" in words_on(rows)


def test_all_texts_stand_side_by_side_where_there_is_room() -> None:
    state = folded(screenshot.writing_revealed())
    wide = words_on(paint_writing(state, 120, 29))
    assert any(
        "At four" in row and "He sells" in row and "Flour." in row for row in wide.split("\n")
    )
    narrow = words_on(paint_writing(state, 80, 19)).split("\n")
    assert not any("At four" in row and "He sells" in row for row in narrow)
    assert sum("│ ·  " in row for row in narrow) == 5


def test_one_text_is_brought_to_the_front_and_back() -> None:
    state = folded(screenshot.writing())
    fronts = []
    for _ in range(6):
        state = step(state, Turn())
        fronts.append(state.front)
    assert fronts == [0, 1, 2, 3, 4, None]
    assert step(state, Turn(-1)).front == 4
    shown = words_on(paint_writing(folded(screenshot.writing_in_front()), 80, 19))
    assert "and isn't that a lovely treat?" in shown or "more rows" in shown
    assert "stock phrases of every bakery" in shown, "the reason is that about the text in front"
    assert "←→" in paint_footer(state, 120).plain
    assert step(folded(screenshot.rap()), Turn()).front is None


def test_reading_goes_down_from_the_first_line() -> None:
    state = step(folded(screenshot.writing_revealed()), Turn())
    low = words_on(paint_writing(state, 80, 14))
    assert "At four the only window lit" in low
    assert "more rows" in low
    down = words_on(paint_writing(step(state, Move(10)), 80, 14))
    assert "when the last one goes?" in down
    assert "At four" not in down
    assert step(step(state, Move(3)), Move(-9)).scroll == 0


def test_the_verdict_tells_ranks_points_reasons_and_evidence() -> None:
    view = folded(screenshot.writing()).spectated
    assert view is not None
    assert view.view is not None
    shown = words_on(paint_ranking(view.view, 120, 16, known={"has exactly 6 lines"}))
    assert "QUILL WINS" in shown
    for words in (
        "1  D Quill",
        "4  B Tortoise",
        "freshness",
        "8.9",
        "stock phrases",
        "words  A 38",
    ):
        assert words in shown
    assert "has exactly 6 lines" not in shown, "it stands in the brief"
    assert shown.index("D Quill") < shown.index("A Nova") < shown.index("C Hawk")


def test_a_reason_is_of_the_line_that_sets_a_seat_apart() -> None:
    lines = [
        RubricLine("craft", [5_000, 5_100, 4_900], ["a", "b", "c"]),
        RubricLine("effect", [9_000, 5_000, 5_200], ["strong", "weak", ""]),
    ]
    verdict = VerdictView("r", lines, [7_000, 5_050, 5_000], [1, 2, 3])
    assert reason(verdict, 0) == "effect: “strong”"
    assert reason(verdict, 1) == "effect: “weak”"
    assert reason(verdict, 2) == "craft: “c”", "where there are no words there is nothing to quote"
    assert reason(verdict, 7) == ""


def test_a_shared_first_place_names_both() -> None:
    tied = msgspec.structs.replace(texts.VERDICT_OF_TEXTS, ranks=[1, 4, 5, 1, 3])
    view = texts.writing_view(tuple(range(5)), verdict=tied)
    assert "NOVA AND QUILL SHARE THE FIRST PLACE" in words_on(paint_ranking(view, 120, 20))


@pytest.mark.parametrize(
    "wrong", [{"texts": []}, {"constraints": None}, {"texts": [{"seat": 1, "state": "in"}] * 5}]
)
def test_another_shape_gets_the_plain_view(wrong: dict[str, Any]) -> None:
    view = texts.writing_view((0,))
    broken = msgspec.structs.replace(view, state={**view.state, **wrong})
    assert view_of(view) is not None
    assert view_of(broken) is None
