"""`agon train`: what it refuses, in words, and that it asks for torch only when it trains."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli import app, is_known
from server.commands.running import CommandError
from training import extra
from training.recipes.refused import BadFile

HEAVY = ("torch", "transformers", "peft", "trl", "bitsandbytes", "accelerate", "datasets")


def refused(*words: str) -> Exception:
    result = CliRunner().invoke(app, ["train", "run", *words])
    assert isinstance(result.exception, Exception)
    assert is_known(result.exception)
    return result.exception


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (["--set", "epochs=3"], "unknown field `epochs`"),
        (["--set", "steps"], "wants name=value"),
        (["--set", "steps=0"], "`int` >= 1"),
        (["--set", "lora.rank=0"], "`int` >= 1"),
        (["--set", "base.rank=1"], "no knob 'base.rank'"),
        (["--recipe", "ppo"], "'ppo'"),
    ],
)
def test_a_wrong_knob_is_said(said: list[str], words: str, tmp_path: Path) -> None:
    error = refused("--data", str(tmp_path / "x"), "--out", str(tmp_path / "run"), *said)
    assert isinstance(error, CommandError)
    assert words in str(error)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    error = refused("--data", str(tmp_path / "wins.jsonl"), "--out", str(tmp_path / "run"))
    assert isinstance(error, BadFile)


def test_without_the_extra_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "trl" else object())
    error = refused("--data", str(tmp_path / "wins.jsonl"), "--out", str(tmp_path / "run"))
    assert isinstance(error, extra.MissingExtra)
    assert "needs trl" in str(error)
    assert "pip install 'agon-arena[training]'" in str(error)


def test_help_and_a_refused_file_load_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from server.cli import app\n"
        "for words in (['--help'], ['train', 'run', '--help'], ['train', 'run', '--data', 'none', '--out', sys.argv[1]]):\n"
        "    CliRunner().invoke(app, words)\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
