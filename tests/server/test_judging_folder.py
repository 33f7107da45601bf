"""One process of a machine's user judges with a key before a court, in whatever folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from judges.node.journal import JournalInUse
from server.judging.folder import alone, folder

JUDGE = "0x" + "Ab" * 20
COURT = "8453:0x" + "Cd" * 20


def test_a_second_process_of_one_key_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with alone(JUDGE, COURT):
        with pytest.raises(JournalInUse, match="another folder"), alone(JUDGE.lower(), COURT):
            pass
        with alone(JUDGE, "1:0x" + "Cd" * 20), alone("0x" + "00" * 20, COURT):
            pass
    with alone(JUDGE, COURT):
        pass
    assert folder(None, JUDGE) == tmp_path / "agon-judge" / JUDGE.lower()


def test_without_a_home_it_judges_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with alone(JUDGE, COURT):
        pass
