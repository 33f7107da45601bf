"""Anybody can score a session again from its notes: `python -m spaces.logic.rescore`."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from spaces import canonical
from spaces.logic import rescore
from tests.playthroughs.recorded import FOLDER

KEPT = FOLDER / "logic_medium.transcript.json"


def changed(tmp_path: Path, pattern: str, by: str) -> Path:
    """The kept session with one thing changed, in canonical bytes."""
    text, count = re.subn(pattern, by, KEPT.read_text("utf-8"), count=1)
    assert count == 1
    path = tmp_path / "changed.json"
    path.write_bytes(canonical.encode(msgspec.json.decode(text)))
    return path


@pytest.mark.parametrize("name", ["logic_medium", "logic_forfeits"])
def test_recorded_sessions_are_scored_alike(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert rescore.main([str(FOLDER / f"{name}.transcript.json")]) == 0
    told = capsys.readouterr().out
    assert re.search(r"\d+ answers scored again, 0 differ", told)
    assert len(told.splitlines()) > 5


@pytest.mark.parametrize(
    ("pattern", "by"),
    [
        (r'"scores":\[\d+', '"scores":[500'),
        (r'"marks":\[\d+', '"marks":[1'),
        (r'"scorer_failed":\[', '"scorer_failed":[3'),
    ],
)
def test_a_score_that_differs_is_named(
    pattern: str, by: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rescore.main([str(changed(tmp_path, pattern, by))]) == 1
    told = capsys.readouterr().out
    assert told.count("DIFFERS") == 1
    assert "1 differ" in told


@pytest.mark.parametrize(
    ("pattern", "by", "named"),
    [
        ('"marks"', '"remarks"', "missing required field `marks`"),
        (r'"scores":\[', '"scores":[0,', "scores for 6 seats, marks for 5"),
        (r'gym [0-9.]*","marks"', 'gym 9.9","marks"', "gym 9.9, installed"),
        (r'"agon-transcript/1"', '"agon-transcript/0"', "not an agon-transcript/1"),
    ],
)
def test_notes_that_cannot_be_scored_are_told_in_one_line(
    pattern: str, by: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rescore.main([str(changed(tmp_path, pattern, by))]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert "cannot score" in told.err
    assert named in told.err
    assert told.err.count("\n") == 1


def test_what_is_no_session_of_logic_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.json"
    empty.write_bytes(b"")
    for path, named in [
        (FOLDER / "rap_battle_default.transcript.json", "no session of logic"),
        (tmp_path / "nowhere.json", "No such file"),
        (empty, "not canonical JSON"),
    ]:
        assert rescore.main([str(path)]) == 2
        assert named in capsys.readouterr().err


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        rescore.main(["--help"])
    assert stopped.value.code == 0
    assert "Example: python -m spaces.logic.rescore" in capsys.readouterr().out
