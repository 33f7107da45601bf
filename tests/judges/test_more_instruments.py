"""Variety, order, profanity, originality and worn phrases, on examples worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.evidence import evidence_of
from judges.instruments.embedding import Vectors
from judges.instruments.order import strays, strays_milli
from judges.instruments.originality import distance_milli, novelty_milli
from judges.instruments.profanity import swearing, swearing_milli
from judges.instruments.pronounce import guess
from judges.instruments.variety import variety_milli
from judges.instruments.worn import worn_phrases
from tests.judges.battles import ANSWERS, PROSE, SILENT, STRONG, battle

TOY = Vectors(
    table=[(1.0, 0.0), (0.0, 1.0)],
    vocab={"\u2581cat": 0, "\u2581dog": 1},
    merges=["c a", "ca t", "d o", "do g", "\u2581 cat", "\u2581 dog"],
)


def test_variety_is_the_mean_over_all_places_of_the_window() -> None:
    # windows of 3 in "a b a b c": aba 2/3, bab 2/3, abc 3/3: 7/9
    assert variety_milli("a b a b c", window=3) == 777
    assert variety_milli("a b a b", window=30) == 500, "shorter than the window: the plain ratio"
    assert variety_milli("") == 0


def test_variety_does_not_fall_with_length() -> None:
    once = " ".join(f"w{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(60))
    assert variety_milli(once) == variety_milli(f"{once} {once}") == 1_000


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the cat sat on the mat", []),
        ("the of a", ["the of", "a"]),
        ("I the cat", ["i the"]),
        ("she runs to and", ["to and"]),
        ("a cat and the\ndog", ["the"]),  # a line's end binds nothing
        ("what are you looking for", []),
    ],
)
def test_small_words_that_bind_nothing(text: str, found: list[str]) -> None:
    assert strays(text)[0] == found


def test_order_tells_english_from_the_same_words_shuffled() -> None:
    assert strays_milli("\n".join((*STRONG, *ANSWERS, *PROSE))) < 30
    assert strays_milli("of the the my in a and to and the I the") > 500


def test_swearing_with_signs_and_stars_but_no_decent_word() -> None:
    assert swearing("What the fuck, this sh1t is f**king bull$hit") == [
        "fuck", "shit", "bullshit", "f**king",
    ]  # fmt: skip
    assert (
        swearing("Moby Dick, a cocktail in Scunthorpe, a classic assassin, hell, 1 shiitake") == []
    )
    assert swearing_milli("fuck that now then") == 25_000
    assert swearing_milli("") == 0


def test_novelty_is_the_share_of_runs_that_no_source_has() -> None:
    assert novelty_milli("a b c d", ["x a b c y"]) == 500
    assert novelty_milli("a b c a b c", ["a b c"]) == 750, "matched as often as the source has it"
    assert novelty_milli("a b c d", []) == 1_000
    assert novelty_milli("a b", ["a b"]) == 0, "too short to say"


def test_distance_is_to_the_nearest_source() -> None:
    assert distance_milli("cat", ["dog", "cat dog"], TOY) == 293  # 1 - cos 45 degrees
    assert distance_milli("cat", ["cat"], TOY) == 0
    assert distance_milli("cat", ["dog"], TOY) == 1_000
    assert distance_milli("cat", [], TOY) is None
    assert distance_milli("the", ["cat"], TOY) is None


def test_worn_phrases() -> None:
    assert worn_phrases("At the end of the day, it\u2019s a game-changer") == [
        "at the end of the day", "game changer",
    ]  # fmt: skip


@given(st.text(max_size=200), st.text(max_size=200))
def test_every_share_is_one(text: str, other: str) -> None:
    for value in (variety_milli(text), strays_milli(text), novelty_milli(text, [other])):
        assert 0 <= value <= 1_000
    assert worn_phrases(text) is not None
    assert swearing_milli(text) >= 0


def test_the_evidence_says_more_where_there_is_more_to_go_by() -> None:
    case = battle(STRONG, ANSWERS)
    plain = {each.name for each in evidence_of(case, guess)}
    assert {"rhymes inside a line", "even lines", "varied words", "swears"} <= plain
    about = {each.name for each in evidence_of(case, guess, TOY)} - plain
    assert about == {"close to the topic", "far from the nearest rival"}
    told = evidence_of(case, guess, TOY, past=([STRONG[0]], []))
    before = {each.name: each.values_milli for each in told if each.name not in plain | about}
    assert set(before) == {"new to itself", "far from its own past"}
    assert 600 < before["new to itself"][0] < 1_000, "a third of it was said before"
    assert before["new to itself"][1] == 0, "it has no past"


def test_the_evidence_of_silence_is_zero_with_vectors_and_a_past() -> None:
    for each in evidence_of(battle(SILENT, STRONG), guess, TOY, past=(["a b c"], ["a b c"])):
        assert each.values_milli[0] == 0, each.name
