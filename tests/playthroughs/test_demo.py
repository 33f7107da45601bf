"""`make demo` without a screen: language models battle, and what they leave behind replays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spaces import registry, transcript

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_three_sessions_are_played_told_and_kept(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "server.cli", "demo", "--sessions", "3", "--no-tui", "--out", str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT, timeout=420,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    files = sorted(tmp_path.glob("*.transcript.json"))
    replayed = [transcript.replay(transcript.read(file.read_bytes())) for file in files]
    assert len(replayed) == 3
    battles = [each for each in replayed if each.space.id == "rap-battle"]
    assert battles
    for each in replayed:
        assert each.digest in result.stdout
    for battle in battles:
        assert any(verse is not None for verse in battle.state.verses), "a model said something"
    assert "judges with a stake" in result.stdout
    assert "of 7 judges have revealed" in result.stdout
    assert "drawn 7 (" in result.stdout
    assert result.stdout.count("chain   opened: 0x") == 3
    assert result.stdout.count("chain   anchored: ") == 3, "settled there, or given back"
    assert result.stdout.count("checked and true") == 3
    assert "wins" in result.stdout or "draw" in result.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "space", ["logic", "prediction", "trade-wars", "writing", "openspiel:kuhn_poker"]
)
def test_a_model_and_the_baselines_end_in_a_scored_result(
    space: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "server.cli", "demo", "--space", space, "--sessions", "1", "--no-tui", "--out", str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT, timeout=420,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    (file,) = tmp_path.glob("*.transcript.json")
    monkeypatch.setattr(registry, "_registered", {})
    registry.offer([space])
    replayed = transcript.replay(transcript.read(file.read_bytes()))
    assert replayed.space.id == space
    assert replayed.outcome.termination not in ("void", "forfeit")
    assert "rated done" in result.stdout
