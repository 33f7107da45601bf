"""The works of the bench, the faults planted in them, and gold."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from judges.bench import damage
from judges.bench.damage import TAILS, Damage, damaged
from judges.bench.gold import FAULTY_MILLI, gold_case
from judges.bench.material import HALVES, BadMaterial, battles, texts
from judges.bench.pairs import planted
from judges.case import case_of
from judges.instruments.pronounce import load_dictionary
from judges.instruments.rhyming import rhyme
from judges.rubric import RAP_BATTLE
from spaces.rap_battle import RapBattle
from spaces.seed import Streams

VERSE = "one two three four\nfive six seven eight\nnine ten eleven twelve\nthirteen and the last"


def plant(kind: Damage) -> str:
    (work,) = damaged((VERSE,), kind, random.Random(7), ("another verse",))
    return work


def test_there_is_enough_of_both_halves_and_nothing_in_both() -> None:
    verses = [
        [v for fight in battles(half) for side in fight.sides for v in side] for half in HALVES
    ]
    works = [[each.text for each in texts(half)] for half in HALVES]
    assert sum(map(len, verses)) >= 24
    assert sum(map(len, works)) >= 12
    for first, second in (verses, works):
        assert not set(first) & set(second)


def test_the_faults() -> None:
    shuffled = plant(Damage.SHUFFLED)
    assert Counter(shuffled.split()) == Counter(VERSE.split())
    assert shuffled != VERSE
    assert [len(line.split()) for line in shuffled.split("\n")] == [4, 4, 4, 4]
    assert plant(Damage.OFF_TOPIC) == "another verse"
    assert plant(Damage.TRUNCATED) == "one two three four\nfive six seven"
    assert plant(Damage.REPEATED) == "\n".join(["one two three four"] * 4)
    broken = plant(Damage.RHYME_BROKEN).split("\n")
    assert [line.split()[:3] for line in broken] == [line.split()[:3] for line in VERSE.split("\n")]
    assert {line.split()[3] for line in broken} <= set(TAILS)
    assert damage._repeated("A cat sat. It slept. It woke.") == "A cat sat. A cat sat. A cat sat."


def test_no_tail_rhymes_with_another() -> None:
    vowels_of = load_dictionary()
    assert not [(a, b) for a in TAILS for b in TAILS if a < b and rhyme(a, b, vowels_of)]


@pytest.mark.parametrize("half", HALVES)
def test_every_text_meets_its_own_brief_and_every_pair_has_a_name(half: str) -> None:
    pairs = planted(half)  # type: ignore[arg-type]
    assert len({each.name for each in pairs}) == len(pairs)
    for each in pairs:
        assert each.case.seats == 2
        assert each.case.text(0) != each.case.text(1)
        assert all(check.met[each.better] for check in each.case.checks)
    assert Counter(each.better for each in pairs).keys() == {0, 1}


@pytest.mark.parametrize("seed", range(40))
def test_gold_can_be_played_and_makes_the_case_it_says(seed: int) -> None:
    gold = gold_case(seed)
    assert gold_case(seed) == gold
    space, streams = RapBattle(), Streams(bytes(32))
    state = space.initial(space.params({"topic": gold.topic}), streams)
    for pair in gold.verses:
        for seat, verse in enumerate(pair):
            state = space.apply(state, seat, space.parse("verse", verse), streams)
    outcome = space.outcome(state)
    assert outcome is not None
    assert outcome.returns is None, "judges decide"
    assert case_of(space.id, space.observe(state, None)) == gold.case


def test_gold_is_of_every_kind_and_its_reference_has_a_clear_winner() -> None:
    drawn = [gold_case(f"seed {at}") for at in range(200)]
    assert {each.damage for each in drawn} == set(Damage) == set(FAULTY_MILLI)
    assert {each.better for each in drawn} == {0, 1}
    for each in drawn:
        totals = [sum(line[seat] for line in each.scores_milli) // 4 for seat in (0, 1)]
        assert totals[each.better] - totals[1 - each.better] > RAP_BATTLE.tie_milli


def test_gold_of_ones_own(tmp_path: Path) -> None:
    for half in HALVES:
        fight = f"[[battle]]\ntopic = 'topic of {half}'\nfirst = ['a\\nb']\nsecond = ['c {half}']\n"
        (tmp_path / f"battles-{half}.toml").write_text(fight)
    assert gold_case(1, tmp_path).topic.startswith("topic")
    (tmp_path / "texts-tuning.toml").write_text("text = []\n")
    with pytest.raises(BadMaterial, match="two battles and two texts"):
        planted("tuning", tmp_path)
    with pytest.raises(BadMaterial, match=r"battles-tuning\.toml"):
        gold_case(1, tmp_path / "nowhere")
    (tmp_path / "battles-tuning.toml").write_text("[[battle]]\ntopic = 1\n")
    with pytest.raises(BadMaterial, match="topic"):
        battles("tuning", tmp_path)
