"""The bench: what is asked, what is made of the answers, and a journal that goes on."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from judges.bench.figures import PANEL, agreement, figures, tabled
from judges.bench.material import attacks
from judges.bench.run import BadJournal, Journal, Progress, Said, ask_all
from judges.bench.trials import Kind, Trial, all_trials
from judges.faults import JudgeUnavailable
from judges.llm import Call
from judges.rubric import Rubric
from judges.verdict import Opinion


class Knower:
    """A judge that is told who is better and says so; now and then it fails."""

    def __init__(self, name: str, trials: tuple[Trial, ...], points: int, failing: int = 0) -> None:
        self.model = name
        self.how = "knows"
        self.asked = 0
        self._better = {
            trial.case: trial.seat if trial.kind is Kind.PLANTED else 1 - trial.seat
            for trial in trials
        }
        self._points = points
        self._failing = failing

    async def opinion(
        self, rubric: Rubric, case: object, nonce: str
    ) -> tuple[Opinion, tuple[Call, ...]]:
        self.asked += 1
        if self._failing and self.asked % self._failing == 0:
            raise JudgeUnavailable("tired")
        better = self._better[case]  # type: ignore[index]
        line = tuple(5_000 + (self._points if seat == better else 0) for seat in (0, 1))
        return Opinion(self.model, (line,) * 4, (("", ""),) * 4), ()

    async def aclose(self) -> None:
        pass


TRIALS = all_trials("tuning", {"night buses": "A bus is a bus", "how bread rises": "It rises."})


def test_what_is_asked() -> None:
    kinds = {kind: [trial for trial in TRIALS if trial.kind is kind] for kind in Kind}
    assert len(attacks()) >= 30
    assert len({each.kind for each in attacks()}) >= 6
    assert len(kinds[Kind.ATTACK]) == len(attacks())
    assert {trial.name for trial in kinds[Kind.OWN]} == {"night buses", "how bread rises"}
    keys = [trial.key for trial in TRIALS]
    assert len(set(keys)) == len(keys)
    assert {trial.base for trial in TRIALS} - {""} <= set(keys)
    for trial in kinds[Kind.PADDED]:
        assert len(trial.case.text(trial.seat)) > 40
    assert all_trials("tuning")[:10] == all_trials("tuning")[:10]


async def test_a_judge_who_knows_has_everything_right(tmp_path: Path) -> None:
    trials = TRIALS[:30]
    judges = {name: Knower(name, TRIALS, points) for name, points in (("a", 900), ("b", 3_000))}
    judges["fool"] = Knower("fool", TRIALS, -900)
    journal = Journal(tmp_path / "journal.jsonl", "stamp")
    seen: list[Progress] = []
    failed = await ask_all(judges, trials, journal, seen.append, at_once=3)
    journal.close()
    assert (failed, seen[-1].done, seen[-1].of) == (0, 90, 90)
    said = list(journal.said.values())
    table = tabled(trials, said)
    found = {each.name: each for each in figures(trials, said, table)}
    assert set(found) == {"a", "b", "fool", PANEL}
    for name in ("a", "b", PANEL):
        assert found[name].right.count == found[name].right.of > 10
        assert found[name].resisted.count == found[name].resisted.of
        assert found[name].fell_for == ()
    assert found["fool"].right.count == 0
    bins = dict(found["a"].calibration)
    assert (bins[500].count, bins[2_000].of) == (found["a"].right.of, 0)
    _, taus = agreement(table)
    by_pair = {(a, b): value for a, b, value in taus}
    assert by_pair["a", "b"] == pytest.approx(1)
    assert by_pair["a", "fool"] == pytest.approx(-1)


async def test_a_bench_goes_on_where_it_was_stopped_and_asks_again_who_failed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.jsonl"
    trials = TRIALS[:12]
    journal = Journal(path, "stamp")
    tired = Knower("a", TRIALS, 900, failing=4)
    failed = await ask_all({"a": tired}, trials, journal, lambda _: None)
    journal.close()
    assert (failed, len(journal.said), len(journal.failed)) == (3, 9, 3)
    with path.open("ab") as file:
        file.write(b'{"family":"a","jud')  # killed while it wrote
    again = Journal(path, "stamp")
    assert len(again.said) == 9
    rested = Knower("a", TRIALS, 900)
    assert await ask_all({"a": rested}, trials, again, lambda _: None) == 0
    again.close()
    assert rested.asked == 3
    with contextlib.closing(Journal(path, "stamp")) as whole:
        assert len(whole.said) == 12
    with pytest.raises(BadJournal, match="another bench"):
        Journal(path, "other stamp")


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(json.dumps({"bench": "s"}).replace(" ", "").encode() + b"\n{}\n{}\n")
    with pytest.raises(BadJournal, match="damaged"):
        Journal(path, "s")


def test_how_a_model_differs_from_order_to_order() -> None:
    trials = [each for each in TRIALS if each.kind is Kind.PLANTED][:3]
    even = ((5_000, 5_000),) * 4
    said = [
        Said("model:leaning", "m", trials[0].key, even, by_order=(300, 200)),
        Said("model:leaning", "m", trials[1].key, even, by_order=(300, -200)),
        Said("model:leaning", "m", trials[2].key, even, by_order=(-300, -200)),
    ]
    (found,) = figures(trials, said, tabled(trials, said))
    assert found.consistent is not None
    assert found.first_liked is not None
    assert (found.consistent.count, found.consistent.of) == (2, 3)
    # for whoever stands first: yes no, yes yes, no yes
    assert (found.first_liked.count, found.first_liked.of) == (4, 6)
