"""Transcripts as turns: what was asked before each answer, what was said, and what came of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces import registry
from spaces.seed import Streams
from spaces.space import Outcome
from spaces.transcript import TranscriptError, read
from tests.conformance.rig import Dice
from tests.playthroughs.recorded import FOLDER
from tests.training.letters import Letters
from tests.training.sessions import bidding, cid_of, played
from training.chat import Message
from training.trajectory.returns import Verdict, return_milli, standings
from training.trajectory.tokens import FAULT_MILLI, tokens
from training.trajectory.turn import SeatRecord, Turn
from training.trajectory.unroll import unroll

SYSTEM = "You bid well."
RECORDED = [
    pytest.param(
        path,
        id=path.name.partition(".")[0],
        # Loading its puzzles takes seconds.
        marks=[pytest.mark.slow] if path.name.startswith("logic") else [],
    )
    for path in sorted(FOLDER.glob("*.transcript.json"))
]


def turns_of(records: tuple[SeatRecord, ...]) -> list[Turn]:
    return sorted(
        (turn for record in records for turn in record.turns),
        key=lambda turn: (turn.number, turn.seat, turn.attempt),
    )


# ------------------------------------------------------------------ what was asked and said


@given(st.integers(0, 400), st.sampled_from([Dice(), Dice(fault=0.4), Dice(0.3, 0.05)]))
@settings(max_examples=40, deadline=None)
def test_answering_the_turns_again_plays_the_same_session(number: int, dice: Dice) -> None:
    """Each question is the one of the state in which it was asked: playing by the answers alone, the
    rules ask the same questions."""
    session = played("bid-tac-toe", number, {"chips": 20}, dice)
    space, streams = session.space, Streams(session.seed)
    state = space.initial(space.params({"chips": 20}), streams)
    for turn in turns_of(unroll(session.document(), SYSTEM)):
        if not turn.legal:
            continue
        asked = turn.messages[-1].content.partition("\n\nYour first answer did not count")[0]
        assert turn.messages[0] == Message("system", SYSTEM)
        assert asked == space.prompt(state, turn.seat)
        action = space.parse(turn.kind, turn.completion)
        state = space.apply(state, turn.seat, action, streams)
    assert space.outcome(state) == session.outcome or dice.forfeit


@pytest.mark.parametrize("path", RECORDED)
def test_every_recorded_session_unrolls(path: Path) -> None:
    document = path.read_bytes()
    told = read(document)
    space = registry.get(told.space)
    verdict = Verdict(ranks=tuple(range(1, space.seats + 1)))
    records = unroll(document, SYSTEM, verdict=verdict)
    if told.outcome.termination == "void":
        assert records == ()
        return
    accepted = [entry for entry in told.entries if entry.type == "action"]
    faults = [entry for entry in told.entries if entry.type == "fault"]
    turns = turns_of(records)
    assert sum(turn.legal for turn in turns) == len(accepted)
    assert sum(not turn.legal for turn in turns) == len(faults)
    assert sum(record.return_milli for record in records) == 0
    for turn in turns:
        assert turn.session == cid_of(document)
        if turn.legal:
            said = space.parse(turn.kind, turn.completion)
            assert any(
                space.stamp(said, entry.body.get("elapsed_ms", 0))
                == space.decode_action(entry.body["action"])
                for entry in accepted
            )


def test_what_no_judge_could_see_is_not_learnt() -> None:
    """A recorded rapper hid an escape sequence and a zero-width space in his reply."""
    document = (FOLDER / "rap_battle_default.transcript.json").read_bytes()
    raws = [entry.body["raw"] for entry in read(document).entries if entry.type == "action"]
    assert any("\x1b" in raw for raw in raws)
    for turn in turns_of(unroll(document, SYSTEM, verdict=Verdict(ranks=(1, 2)))):
        assert all(line.isprintable() for line in turn.completion.split("\n"))


def test_the_second_question_says_why_the_first_answer_did_not_count() -> None:
    session = played("bid-tac-toe", 3, {"chips": 20}, Dice(fault=1.0))
    first, second, *_ = unroll(session.document(), SYSTEM)[0].turns
    assert (first.legal, first.attempt, first.completion) == (False, 1, "")
    assert first.reason == "no answer found"
    assert (second.legal, second.attempt) == (True, 2)
    assert second.messages[-1].content == (
        f"{first.messages[-1].content}\n\nYour first answer did not count: no answer found"
    )


def test_questions_may_be_asked_in_another_way() -> None:
    class Loud:
        name = "loud/1"

        def ask(self, space: object, state: object, seat: int, kind: str, system: str):  # type: ignore[no-untyped-def]
            return (Message("user", f"{kind}, seat {seat}!"),)

    records = unroll(bidding(1), SYSTEM, Loud())
    assert records[1].turns[0].messages == (Message("user", "bid, seat 1!"),)


def test_a_forged_transcript_teaches_nothing() -> None:
    with pytest.raises(TranscriptError, match="not the hash"):
        unroll(bidding(1).replace(b'"kind":"bid"', b'"kind":"bit"', 1), SYSTEM)


def test_players_and_verdicts_are_of_as_many_seats() -> None:
    with pytest.raises(ValueError, match="1 players for 2 seats"):
        unroll(bidding(1), SYSTEM, players=["me@v1"])
    with pytest.raises(ValueError, match="over 3 seats for 2"):
        unroll(bidding(1), SYSTEM, verdict=Verdict(ranks=(1, 2, 3)))


# ------------------------------------------------------------------ what came of it


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=8))
@settings(deadline=None)
def test_returns_are_bounded_ordered_and_add_up(returns: list[int]) -> None:
    milli = [return_milli(returns, seat) for seat in range(len(returns))]
    assert all(-1_000 <= each <= 1_000 for each in milli)
    assert abs(sum(milli)) <= len(returns) / 2  # rounding
    for one, mine in zip(returns, milli, strict=True):
        for other, theirs in zip(returns, milli, strict=True):
            assert (one > other) == (mine > theirs)


def test_two_seats_win_draw_and_lose() -> None:
    assert [return_milli((1, -1), seat) for seat in (0, 1)] == [1_000, -1_000]
    assert [return_milli((0, 0), seat) for seat in (0, 1)] == [0, 0]
    assert [return_milli((90, 10, 10, 5, 0), seat) for seat in range(5)] == [
        1_000,
        250,
        250,
        -500,
        -1_000,
    ]


def test_judged_sessions_are_ranked_by_their_verdict_and_by_rules_before_it() -> None:
    verdict = Verdict(ranks=(2, 1), totals_milli=(6_100, 7_000))
    judged = standings(Outcome("complete", None), verdict)
    assert judged is not None
    assert [(each.return_milli, each.score_milli) for each in judged] == [
        (-1_000, 6_100),
        (1_000, 7_000),
    ]
    assert standings(Outcome("complete", None)) is None
    forfeited = standings(Outcome("forfeit", (1, -1)), verdict)
    assert forfeited is not None
    assert [each.return_milli for each in forfeited] == [1_000, -1_000]
    assert standings(Outcome("void", None), verdict) is None


# ------------------------------------------------------------------ tokens


@given(st.integers(0, 60))
@settings(max_examples=20, deadline=None)
def test_the_loss_is_on_answers_and_the_reward_at_their_end(number: int) -> None:
    letters = Letters()
    for record in unroll(bidding(number), SYSTEM):
        told = tokens(record, letters)
        shape = len(told.ids)
        assert {len(told.loss_mask), len(told.outcome), len(told.format)} == {shape}
        assert len(told.turns) == len(record.turns)
        for span, turn in zip(told.turns, record.turns, strict=True):
            assert letters.decode(told.ids[span.answer : span.stop]) == turn.completion
            assert told.ids[span.stop - 1] == letters.eos_token_id
            assert set(told.loss_mask[span.start : span.answer]) == {0}
            assert set(told.loss_mask[span.answer : span.stop]) == {1}
        assert sum(told.rewards_milli) == record.return_milli
        if record.turns:
            assert told.rewards_milli[-1] == record.return_milli


def test_a_fault_whose_words_are_known_costs_at_its_own_end() -> None:
    base = unroll(bidding(2), SYSTEM)[0]
    bad = Turn(
        session=base.session,
        seat=0,
        number=1,
        kind="bid",
        attempt=1,
        messages=base.turns[0].messages,
        completion="seven",
        legal=False,
        reason="no bid found",
    )
    silent = Turn(**{**{f: getattr(bad, f) for f in bad.__struct_fields__}, "completion": ""})
    record = SeatRecord(
        **{
            **{f: getattr(base, f) for f in base.__struct_fields__},
            "turns": (bad, silent, *base.turns),
        }
    )
    told = tokens(record, Letters())
    assert len(told.turns) == len(base.turns) + 1
    assert told.format[told.turns[0].stop - 1] == FAULT_MILLI
    assert sum(told.format) == FAULT_MILLI
