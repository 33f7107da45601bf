"""Logic: rounds, points, time, notes, and what is seen when."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from spaces import canonical
from spaces.logic import Logic, puzzles
from spaces.logic.answers import MAX_ANSWER, Answer
from spaces.logic.catalogue import GENERATORS, TOPICS
from spaces.logic.rules import SEATS, TIME_RANGE, State
from spaces.seed import Streams
from spaces.space import IllegalAction, InvalidAction, InvalidParams
from spaces.transcript import TranscriptError, read, replay
from tests.conformance.rig import Dice, play, seed_of

LOGIC = Logic()
STREAMS = Streams(seed_of(7))


def opened(**params: Any) -> State:
    return LOGIC.initial(LOGIC.params({"topics": ["chain_sum"], **params}), STREAMS)


def say(state: State, seat: int, text: str, elapsed_ms: int = 1_000) -> State:
    action = LOGIC.stamp(LOGIC.parse("answer", f"answer: {text}"), elapsed_ms)
    return LOGIC.apply(state, seat, action, STREAMS)


def solution(state: State) -> str:
    assert state.puzzle is not None
    return state.puzzle.solution


def test_points_come_first_and_then_the_shorter_time() -> None:
    state = opened(rounds=1)
    right = solution(state)
    for seat, (text, elapsed_ms) in enumerate(
        [(right, 9_000), ("no idea", 10), (right, 2_000), (right, 9_000)]
    ):
        state = say(state, seat, text, elapsed_ms)
    state = LOGIC.forfeit(state, 4, STREAMS)
    outcome = LOGIC.outcome(state)
    assert outcome is not None
    assert outcome.returns is not None
    first, wrong, fast, tied, forfeited = outcome.returns
    assert first == tied == 1_000 * TIME_RANGE - 9_000
    assert fast == 1_000 * TIME_RANGE - 2_000
    assert wrong == forfeited == -60_000
    assert LOGIC.observe(state, None)["ranks"] == [2, 4, 1, 2, 4]


def test_a_fast_guess_that_earns_nothing_gains_no_time() -> None:
    state = opened(rounds=1)
    for seat in range(SEATS):
        state = say(state, seat, "no idea", 1 + seat)
    assert state.times_ms == (60_000,) * SEATS


@pytest.mark.parametrize(
    ("generator", "junk"),
    [
        ("fraction_simplification", "0/1"),
        ("prime_factorization", "2 \u00d7 2"),
        ("color_cube_rotation", "zq"),
        ("palindrome_generation", "zq"),
        ("maze", "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"),
        ("leg_counting", " ".join(str(number) for number in range(100))),
    ],
)
def test_what_a_scorer_pays_for_anything_earns_neither_points_nor_time(
    generator: str, junk: str
) -> None:
    state = opened(rounds=1, topics=[generator])
    state = say(state, 0, junk, 200)
    for seat in range(1, SEATS):
        state = say(state, seat, "I worked on it and do not know", 20_000)
    outcome = LOGIC.outcome(state)
    assert outcome is not None
    assert outcome.returns == (-60_000,) * SEATS, "a tie of all"
    assert LOGIC.observe(state, None)["ranks"] == [1] * SEATS
    note = LOGIC.notes(state)[-1].body
    assert note["scores"] == [0] * SEATS
    assert note["marks"][0] > 0, "kept beside the points"


def test_the_puzzle_is_the_same_for_all_and_another_every_round() -> None:
    state = opened(rounds=3)
    prompts = {LOGIC.prompt(state, seat) for seat in range(SEATS)}
    assert len(prompts) == 1
    questions = []
    while state.puzzle is not None:
        questions.append(state.puzzle.question)
        for seat in range(SEATS):
            state = LOGIC.forfeit(state, seat, STREAMS)
    assert len(set(questions)) == 3


def test_no_generator_comes_twice_before_all_have_come() -> None:
    for number in range(20):
        log = play(LOGIC, {"rounds": 8, "topics": ["paths"]}, number).state.log
        names = [past.puzzle.generator for past in log]
        assert len(set(names[:4])) == len(set(names[4:])) == 4


def test_answers_and_solutions_appear_together_when_the_last_is_in() -> None:
    state = opened()
    right = solution(state)
    state = say(state, 0, "the sealed words")
    seen = LOGIC.observe(state, 1)
    assert seen["answers_in"] == [True, False, False, False, False]
    assert seen["your_answer"] is None
    assert LOGIC.observe(state, 0)["your_answer"] == "the sealed words"
    everything = f"{seen}{LOGIC.observe(state, None)}{LOGIC.render(state)}{LOGIC.notes(state)}"
    assert "sealed words" not in everything
    assert "metadata" not in everything
    for seat in range(1, SEATS):
        state = say(state, seat, right)
    past = LOGIC.observe(state, None)["log"][0]
    assert past["answers"] == ["the sealed words", *[right] * 4]
    assert past["solution"] == right
    assert past["scores"] == [0, 1000, 1000, 1000, 1000]


def test_a_seat_answers_once() -> None:
    state = say(opened(), 0, "1")
    with pytest.raises(IllegalAction, match="seat 0 has no answer to give now"):
        say(state, 0, "2")


def test_an_answer_that_no_text_gives_is_refused() -> None:
    for text in ("two\nlines", "x" * (MAX_ANSWER + 1), " ", "\x1b[2J"):
        with pytest.raises(IllegalAction, match="one plain line"):
            LOGIC.apply(opened(), 0, Answer(text), STREAMS)


def test_time_is_never_more_than_the_limit() -> None:
    state = opened(rounds=1, limit_ms=5_000)
    for seat in range(SEATS):
        state = say(state, seat, solution(state) if seat == 0 else "x", 599_000)
    assert state.times_ms == (5_000,) * SEATS


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"topics": ["astrology"]}, "no topic 'astrology'; there are arithmetic"),
        ({"rounds": 0}, "rounds"),
        ({"level": "brutal"}, "level"),
        ({"limit_ms": 1}, "limit_ms"),
    ],
)
def test_unknown_parameters_name_what_is_known(raw: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidParams, match=told):
        LOGIC.params(raw)


@pytest.mark.parametrize("name", [*TOPICS, *GENERATORS])
def test_every_topic_and_every_generator_can_be_asked_for(name: str) -> None:
    state = opened(topics=[name], level="hard")
    assert state.puzzle is not None
    assert name in (state.puzzle.generator, GENERATORS[state.puzzle.generator].topic)


def test_the_transcript_alone_is_enough_to_score_again() -> None:
    for number in range(10):
        session = play(LOGIC, {"rounds": 4, "level": "medium"}, number, Dice(forfeit=0.2))
        told = [entry.body for entry in read(session.document()).entries if entry.type == "note"]
        assert [note["kind"] for note in told] == ["puzzle", "scores"] * 4
        points = [0] * SEATS
        for note in told[1::2]:
            again = puzzles.rescore(note["body"])
            assert [score.points for score in again] == note["body"]["scores"]
            assert [score.mark for score in again] == note["body"]["marks"]
            points = [sum(pair) for pair in zip(points, note["body"]["scores"], strict=True)]
        assert points == LOGIC.observe(session.state, None)["points"]


def test_a_note_that_was_changed_does_not_replay() -> None:
    session = play(LOGIC, {"rounds": 1}, 3)
    for draft, _ in session.log:
        if draft.type == "note" and draft.body["kind"] == "scores":
            draft.body["body"]["solution"] = "another"
    with pytest.raises(TranscriptError, match="note differs from the rules' 'scores'"):
        replay(read(session.document()))


def test_another_version_of_the_library_replays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    session = play(LOGIC, {"rounds": 1}, 3)
    monkeypatch.setattr(puzzles, "installed", lambda: "0.1.99")
    with pytest.raises(
        TranscriptError, match=r"played with reasoning-gym .*, installed is 0\.1\.99"
    ):
        replay(read(session.document()))


def test_a_note_scored_with_another_version_is_refused() -> None:
    body = LOGIC.notes(play(LOGIC, {}, 3).state)[1].body
    with pytest.raises(puzzles.OtherLibrary, match=r"scored with reasoning-gym 0\.1\.0"):
        puzzles.rescore({**body, "library": "reasoning-gym 0.1.0"})
    with pytest.raises(ValueError, match="no note of scores"):
        puzzles.rescore({**body, "library": "reasoning-gym 1; rm -rf ~"})
    with pytest.raises(ValueError, match="no generator 'countdown'"):
        puzzles.rescore({**body, "generator": "countdown"})
    with pytest.raises(ValueError, match="missing required field `entry`"):
        puzzles.rescore({key: value for key, value in body.items() if key != "entry"})


def test_a_scorer_that_fails_gives_nothing_and_says_so() -> None:
    state = opened(rounds=1, topics=["prime_factorization"])
    for seat in range(SEATS):
        state = say(state, seat, "two by three" if seat == 1 else solution(state))
    scores = LOGIC.notes(state)[-1].body
    assert scores["scores"] == [1000, 0, 1000, 1000, 1000]
    assert scores["scorer_failed"] == [1]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("answer: 42", "42"),
        ("Let me think.\nAnswer: 41\nNo.\n**Answer:** 42", "42"),
        ('{"answer": "42"}', "42"),
        ('answer: 41\n```json\n{"answer": 42, "why": "sum"}\n```', "42"),
        ('{"answer": "41"} but rather\n> answer = A# #B', "A# #B"),
        ('answer: 42\n{"answer": null_}', "42"),
        ("answer: 42\nanswer:   ", "42"),
        ("answer: `right right down`", "right right down"),
        ('{"answer": ["1", "2"]}', '["1", "2"]'),
        ("ANSWER:\u00a042\u200b\x1b", "42"),
    ],
)
def test_the_last_well_formed_answer_counts(text: str, answer: str) -> None:
    assert LOGIC.parse("answer", text) == Answer(answer)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        "the answer is 42",
        '{"answer": }',
        '{"answer": "a\\nb"}',
        "answer:",
        '{"answer": ""}',
    ],
)
def test_what_is_no_answer_is_told_the_format(text: str) -> None:
    with pytest.raises(InvalidAction, match="no answer found; end with one line `answer: YOUR"):
        LOGIC.parse("answer", text)


def test_a_long_answer_is_refused() -> None:
    with pytest.raises(InvalidAction, match=f"at most {MAX_ANSWER} characters, got 5000"):
        LOGIC.parse("answer", "answer: " + "9" * 5_000)


def test_parsing_a_long_hostile_text_is_quick() -> None:
    for piece in ("{", "answer", "answer:", "* ", '{"answer":', "{}", "\n>", "answer \t"):
        text = piece * (16_384 // len(piece))
        try:
            LOGIC.parse("answer", text)
        except InvalidAction:
            continue


def test_a_session_leaves_pythons_own_random_generator_alone() -> None:
    before = random.getstate()
    play(LOGIC, {"rounds": 10, "level": "hard"}, 5)
    assert random.getstate() == before


def test_the_longest_session_fits_into_a_transcript() -> None:
    session = play(LOGIC, {"rounds": 10, "level": "hard"}, 2)
    assert len(session.document()) < 200_000
    assert len(canonical.encode(LOGIC.observe(session.state, None))) < 50_000
    assert len(msgspec.msgpack.encode(session.state)) < 50_000
