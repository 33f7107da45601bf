"""The grid of ticks and the heap of deadlines, both pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.host.deadlines import Deadlines
from server.host.grid import Grid


def test_ticks_lie_on_the_grid() -> None:
    grid = Grid(100.0, 0.1, 0.005)
    assert grid.next_s == pytest.approx(100.1)
    assert grid.begin(100.103) == pytest.approx(0.003)
    assert grid.next_s == pytest.approx(100.2)


def test_missed_ticks_are_not_made_up_for() -> None:
    grid = Grid(100.0, 0.1, 0.005)
    assert grid.begin(100.75) == pytest.approx(0.65)
    assert grid.next_s == pytest.approx(100.8)


def test_an_early_tick_leaves_the_grid_where_it_is() -> None:
    grid = Grid(100.0, 0.1, 0.005)
    assert grid.begin(100.04) == 0.0
    assert grid.next_s == pytest.approx(100.1)


def test_early_ticks_keep_their_distance() -> None:
    grid = Grid(100.0, 0.1, 0.005)
    grid.begin(100.04)
    grid.done(100.041)
    assert grid.early_s(100.042) == pytest.approx(100.045)
    assert grid.early_s(100.06) == pytest.approx(100.06), "long enough ago: at once"
    grid.begin(100.06)
    assert grid.done(100.08) == pytest.approx(0.02)
    assert grid.early_s(100.081) == pytest.approx(100.1), "work of 20 ms is followed by rest"


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.none() | st.integers(0, 50)), max_size=400))
def test_the_last_deadline_of_each_session_counts(changes: list[tuple[str, int | None]]) -> None:
    deadlines = Deadlines()
    expected: dict[str, int] = {}
    for session, at_ms in changes:
        deadlines.set(session, at_ms)
        if at_ms is None:
            expected.pop(session, None)
        else:
            expected[session] = at_ms
    for now_ms in range(51):
        due = {session for session, at in expected.items() if at == now_ms}
        assert set(deadlines.due(now_ms)) == due
    assert deadlines.due(10**9) == []
