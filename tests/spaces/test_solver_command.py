"""The solver's command: one JSON object, text for people, and one line for what is wrong."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spaces.bid_tac_toe.solver.__main__ import main

EMPTY_BOARD = "." * 9


def solved(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    found: dict[str, Any] = json.loads(shown.out)
    return found


def test_richman_agrees_with_the_published_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    found = solved(capsys, "--payment", "richman", "--chips", "100")
    assert found["real"] == {
        "win_share": "133/256",
        "not_lose_share": "123/256",
        "goal": "win",
        "best_squares": [4],
        "critical_bid": "41/256",
    }
    assert found["total"] == 200
    assert found["discrete"] == {
        "min_to_win": "104",
        "min_to_not_lose": "97",
        "goal": "win",
        "best_squares": [4],
        "winning_bids": ["32"],
        "not_losing_bids": ["32"],
    }


def test_poorman_agrees_with_the_published_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    found = solved(capsys, "--payment", "poorman", "--chips", "100")
    assert found["real"]["win_share"] == "396925/786688"
    assert found["discrete"]["min_to_win"] == "101*"
    assert found["discrete"]["winning_bids"] == ["29*"]


def test_a_holding_is_asked_about(capsys: pytest.CaptureFixture[str]) -> None:
    found = solved(capsys, "--payment", "richman", "--chips", "4", "--holding", "5*")
    assert found["holding"] == "5*"
    assert found["discrete"]["min_to_win"] == "4*"
    assert found["discrete"]["winning_bids"] == ["0*", "1*", "2*"]


def test_never_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    found = solved(capsys, "--payment", "richman", "--position", "XOXXOOOX.")
    assert found["real"]["win_share"] == "1"
    assert found["discrete"]["min_to_win"] is None
    assert found["discrete"]["winning_bids"] == []
    assert found["discrete"]["min_to_not_lose"] == "0"
    assert found["discrete"]["goal"] == "not-lose"


def test_the_players_see_the_position_from_their_sides(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--payment", "richman", "--position", "X........"]
    x, o = (solved(capsys, *asked, "--player", player) for player in "XO")
    assert x["real"]["win_share"] != o["real"]["win_share"]
    mirrored = solved(capsys, "--payment", "richman", "--position", "O........", "--player", "X")
    assert mirrored["real"] == o["real"]


def test_many_poorman_chips_keep_the_real_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    found = solved(capsys, "--payment", "poorman", "--chips", "9000")
    assert found["discrete"] is None
    assert found["reasons"]["discrete"] == "poorman is counted out up to a total of 4000 chips"
    assert found["real"]["win_share"] == "396925/786688"


def test_text_for_people_shows_the_board_and_the_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--payment", "poorman", "--position", "X...O....", "--player", "O"]) == 0
    shown = capsys.readouterr().out
    assert "  X | 1 | 2\n  --+---+--\n  3 | O | 5\n" in shown
    assert "100 chips a side, 200 in all; asked for O" in shown
    assert re.search(r"to win +more than \d+/\d+ \(0\.\d{4}\), \d+\.\d\d : 100", shown)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--payment", "barter"], "'barter' is not one of 'all-pay', 'richman', 'poorman'"),
        (["--chips", "0"], "chips is 1 to 10000 for each side, got 0"),
        (["--chips", "many"], "Invalid value for '--chips'"),
        (["--colour", "red"], "No such option"),
        (["--position", "XX"], "a position is 9 characters, row by row, got 2: 'XX'"),
        (["--position", "XO?......"], "written with X, O and '.', got '?'"),
        (["--position", "XXXOOO..."], "impossible position, both players have three in a row"),
        (["--position", "XXX......"], "the game is over, X has three in a row"),
        (["--position", "XOXOXOOXO"], "the game is over, the board is full"),
        (["--player", "Z"], "'Z' is not one of 'X', 'O'"),
        (["--payment", "richman", "--holding", "3q"], "a holding is a number of chips"),
        (["--payment", "richman", "--holding", "201"], "more than the total of 200 chips"),
        (["--payment", "richman", "--rival", "7"], "no chip leaves the game"),
        (["--payment", "richman", "--ties", "coin", "--holding", "3*"], "there is no advantage"),
        (["--payment", "poorman", "--rival", "0"], "the game is over, without chips"),
        (["--payment", "poorman", "--rival", "150"], "more than the total of 200 chips"),
        (["--payment", "poorman", "--rival", "-1"], "a rival holds 0 to 200 chips, got -1"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert told in shown.err
    assert shown.err.count("\n") == 1


def test_the_command_runs_as_a_module() -> None:
    asked = [sys.executable, "-m", "spaces.bid_tac_toe.solver", "--help"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert "--payment richman --chips 100 --json" in done.stdout
    assert "the total is twice as" in done.stdout


def test_all_pay_is_answered_by_an_equilibrium(capsys: pytest.CaptureFixture[str]) -> None:
    found = solved(capsys, "--payment", "all-pay", "--chips", "4")
    assert found["real"] is None
    assert found["discrete"] is None
    assert set(found["reasons"]) == {"real", "discrete"}
    equilibrium = found["equilibrium"]
    assert equilibrium["value"] == pytest.approx(0, abs=1e-6)
    assert sum(equilibrium["bids"].values()) == pytest.approx(1)
    assert set(equilibrium["bids"]) <= set("01234")
    assert 0 <= equilibrium["exploitability"] < 0.01
    assert equilibrium["measured"] is True
    passing = solved(capsys, "--payment", "richman", "--chips", "4")["equilibrium"]
    assert passing["measured"] is False


def test_a_value_has_no_more_places_than_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    start = solved(capsys, "--payment", "all-pay")["equilibrium"]
    assert str(start["value"]) == "0.0"
    assert start["measured"] is True
    ahead = solved(capsys, "--position", "X........")["equilibrium"]["value"]
    assert ahead == round(ahead, 5) != 0
    few = solved(capsys, "--payment", "richman", "--ties", "coin", "--chips", "4", "--holding", "5")
    worth = few["equilibrium"]["value"]
    assert worth == round(worth, 6) != 0


def test_the_players_of_an_equilibrium_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--chips", "4", "--position", "X........"]
    x = solved(capsys, *asked, "--holding", "3", "--rival", "4")["equilibrium"]
    o = solved(capsys, *asked, "--holding", "4", "--rival", "3", "--player", "O")["equilibrium"]
    assert x["value"] == pytest.approx(-o["value"])
    assert x["bids"] == pytest.approx(o["rival_bids"])
    assert (x["holding"], x["rival"], o["holding"], o["rival"]) == ("3", "4", "4", "3")


def test_richman_force_and_equilibrium_agree(capsys: pytest.CaptureFixture[str]) -> None:
    """Two solvers that share nothing: with the advantage chip every holding forces a win, prevents one
    or loses, and its value is 1, 0 or -1."""
    for position, own, chip in itertools.product(
        (EMPTY_BOARD, "X...O....", "O...X...."), range(7), ("", "*")
    ):
        asked = ["--payment", "richman", "--chips", "3", "--position", position]
        found = solved(capsys, *asked, "--holding", f"{own}{chip}")
        forced = found["discrete"]
        value = 1 if forced["winning_bids"] else 0 if forced["not_losing_bids"] else -1
        assert found["equilibrium"]["value"] == pytest.approx(value, abs=1e-3), (
            position,
            own,
            chip,
        )


def test_without_a_table_the_command_that_builds_it_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = solved(capsys, "--payment", "all-pay", "--chips", "9999")
    assert found["equilibrium"] is None
    assert "solver table --payment all-pay" in found["reasons"]["equilibrium"]
    assert main(["certificate", "--chips", "9999"]) == 2
    assert "solver table --payment all-pay" in capsys.readouterr().err


@pytest.mark.slow
def test_a_table_is_built_and_certified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table", "--chips", "2", "--folder", str(tmp_path), "--no-certify"]) == 0
    built = json.loads(capsys.readouterr().out)
    assert main(["certificate", "--file", built["file"]]) == 0
    certified = json.loads(capsys.readouterr().out)
    assert certified["table"] == built["table"]
    assert 0 <= certified["exploitability"] < 0.01


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--chips", "5", "certificate"], "options of `certificate` stand behind it"),
        (["certificate", "--file", "no/such.table"], "No such file"),
        (["table", "--chips", "0"], "chips is 1 to 10000"),
        (["tables"], "No such command"),
    ],
)
def test_bad_input_of_the_table_commands(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert told in shown.err
    assert shown.err.splitlines()[-1].startswith("python -m spaces.bid_tac_toe.solver: ")
