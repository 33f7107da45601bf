"""What a judge's program tells whoever ends it."""

from __future__ import annotations

from pathlib import Path

from server.judging.running import OWED_MS, still_to_reveal
from tests.judges.node.hearings import journal_at
from tests.judges.node.test_journal import seal


def test_whoever_ends_it_is_told_what_is_still_to_be_revealed(tmp_path: Path) -> None:
    journal = journal_at(tmp_path / "judge.sqlite")
    for case in "abc":
        seal(journal, case)
    assert still_to_reveal(journal, 10) == "", "nobody is bound yet"
    for case in "ab":
        journal.committed(case, 0, 6)
    assert "rap-battle of a and 1 more" in still_to_reveal(journal, 10)
    journal.revealed("a", 0, 7)
    assert "revealed: rap-battle of b." in still_to_reveal(journal, 10)
    assert still_to_reveal(journal, 10 + OWED_MS) == "", "its time is over"
    journal.close()
