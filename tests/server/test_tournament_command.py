"""`agon tournament`: who is named on the command line, what is reckoned, and a whole one played."""

from __future__ import annotations

import io
import json
import os
import subprocess
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from server.protocol import StandingRow
from server.tournament.command import TournamentFailed, read_options, scored, setup_of
from server.tournament.contestants import parse
from server.tournament.fixture import Fixture
from server.tournament.regret import Judged, regrets
from server.tournament.report import Regrets, Report, lines, matrix, rendered
from server.tournament.setup import BadSetup
from server.tournament.tournament import Game
from spaces import transcript
from tests import forked_agon


def agon(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AGON_")}
    return forked_agon.agon("tournament", *arguments, env=environment, timeout_s=240)


# ------------------------------------------------------------------ entrants


def test_brains_are_entrants() -> None:
    assert [each.name for each in parse("random,bidder, llm")] == ["random", "bidder", "llm"]


def test_an_entrant_may_have_a_name_and_settings() -> None:
    [shark] = parse("Shark Two=bidder:boldness=1.5:seed=7")
    assert (shark.name, shark.brain) == ("Shark Two", "bidder")
    assert shark.settings == {"boldness": "1.5", "seed": "7"}


def test_settings_without_a_name() -> None:
    [bidder] = parse("bidder:boldness=1.5")
    assert (bidder.name, bidder.settings) == ("bidder", {"boldness": "1.5"})


def test_repeated_names_are_numbered() -> None:
    names = [each.name for each in parse("random,bidder,random,bidder:seed=1*2")]
    assert names == ["random-1", "bidder-1", "random-2", "bidder-2", "bidder-3"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("genius", "no brain 'genius'"),
        ("random,,bidder", "expected BRAIN"),
        ("random:seed", "expected BRAIN"),
        ("random*1001", "at most 1000"),
        ("random-1=bidder,random*2", "one name"),
        ("\x1b[31m", "expected BRAIN"),
    ],
)
def test_what_names_nobody(text: str, said: str) -> None:
    with pytest.raises(BadSetup, match=said.replace("*", r"\*")):
        parse(text)


@pytest.mark.parametrize(
    "space", ["openspiel:go(board_size=9)", "openspiel:go:board_size-9", "openspiel:go(komi=7.5,board_size=9)"]
)  # fmt: skip
def test_a_bridged_game_may_be_spelled_in_any_way(space: str) -> None:
    options = read_options(space=space, entrants="random*2", format="knockout", params="")
    assert setup_of(options).space == "openspiel:go:board_size-9"


# ------------------------------------------------------------------ the report


def game(seats: tuple[int, ...], ranks: tuple[int, ...]) -> Game:
    fixture = Fixture("g", "m", 1, seats)
    return Game(fixture=fixture, attempt=1, session="s", state="scored", ranks=ranks)


def report() -> Report:
    standings = [
        StandingRow(1, 1, 5, 6, 3, 2, 1, 0),
        StandingRow(2, 0, 1, 6, 3, 0, 1, 2),
        StandingRow(3, 2, 0, 0, 0),
    ]
    found = Regrets(3)
    found.add(0, Judged(100, 3))
    found.add(0, Judged(20, 1))
    games = [game((0, 1), (2, 1)), game((1, 0), (1, 2)), game((0, 1), (1, 1))]
    return Report(
        tournament="01T",
        space="bid-tac-toe",
        format="round-robin",
        sessions=3,
        voided={"the model is dead": 2},
        given_up=1,
        seconds=6.0,
        seed_commit="ab" * 32,
        seed="cd" * 32,
        standings=lines(standings, ["Dice", "Shark", "Ghost"], found),
        matrix=matrix(standings, games),
    )


def test_rates_and_who_beat_whom() -> None:
    shark, dice, ghost = report().standings
    assert (shark.win_rate, shark.score) == (0.6667, 0.8333)
    assert shark.win_rate_95 == (0.2077, 0.9385)
    assert dice.mean_regret_milli == 80.0
    assert shark.mean_regret_milli is None
    assert (ghost.sessions, ghost.win_rate) == (0, 0.0)
    assert report().matrix[0] == [None, (2, 1, 0), None]
    assert report().matrix[1] == [(0, 1, 2), None, None]


def test_it_is_printed_as_tables_and_as_json() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(rendered(report()))
    said = console.export_text()
    assert "Shark" in said
    assert "66.7%" in said
    assert "20.8% to 93." in said
    assert "0.0800" in said
    assert "2-1-0" in said
    assert "2 void: the model is dead" in said
    assert msgspec.json.decode(msgspec.json.encode(report()), type=Report) == report()


def test_regrets_are_read_from_annotations() -> None:
    entries = [
        {"type": "action", "body": {"kind": "regret"}},
        {"type": "annotation", "body": {"kind": "other"}},
        {"type": "annotation", "body": {"kind": "regret", "unavailable": "no table"}},
        {
            "type": "annotation",
            "body": {"kind": "regret", "plies": [{}, {}], "mean_regret_milli": [5, 70]},
        },
    ]
    assert regrets(json.dumps({"entries": entries}).encode()) == {
        0: Judged(5, 2),
        1: Judged(70, 2),
    }
    assert regrets(json.dumps({"entries": entries[:3]}).encode()) == {}


def test_a_tournament_without_a_game_has_no_report() -> None:
    assert scored(report(), {}) == report()
    empty = msgspec.structs.replace(report(), sessions=0)
    with pytest.raises(TournamentFailed, match=r"nobody has won; the model is dead$"):
        scored(empty, {})
    with pytest.raises(TournamentFailed, match=r"nobody has won; Dice: no table$"):
        scored(empty, {"Dice": "no table"})


# ------------------------------------------------------------------ the command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--space", "chess", "--entrants", "random,bidder"), "no space 'chess'"),
        (("--space", "bid-tac-toe", "--entrants", "random"), "2 to 1000 entrants, got 1"),
        (("--space", "rap-battle", "--entrants", "random,bidder"), "bidder brain plays"),
        (("--space", "bid-tac-toe", "--entrants", "random,bidder:bold=1"), "bold"),
        (("--space", "bid-tac-toe", "--entrants", "random*2", "--params", "chips=x"), "chips"),
        (("--space", "bid-tac-toe", "--entrants", "random*2", "--format", "league"), "league"),
        (
            ("--space", "bid-tac-toe", "--entrants", "solver*2", "--params", "chips=9999"),
            "there is no table",
        ),
    ],
)
def test_what_cannot_be_played_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    result = agon(*arguments)
    assert result.returncode == 1
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_a_round_robin_is_played_printed_and_kept(tmp_path: Path) -> None:
    result = agon(
        *("--space", "bid-tac-toe", "--entrants", "random,bidder,dice=random:seed=3"),
        *("--sessions", "12", "--params", "chips=20", "--json", "--out", str(tmp_path)),
    )
    assert result.returncode == 0, result.stderr
    told = msgspec.json.decode(result.stdout, type=Report)
    assert told.sessions == 12
    assert {each.name for each in told.standings} == {"random", "bidder", "dice"}
    assert [each.sessions for each in told.standings] == [8, 8, 8]
    files = sorted(tmp_path.glob("*.transcript.json"))
    assert len(files) == 12
    replayed = transcript.replay(transcript.read(files[0].read_bytes()))
    assert replayed.state.params.chips == 20


@pytest.mark.slow
def test_a_knockout_is_played() -> None:
    result = agon(
        *("--space", "bid-tac-toe", "--entrants", "random*4,bidder", "--format", "knockout"),
        "--no-watch",
    )
    assert result.returncode == 0, result.stderr
    assert "winner" in result.stdout
    assert "seed " in result.stdout
