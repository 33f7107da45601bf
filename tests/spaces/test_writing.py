"""Writing: one brief for all, sealed texts, what is refused, forfeits, and what is shown when."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from spaces.seed import Streams
from spaces.space import IllegalAction, InvalidAction, InvalidParams, Outcome
from spaces.writing import Writing
from spaces.writing.forms import FORMS
from spaces.writing.rules import MAX_REPLY, SEATS, State, Text
from spaces.writing.views import constraints_of

SPACE = Writing()
STREAMS = Streams(bytes(32))
RIVER: dict[str, Any] = {
    "form": "poem",
    "subject": "a river that sings",
    "constraints": [{"is": "lines", "count": 2}, {"is": "mention", "word": "copper"}],
}


def session(*texts: str | None, **params: Any) -> State:
    """After these texts in seat order; None is a forfeit. Fewer than five leave seats waiting."""
    state = SPACE.initial(SPACE.params(params or RIVER), STREAMS)
    for seat, text in enumerate(texts):
        if text is None:
            state = SPACE.forfeit(state, seat, STREAMS)
        else:
            state = SPACE.apply(state, seat, SPACE.parse("text", text), STREAMS)
    return state


FIVE = ("one copper\nline", "two", "a copper river\nsings", "four\nlines\nof\ncopper", "five")


def test_the_brief_is_drawn_from_the_seed() -> None:
    briefs = {
        SPACE.initial(SPACE.params({}), Streams(bytes([n]) * 32)).brief.task for n in range(60)
    }
    assert len(briefs) > 50


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id)
def test_what_parameters_fix_is_not_drawn(form: Any) -> None:
    brief = session(form=form.id, subject="the moon", constraints=[]).brief
    assert (brief.form, brief.subject, brief.constraints) == (form.id, "the moon", ())
    assert brief.char_limit == form.char_limit
    assert brief.task == f"Write {form.noun} about the moon"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"form": "novel"}, "form"),
        ({"subject": ""}, "subject"),
        ({"subject": "two\nlines"}, "one line of plain text"),
        ({"subject": "turned \u202earound"}, "one line of plain text"),
        ({"char_limit": 79}, "char_limit"),
        ({"char_limit": 2_001}, "char_limit"),
        ({"time_limit_ms": 1}, "time_limit_ms"),
        ({"constraints": [{"is": "rhymes"}]}, "rhymes"),
        ({"constraints": [{"is": "mention", "word": "Two Words"}]}, "word"),
        ({"constraints": [{"is": "lines", "count": 2, "more": 1}]}, "more"),
        ({"constraints": [{"is": "number"}] * 7}, "constraints"),
        ({"constraints": [{"is": "lines", "count": 2}, {"is": "lines", "count": 3}]}, "together"),
        ({"form": "tweet", "constraints": [{"is": "words", "low": 99, "high": 99}]}, "together"),
        ({"constraints": [{"is": "words", "low": 99, "high": 99}]}, "of 280 characters"),
    ],
)
def test_bad_parameters(raw: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidParams, match=told):
        SPACE.params(raw)


def test_all_seats_owe_a_sealed_text_at_once() -> None:
    decisions = SPACE.decisions(session())
    assert [each.seat for each in decisions] == list(range(SEATS))
    assert all(each.sealed and each.kind == "text" for each in decisions)
    assert {each.time_limit_ms for each in decisions} == {120_000}
    assert [each.seat for each in SPACE.decisions(session("one", None))] == [2, 3, 4]


def test_nobody_sees_a_text_before_all_are_in() -> None:
    state = session(*FIVE[:4])
    for viewer in (None, 3, 4):
        seen = SPACE.observe(state, viewer)
        assert seen["phase"] == "write"
        assert [each["state"] for each in seen["texts"]] == ["in"] * 4 + ["writing"]
        assert all(each["text"] is None and each["met"] is None for each in seen["texts"])
        hidden = [text for seat, text in enumerate(FIVE[:4]) if seat != viewer]
        told = f"{seen}{SPACE.render(state)}{SPACE.headline(state)}{SPACE.prompt(state, 4)}"
        assert not any(repr(text)[1:-1] in told or text in told for text in hidden)
    assert SPACE.observe(state, 3)["your_text"] == FIVE[3]
    assert SPACE.observe(state, 4)["your_text"] is None
    assert "your_text" not in SPACE.observe(state, None)


def test_the_reveal_shows_who_met_what() -> None:
    seen = SPACE.observe(session(*FIVE[:4], None), None)
    assert seen["phase"] == "over"
    assert [each["text"] for each in seen["texts"]] == [*FIVE[:4], None]
    assert [each["met"] for each in seen["texts"]] == [
        [True, True],
        [False, False],
        [True, True],
        [False, True],
        None,
    ]
    assert [each["says"] for each in seen["constraints"]] == [
        "has exactly 2 lines",
        'uses the word "copper"',
    ]


def test_the_constraints_in_an_observation_can_check_a_text() -> None:
    state = session(form="story")
    assert constraints_of(SPACE.observe(state, 0)) == state.brief.constraints


def test_a_random_answer_meets_the_whole_brief() -> None:
    for number in range(200):
        state = SPACE.initial(SPACE.params({}), Streams(number.to_bytes(32, "big")))
        text = SPACE.random_answer("text", SPACE.observe(state, 2), 2, random.Random(number))
        SPACE.check_answer("text", text, SPACE.observe(state, 2), 2)
        assert all(each.met(text) for each in state.brief.constraints)


def test_to_break_a_constraint_is_not_illegal() -> None:
    assert session("no such metal").texts[0] == "no such metal"


def test_a_text_is_normalised() -> None:
    text = SPACE.parse("text", "\r\n  Title\u00a0here \r\n\n\tsecond\x1b[2J line\u200b\n\n")
    assert text == Text("Title here\nsecond[2J line")


@pytest.mark.parametrize("raw", ["", " \n\t\n", "\u200b\u202e\x00"])
def test_an_empty_text_is_refused(raw: str) -> None:
    with pytest.raises(InvalidAction, match="the text is empty"):
        SPACE.parse("text", raw)


def test_what_is_too_long_is_refused_with_both_numbers() -> None:
    with pytest.raises(InvalidAction, match=f"at most {MAX_REPLY} characters, got"):
        SPACE.parse("text", "\n" * (MAX_REPLY + 1))
    state = session(form="tweet")
    assert SPACE.apply(state, 0, Text("x" * 280), STREAMS)
    with pytest.raises(IllegalAction, match="at most 280 characters, got 281"):
        SPACE.apply(state, 0, Text("x" * 281), STREAMS)
    with pytest.raises(IllegalAction, match="at most 280 characters, got 281"):
        SPACE.check_answer("text", "x" * 281, SPACE.observe(state, 0), 0)


@pytest.mark.parametrize("text", ["", "\x1b[2J", "a\n\nb", " a", "a\u202e"])
def test_a_forged_action_cannot_smuggle_what_parsing_removes(text: str) -> None:
    with pytest.raises(IllegalAction, match="not plain text"):
        SPACE.apply(session(), 0, Text(text), STREAMS)


def test_a_seat_writes_once() -> None:
    with pytest.raises(IllegalAction, match="seat 0 has no text to give"):
        SPACE.apply(session("one"), 0, Text("again"), STREAMS)
    with pytest.raises(ValueError, match="owes no decision"):
        SPACE.forfeit(session(None), 0, STREAMS)


@pytest.mark.parametrize(
    ("texts", "outcome"),
    [
        (FIVE, Outcome("complete", None)),
        ((None, "b", None, "d", None), Outcome("complete", None)),
        ((None, None, "c", None, None), Outcome("forfeit", (-1, -1, 4, -1, -1))),
        ((None,) * 5, Outcome("forfeit", (0, 0, 0, 0, 0))),
        (FIVE[:4], None),
    ],
)
def test_who_decides(texts: tuple[str | None, ...], outcome: Outcome | None) -> None:
    assert SPACE.outcome(session(*texts)) == outcome


def test_the_prompt_says_what_is_due_and_is_the_same_for_all() -> None:
    state = session()
    prompt = SPACE.prompt(state, 0)
    assert "Write a poem about a river that sings. " in prompt
    assert "at most 500 characters" in prompt
    assert '- The text uses the word "copper".' in prompt
    assert "Answer with the text only" in prompt
    assert {SPACE.prompt(state, seat) for seat in range(SEATS)} == {prompt}


def test_a_long_subject_does_not_burst_the_headline() -> None:
    assert len(SPACE.headline(session(subject="x" * 120))) == 80


def test_a_state_survives_its_json_form() -> None:
    state = session(*FIVE[:3], form="advert")
    assert msgspec.json.decode(msgspec.json.encode(state), type=State) == state
