"""The brushes for numbers over time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_client import theme
from tui_client.widgets.chart.axis import Marked, labels, width_of
from tui_client.widgets.chart.plot import LINE, SOLID, Column, Plot
from tui_client.widgets.chart.scale import LABEL_CHARS, Scale, over, short
from tui_client.widgets.chart.spark import spark
from tui_client.widgets.trade_wars.desk import race

values = st.floats(-1e15, 1e15, allow_nan=False)


@given(st.lists(values, max_size=30), values, st.integers(1, 60))
def test_every_value_has_a_row(known: list[float], value: float, rows: int) -> None:
    scale = over(known, rows)
    assert scale.low < scale.high
    assert 0 <= scale.row(value) < rows
    assert 0 <= scale.half(value) < 2 * rows
    assert len(scale.label(value)) <= LABEL_CHARS


@given(st.floats(-1e12, 1e12, allow_nan=False), st.integers(1, 30))
def test_prices_that_never_move_stand_in_the_middle(value: float, rows: int) -> None:
    scale = over([value, value], rows)
    assert scale.half(value) in (rows - 1, rows)


@given(st.lists(values, min_size=1, max_size=40), st.integers(1, 30), st.integers(0, 40))
def test_a_curve_stays_in_its_columns(known: list[float], rows: int, width: int) -> None:
    plot = Plot(width + 3, rows)
    plot.curve(width, known, over(known, rows), theme.PLAIN)
    lines = [row.plain for row in plot.lines()]
    assert [len(row) for row in lines] == [width + 3] * rows
    assert all(row[width:] == "   " for row in lines)
    if width:
        assert any(row.strip() for row in lines)


def column(glyphs: object, low: float, bottom: float, top: float, high: float) -> str:
    plot = Plot(1, 4)
    plot.column(0, Column(low, bottom, top, high), Scale(0, 7, 4), theme.PLAIN, glyphs)  # type: ignore[arg-type]
    return "".join(row.plain for row in plot.lines())


def test_columns_are_drawn_in_half_cells() -> None:
    assert column(LINE, 0, 2, 5, 7) == "│┃┃│"
    assert column(LINE, 1, 1, 6, 6) == "╻┃┃╹"
    assert column(LINE, 0, 3, 3, 7) == "│╽││" or column(LINE, 0, 3, 3, 7) == "││╿│"
    assert column(SOLID, 0, 1, 6, 7) == "▄██▀"
    assert column(SOLID, 2, 2, 2, 2).strip() == "▄"


def test_a_column_beyond_the_scale_stays_at_its_edge() -> None:
    assert column(LINE, 90, 95, 99, 100).strip() == "╹"
    assert column(LINE, -9, -8, -7, -6).strip() == "╻"


def test_what_is_drawn_outside_is_left_out() -> None:
    plot = Plot(3, 1)
    plot.write(-1, 0, "abcdef", theme.PLAIN)
    plot.write(0, 5, "x", theme.PLAIN)
    assert [row.plain for row in plot.lines()] == ["bcd"]


def test_a_rule_goes_behind_what_is_there() -> None:
    plot = Plot(4, 1)
    plot.put(1, 0, "x", theme.BRIGHT)
    plot.rule(-3, 9, 0, "-", theme.DIM)
    assert plot.lines()[0].plain == "-x--"


def test_marked_values_win_over_plain_ones() -> None:
    found = labels(Scale(0, 100, 10), [Marked(100, "▸", theme.BRIGHT), Marked(99, "┈", theme.DIM)])
    assert found[0].plain == "▸ 100"
    assert "┈" not in "".join(label.plain for label in found.values())
    assert width_of(found) == 5


@given(st.lists(values, max_size=60), st.integers(-1, 40))
def test_sparklines_have_their_width(known: list[float], width: int) -> None:
    assert spark(known, over(known, 1), width, theme.PLAIN).cell_len == max(0, width)


def test_a_sparkline_ends_with_the_last_value() -> None:
    curve = [float(value) for value in range(100)]
    shown = spark(curve, over(curve, 1), 10, theme.PLAIN).plain
    assert list(shown) == sorted(shown)
    assert shown[-1] == "█"


@given(st.integers(-(10**16), 10**16), st.integers(0, 10**16), st.integers(3, 60))
def test_the_race_has_its_width(gain: int, most: int, width: int) -> None:
    half = (width - 1) // 2
    shown = race(gain, most, width, theme.PLAIN).plain
    assert len(shown) == 2 * half + 1
    assert shown[half] == "┼"
    side = shown[:half] if gain > 0 else shown[half + 1 :]
    assert set(side) <= {"─"}


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (412.5, "412.5"), (1e-7, "1e-07"), (123456, "123,456"), (-1e14, "-1e+14")],
)
def test_numbers_are_short(value: float, written: str) -> None:
    assert short(value) == written
