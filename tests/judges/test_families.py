"""The families by name, and what every judge led by instruments keeps to."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges import panel
from judges.bench.pairs import planted
from judges.case import Case
from judges.families import FAMILIES, LED, UnknownFamily, judge_of
from judges.house import HousePanel
from judges.instruments.pronounce import guess
from judges.led.judge import LedJudge
from judges.llm import ModelJudge
from judges.prompt import MAX_REASON
from judges.rubric import RAP_BATTLE, WRITING, Rubric, rubric_of
from tests.judges.battles import ANSWERS, INJECTION, PROSE, SALAD, SILENT, STRONG, battle
from tests.judges.writings import BROKEN, FIVE, GOOD, case

NONCE = "c0ffee0123456789"


def total(family: str, rubric: Rubric, judged: Case) -> tuple[int, ...]:
    judge = judge_of(family)
    assert isinstance(judge, LedJudge)
    return panel.aggregate(rubric, [judge.read(rubric, judged)]).totals_milli


def test_every_family_has_a_name_and_words_for_people() -> None:
    assert set(LED) < set(FAMILIES)
    assert all(FAMILIES.values())
    with pytest.raises(UnknownFamily, match="sound"):
        judge_of("taste")


async def test_a_family_of_models_asks_a_model() -> None:
    judge = judge_of("model:leaning", url="http://127.0.0.1:9/v1", model="m")
    assert isinstance(judge, ModelJudge)
    await judge.aclose()
    with pytest.raises(ValueError, match="URL"):
        judge_of("model:scores")


@pytest.mark.parametrize("family", sorted(LED))
@pytest.mark.parametrize(
    ("rubric", "judged"),
    [(RAP_BATTLE, battle(STRONG, ANSWERS)), (WRITING, FIVE)],
    ids=["rap-battle", "writing"],
)
async def test_an_opinion_has_points_and_reasons_for_every_line_and_seat(
    family: str, rubric: Rubric, judged: Case
) -> None:
    judge = judge_of(family)
    opinion, calls = await judge.opinion(rubric, judged, NONCE)
    assert calls == ()
    assert opinion.judge == judge.model
    assert len(opinion.scores_milli) == len(opinion.reasons) == len(rubric.lines)
    for scores, reasons in zip(opinion.scores_milli, opinion.reasons, strict=True):
        assert len(scores) == len(reasons) == judged.seats
        assert all(0 <= score <= 10_000 for score in scores)
        assert all(0 < len(reason) <= MAX_REASON for reason in reasons)
    again, _ = await judge.opinion(rubric, judged, "another nonce")
    assert again == opinion


@pytest.mark.parametrize("family", sorted(LED))
def test_what_is_no_verse_scores_low(family: str) -> None:
    for bad in (SALAD, (STRONG[0][:60], None, None)):
        first, second = total(family, RAP_BATTLE, battle(bad, ANSWERS))
        assert first < second - 1_000
        second, first = total(family, RAP_BATTLE, battle(ANSWERS, bad))
        assert first < second - 1_000


@pytest.mark.parametrize("family", sorted(LED))
def test_seats_that_have_forfeited_have_nothing(family: str) -> None:
    judge = judge_of(family)
    assert isinstance(judge, LedJudge)
    for out in (INJECTION, SILENT):
        opinion = judge.read(RAP_BATTLE, battle(out, STRONG))
        assert [scores[0] for scores in opinion.scores_milli] == [0, 0, 0, 0]
        assert {reasons[0] for reasons in opinion.reasons} == {panel.FORFEITED}
    opinion = judge.read(WRITING, case(GOOD, None, BROKEN))
    assert [scores[1] for scores in opinion.scores_milli] == [0, 0, 0, 0]


def test_sound_hears_rhymes_and_quotes_them() -> None:
    judge = judge_of("sound")
    assert isinstance(judge, LedJudge)
    opinion = judge.read(RAP_BATTLE, battle(STRONG, PROSE))
    flow = opinion.scores_milli[0]
    assert flow[0] > 6_000 > 3_000 > flow[1]
    assert '"kind" and "behind"' in opinion.reasons[0][0]


async def test_a_house_may_seat_them_beside_each_other() -> None:
    house = HousePanel([judge_of("sound")], guess)
    judging = await house.judge(battle(STRONG, PROSE), NONCE)
    assert judging.verdict.ranks == (1, 2)
    assert judging.verdict.judges == ("sound/1",)
    assert judging.calls == ()


def test_planted_faults_are_seen_by_whom_they_concern() -> None:
    """On the half of the material with which the readings were set; figures for people come from the other."""
    pairs = planted("tuning")[::2]
    right: Counter[tuple[str, str]] = Counter()
    for pair in pairs:
        for family in LED:
            totals = total(family, rubric_of(pair.space), pair.case)
            right[family, pair.damage] += totals[pair.better] > totals[1 - pair.better]
    asked = Counter(str(pair.damage) for pair in pairs)
    for family in LED:
        assert sum(right[family, kind] for kind in asked) >= 0.8 * len(pairs)
        for kind in ("shuffled", "truncated", "repeated"):
            assert right[family, kind] == asked[kind]
    for family, kind in (
        ("topic", "off-topic"),
        ("sound", "rhyme-broken"),
        ("blend", "rhyme-broken"),
    ):
        assert right[family, kind] >= 0.9 * asked[kind], (family, kind)


def test_longer_is_not_better() -> None:
    """Padding with lines of the same kind moves no judge by a point."""
    short = tuple(verse.rsplit("\n", 1)[0] for verse in STRONG)
    for family in LED:
        first, second = total(family, RAP_BATTLE, battle(STRONG, ANSWERS))
        less, other = total(family, RAP_BATTLE, battle(short, ANSWERS))
        assert abs((first - second) - (less - other)) < 1_000, family


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=120)), min_size=6, max_size=6))
def test_no_text_makes_a_judge_fail(texts: list[str | None]) -> None:
    hostile = battle(tuple(texts[:3]), tuple(texts[3:]))
    for family in LED:
        judge = judge_of(family)
        assert isinstance(judge, LedJudge)
        opinion = judge.read(RAP_BATTLE, hostile)
        assert all(0 <= each <= 10_000 for line in opinion.scores_milli for each in line)
        assert all(len(each) <= MAX_REASON for line in opinion.reasons for each in line)


@pytest.mark.parametrize(
    "text", ["a " * 1_000, "night " * 330, "x" * 2_000, "\n".join("ab" * 1_000), "\u0301" * 2_000]
)
def test_no_text_takes_a_judge_long(text: str) -> None:
    """Of the longest there can be: 16 such verses, or one to be read and five to be written."""
    long = battle((text,) * 3, (text[::-1],) * 3)
    for family in LED:
        judge = judge_of(family)
        assert isinstance(judge, LedJudge)
        started = time.process_time()
        judge.read(RAP_BATTLE, long)
        assert time.process_time() - started < 5
