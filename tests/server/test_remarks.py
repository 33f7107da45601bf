"""What `agon replay` says of notes and of annotations, which anybody may have written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from server.remarks import annotations_told
from server.replay import report
from spaces import registry
from spaces.transcript import Draft, Entry
from tests.conformance.rig import play
from tests.conformance.tides import Tides

REGRET = {
    "kind": "regret",
    "table": "all-pay/coin/money 12",
    "plies": [
        {"ply": 0, "bid_regret_milli": [12, 0], "mark_regret_milli": 250, "value_milli": -31},
        {"ply": 1, "bid_regret_milli": [0, 1000], "mark_regret_milli": None, "value_milli": 600},
    ],
    "mean_regret_milli": [131, 500],
}


@pytest.fixture(autouse=True)
def tides() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._registered, Tides.id, Tides())
        yield


def told(body: dict[str, Any]) -> list[str]:
    return annotations_told([Entry(0, 0, "host", "annotation", body, "0" * 64)])


def test_a_replay_tells_notes_and_comments() -> None:
    session = play(Tides(), {"rounds": 1}, 1)
    praise = {"kind": "praise", "of": [1, 2]}
    session.log.append((Draft(session.clock_ms, "host", "annotation", praise), None))
    lines = report(session.document()).split("\n")
    assert 'note     harbour: {"seats":3}' in lines
    assert sum(line.startswith("note     tide: ") for line in lines) == 2
    assert lines[-1] == 'comment  praise: {"of":[1,2]}'


def test_very_many_notes_are_counted() -> None:
    lines = report(play(Tides(), {"rounds": 9}, 1).document()).split("\n")
    notes = [line for line in lines if line.startswith("note ")]
    assert len(notes) == 20


def test_regret_is_told_ply_by_ply() -> None:
    head, columns, first, second, mean = told(REGRET)
    assert "in stakes, by all-pay/coin/money 12" in head
    assert columns.split("  ")[-1] == "the mark"
    assert first.split() == ["0", "-0.031", "0.012", "0.000", "0.250"]
    assert second.split() == ["1", "0.600", "0.000", "1.000", "-"]
    assert mean.split()[:3] == ["mean", "0.131", "0.500"]


def test_a_forfeit_is_told_beside_what_it_cost() -> None:
    lost = {
        "ply": 0,
        "bid_regret_milli": [1000, 0],
        "mark_regret_milli": None,
        "value_milli": 0,
        "forfeit": [0],
    }
    _, _, ply, mean = told({**REGRET, "plies": [lost], "mean_regret_milli": [1000, 0]})
    assert ply.split() == ["0", "0.000", "1.000", "0.000", "-", "forfeit", "by", "seat", "0"]
    assert mean.split()[:3] == ["mean", "1.000", "0.000"]
    both = {**lost, "forfeit": [0, 1]}
    assert told({**REGRET, "plies": [both]})[2].endswith("forfeit by seat 0 and 1")


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "regret", "unavailable": "no table"},
        {**REGRET, "plies": "many"},
        {**REGRET, "mean_regret_milli": [1]},
        {"kind": "\x1b[2J\u202e", "words": "\x1b[31m" * 99 + "x" * 5_000},
    ],
)
def test_an_annotation_of_another_form_is_one_plain_line(body: dict[str, Any]) -> None:
    [line] = told(body)
    assert line.startswith("comment  ")
    assert line.isprintable()
    assert len(line) < 500
