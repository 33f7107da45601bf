"""Rhymes, rhymes inside lines and even lines, on examples worked out by hand."""

from __future__ import annotations

import pytest

from judges.instruments.pronounce import VowelsOf, load_dictionary
from judges.instruments.rhyming import (
    end_rhymes,
    internal_rhymes,
    internals_milli,
    regularity_milli,
    rhyme,
    syllables,
)


@pytest.fixture(scope="module")
def vowels_of() -> VowelsOf:
    return load_dictionary()


@pytest.mark.parametrize(
    ("a", "b", "rhymes"),
    [
        ("line", "nine", True),
        ("beat", "seat", True),
        ("you", "through", True),
        ("kind", "behind", True),
        ("light", "kite", True),
        ("back", "track", True),
        ("walls", "falls", True),
        ("station", "nation", True),
        ("nation", "patience", True),  # the last two vowels
        ("beat", "beat", False),  # a word does not rhyme with itself
        ("hammer", "number", False),  # both end on the same weak vowel
        ("table", "bottle", False),
        ("hammer", "grammar", True),
        ("cat", "cut", False),
        ("cat", "cap", False),  # one vowel alone is chance
        ("hm", "hm'", False),
    ],
)
def test_rhyme(a: str, b: str, rhymes: bool, vowels_of: VowelsOf) -> None:
    assert rhyme(a, b, vowels_of) is rhymes
    assert rhyme(b, a, vowels_of) is rhymes


def test_ends_are_looked_for_two_lines_up_and_down(vowels_of: VowelsOf) -> None:
    lines = [
        "I ride at night",
        "a silent train",
        "I see the light",
        "it falls as rain",
        "and stops",
    ]
    assert end_rhymes(lines, vowels_of) == [
        ("night", "light"), ("train", "rain"), ("light", "night"), ("rain", "train"), None,
    ]  # fmt: skip
    apart = ["night", "house", "tree", "light"]
    assert end_rhymes(apart, vowels_of) == [None] * 4


def test_internal_rhymes_of_a_line(vowels_of: VowelsOf) -> None:
    line = "You missed the stop, my flow is slow but so"
    assert internal_rhymes(line, vowels_of) == [("flow", "slow")]
    assert internal_rhymes("I flicker, you're quicker, a sticker", vowels_of) == [
        ("flicker", "quicker"), ("quicker", "sticker"),
    ]  # fmt: skip
    assert internal_rhymes("the a of to", vowels_of) == [], "no beat lies on these"


def test_internals_per_line_count_no_line_twice(vowels_of: VowelsOf) -> None:
    line = "I flicker, you're quicker, a sticker"
    assert internals_milli(line, vowels_of) == 2_000
    assert internals_milli(f"{line}\n{line}", vowels_of) == 1_000
    assert internals_milli("", vowels_of) == 0


def test_regularity_is_what_deviation_leaves_of_the_mean(vowels_of: VowelsOf) -> None:
    assert syllables("the engine keeps the beat", vowels_of) == 6
    assert regularity_milli("cat\nhat", vowels_of) == 1_000
    # 1 and 3 syllables: mean 2, deviation 1
    assert regularity_milli("cat\ncat hat bat", vowels_of) == 500
    assert regularity_milli("one line alone", vowels_of) == 0
    assert regularity_milli("hm\ntsk", vowels_of) == 0
