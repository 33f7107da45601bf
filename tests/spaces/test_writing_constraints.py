"""What code can check of a text, on examples worked out by hand; and that every brief can be met."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.plain_text import plain_lines
from spaces.seed import Streams
from spaces.writing import counting
from spaces.writing.brief import MAX_CONSTRAINTS, MIN_CONSTRAINTS, draw
from spaces.writing.constraints import (
    Acrostic,
    Avoid,
    Bullets,
    Constraint,
    Ends,
    Hashtags,
    Lines,
    Mention,
    Number,
    Sentences,
    Speech,
    Starts,
    Title,
    Words,
)
from spaces.writing.forms import FORMS, Form
from spaces.writing.plainly import longest, plainly, satisfiable
from spaces.writing.subjects import SUBJECTS
from spaces.writing.vocabulary import ACROSTICS, MENTIONS, OPENINGS, PLAIN, WORN


@pytest.mark.parametrize(
    ("constraint", "meets", "misses"),
    [
        (Words(2, 3), ["one two", "it's well-made now", "#one 2 \u2013"], ["one", "one two three four", "\u2013 ! _"]),
        (Lines(2), ["a\nb"], ["a", "a\nb\nc"]),
        (Sentences(2), ["One. Two!", "One\nTwo", 'He said "go." Then?', "Pay 3.50 now. Thanks…"], ["One.", "One. Two. Three."]),
        (Bullets(2), ["Need:\n- a\n- b", "• a\n* b"], ["- a", "- a\n- b\n-c", "a - b\nc - d", "--\n--"]),
        (Acrostic("hi"), ["Hot\nIce", '"hush\n- in'], ["Hot", "Ice\nHot", "Hot\nIce\nIce", "...\nhi"]),
        (Title(), ["The Sea\nIt is.", "Why?\nNo."], ["The sea.", "The sea.\nIt is.", "x" * 71 + "\ny"]),
        (Mention("lantern"), ["A Lantern!", "two lanterns", "the lantern\u2019s glow", "LANTERN-"], ["lanternfish", "lan tern", ""]),
        (Avoid(("very", "nice")), ["a niece, every one"], ["Very well", "so nice."]),
        (Starts("nobody"), ["Nobody came.", "“nobody”"], ["Then nobody", "nobody's here"]),
        (Ends("?"), ["Why?", 'He said "why?"', "why?)"], ["Why? Because.", "why?!", ""]),
        (Ends("!"), ["Go!"], ["Go."]),
        (Hashtags(2), ["#a and #b2", "#ä #ö"], ["#a", "a#b #c", "#a #b #c", "# a # b", "##a #b"]),
        (Number(), ["at 7"], ["seven", "٤"]),
        (Speech(), ['He said "go".', "“go”"], ["'go'", '""', '"go', '" "', '"a\nb"']),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, msgspec.Struct) else "",
)  # fmt: skip
def test_a_constraint_knows_what_meets_it(
    constraint: Constraint, meets: list[str], misses: list[str]
) -> None:
    assert [text for text in meets if not constraint.met(text)] == []
    assert [text for text in misses if constraint.met(text)] == []
    assert constraint.says.isprintable()
    body = msgspec.json.encode(constraint)
    again: Constraint = msgspec.json.decode(body, type=Constraint)
    assert again == constraint


@given(st.text(max_size=300))
def test_any_text_is_checked_by_every_constraint(text: str) -> None:
    for form in FORMS:
        for recipe in form.recipes:
            for constraint in recipe:
                assert constraint.met(text) in (True, False)


def test_checking_a_hostile_text_takes_no_time() -> None:
    for text in ('"' + "x" * 2_000, "“" * 2_000, '"-' * 1_000, "#" * 2_000, "a-" * 1_000):
        for constraint in (Speech(), Hashtags(2), Words(1, 2), Bullets(2), Sentences(3)):
            constraint.met(text)  # a pattern that backtracks would hang here


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id)
def test_every_drawn_brief_can_be_met(form: Form) -> None:
    """Thousands of seeds of each form, and the plainest text meets each within its limit."""
    for number in range(1_000):
        brief = draw(Streams(number.to_bytes(32, "big")), form_id=form.id)
        assert MIN_CONSTRAINTS <= len(brief.constraints) <= MAX_CONSTRAINTS
        assert len(set(brief.constraints)) == len(brief.constraints)
        for pick in (longest, random.Random(number).choice):
            text = plainly(brief.constraints, brief.char_limit, pick)
            assert text is not None, brief
            assert len(text) <= brief.char_limit
            assert plain_lines(text) == text.split("\n")
            assert all(each.met(text) for each in brief.constraints)


@given(st.binary(min_size=32, max_size=32), st.integers(80, 300))
def test_a_short_limit_leaves_out_what_no_longer_fits(seed: bytes, char_limit: int) -> None:
    brief = draw(Streams(seed), char_limit=char_limit)
    text = plainly(brief.constraints, char_limit, random.Random(seed).choice)
    assert text is not None
    assert len(text) <= char_limit


_ANY = st.lists(
    st.sampled_from([each for form in FORMS for recipe in form.recipes for each in recipe])
    | st.builds(Lines, st.integers(1, 20))
    | st.builds(Avoid, st.lists(st.sampled_from(PLAIN), min_size=1, max_size=5).map(tuple)),
    max_size=6,
)


@given(_ANY, st.integers(80, 2_000), st.integers())
def test_whatever_is_called_satisfiable_is(
    constraints: list[Constraint], char_limit: int, seed: int
) -> None:
    text = plainly(constraints, char_limit, longest)
    assert (text is not None) == satisfiable(constraints, char_limit)
    if text is not None:
        assert all(each.met(text) for each in constraints)
        assert plainly(constraints, char_limit, random.Random(seed).choice) is not None


@pytest.mark.parametrize(
    "constraints",
    [
        (Lines(2), Lines(3)),
        (Words(60, 20),),
        (Mention("lamp"), Avoid(("lamp",))),
        (Starts("if"), Starts("after")),
        (Ends("?"), Ends("!")),
        (Words(400, 400),),
    ],
)
def test_what_contradicts_itself_is_not_satisfiable(constraints: tuple[Constraint, ...]) -> None:
    assert not satisfiable(constraints, 600)


def test_briefs_are_many() -> None:
    briefs = [draw(Streams(number.to_bytes(32, "big"))) for number in range(400)]
    assert {brief.form for brief in briefs} == {form.id for form in FORMS}
    assert len({brief.subject for brief in briefs}) > 80
    assert len({brief.constraints for brief in briefs}) > 300
    used = {type(each) for brief in briefs for each in brief.constraints}
    assert used == set(Constraint.__args__)


@pytest.mark.parametrize(
    "raw",
    [
        {"is": "avoid", "words": ["very\n"]},
        {"is": "mention", "word": "kettle\n"},
        {"is": "starts", "word": "kettle\n"},
        {"is": "acrostic", "word": "bread\n"},
    ],
)
def test_a_word_does_not_end_in_a_new_line(raw: dict[str, object]) -> None:
    """`$` in a pattern would let one through, into the task that judges and agents read."""
    with pytest.raises(msgspec.ValidationError, match="matching regex"):
        msgspec.convert(raw, Constraint)


def test_the_labels_are_the_ones_that_are_documented() -> None:
    streams = Streams(bytes(range(32)))
    brief = draw(streams)
    form = FORMS[streams.below("form", len(FORMS))]
    assert brief.form == form.id
    assert brief.subject == SUBJECTS[streams.below("subject", len(SUBJECTS))]
    recipe = form.recipes[streams.below("constraint:1", len(form.recipes))]
    first = recipe[streams.below("constraint:1:choice", len(recipe))]
    assert brief.constraints[0] == first


def test_the_lists_of_words_do_not_meet() -> None:
    subjects = counting.words(" ".join(SUBJECTS))
    worn = [word for words in WORN for word in words]
    lists = (MENTIONS, worn, OPENINGS, PLAIN)
    for index, one in enumerate(lists):
        assert len(set(one)) == len(one)
        for other in lists[index + 1 :]:
            assert not [word for word in one if counting.says(other, word)]
    assert not [word for word in (*worn, *MENTIONS) if counting.says(subjects, word)]
    assert len(set(ACROSTICS)) == len(ACROSTICS)


def test_the_subjects_are_many_and_different_and_plain() -> None:
    assert len(set(SUBJECTS)) == len(SUBJECTS) >= 100
    assert all(plain_lines(subject) == [subject] and len(subject) <= 60 for subject in SUBJECTS)
