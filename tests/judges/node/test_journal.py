"""The judge's own file: one sheet a hearing, one ordinal a sheet, nobody else's eyes."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from judges.node.journal import (
    Journal,
    JournalInUse,
    Price,
    Sealed,
    Signed,
    WrongFolder,
    of_session_at,
    totals_at,
)
from judges.node.sheet import Scored
from tests.judges.node.hearings import CALL, SCORED, journal_at

OTHER = Scored(((1, 2), (3, 4)), (("", ""), ("", "")))


def seal(
    journal: Journal, case: str, hearing: int = 0, scored: Scored = SCORED, least: int = 0
) -> Sealed:
    return journal.seal(
        session=f"of {case}",
        case=case,
        hearing=hearing,
        space="rap-battle",
        scored=scored,
        salt=case.encode(),
        sign=lambda ordinal: Signed(b"h", bytes([ordinal]), b"s"),
        least_ordinal=least,
        now_ms=5,
    )


def test_the_first_sheet_of_a_hearing_stands(tmp_path: Path) -> None:
    journal = journal_at(tmp_path / "judge.sqlite")
    first = seal(journal, "a")
    assert (first.scored, first.salt, first.ordinal) == (SCORED, b"a", 0)
    assert seal(journal, "a", scored=OTHER) == first == journal.sealed("a", 0)
    journal.close()


def test_ordinals_go_on_without_a_hole_across_restarts_and_above_what_the_court_knows(
    tmp_path: Path,
) -> None:
    path = tmp_path / "judge.sqlite"
    journal = journal_at(path)
    assert [seal(journal, case).ordinal for case in "ab"] == [0, 1]
    journal.close()
    journal = journal_at(path)
    assert seal(journal, "a", hearing=1).ordinal == 2
    assert seal(journal, "c", least=1).ordinal == 3
    assert seal(journal, "d", least=9).ordinal == 9  # a journal that was lost
    assert [each.hearing for each in journal.of_session("of a")] == [0, 1]
    journal.close()


def test_a_signature_that_fails_leaves_nothing(tmp_path: Path) -> None:
    journal = journal_at(tmp_path / "judge.sqlite")

    def fails(ordinal: int) -> Signed:
        raise ValueError("no key")

    with pytest.raises(ValueError, match="no key"):
        journal.seal(
            session="s",
            case="a",
            hearing=0,
            space="x",
            scored=SCORED,
            salt=b"",
            sign=fails,
            least_ordinal=0,
            now_ms=0,
        )
    assert journal.sealed("a", 0) is None
    assert seal(journal, "b").ordinal == 0
    journal.close()


def test_what_was_taken_first_stands(tmp_path: Path) -> None:
    journal = journal_at(tmp_path / "judge.sqlite")
    seal(journal, "a")
    journal.committed("a", 0, 10)
    journal.committed("a", 0, 20)
    journal.revealed("a", 0, 30)
    found = journal.sealed("a", 0)
    assert found is not None
    assert (found.committed_ms, found.revealed_ms) == (10, 30)
    journal.close()


def test_only_its_owner_reads_it_and_only_one_process_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "judge.sqlite"
    path.touch(mode=0o644)
    journal = journal_at(path)
    seal(journal, "a")
    for each in tmp_path.glob("judge.sqlite*"):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600, each
    with pytest.raises(JournalInUse):
        journal_at(path)
    assert len(of_session_at(path, "of a")) == 1  # looking is no writing
    journal.close()


@pytest.mark.parametrize(("judge", "court"), [("0xCC", "31337:0xBB"), ("0xAA", "8453:0xBB")])
def test_a_folder_is_of_one_judge_and_one_court(tmp_path: Path, judge: str, court: str) -> None:
    path = tmp_path / "judge.sqlite"
    journal_at(path).close()
    with pytest.raises(WrongFolder, match="a folder of its own"):
        Journal(path, judge=judge, court=court)
    journal_at(path).close()


def test_every_question_to_a_model_is_counted_with_what_it_cost(tmp_path: Path) -> None:
    path = tmp_path / "judge.sqlite"
    assert totals_at(path) is None
    journal = journal_at(path)
    seal(journal, "a")
    twice = [CALL, msgspec.structs.replace(CALL, order=(1, 0))]
    journal.asked("a", 0, twice, Price(prompt=150_000, completion=600_000), 7)
    journal.committed("a", 0, 8)
    totals = totals_at(path)
    assert totals == journal.totals()
    assert (totals.hearings, totals.committed, totals.revealed, totals.calls) == (1, 1, 0, 2)
    assert (totals.prompt_tokens, totals.completion_tokens, totals.latency_ms) == (1_800, 80, 2_400)
    assert totals.cost_nanos == 2 * (900 * 150 + 40 * 600)  # 900 tokens at 0.15 USD a million
    journal.close()
