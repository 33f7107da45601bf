"""Rhymes by spelling: close enough to colour a screen, never a crash."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui_client.rhyme import last_word, schemes, sound

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A loaded machine is slow, which is no failure."""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lock", "block"), ("night", "bite"), ("flow", "go"), ("day", "weigh"), ("blue", "crew"),
        ("through", "you"), ("time", "rhyme"), ("street", "beat"), ("burning", "turning"),
        ("ice", "price"), ("cold", "bold"), ("fire", "desire"), ("stage", "rage"), ("mic", "Mike"),
        ("crown", "down"), ("money", "honey"), ("played", "made"), ("flames", "names"),
        ("burst", "first"), ("alone", "throne"), ("fly", "high"), ("winter", "splinter"),
    ],
)  # fmt: skip
def test_words_that_rhyme(one: str, other: str) -> None:
    assert sound(one) == sound(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("lock", "spot"), ("night", "bit"), ("day", "die"), ("burning", "ring"), ("go", "do")],
)
def test_words_that_do_not(one: str, other: str) -> None:
    assert sound(one) != sound(other)


@pytest.mark.parametrize(
    ("line", "word"),
    [("nine o'clock,", "o'clock"), ("the end…", "end"), ("", ""), ("...", ""), ("100 %", "")],
)
def test_the_last_word_leaves_out_what_is_not_heard(line: str, word: str) -> None:
    assert last_word(line) == word


def test_lines_rhyme_within_their_verse_and_a_sound_keeps_its_letter() -> None:
    first = ["on the block", "in the lock", "alone"]
    second = ["so bold", "round the clock", "against the rock"]
    assert schemes([first, second]) == [["a", "a", ""], ["", "a", "a"]]


@unhurried
@given(st.lists(st.lists(st.text(max_size=30), max_size=5), max_size=4))
def test_any_text_has_a_scheme(verses: list[list[str]]) -> None:
    found = schemes(verses)
    assert [len(letters) for letters in found] == [len(verse) for verse in verses]
