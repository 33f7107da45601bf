"""Anybody can score a session again, by another library: `python -m spaces.prediction.audit`."""

from __future__ import annotations

from pathlib import Path

import pytest

from spaces.prediction import audit
from tests.playthroughs.recorded import FOLDER


@pytest.mark.parametrize("name", ["prediction_quantiles", "prediction_probability_live"])
def test_recorded_sessions_are_scored_alike(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main([str(FOLDER / f"{name}.transcript.json")]) == 0
    told = capsys.readouterr().out
    assert "forecasts scored twice, 0 differ" in told
    assert len(told.splitlines()) > 5


def test_what_cannot_be_audited_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    battle = FOLDER / "rap_battle_default.transcript.json"
    forged = tmp_path / "forged.json"
    text = (FOLDER / "prediction_quantiles.transcript.json").read_text("utf-8")
    forged.write_text(text.replace('"returns":[-', '"returns":[-1', 1), "utf-8")
    for path, named in [
        (battle, "no session of prediction"),
        (forged, "cannot audit"),
        (tmp_path / "nowhere.json", "No such file"),
    ]:
        assert audit.main([str(path)]) == 2
        assert named in capsys.readouterr().err


def test_a_score_that_is_wrong_by_more_than_rounding_differs() -> None:
    assert audit.Row(1, 0, -1_080_000, -1_080_000.4).agrees
    assert not audit.Row(1, 0, -1_080_000, -1_080_001.0).agrees
