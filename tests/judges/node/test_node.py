"""A judge among deadlines, failures and deaths: one sheet, one salt, one commitment a hearing, whatever happens."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from judges.faults import JudgeUnavailable
from judges.node.duty import Stage
from judges.node.journal import totals_at
from judges.node.node import NotNow
from tests.judges.node.hearings import CALL, Court, Hearing, Killed, Knife, journal_at, unavailable

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Journals are written durably, which takes a disk its time."""


async def test_a_case_is_judged_committed_and_revealed(tmp_path: Path) -> None:
    hearing = Hearing(1, filed_ms=1_000)
    court = Court([hearing])
    await court.run(tmp_path / "judge.sqlite", 25_000)
    assert court.judged == [hearing.case]
    assert len(set(hearing.commitments)) == 1
    assert set(hearing.reveals) == set(hearing.commitments)
    told = [line.split(": ", 1)[1] for line in court.lines]
    assert told == ["judged; commitment 0 is kept", "committed", "revealed"]


async def test_a_sheet_is_shown_before_the_deadline_only_where_all_are_shown_to_be_bound(
    tmp_path: Path,
) -> None:
    hearing = Hearing(1, filed_ms=0)
    court = Court([hearing])
    await court.run(tmp_path / "judge.sqlite", 2_000)
    assert hearing.commitments
    early = msgspec.structs.replace(
        hearing.told(2_000), stage=Stage.REVEALING, all_committed=True, commit_by_ms=10_000
    )
    court.now_ms, court.unbound = 6_000, True
    journal = journal_at(tmp_path / "judge.sqlite")
    await court.node(journal).send([early])
    assert hearing.reveals == []
    assert "4 of 5 seats" in court.lines[-1]
    court.unbound = False
    await court.node(journal).send([early])
    journal.close()
    assert len(hearing.reveals) == 1


async def test_the_case_that_is_due_soonest_is_judged_first(tmp_path: Path) -> None:
    late, soon = Hearing(1, 0, commit_ms=9_000), Hearing(2, 0, commit_ms=5_000)
    court = Court([late, soon])
    await court.run(tmp_path / "judge.sqlite", 1_000)
    assert court.judged == [soon.case, late.case]


async def test_judging_that_fails_is_tried_again_and_never_scored(tmp_path: Path) -> None:
    hearing = Hearing(1, 0)
    court = Court([hearing])
    court.failures = [unavailable(), NotNow("the transcript is not to be had"), unavailable()]
    await court.run(tmp_path / "judge.sqlite", 12_000)
    assert court.judged == [hearing.case]
    assert len(hearing.reveals) == 1
    assert "not now: the model server answered 500" in court.lines[0]


async def test_questions_of_which_nothing_came_are_counted(tmp_path: Path) -> None:
    court = Court([Hearing(1, 0)])
    court.failures = [JudgeUnavailable("the model answers in rhymes", (CALL, CALL))]
    await court.run(tmp_path / "judge.sqlite", 2_000)
    totals = totals_at(tmp_path / "judge.sqlite")
    assert totals is not None
    assert totals.calls == 3


async def test_a_judge_that_cannot_judge_in_time_commits_nothing_and_says_so(
    tmp_path: Path,
) -> None:
    hearing = Hearing(1, 0)
    court = Court([hearing])
    court.failures = [unavailable()] * 100
    await court.run(tmp_path / "judge.sqlite", 9_900)
    journal = journal_at(tmp_path / "judge.sqlite")
    hearing_told = hearing.told(9_900)
    court.now_ms = 10_000
    await court.node(journal).send([hearing_told])
    journal.close()
    assert hearing.commitments == []
    assert "MISSED: it was not judged in time" in court.lines[-1]


async def test_what_the_clerk_refuses_for_good_is_not_said_again(tmp_path: Path) -> None:
    hearing = Hearing(1, 0)
    court = Court([hearing])
    court.refused = "this judge has no seat"
    await court.run(tmp_path / "judge.sqlite", 9_000)
    assert [line for line in court.lines if "REFUSED" in line] == [
        f"rap-battle {hearing.session}: REFUSED: this judge has no seat"
    ]


async def test_what_the_clerk_has_refused_for_good_the_chain_is_told(tmp_path: Path) -> None:
    hearing = Hearing(1, 0)
    court = Court([hearing])
    court.refused = "the arena does not want this judge"
    journal = journal_at(tmp_path / "judge.sqlite")
    node = court.node(journal)
    by_messages = [hearing.told(0)]
    await node.judge_next(by_messages)
    await node.send(by_messages)
    court.refused = None
    await node.send(by_messages)
    assert hearing.commitments == []
    await node.send([msgspec.structs.replace(hearing.told(0), forced=True)])
    assert len(hearing.commitments) == 1
    journal.close()


async def test_a_commitment_of_which_the_journal_knows_nothing_is_never_followed_by_another(
    tmp_path: Path,
) -> None:
    hearing = Hearing(1, 0)
    hearing.commitments.append(b"by another machine")
    court = Court([hearing])
    await court.run(tmp_path / "judge.sqlite", 25_000)
    assert court.judged == []
    assert hearing.commitments == [b"by another machine"]
    assert hearing.reveals == []
    assert sum("our key has committed" in line for line in court.lines) == 1


async def test_two_cases_are_judged_beside_each_other_and_none_twice(tmp_path: Path) -> None:
    court = Court([Hearing(1, 0), Hearing(2, 0)])
    journal = journal_at(tmp_path / "judge.sqlite")
    node = court.node(journal)
    told = [each.told(0) for each in court.hearings.values()]
    assert node.wanted(told)
    found = await asyncio.gather(*(node.judge_next(told) for _ in range(4)))
    assert sum(found) == 2
    assert sorted(court.judged) == sorted(court.hearings)
    assert not node.wanted(told)
    journal.close()


@settings(max_examples=200, deadline=None)
@given(
    deaths=st.sets(st.integers(0, 60), max_size=6),
    lost=st.integers(0, 3),
    failures=st.integers(0, 2),
    filed=st.lists(st.integers(0, 8_000), min_size=1, max_size=3),
)
def test_whenever_it_is_killed_a_hearing_has_one_sheet_one_salt_and_one_commitment(
    deaths: set[int], lost: int, failures: int, filed: list[int]
) -> None:
    hearings = [Hearing(number, filed_ms) for number, filed_ms in enumerate(filed)]
    court = Court(hearings)
    court.knife = Knife(*deaths)
    court.answers_lost = lost
    court.failures = [unavailable()] * failures
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        path = Path(folder) / "judge.sqlite"

        async def live() -> None:
            while court.now_ms < 40_000:
                try:
                    await court.run(path, 40_000, step_ms=1_000)
                except Killed:
                    court.now_ms += 200  # it is started again

        asyncio.run(live())
        journal = journal_at(path)
        sealed = [journal.sealed(each.case, 0) for each in hearings]
        journal.close()
    for hearing, kept in zip(hearings, sealed, strict=True):
        assert kept is not None
        assert set(hearing.commitments) == {kept.commitment}
        assert set(hearing.reveals) == {kept.commitment}  # the same salt, the same ordinal
    ordinals = [kept.ordinal for kept in sealed if kept is not None]
    assert sorted(ordinals) == list(range(len(hearings)))
