"""Transcripts with answers of an oracle, notes, stamped actions and annotations: no lie about them
replays. The Space is the tests' Tides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from spaces import registry
from spaces.space import Outcome
from spaces.transcript import Draft, TranscriptError, order, read, replay
from spaces.transcript.annotations import MAX_ANNOTATIONS, MAX_BYTES
from spaces.transcript.observations import MAX_SOURCE_CHARS, MAX_VALUE_BYTES
from tests.conformance.rig import Dice, Session, play
from tests.conformance.tides import Tides
from tests.spaces.test_transcript import (
    Lie,
    both,
    drop,
    edit,
    event,
    find,
    nothing,
    put,
    resealed,
    sign,
)

TIDES = Tides()


@pytest.fixture(autouse=True)
def tides() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._registered, TIDES.id, TIDES)
        yield


def a_session(number: int = 1, dice: Dice | None = None) -> Session:
    """Entries: 0 open, 1 note, 2 oracle, 3 note, 4-6 guesses, 7 reveal, 8 note, 9 oracle, 10 note,
    11 end."""
    return play(TIDES, {"rounds": 1}, number, dice)


def annotation(**body: Any) -> Lie:
    return lambda entries: entries.append(Draft(0, "host", "annotation", body))


def guess(nth: int, **changes: Any) -> Lie:
    """Change a guess, in the action and in its reveal."""

    def lie(entries: list[Draft]) -> None:
        i = find(entries, "action", nth=nth)
        action = {**entries[i].body["action"], **changes}
        edit("action", nth=nth, action=action)(entries)
        told = [dict(each) for each in entries[find(entries, "reveal")].body["actions"]]
        told[nth] = {**told[nth], "action": action}
        edit("reveal", actions=told)(entries)

    return lie


def move(type: str, where: int, nth: int = 0) -> Lie:
    return lambda entries: entries.insert(where, entries.pop(find(entries, type, nth=nth)))


def early_end() -> Session:
    """A session that a forfeit ends while one seat has answered and another still owes."""
    return next(
        session
        for n in range(500)
        if (session := a_session(n, Dice(forfeit=0.5))).outcome is not None
        and session.outcome.termination == "forfeit"
        and not any(draft.type == "reveal" for draft, _ in session.log)
        and any(draft.type == "action" for draft, _ in session.log)
    )


def test_the_truth_replays() -> None:
    session = a_session()
    assert [entry.type for entry in order(session.log)] == [
        "open", "note", "oracle", "note", "action", "action", "action", "reveal", "note", "oracle",
        "note", "end",
    ]  # fmt: skip
    assert replay(read(resealed(session, nothing))).state == session.state


LIES: dict[str, tuple[Lie, str]] = {
    "another tide": (edit("oracle", value={"tide": 7}), "entry 3: note differs from the rules' 'tide'"),
    "another last tide": (edit("oracle", nth=1, value={"tide": 7}), "entry 10: note differs"),
    "no tide": (edit("oracle", value={}), "entry 2: the rules refuse the observation: a tide is"),
    "no source": (edit("oracle", source=""), "entry 2: the rules refuse the observation: a source"),
    "a source too long": (
        edit("oracle", source="x" * (MAX_SOURCE_CHARS + 1)),
        "entry 2: the rules refuse the observation: a source",
    ),
    "an answer too long": (
        edit("oracle", value={"tide": 7, "x": "x" * MAX_VALUE_BYTES}),
        "entry 2: the rules refuse the observation: an observation has at most",
    ),
    "another number": (edit("oracle", number=2), "entry 2: answer 2 of the oracle follows 0"),
    "another kind": (edit("oracle", "tide", kind="depth"), "entry 2: a 'depth' where a 'tide' was"),
    "a word too many": (edit("oracle", why=1), "entry 2: body of oracle"),
    "an oracle that is a seat": (sign("oracle", "seat:0"), "entry 2: oracle by 'seat:0', not by the"),
    "an oracle that is the host": (sign("oracle", "host"), "entry 2: oracle by 'host'"),
    "an answer left out": (drop("oracle"), "entry 2: a note that the rules do not give"),
    "all of an answer left out": (
        both(drop("oracle"), drop("note", nth=1)),
        "entry 2: action while the oracle is asked",
    ),
    "an answer twice": (
        lambda entries: entries.insert(4, entries[2]),
        "entry 4: an answer of the oracle, which nobody asked",
    ),
    "an answer within a turn": (move("oracle", 6, nth=1), "stands apart from its reveal"),
    "an answer before the reveal": (move("reveal", 9), "entry 7: turn 1 was not revealed"),
    "an end instead of an answer": (
        both(drop("oracle", nth=1), drop("note", nth=3)),
        "entry 9: end although the rules go on",
    ),
    "a note left out": (drop("note", nth=1), "entry 3: action before the note 'tide' was told"),
    "the first note left out": (drop("note"), "entry 1: oracle before the note 'harbour' was told"),
    "the last note left out": (drop("note", nth=3), "entry 10: end before the note 'tide'"),
    "a note before an answer": (move("note", 2, nth=1), "entry 2: a note that the rules do not"),
    "a note twice": (
        lambda entries: entries.insert(2, entries[1]),
        "entry 2: a note that the rules do not give",
    ),
    "another note": (edit("note", body={"seats": 4}), "entry 1: note differs from the rules'"),
    "a note with a word more": (edit("note", why=1), "entry 1: note differs"),
    "a note within a turn": (move("note", 6, nth=2), "stands apart|a note while turn 1 goes on"),
    "a note before its reveal": (move("note", 7, nth=2), "entry 7: turn 1 was not revealed"),
    "a note by a seat": (sign("note", "seat:0"), "entry 1: note by 'seat:0', not by the host"),
    "a slower guess": (guess(0, elapsed_ms=1), "entry 4: the action did not take"),
    "another time": (edit("action", elapsed_ms=1), "entry 4: the action did not take 1 ms"),
    "no time": (edit("action", elapsed_ms=None), "entry 4: elapsed_ms is for Spaces that keep time"),
    "a time below zero": (edit("action", elapsed_ms=-1), "entry 4: body of action"),
    "another guess": (guess(1, height=99), "entry 8: note differs|entry 10: note differs"),
    "an annotation before the end": (
        put(11, "annotation", kind="regret"),
        "entry 11: an annotation of a session that has not ended",
    ),
    "an annotation by a seat": (
        lambda entries: entries.append(Draft(0, "seat:1", "annotation", {"kind": "boast"})),
        "entry 12: annotation by 'seat:1'",
    ),
    "an annotation of no kind": (annotation(words="x"), "entry 12: an annotation has a kind"),
    "an annotation too long": (annotation(kind="k", x="x" * MAX_BYTES), "entry 12: annotations of"),
    "too many annotations": (
        both(*[annotation(kind="k")] * (MAX_ANNOTATIONS + 1)),
        f"entry {12 + MAX_ANNOTATIONS}: {MAX_ANNOTATIONS + 1} annotations",
    ),
    "a note after the end": (
        lambda entries: entries.append(entries[1]),
        "entry 12: note after the session was over",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_no_lie_replays(name: str) -> None:
    lie, fact = LIES[name]
    with pytest.raises(TranscriptError, match=fact):
        replay(read(resealed(a_session(), lie)))


def test_time_is_kept_only_where_the_rules_ask_for_it() -> None:
    game = play(registry.get("bid-tac-toe"), {}, 9)
    with pytest.raises(TranscriptError, match="elapsed_ms is for Spaces that keep time"):
        replay(read(resealed(game, edit("action", elapsed_ms=5))))


def test_annotations_after_the_end_are_kept_and_change_nothing() -> None:
    session = a_session()
    lies = both(*[annotation(kind="k", body={"n": n}) for n in range(MAX_ANNOTATIONS)])
    assert replay(read(resealed(session, lies))).state == session.state


def test_a_void_session_has_no_annotations() -> None:
    session = next(
        s for n in range(99) if (s := a_session(n, Dice(void=0.3))).log[-1][0].type == "void"
    )
    with pytest.raises(TranscriptError, match="an annotation of a session that has not ended"):
        replay(read(resealed(session, annotation(kind="k"))))


def test_a_void_may_leave_a_note_untold() -> None:
    """The matchmaker opens a session; should it be lost before a host has it, nobody told its notes."""
    session = a_session()
    session.outcome = Outcome("void", None)

    def lost(entries: list[Draft]) -> None:
        entries[1:] = [Draft(0, "host", "void", {"reason": "the live log was lost"})]

    assert replay(read(resealed(session, lost))).outcome == Outcome("void", None)


def test_sealed_answers_stand_before_the_note_of_an_early_end() -> None:
    session = early_end()
    types = [entry.type for entry in order(session.log)]
    assert types[types.index("action") :] == [
        *["action"] * types.count("action"), "note", "end",
    ]  # fmt: skip
    assert replay(read(resealed(session, nothing))).state == session.state


def test_a_note_unseals_as_an_end_does() -> None:
    log = [event("action", 0, a=0), event("forfeit", seat=1), event("note"), event("end")]
    assert [entry.type for entry in order(log)] == ["forfeit", "action", "note", "end"]


@pytest.mark.parametrize(
    "lie", [drop("note", nth=2), move("action", 4), edit("note", nth=2, kind="noise")]
)
def test_no_lie_about_an_early_end_replays(lie: Lie) -> None:
    with pytest.raises(TranscriptError):
        replay(read(resealed(early_end(), lie)))
