"""Thresholds of money that can be divided at will: published values and what must hold of all."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.bid_tac_toe.solver import position
from spaces.bid_tac_toe.solver.discrete import Question, forced
from spaces.bid_tac_toe.solver.position import Player
from spaces.bid_tac_toe.solver.real import Goal, threshold
from spaces.bid_tac_toe.state import line_of
from spaces.bid_tac_toe.variants import FullBoard

EMPTY_BOARD = "." * 9
Paid = Literal["richman", "poorman"]
PAYMENTS: tuple[Paid, ...] = ("richman", "poorman")
GOALS: tuple[Goal, ...] = ("win", "not-lose")
FULL_BOARDS: tuple[FullBoard, ...] = ("draw", "money")
OPEN = [
    board
    for board in ("".join(cells) for cells in itertools.product("XO.", repeat=9))
    if "." in board and line_of(board) is None
]
boards = st.sampled_from(OPEN)


def other(player: Player) -> Player:
    return "O" if player == "X" else "X"


def test_the_published_threshold_of_richman_tic_tac_toe() -> None:
    found = threshold(EMPTY_BOARD, "X", "win", "richman")
    assert found.share == Fraction(133, 256)
    assert found.squares == (4,)


def test_the_published_ratio_of_poorman_tic_tac_toe() -> None:
    """Kalai, 9 July 2013: 101.84 against 100."""
    share = threshold(EMPTY_BOARD, "X", "win", "poorman").share
    assert share == Fraction(396_925, 786_688)
    assert round(float(100 * share / (1 - share)), 2) == 101.84


@pytest.mark.parametrize("payment", PAYMENTS)
def test_when_the_next_mark_decides_all_is_bid(payment: Paid) -> None:
    found = threshold("XX.OO....", "X", "win", payment)
    assert found == (Fraction(1, 2), Fraction(1, 2), (2,))


def test_a_dead_board_cannot_be_won() -> None:
    assert threshold("XOXXOOOX.", "X", "win", "richman") == (Fraction(1), Fraction(0), (8,))
    assert threshold("XOXXOOOX.", "X", "not-lose", "poorman") == (Fraction(0), Fraction(0), (8,))


def random_turns(board: str, player: Player, goal: Goal) -> Fraction:
    """The chance of the goal when a coin says who marks; both mark for the best."""
    marks = (player, other(player))
    line = line_of(board)
    if line is not None:
        return Fraction(int(board[line[0]] == player))
    if "." not in board:
        return Fraction(int(goal == "not-lose"))
    own, rival = (
        [
            random_turns(position.marked(board, cell, mark), player, goal)
            for cell in range(9)
            if board[cell] == "."
        ]
        for mark in marks
    )
    return (max(own) + min(rival)) / 2


@given(boards.filter(lambda board: board.count(".") <= 5), st.sampled_from(GOALS))
def test_richman_is_the_random_turn_game_turned_round(board: str, goal: Goal) -> None:
    """R = 1 - P(win when a coin gives the turns): Lazarus et al. (1996)."""
    assert threshold(board, "X", goal, "richman").share == 1 - random_turns(board, "X", goal)


@given(boards, st.sampled_from(PAYMENTS), st.sampled_from(FULL_BOARDS))
def test_what_one_needs_to_win_the_other_needs_to_prevent(
    board: str, payment: Paid, decided_by: FullBoard
) -> None:
    for player in ("X", "O"):
        win = threshold(board, player, "win", payment, decided_by)
        prevent = threshold(board, other(player), "not-lose", payment, decided_by)
        assert win.share + prevent.share == 1
        assert win.bid == prevent.bid


@given(boards, st.sampled_from(PAYMENTS), st.sampled_from(GOALS), st.sampled_from(FULL_BOARDS))
def test_the_critical_bid_is_just_enough_either_way(
    board: str, payment: Paid, goal: Goal, decided_by: FullBoard
) -> None:
    """Derived anew: at the threshold, either outcome of the critical bid lands on a threshold."""
    found = threshold(board, "X", goal, payment, decided_by)
    own, bid = found.share, found.bid
    kept = Fraction(1) if payment == "richman" else 1 - bid
    if kept == 0:
        return  # all of the money is in the bank
    needs = {
        mark: [
            _share(position.marked(board, cell, mark), goal, payment, decided_by)
            for cell in position.free_cells(board)
        ]
        for mark in "XO"
    }
    assert (own - bid) / kept == min(needs["X"])
    assert (own + bid if payment == "richman" else own / kept) == max(needs["O"])
    assert 0 <= bid <= min(own, 1 - own) or max(needs["O"]) == 1 or min(needs["X"]) == 0


def _share(board: str, goal: Goal, payment: Paid, decided_by: FullBoard) -> Fraction:
    line = line_of(board)
    if line is not None:
        return Fraction(int(board[line[0]] == "O"))
    if "." in board:
        return threshold(board, "X", goal, payment, decided_by).share
    return Fraction(1, 2) if decided_by == "money" else Fraction(int(goal == "win"))


@settings(deadline=None)
@given(boards, st.sampled_from(PAYMENTS), st.sampled_from(GOALS))
def test_many_chips_come_near_the_real_threshold(board: str, payment: Paid, goal: Goal) -> None:
    total = 600
    share = threshold(board, "X", goal, payment).share
    least = forced(Question(board, "X", payment, "advantage-chip", "draw", total), goal).least
    if least is None:
        assert share == 1
    elif share < 1:
        assert abs(least.chips - share * total) <= 6


def test_all_pay_has_none() -> None:
    with pytest.raises(ValueError, match="all-pay has no real thresholds"):
        threshold(EMPTY_BOARD, "X", "win", "all-pay")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("XO", "9 characters, row by row, got 2: 'XO'"),
        ("X" * 1000, "got 1000: 'XXXXXXXXXXXXXXXXXXXX…'"),
        ("XO-......", "X, O and '.', got '-'"),
        ("XXXOOO...", "impossible position, both"),
        ("OOO.XX.X.", "the game is over, O has three"),
        ("XOXXOOOXX", "the game is over, the board is full"),
    ],
)
def test_positions_that_cannot_be_asked_about_are_told_apart(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        position.read(text)


def test_positions_are_read_leniently_in_case_and_space() -> None:
    assert position.read(" xo....... ") == "XO......."
