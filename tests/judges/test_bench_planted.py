"""Hidden audits in live battles: which sessions they are, what is made worse, and what the answer is."""

from __future__ import annotations

import pytest

from judges.bench.damage import Damage
from judges.bench.planted import FAULTY_MILLI, LEAST, PLAIN_MILLI, ROUNDS, Plan, plan
from judges.court.reckoning import Question, reckon, totals_of
from judges.court.terms import MARGIN_MILLI
from judges.rubric import rubric_of
from spaces.rap_battle.rules import Params, Verse, check_verse
from spaces.rap_battle.topics import TOPICS

KEY, OTHER = b"k" * 32, b"o" * 32
VERSE = "\n".join(
    (
        "I'm the king of the night with a mic in my hand",
        "You're a leaf in the wind that can't even stand",
        "The drums on the roof are the beat of the rain",
        "And you lost all your keys and you missed the last train",
    )
)
SESSIONS = [f"01M{number:023d}" for number in range(4_000)]
PLANS = [found for each in SESSIONS if (found := plan(KEY, each, 0.12)) is not None]
SEED = b"seed"
ALL = (1, 2, 3)


def test_so_many_sessions_are_audits_and_nobody_without_the_key_knows_which() -> None:
    assert 0.10 < len(PLANS) / len(SESSIONS) < 0.14
    mine = {each for each in SESSIONS if plan(KEY, each, 0.12)}
    theirs = {each for each in SESSIONS if plan(OTHER, each, 0.12)}
    assert len(mine & theirs) < 0.3 * len(mine)
    assert all(plan(KEY, each, 0.0) is None for each in SESSIONS)


def test_a_larger_share_adds_audits_and_changes_none() -> None:
    more = {each: plan(KEY, each, 0.3) for each in SESSIONS}
    assert all(found == more[each] for each in SESSIONS if (found := plan(KEY, each, 0.12)))


def test_each_seat_is_the_worse_one_as_often_and_every_fault_comes() -> None:
    first = sum(each.worse == 0 for each in PLANS) / len(PLANS)
    assert 0.43 < first < 0.57
    assert {each.damage for each in PLANS} == set(FAULTY_MILLI) == set(LEAST)


def test_as_many_verses_are_worse_as_show_and_mostly_not_all() -> None:
    for each in PLANS:
        assert LEAST[each.damage] <= len(set(each.rounds)) == len(each.rounds) <= ROUNDS
        assert list(each.rounds) == sorted(each.rounds)
    assert 0.25 < sum(len(each.rounds) < ROUNDS for each in PLANS) / len(PLANS) < 0.55


@pytest.mark.parametrize("damage", list(FAULTY_MILLI))
@pytest.mark.parametrize("worse", [0, 1])
def test_the_answer_says_clearly_that_the_other_side_wins(damage: Damage, worse: int) -> None:
    rubric = rubric_of("rap-battle")
    answer = Plan(worse, damage, ALL[: LEAST[damage]], SEED).answer()
    weights = tuple(line.weight for line in rubric.lines)
    question = Question(
        weights, 2, PLAIN_MILLI, 4_000_000, 5, 0, 100
    )  # of a court that has heard many
    totals = totals_of(question, answer)
    assert totals[1 - worse] - totals[worse] > MARGIN_MILLI
    found = reckon(question, [answer, tuple(reversed(answer))], answer)
    assert found.seats[0].skill > 0 > found.seats[1].skill


@pytest.mark.parametrize("damage", list(FAULTY_MILLI))
def test_a_spoiled_verse_is_a_verse_by_the_rules_and_the_same_each_time(damage: Damage) -> None:
    found = Plan(0, damage, ALL, SEED)
    spoiled = found.spoiled(VERSE, 1)
    check_verse(Verse(spoiled), Params().bars, Params().char_limit)
    assert spoiled == found.spoiled(VERSE, 1)
    assert (spoiled == VERSE) == (damage is Damage.OFF_TOPIC)


def test_who_is_off_topic_keeps_to_one_other_topic() -> None:
    found = Plan(0, Damage.OFF_TOPIC, ALL, SEED)
    topic = found.topic("night buses", TOPICS)
    assert topic == found.topic("night buses", TOPICS) != "night buses"
    assert topic in TOPICS
    assert Plan(0, Damage.REPEATED, ALL, SEED).topic("night buses", TOPICS) == "night buses"


def test_all_lines_of_the_rubric_have_a_reference() -> None:
    lines = len(rubric_of("rap-battle").lines)
    assert {len(each) for each in (PLAIN_MILLI, *FAULTY_MILLI.values())} == {lines}
