"""What a run tells while it goes on."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from training.recipes.config import TrainConfig
from training.recipes.metrics import JsonLines, Pace, Terminal

FIGURES = {"loss": 2.5, "learning_rate": 1e-4, "tokens": 500.0, "seconds": 2.0}


def told(file: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def begun(file: Path, first: int, last: int) -> JsonLines:
    lines = JsonLines(file)
    lines.begun(None, TrainConfig(steps=10))
    for step in range(first, last + 1):
        lines.measured(step, FIGURES)
    return lines


def test_each_update_is_a_line(tmp_path: Path) -> None:
    begun(tmp_path / "run" / "metrics.jsonl", 1, 2)
    first, second = told(tmp_path / "run" / "metrics.jsonl")
    assert first == {
        "step": 1,
        "loss": 2.5,
        "learning_rate": 1e-4,
        "tokens": 500.0,
        "tokens_per_s": 250.0,
        "elapsed_s": 2.0,
        "eta_s": 18.0,
    }
    assert (second["step"], second["elapsed_s"], second["eta_s"]) == (2, 4.0, 16.0)


def test_a_run_that_goes_on_takes_back_what_no_checkpoint_has(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    begun(file, 1, 7)
    file.write_text(file.read_text() + '{"step": 8, "lo')  # killed in the middle of a line
    begun(file, 6, 10)
    assert [line["step"] for line in told(file)] == list(range(1, 11))
    assert told(file)[-1]["elapsed_s"] == 20.0


def test_what_is_left_follows_the_pace_of_the_last_updates() -> None:
    pace = Pace(100)
    assert pace.after(1, 100, 1.0)["eta_s"] == 99.0
    for step in range(2, 60):
        figures = pace.after(step, 100, 4.0)
    assert figures["eta_s"] == pytest.approx(41 * 4, rel=0.02)
    assert figures["tokens_per_s"] == 25.0


def test_without_a_terminal_lines_are_told_and_the_last_one_always() -> None:
    out = io.StringIO()
    bar = Terminal(Console(file=out, width=200))
    bar.begun(None, TrainConfig(steps=3))
    for step in (1, 2, 3):
        bar.measured(step, FIGURES)
    bar.close()
    assert [line.split(",")[0] for line in out.getvalue().splitlines()] == [
        "training: step 1 of 3",
        "training: step 3 of 3",
    ]
