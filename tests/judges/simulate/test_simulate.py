"""What the court promises holds at fixed seeds; the same seed tells the same; and what is printed, drawn and asked for by hand."""

from __future__ import annotations

import functools
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from judges.simulate.__main__ import main, tell
from judges.simulate.capture import closed
from judges.simulate.findings import findings
from judges.simulate.flips import Course, courses
from judges.simulate.liveness import closed as quorate
from judges.simulate.plots import plots
from judges.simulate.profit import alone
from judges.simulate.report import FULL, QUICK, Report, run
from judges.simulate.strategies import STRATEGIES
from judges.simulate.tables import show
from judges.simulate.world import RAP, honest, question, usual_distance
from judges.simulate.world import cases as draw_cases

SEED = 6


@functools.cache
def quick() -> Report:
    return run(SEED, QUICK)


def test_what_the_court_promises_holds() -> None:
    for each in findings(quick()):
        assert each.holds, f"{each.promise}: {each.found}"


@pytest.mark.slow
def test_what_the_court_promises_holds_at_length() -> None:
    for each in findings(run(SEED + 1, FULL)):
        assert each.holds, f"{each.promise}: {each.found}"


def test_the_closed_forms_are_those_of_the_research_notes() -> None:
    assert closed(0.3, 7) == pytest.approx(0.126, abs=5e-4)
    assert closed(0.4, 31) == pytest.approx(0.128, abs=5e-4)
    assert quorate(0, 0, 7) == 1
    assert quorate(1, 0, 7) == 0


def test_played_and_closed_form_agree() -> None:
    report = quick()
    for drawn in report.captures:
        assert drawn.drawn <= drawn.closed + 0.03  # nobody sits twice: less than seat by seat
        assert drawn.one_family == 0
    for absent in report.liveness:
        assert absent.played == pytest.approx(absent.quorum, abs=0.25)


def test_scale_is_what_honest_use_makes_it() -> None:
    chance = np.random.default_rng(1)
    sheets = honest(RAP, chance, draw_cases(RAP, chance, 3_000), 7)
    found = np.median(sheets, axis=1)
    assert ((found - RAP.prior) ** 2).mean() == pytest.approx(usual_distance(RAP), rel=0.06)
    assert question(RAP, 0, 0).scale == usual_distance(RAP)


def test_who_looks_at_nothing_earns_nothing() -> None:
    lazy = next(each for each in STRATEGIES if each.name == "lazy")
    found = alone(np.random.default_rng(2), lazy, 300, fee=10**6)
    assert not found.pays[:, 0].any()
    assert not found.skills[:, 0].any()


def test_copying_pays_only_without_commit_and_reveal() -> None:
    by_name = {each.strategy: each for each in quick().profits}
    assert by_name["copier"].profit > by_name["honest"].profit
    assert by_name["stale copier"].profit < 0


def test_the_same_seed_tells_the_same_and_another_another() -> None:
    def told(seed: int) -> list[Course]:
        return courses(np.random.default_rng(seed), (0.3,), (500,), 100)

    assert told(1) == told(1)
    assert told(1) != told(2)


def test_every_plot_is_a_drawing() -> None:
    for name, drawing in plots(quick()).items():
        assert name.endswith(".svg")
        assert ElementTree.fromstring(drawing).tag.endswith("svg")


def test_as_json_with_plots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(quick(), as_json=True, out=tmp_path / "plots") == 0
    told = json.loads(capsys.readouterr().out)
    assert all(each["holds"] for each in told["findings"])
    assert told["report"]["prices"][1]["pot"] == 200_000
    assert len(list((tmp_path / "plots").glob("*.svg"))) == len(plots(quick()))


def test_a_file_is_no_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["--out", str(tmp_path / "file")]) == 2
    assert "name a directory" in capsys.readouterr().err


def test_tables_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    show(quick(), Console(width=200))
    told = capsys.readouterr().out
    for each in ("most seats of a panel", "p + epsilon", "Retention", "What the court promises"):
        assert each in told
