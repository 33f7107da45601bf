"""docs/bid-tac-toe-theory.md says what the solver finds."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from spaces.bid_tac_toe.solver.__main__ import main
from spaces.bid_tac_toe.solver.discrete import Holding, Question, forced
from spaces.bid_tac_toe.solver.real import Goal, threshold
from spaces.bid_tac_toe.variants import Payment

PAGE = (Path(__file__).parents[2] / "docs" / "bid-tac-toe-theory.md").read_text()
EMPTY_BOARD = "." * 9
PAYMENTS: tuple[Payment, ...] = ("richman", "poorman")
GOALS: tuple[Goal, ...] = ("win", "not-lose")


def rows(header: str) -> list[list[str]]:
    """The cells of the table whose header line starts so, without the header."""
    lines = PAGE[PAGE.index(f"| {header}") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def chips(payment: Payment, total: int, goal: Goal, board: str = EMPTY_BOARD) -> Holding:
    found = forced(Question(board, "X", payment, "advantage-chip", "draw", total), goal).least
    assert found is not None
    return found


def test_the_table_of_shares() -> None:
    for name, win, not_lose, bid in rows("empty board"):
        payment: Payment = "richman" if name == "Richman" else "poorman"
        found = threshold(EMPTY_BOARD, "X", "win", payment)
        assert [win, bid] == [str(found.share), str(found.bid)]
        assert not_lose == str(threshold(EMPTY_BOARD, "X", "not-lose", payment).share)
        assert found.squares == (4,)
        assert {str(threshold(EMPTY_BOARD, "X", g, payment, "money").share) for g in GOALS} == {
            "1/2"
        }


def test_the_table_of_chips() -> None:
    table = rows("chips a side")
    assert len(table) == 10
    for side, *told in table:
        total = 2 * int(side)
        assert told == [str(chips(payment, total, goal)) for payment in PAYMENTS for goal in GOALS]


def test_equal_chips_and_the_advantage() -> None:
    wins = [n for n in range(1, 61) if chips("richman", 2 * n, "win") <= Holding(n, True)]
    assert wins == [1, 2, 4, 5]
    assert "for 1, 2, 4 and 5 chips a side, and for no\nother number up to 60" in PAGE


def test_the_worked_example(capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.search(r"\$ python -m spaces\.bid_tac_toe\.solver (.*)\n(\{.*\})\n", PAGE)
    assert shown is not None
    assert main(shlex.split(shown[1])) == 0
    assert json.loads(capsys.readouterr().out)["discrete"] == json.loads(shown[2])
    with_centre, without = (chips("richman", 8, "win", f"....{mark}....") for mark in "XO")
    assert (str(with_centre), str(without)) == ("3", "6")


def test_one_poorman_chip_a_side_is_won_by_waiting() -> None:
    question = Question(EMPTY_BOARD, "X", "poorman", "advantage-chip", "draw", 2)
    assert forced(question, "win").bids == (0,)


def test_the_command_is_as_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--payment", "poorman", "--rival", "100", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["discrete"]["min_to_win"] == "102"


def test_the_mixed_bid(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--payment", "all-pay", "--chips", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["equilibrium"]
    told = rows("bid | probability")
    assert told == [[bid, f"{100 * chance:.2f} %"] for bid, chance in found["bids"].items()]
    assert found["value"] == pytest.approx(0, abs=1e-6)
