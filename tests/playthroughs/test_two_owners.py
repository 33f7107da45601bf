"""The example that accounts for every micro-dollar, as a person would run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_two_owners_play_and_every_micro_is_accounted_for() -> None:
    done = subprocess.run(
        [sys.executable, "examples/two_owners.py", "--sessions", "25"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert "Ann's automation stopped: stop-loss reached" in done.stdout
    assert "ok  micro-USDC in = out + fees: 100000000" in done.stdout
