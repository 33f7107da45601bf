"""Prediction: question, sealed forecasts, cut-off, resolution; what is refused and what is never told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from spaces.prediction import Prediction
from spaces.prediction.answers import Probability, Quantiles
from spaces.prediction.observations import commitment
from spaces.prediction.state import State
from spaces.seed import Streams
from spaces.space import (
    IllegalAction,
    Inquiry,
    InvalidObservation,
    InvalidParams,
    Observation,
    Outcome,
)

SPACE = Prediction()
STREAMS = Streams(bytes(32))
FILE = "ab" * 32
SERIES = "the price of tea"
ROW = 41
HISTORY = ["10", "11", "10", "11", "10", "11", "10", "11"]
"""One step away each time, two steps later the same: a scale of 1."""
SMALL: dict[str, Any] = {"questions": 1, "history": 8, "horizon": 2}


def opened(**params: Any) -> State:
    return SPACE.initial(SPACE.params(SMALL | params), STREAMS)


def question(state: State, **changes: Any) -> Observation:
    draw = asked(state).ask["draw"]
    value = {
        "history": HISTORY,
        "horizon": state.params.horizon,
        "unit": "USD",
        "commit": commitment(draw, FILE, SERIES, ROW),
    }
    value |= changes
    return Observation(
        "recorded series, commitment sha256:…",
        {key: one for key, one in value.items() if one is not None},
    )


def resolution(worth: str, **changes: Any) -> Observation:
    told = {
        "value": worth,
        "at": "1901-05-01",
        "series": SERIES,
        "file": FILE,
        "row": ROW,
    } | changes
    return Observation(
        "tea.csv, row 43", {key: one for key, one in told.items() if one is not None}
    )


def asked(state: State) -> Inquiry:
    inquiry = SPACE.inquiry(state)
    assert inquiry is not None
    return inquiry


def learned(state: State, observation: Observation) -> State:
    return SPACE.learn(state, observation, STREAMS)


def put(**params: Any) -> State:
    """A session whose question has arrived."""
    state = opened(**params)
    return learned(state, question(state))


def said(state: State, answers: Sequence[str | None]) -> State:
    """Seat by seat; None is a forfeit."""
    for seat, text in enumerate(answers):
        if text is None:
            state = SPACE.forfeit(state, seat, STREAMS)
        else:
            action = SPACE.parse(state.params.kind, text)
            state = SPACE.apply(state, seat, action, STREAMS)
    return state


FIVE = ("quantiles: 9 10 11 12 13",) * 5


def test_a_question_is_asked_before_anybody_decides() -> None:
    state = opened()
    assert SPACE.decisions(state) == ()
    inquiry = asked(state)
    assert (inquiry.kind, inquiry.delay_ms) == ("question", 0)
    assert inquiry.ask == {
        "feed": "recorded",
        "series": "",
        "draw": state.draws[0],
        "history": 8,
        "horizon": 2,
    }


def test_a_later_question_names_the_windows_that_are_used() -> None:
    state = put(questions=3)
    for used in ([], [{"series": SERIES, "row": ROW}]):
        assert asked(said(state, FIVE)).ask.get("used", []) == used
        state = learned(said(state, FIVE), resolution("11"))
        state = learned(state, question(state))
    assert asked(said(state, FIVE)).ask["used"] == [{"series": SERIES, "row": ROW}] * 2


def test_a_history_near_the_limit_of_numbers_is_shown_and_scored() -> None:
    edge = ["99999999999998", "0"] * 4
    state = opened()
    state = learned(state, question(state, history=edge))
    for _ in range(5):
        SPACE.observe(state, None)
        SPACE.prompt(state, 0)
        seat = SPACE.decisions(state)[0].seat
        state = SPACE.apply(
            state, seat, SPACE.parse("quantiles", "quantiles: -1e14 0 1 2 9e14"), STREAMS
        )
    ended = learned(state, resolution("100000000000000"))
    SPACE.observe(ended, None)
    SPACE.notes(ended)
    assert SPACE.outcome(ended) is not None


def test_all_decide_at_once_until_the_cut_off() -> None:
    decisions = SPACE.decisions(put(cutoff_s=45))
    assert [one.seat for one in decisions] == [0, 1, 2, 3, 4]
    assert all(one.sealed and one.time_limit_ms == 45_000 for one in decisions)
    assert {one.kind for one in decisions} == {"quantiles"}


def test_the_resolution_is_a_step_of_its_own() -> None:
    state = said(put(), FIVE)
    inquiry = asked(state)
    assert (inquiry.kind, inquiry.delay_ms) == ("resolution", 0)
    assert inquiry.ask == asked(opened()).ask, "the same window, so any host finds the same value"
    assert SPACE.decisions(state) == ()
    assert SPACE.outcome(state) is None
    ended = learned(state, resolution("11"))
    assert SPACE.inquiry(ended) is None
    assert SPACE.outcome(ended) == Outcome("complete", (-280_000,) * 5)


def test_a_live_question_waits_for_its_horizon_in_real_time() -> None:
    live = {"feed": "live", "series": "BTC/USDT", "horizon": 3, "step_s": 60, "cutoff_s": 60}
    state = opened(**live)
    assert asked(state).ask["step_s"] == 60
    state = learned(state, question(state, commit=None, after_ms=1_000))
    state = said(state, FIVE)
    inquiry = asked(state)
    assert (inquiry.delay_ms, inquiry.limit_ms) == (180_000, 780_000)
    assert inquiry.ask["after_ms"] == 1_000


def test_a_live_horizon_that_could_be_seen_before_the_cut_off_is_refused() -> None:
    live = {"feed": "live", "series": "BTC/USDT", "step_s": 60, "cutoff_s": 60}
    with pytest.raises(InvalidParams, match="horizon is at least 3"):
        opened(**live, horizon=2)
    assert opened(**live, horizon=3)


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"kind": "probability", "score": "crps"}, "cannot score"),
        ({"kind": "quantiles", "score": "brier"}, "cannot score"),
        ({"threshold": "5"}, "threshold"),
        ({"kind": "probability", "threshold": "5.0"}, "threshold"),
        ({"levels": []}, "levels"),
        ({"levels": [50, 25]}, "levels"),
        ({"levels": [25, 25]}, "levels"),
        ({"levels": [0, 50]}, "levels"),
        ({"history": 8, "horizon": 5}, "history"),
        ({"feed": "live"}, "needs a series"),
        ({"feed": "dream"}, "feed"),
        ({"series": "a\nb"}, "plain text"),
        ({"questions": 0}, "questions"),
    ],
)
def test_bad_parameters_are_named(raw: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidParams, match=named):
        SPACE.params(SMALL | raw)


def test_each_question_has_a_draw_of_its_own_from_the_seed() -> None:
    draws = opened(questions=10).draws
    assert len(set(draws)) == 10
    assert opened(questions=3).draws == draws[:3]
    assert SPACE.initial(SPACE.params(SMALL), Streams(bytes([1]) * 32)).draws[0] != draws[0]
    assert all(int(draw) < 2**128 for draw in draws)


def test_scores_and_forfeits_by_hand() -> None:
    exact = "quantiles: 13, 13, 13, 13, 13"
    state = said(
        put(), ["quantiles: 9 10 11 12 13", exact, None, "quantiles: 11 11 11 11 11", None]
    )
    ended = learned(state, resolution("13"))
    # scale 1; pinball of (9, 10, 11, 12, 13) at 13: .05*4 + .25*3 + .5*2 + .75 = 2.7, times 2/5
    assert SPACE.outcome(ended) == Outcome(
        "complete", (-1_080_000, 0, -4_000_000, -2_000_000, -4_000_000)
    )


@pytest.mark.parametrize(
    ("value", "happened"), [("10.9", False), ("11", False), ("11.000000001", True)]
)
def test_above_is_above_the_last_value(value: str, happened: bool) -> None:
    state = said(put(kind="probability"), ["0.9", None, "1", "0", "0.5"])
    outcome = SPACE.outcome(learned(state, resolution(value)))
    assert outcome is not None
    lost = (-10_000, -1_000_000, 0, -1_000_000, -250_000)
    won = (-810_000, -1_000_000, -1_000_000, 0, -250_000)
    assert outcome.returns == (lost if happened else won)


def test_a_threshold_may_be_given() -> None:
    state = put(kind="probability", threshold="20")
    assert "above 20?" in SPACE.prompt(state, 0)
    outcome = SPACE.outcome(learned(said(state, ["0"] * 5), resolution("19")))
    assert outcome == Outcome("complete", (0,) * 5)


def test_the_log_score_bounds_what_may_be_said() -> None:
    state = put(kind="probability", score="log")
    with pytest.raises(IllegalAction, match=r"from 0\.001 to 0\.999, got 1"):
        said(state, ["1"])
    outcome = SPACE.outcome(
        learned(said(state, ["0.5", "0.001", None, "0.999", "0.5"]), resolution("12"))
    )
    assert outcome is not None
    assert outcome.returns == (-693_147, -6_907_755, -6_907_755, -1_001, -693_147)


def test_totals_add_up_over_questions() -> None:
    state = opened(questions=2)
    for value in ("13", "11"):
        state = learned(said(learned(state, question(state)), FIVE), resolution(value))
    assert SPACE.outcome(state) == Outcome("complete", (-1_080_000 - 280_000,) * 5)
    assert SPACE.observe(state, None)["totals_micros"] == [-1_360_000] * 5
    notes = SPACE.notes(state)
    assert [note.body["question"] for note in notes] == [1, 2]
    assert notes[0].body["scores_micros"] == [-1_080_000] * 5
    assert notes[0].body["scale"] == ["1", "1"]


def test_nobody_answers_anything() -> None:
    ended = learned(said(put(), [None] * 5), resolution("11"))
    assert SPACE.outcome(ended) == Outcome("forfeit", (-2_000_000,) * 5)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("quantiles: 9, 10, 11, 12", "5 quantiles are asked for, got 4"),
        ("quantiles: 9, 10, 9.5, 12, 13", r"q50 is 9\.5, below q25, which is 10"),
        ("quantiles: 9, 10, 11, 12, 1012", "q95 is from -989 to 1011, got 1012"),
        (
            '{"q10": 1, "q25": 2, "q50": 3, "q75": 4, "q95": 5}',
            "asked for are q05, q25, q50, q75, q95",
        ),
    ],
)
def test_illegal_quantiles_are_named(text: str, named: str) -> None:
    state = put()
    with pytest.raises(IllegalAction, match=named):
        said(state, [text])
    with pytest.raises(IllegalAction, match=named):
        SPACE.check_answer("quantiles", text, SPACE.observe(state, 0), 0)


def test_the_wrong_kind_and_the_wrong_time_are_refused() -> None:
    state = put()
    with pytest.raises(IllegalAction, match="asks for quantiles"):
        SPACE.apply(state, 0, Probability("0.5"), STREAMS)
    once = said(state, FIVE[:1])
    with pytest.raises(IllegalAction, match="seat 0 has no forecast"):
        said(once, FIVE[:1])
    five = Quantiles(("9", "10", "11", "12", "13"))
    for idle in (opened(), said(state, FIVE)):
        with pytest.raises(IllegalAction, match="no forecast"):
            SPACE.apply(idle, 0, five, STREAMS)
        with pytest.raises(ValueError, match="owes no decision"):
            SPACE.forfeit(idle, 0, STREAMS)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"history": HISTORY[1:]}, "7 values for 8"),
        ({"history": [*HISTORY[1:], "1e3"]}, "history"),
        ({"history": [*HISTORY[1:], 11]}, "history"),
        ({"history": ["10"] * 8}, "does not move"),
        ({"history": ["999999999999999", "-999999999999999"] * 4}, "moves too far"),
        ({"history": ["99999999999999", "-1"] * 4}, "moves too far"),
        ({"horizon": 3}, "horizon 3 for 2"),
        ({"commit": None}, "without its commitment"),
        ({"commit": "xyz"}, "commit"),
        ({"unit": "US\x1b[2JD"}, "plain text"),
        ({"future": ["12"]}, "future"),
    ],
)
def test_a_question_that_does_not_fit_is_refused(changes: dict[str, Any], named: str) -> None:
    state = opened()
    with pytest.raises(InvalidObservation, match=named):
        learned(state, question(state, **changes))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"row": ROW + 1}, "not what the question committed to"),
        ({"series": "another one"}, "not what the question committed to"),
        ({"file": "cd" * 32}, "not what the question committed to"),
        ({"file": None}, "not opened"),
        ({"value": "1000013"}, "out of all proportion"),
        ({"value": "nan"}, "value"),
        ({"at": ""}, "at"),
        ({"at": "\u202e"}, "plain text"),
    ],
)
def test_a_resolution_that_does_not_fit_is_refused(changes: dict[str, Any], named: str) -> None:
    state = said(put(), FIVE)
    with pytest.raises(InvalidObservation, match=named):
        learned(state, resolution("11", **changes))


def test_an_answer_that_nobody_asked_for_is_refused() -> None:
    state = put()
    with pytest.raises(InvalidObservation, match="nothing was asked"):
        learned(state, question(opened()))


def test_what_is_secret_is_in_no_view_before_its_time() -> None:
    """Neither the draw, which finds the window, nor a forecast that is not the viewer's."""
    state = put()
    for seat in range(4):
        state = said_by(state, seat, f"quantiles: 9, 10, 11, 12, 12.{seat}77")
        for viewer in (None, *range(5)):
            told = json.dumps(SPACE.observe(state, viewer)) + SPACE.render(state)
            told += SPACE.headline(state) + SPACE.prompt(state, 4)
            assert state.draws[0] not in told
            assert SERIES not in told
            for other in range(5):
                assert (f"12.{other}77" in told) == (other == viewer and other <= seat)


def said_by(state: State, seat: int, text: str) -> State:
    return SPACE.apply(state, seat, SPACE.parse(state.params.kind, text), STREAMS)


def test_the_view_opens_the_commitment_when_all_is_over() -> None:
    resolving = said(put(), FIVE)
    (before,) = SPACE.observe(resolving, None)["asked"]
    assert before["forecasts"] == [["9", "10", "11", "12", "13"]] * 5
    assert before["resolution"] is None
    assert resolving.draws[0] not in json.dumps(SPACE.observe(resolving, 0))
    (after,) = SPACE.observe(learned(resolving, resolution("11")), None)["asked"]
    told = after["resolution"]
    assert after["commit"] == commitment(told["salt"], told["file"], told["series"], told["row"])
    assert (told["value"], told["at"], told["source"]) == ("11", "1901-05-01", "tea.csv, row 43")
    assert after["scores_micros"] == [-280_000] * 5


def test_the_commitment_is_as_written() -> None:
    """A verifier in any language computes it so."""
    document = b'{"draw":"7","file":"aa","row":3,"series":"tea","v":"agon-question/1"}'
    assert commitment("7", "aa", "tea", 3) == hashlib.sha256(document).hexdigest()


def test_the_prompt_is_short_and_ends_with_the_format() -> None:
    state = put()
    prompt = SPACE.prompt(state, 0)
    assert len(prompt) < 700
    assert "10 11 10 11 10 11 10 11" in prompt
    assert "The last value is 11. The usual change is about 1." in prompt
    assert prompt.endswith("quantiles: NUMBER, NUMBER, NUMBER, NUMBER, NUMBER")
    assert SPACE.prompt(put(kind="probability"), 0).endswith("\nprobability: NUMBER")


def test_the_schema_admits_an_answer_that_parses() -> None:
    view = SPACE.observe(put(), 0)
    schema = SPACE.answer_schema("quantiles", view, 0)
    assert schema is not None
    assert schema["required"] == ["q05", "q25", "q50", "q75", "q95"]
    answer = json.dumps(dict(zip(schema["required"], (9, 10, 11.5, 12, 13), strict=True)))
    SPACE.check_answer("quantiles", answer, view, 0)


def test_states_are_plain_data() -> None:
    state = learned(said(put(), FIVE), resolution("11"))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=State) == state
