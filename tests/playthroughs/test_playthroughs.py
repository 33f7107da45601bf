"""Recorded sessions still replay, and every Space still does, shows and asks what it did.

When a change is meant: `python -m tests.playthroughs`, then read the diff.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from spaces.registry import all_spaces
from spaces.transcript import read
from tests.playthroughs.recorded import FOLDER
from tests.playthroughs.telling import tell

RECORDED = sorted(FOLDER.glob("*.transcript.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.partition(".")[0])
def test_a_playthrough_is_as_it_was(path: Path) -> None:
    told = tell(read(path.read_bytes())).split("\n")
    committed = path.with_name(path.name.replace(".transcript.json", ".txt")).read_text("utf-8")
    for number, (now, then) in enumerate(zip(told, committed.split("\n"), strict=False), 1):
        assert now == then, f"line {number} of {path.name} has changed"
    assert len(told) == len(committed.split("\n"))


def test_every_space_has_a_playthrough() -> None:
    recorded = {read(path.read_bytes()).rules for path in RECORDED}
    assert {space.rules for space in all_spaces()} <= recorded
