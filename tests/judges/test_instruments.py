"""The instruments, on examples worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.evidence import evidence_of
from judges.instruments.copying import borrowed_milli, repeated_milli
from judges.instruments.pronounce import VowelsOf, guess, load_dictionary, pronouncer, read_entries
from judges.instruments.rhyme import rhyme_factor_milli, rhyme_lengths
from judges.instruments.words import words
from tests.judges.battles import ANSWERS, PROSE, SILENT, STRONG, battle


@pytest.fixture(scope="module")
def vowels_of() -> VowelsOf:
    return load_dictionary()


def spelled(word: str) -> str:
    """A toy accent in which every vowel letter is one vowel."""
    return "".join(char for char in word if char in "aeiou")


def test_words() -> None:
    assert words("I'm spittin' FIRE\u2014don\u2019t 'stop' caf\u00e9 24/7") == [
        "i'm", "spittin'", "fire", "don't", "stop", "cafe",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("", []),
        ("hm tsk", []),
        ("cat", [0]),
        ("cat hat", [0, 0]),  # one vowel is chance
        ("bata nada", [0, 2]),  # a-a : a-a
        ("bata bata", [0, 0]),  # a word does not rhyme with itself
        ("bata sit nada", [0, 0, 2]),
        ("my kitten sat on the mitten", [0, 0, 0, 0, 2]),  # i-e : i-e, "my" has no vowel here
        ("kit ten sat mitten", [0, 0, 0, 2]),  # across words: (k)i (t)e(n) : i-e
        ("banana panama", [0, 3]),  # a-a-a : a-a-a
        ("nana rana", [0, 2]),  # the later part begins after the earlier ends: not 3
        ("bata nada\nbata nada", [0, 2]),  # a line said again counts once
    ],
)
def test_rhyme_lengths(text: str, lengths: list[int]) -> None:
    assert rhyme_lengths(text, spelled) == lengths
    if lengths:
        assert rhyme_factor_milli(text, spelled) == sum(lengths) * 1_000 // len(lengths)


def test_the_window_ends_where_it_says() -> None:
    between = " ".join(["o"] * 14)
    assert rhyme_lengths(f"bata {between} nada", spelled)[-1] == 2
    assert rhyme_lengths(f"bata {between} o nada", spelled)[-1] == 0


def test_the_example_of_the_papers_author(vowels_of: VowelsOf) -> None:
    text = (
        "This is a job, I get paid to sling some raps\n"
        "What you made last year was less than my income tax"
    )
    # sling some raps : income tax is IH-AH-AE twice
    assert rhyme_lengths(text, vowels_of)[-1] == 3


def test_rap_rhymes_more_than_prose(vowels_of: VowelsOf) -> None:
    strong, answers, prose = (
        rhyme_factor_milli("\n".join(text), vowels_of) for text in (STRONG, ANSWERS, PROSE)
    )
    assert min(strong, answers) > 1.5 * prose


def test_the_dictionary_speaks(vowels_of: VowelsOf) -> None:
    assert vowels_of("income") == "iu"
    assert vowels_of("spittin'") == vowels_of("spitting") == "ii"
    assert vowels_of("ember's") == vowels_of("ember")
    assert vowels_of("through") == "U"


def test_the_first_pronunciation_stands() -> None:
    entries = read_entries(["read R EH1 D", "read(2) R IY1 D", "hm HH M # no vowel", ""])
    assert entries == {"read": "e", "hm": ""}
    assert pronouncer(entries)("read") == "e"


@pytest.mark.parametrize(
    ("word", "vowels"),
    [
        ("blake", "A"),
        ("blorpy", "aE"),
        ("skibidi", "iii"),
        ("quiz", "i"),
        ("zoomed", "U"),
        ("try", "I"),
    ],
)
def test_unknown_words_are_guessed_from_their_spelling(word: str, vowels: str) -> None:
    assert guess(word) == vowels


def test_guesses_are_mostly_right(vowels_of: VowelsOf) -> None:
    """How many vowels: over nine of ten everyday words; and the last one, which rhymes, over half."""
    known = sorted({word for text in (*STRONG, *ANSWERS, *PROSE) for word in words(text)})
    count = sum(len(guess(word)) == len(vowels_of(word)) for word in known)
    last = sum(guess(word)[-1:] == vowels_of(word)[-1:] for word in known)
    assert count / len(known) > 0.9
    assert last / len(known) > 0.5


@given(st.text(max_size=200))
def test_any_text_has_a_rhyme_factor(text: str) -> None:
    assert rhyme_factor_milli(text, guess) >= 0


def test_copying() -> None:
    # trigrams of seat 0: (a b c) (b c d) | (a b c) again; of seat 1: (b c d) taken, (c d e) own
    case = battle(("a b c d", "a b c", None), ("b c d e", None, None))
    assert repeated_milli(case, 0) == 333
    assert repeated_milli(case, 1) == 0
    assert borrowed_milli(case, 1) == 500
    assert borrowed_milli(case, 0) == 0, "it was there first"


def test_evidence_of_silence_is_zero(vowels_of: VowelsOf) -> None:
    for each in evidence_of(battle(SILENT, STRONG), vowels_of):
        assert len(each.values_milli) == 2
        assert each.values_milli[0] == 0
