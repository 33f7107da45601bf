"""From sheets to what is published: labels, intervals, Yuma's clipping, case documents, the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.court.reckoning import Question, reckon
from judges.reliability.__main__ import main
from judges.reliability.diagnosis import LEAST_ANSWERS, PPM, diagnose, published, wilson
from judges.reliability.documents import BadDocument, heard_of
from judges.reliability.labels import FIRST, SECOND, TIE, BadHearing, Heard, answers
from judges.reliability.yuma import clip
from judges.simulate.world import RAP, cases, honest


def history(hearings: int = 60) -> list[Heard]:
    """Six honest judges and one that says the opposite."""
    sheets = honest(
        RAP, np.random.default_rng(3), cases(RAP, np.random.default_rng(2), hearings), 7
    )
    sheets[:, 6] = 10_000 - sheets[:, 6]
    return [
        Heard(
            f"s{at}/0",
            2,
            {f"0x{judge}": tuple(map(int, sheet)) for judge, sheet in enumerate(case)},
        )
        for at, case in enumerate(sheets)
    ]


def test_each_line_and_pair_is_a_question() -> None:
    heard = Heard("s/0", 3, {"a": (5, 4, 4, 1, 2, 3)})
    told = [(each.task, each.label) for each in answers([heard])]
    assert told == [
        ("s/0/0/0-1", FIRST),
        ("s/0/0/0-2", FIRST),
        ("s/0/0/1-2", TIE),
        ("s/0/1/0-1", SECOND),
        ("s/0/1/0-2", SECOND),
        ("s/0/1/1-2", SECOND),
    ]
    assert {each.label for each in answers([heard], tie_milli=9)} == {TIE}
    with pytest.raises(BadHearing, match="a's sheet has 5 scores"):
        list(answers([Heard("s/0", 3, {"a": (1, 2, 3, 4, 5)})]))


def test_honest_judges_are_told_from_who_says_the_opposite() -> None:
    found = diagnose(history())
    honest_ones = [each.accuracy_ppm or 0 for judge, each in found.items() if judge != "0x6"]
    opposite = found["0x6"]
    assert min(honest_ones) > 600_000
    assert opposite.accuracy_ppm is not None
    assert opposite.accuracy_ppm < 400_000
    for each in found.values():
        assert each.low_ppm is not None
        assert each.high_ppm is not None
        assert each.low_ppm < (each.accuracy_ppm or 0) < each.high_ppm
        assert all(sum(row) == pytest.approx(PPM, abs=3) for row in each.confusion_ppm)


def test_of_few_answers_no_accuracy_is_told() -> None:
    found = diagnose(history(LEAST_ANSWERS // 4 - 1))
    assert {each.accuracy_ppm for each in found.values()} == {None}
    assert diagnose([]) == {}


def test_what_is_published_can_be_shown_as_it_is() -> None:
    told = published(diagnose(history())["0x0"])
    assert list(told) == [
        "accuracy",
        "interval",
        "answers",
        "yuma_trust",
        "method",
        "confusion_ppm",
    ]
    assert 0.6 < float(str(told["accuracy"])) <= 1
    assert "float" not in {type(each).__name__ for each in told.values()}
    few = published(diagnose(history(2))["0x0"])
    assert few["accuracy"] == "too few answers yet"
    assert "interval" not in few


def test_intervals_narrow_and_hold_the_share() -> None:
    assert wilson(0.5, 10)[0] < wilson(0.5, 1_000)[0] < 500_000 < wilson(0.5, 1_000)[1]
    assert wilson(1.0, 5)[1] == PPM
    assert wilson(0.0, 5)[0] == 0


sheets = st.lists(st.lists(st.integers(0, 10_000), min_size=4, max_size=4), min_size=1, max_size=9)


@given(sheets)
def test_yuma_cuts_to_the_median_and_never_raises(given_sheets: list[list[int]]) -> None:
    found = clip(given_sheets)
    question = Question((1, 1), 2, (0, 0), 1, 7, 0, 0)
    if len(given_sheets) % 2:
        assert found.consensus == reckon(question, given_sheets).medians
    for sheet, cut, trust in zip(given_sheets, found.sheets, found.trust_ppm, strict=True):
        assert all(
            after <= min(before, top)
            for after, before, top in zip(cut, sheet, found.consensus, strict=True)
        )
        assert 0 <= trust <= PPM


def test_yuma_is_blind_to_who_gives_too_little() -> None:
    """Why it is no rule here: whoever robs a contestant keeps all its trust."""
    fair = [5_000] * 4
    robs, flatters = [0, 5_000, 0, 5_000], [10_000, 5_000, 10_000, 5_000]
    found = clip([fair, fair, fair, robs, flatters])
    assert found.trust_ppm[3] == PPM
    assert found.trust_ppm[4] < PPM


def document(heard: Heard) -> str:
    lines = {
        j: [list(s[at : at + 2]) for at in range(0, len(s), 2)] for j, s in heard.sheets.items()
    }
    messages = [{"type": "commit", "judge": judge, "commitment": "00"} for judge in lines] + [
        {"type": "reveal", "judge": judge, "scores_milli": rows} for judge, rows in lines.items()
    ]
    session, number = heard.hearing.split("/")
    hearing = {"filing": {"hearing": int(number), "contestants": 2, "fee": 1}, "messages": messages}
    return json.dumps({"v": "agon-case/1", "session": session, "hearings": [hearing], "more": {}})


def test_documents_give_the_hearings_back() -> None:
    said = history(3)
    assert list(heard_of([*map(document, said), "\n"])) == said


@pytest.mark.parametrize(
    ("line", "why"),
    [("{", "line 1: no case document"), ('{"v":"agon-case/2","session":"s","hearings":[]}', "expected agon-case/1")],
)  # fmt: skip
def test_what_is_no_document_says_so(line: str, why: str) -> None:
    with pytest.raises(BadDocument, match=why):
        list(heard_of([line]))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases_file = tmp_path / "cases.jsonl"
    cases_file.write_text("\n".join(map(document, history(20))))
    assert main([str(cases_file)]) == 0
    assert "Judges by 20 hearings" in capsys.readouterr().out
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    for file, heard in ((one, history(1)), (two, history(2)[1:])):
        file.write_text(
            "\n".join(map(document, heard))
        )  # as the arena hands them out: no line ends
    assert main([str(one), str(two)]) == 0
    assert "Judges by 2 hearings" in capsys.readouterr().out
    hostile = tmp_path / "hostile.jsonl"
    hostile.write_text(cases_file.read_text().replace('"0x6"', r'"\u001b]0;owned\u0007[red]"'))
    assert main([str(hostile)]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "[red]" in said
    assert main([str(cases_file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["answers"] for each in told] == [80] * 7
    assert told[-1]["judge"] == "0x6"
    cases_file.write_text("nonsense")
    assert main([str(cases_file)]) == 2
    assert "line 1: no case document" in capsys.readouterr().err
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "cannot read" in capsys.readouterr().err
