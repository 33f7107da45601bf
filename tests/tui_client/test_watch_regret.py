"""What each seat of a Bid Tac Toe gave away, beside the log."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.protocol import Snapshot
from spaces.bid_tac_toe import BidTacToe
from spaces.bid_tac_toe.solver import regret as solver
from spaces.seed import Streams
from tests.tui_client.painted import assert_fills, words_on
from tui_client import recording, screenshot
from tui_client.screenshot import folded
from tui_client.state import Open, State
from tui_client.widgets.board.log import paint_log
from tui_client.widgets.board.money import paint_money
from tui_client.widgets.board.regret import share

AUCTIONS = len(recording.AUCTIONS)


def annotated(*annotations: Any) -> State:
    """Somebody who joins when all is over: the annotations are in the snapshot."""
    view = recording.board_view(AUCTIONS)
    view = msgspec.structs.replace(view, annotations=list(annotations))
    return folded([Open(recording.BOARD), Snapshot(f"session:{recording.BOARD}", "e", 40, view)])


def test_the_regret_of_every_ply_stands_beside_it() -> None:
    for state in (folded(screenshot.bid_tac_toe_result()), annotated(recording.REGRET)):
        wide, narrow = paint_log(state, 74, 14), words_on(paint_log(state, 49, 8))
        third = next(row.plain for row in wide if " 3. " in row.plain)
        assert third.rstrip(" │").endswith("regret X .17 O .00")
        assert "regret  X    O" in narrow
        assert "3. bids 22 : 9 → X takes c1         .17  .00" in narrow
        assert "regret .034 a ply" in words_on(paint_money(state, 60, 7))


def test_there_is_none_before_the_end() -> None:
    state = folded(screenshot.bid_tac_toe())
    assert "regret" not in words_on(paint_log(state, 74, 14))
    assert "regret" not in words_on(paint_money(state, 60, 7))


def test_why_there_is_none_is_said() -> None:
    state = annotated({"kind": "regret", "unavailable": "no table of \x1b[2Jpoorman with 7 chips"})
    rows = paint_log(state, 74, 14)
    assert_fills(rows, 74, 14)
    assert "no regret: no table of [2Jpoorman with 7 chips" in words_on(rows)


def test_the_regret_of_another_game_is_not_told() -> None:
    moved = {**recording.REGRET, "plies": recording.REGRET["plies"][1:]}
    assert "regret X" not in words_on(paint_log(annotated(moved), 74, 14))


@pytest.mark.parametrize(
    ("seats", "bids", "mark", "told"),
    [
        ([1], [0, 1_600], None, "O forfeited  regret X .00 O 1.60"),
        ([0], [0, 0], 2_000, "X forfeited  regret X 2.00 O .00"),
        ([0, 1], [400, 0], None, "X and O forfeited  regret X .40 O .00"),
    ],
)
def test_a_forfeit_is_a_row_of_its_own(seats: Any, bids: Any, mark: Any, told: str) -> None:
    ply = {"ply": 8, "bid_regret_milli": bids, "mark_regret_milli": mark, "forfeit": seats}
    state = annotated({**recording.REGRET, "plies": [*recording.REGRET["plies"], ply]})
    rows = paint_log(state, 74, 14)
    assert_fills(rows, 74, 14)
    newest = " ".join(rows[1].plain.replace("│", " ").split())
    assert newest == "9. " + " ".join(told.split())
    assert_fills(paint_log(state, 49, 8), 49, 8)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["plies", "mean_regret_milli", "unavailable", "table"]),
        st.one_of(
            st.none(),
            st.text(max_size=40),
            st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=2),
            st.lists(st.just({"ply": 0, "bid_regret_milli": [10**6, -(10**6)]}), max_size=3),
            st.lists(
                st.builds(
                    lambda seats: {"ply": 9**9, "bid_regret_milli": [1, 2], "forfeit": seats},
                    st.lists(st.integers(-1, 2), max_size=4),
                ),
                max_size=AUCTIONS + 2,
            ),
        ),
    )
)
def test_an_annotation_may_say_anything(body: dict[str, Any]) -> None:
    state = annotated({"kind": "x"}, {"kind": "regret", **body})
    assert_fills(paint_log(state, 49, 8), 49, 8)
    assert_fills(paint_money(state, 49, 6), 49, 6)


@pytest.mark.parametrize(
    ("milli", "told"),
    [(0, ".00"), (168, ".17"), (1_000, "1.00"), (10_000, "10.00"), (-500, "-0.50")],
)
def test_regret_in_parts_of_the_stake(milli: int, told: str) -> None:
    assert share(milli) == told


def test_the_recorded_regret_is_the_solvers() -> None:
    space, streams = BidTacToe(), Streams(bytes([2]) * 32)  # whose first coin falls for X
    state = space.initial(space.params({}), streams)
    for bids, winner, _, cell in recording.AUCTIONS:
        for seat, bid in enumerate(bids):
            state = space.apply(
                state, seat, space.decode_action({"kind": "bid", "bid": bid}), streams
            )
        state = space.apply(
            state, winner, space.decode_action({"kind": "mark", "cell": cell}), streams
        )
    assert {"kind": "regret", **solver.annotate(state)} == recording.REGRET
