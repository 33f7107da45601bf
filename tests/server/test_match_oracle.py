"""A match that asks an oracle, notes what it finds and times its seats, told with a clock of the
test's own; the Space is the tests' Tides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from server.live.records import LogEvent
from server.match import Match, document, visible
from server.match.engine import RULES_BROKE
from server.protocol import OpenInquiry
from spaces import registry, transcript
from spaces.space import Note, Observation
from spaces.transcript import observations
from tests.conformance.tides import Guess, Tides
from tests.server.match_table import RETRY_MS, T0, Table, record_of, types

PARAMS: dict[str, Any] = {"rounds": 1, "delay_ms": 500, "limit_ms": 2_000}


@pytest.fixture(autouse=True)
def tides() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._registered, Tides.id, Tides())
        yield


@pytest.fixture
def table() -> Table:
    return Table(record_of("tides", **PARAMS))


def tide(height: Any) -> Observation:
    return Observation("harbour.csv, row 17", {"tide": height})


def begun() -> Table:
    table = Table(record_of("tides", **PARAMS))
    table.hear(tide(50))
    return table


def played() -> Table:
    table = begun()
    for seat, text in enumerate(("40", "50", "61")):
        table.now += 1_000
        table.act(seat, text)
    table.hear(tide(60))
    return table


def sealed(table: Table) -> transcript.Replayed:
    return transcript.replay(transcript.read(document(table.record, table.log)))


# ------------------------------------------------------------------ inquiries


def test_a_session_may_begin_with_the_oracle(table: Table) -> None:
    assert types(table.log) == ["open", "note", "inquiry"]
    assert table.log[-1].body == {
        "number": 1,
        "kind": "tide",
        "opens_ms": T0 + 500,
        "deadline_ms": T0 + 2_500,
    }
    assert table.match.next_deadline() == T0 + 2_500
    assert table.view(None).inquiry == OpenInquiry(1, "tide", T0 + 500, T0 + 2_500)
    assert table.view(None).decisions == []


def test_what_is_asked_is_told_to_nobody(table: Table) -> None:
    asked = table.match.inquiry
    assert asked is not None
    assert asked.inquiry.ask["row"] == table.match.state.row + 1
    for viewer in (None, 0, 1, 2):
        seen = [msgspec.to_builtins(visible(e, i, viewer)) for i, e in enumerate(table.log)]
        told = str((seen, msgspec.to_builtins(table.view(viewer))))
        assert "'row'" not in told
        assert "'ask'" not in told


def test_the_answer_opens_the_first_turn(table: Table) -> None:
    heard = table.hear(tide(50))
    assert types(heard) == ["oracle", "note", "turn"]
    assert heard[0].by == "oracle"
    assert heard[0].body == {
        "number": 1,
        "kind": "tide",
        "source": "harbour.csv, row 17",
        "value": {"tide": 50},
    }
    assert table.view(None).inquiry is None
    assert [each.seat for each in table.view(None).decisions] == [0, 1, 2]
    assert table.match.next_deadline() == table.now + 30_000


def test_a_second_answer_changes_nothing(table: Table) -> None:
    table.hear(tide(50))
    for number in (0, 1, 2):
        table.match.learn(table.now, number, tide(51))
    assert not table.match.changed


@pytest.mark.parametrize(
    "answer",
    [
        tide(100),
        tide("50"),
        tide(49.5),
        "tide",
        {"tide": 50},
        Observation(None, {"tide": 50}),  # type: ignore[arg-type]
        Observation("s", None),  # type: ignore[arg-type]
        Observation("s", {"tide": {1, 2}}),
        Observation("s", {1: 2}),  # type: ignore[dict-item]
        Observation("", {"tide": 50}),
        Observation("x" * (observations.MAX_SOURCE_CHARS + 1), {"tide": 50}),
        Observation("\ud800", {"tide": 50}),
        Observation("s", {"tide": 50, "more": "x" * observations.MAX_VALUE_BYTES}),
        Observation("s", {"tide": 2**60}),
    ],
)
def test_an_answer_that_means_nothing_is_our_fault(table: Table, answer: Any) -> None:
    [void] = table.hear(answer)
    assert void.type == "void"
    assert void.body["reason"].startswith("the oracle's answer was refused: ")
    assert len(void.body["reason"]) <= 500
    assert table.view(None).inquiry is None
    assert sealed(table).outcome.termination == "void"


def test_rules_that_break_over_an_answer_are_our_fault(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a bug of ours")

    monkeypatch.setattr(Tides, "learn", broken)
    [void] = table.hear(tide(50))
    assert void.body == {"reason": RULES_BROKE}


def test_without_an_answer_the_session_is_void(table: Table) -> None:
    assert table.wait(2_499) == []
    table.match.unanswered(7, "of another inquiry")
    table.match.unanswered(1, "the harbour is closed")
    [void] = table.wait(1)
    assert void.type == "void"
    assert void.body == {"reason": "the oracle did not answer: the harbour is closed"}
    assert table.match.next_deadline() is None
    table.match.learn(table.now, 1, tide(50))
    assert not table.match.changed


def test_a_new_host_gives_the_oracle_fresh_time(table: Table) -> None:
    table.now += 400
    table.match = table.restored()
    table.match.takeover(table.now)
    [told] = table.collect()
    assert told.type == "inquiry"
    assert told.body == {**table.log[2].body, "opens_ms": T0 + 500, "deadline_ms": T0 + 2_500}
    table.now += 1_900
    table.match = table.restored()
    table.match.takeover(table.now)
    [told] = table.collect()
    assert told.body["number"] == 1
    assert told.body["opens_ms"] == table.now
    assert table.match.next_deadline() == table.now + 2_000
    assert types(table.hear(tide(50))) == ["oracle", "note", "turn"]


def test_nobody_decides_while_the_oracle_is_asked(table: Table) -> None:
    for turn in (0, 1):
        assert table.act(0, "40", turn=turn) == []
        assert table.refusal().code in ("not-your-turn", "stale-turn")


def test_a_turn_that_leads_to_an_inquiry_is_revealed_first() -> None:
    table = begun()
    table.act(2, "61")
    table.act(0, "40")
    last = table.act(1, "50")
    assert types(last) == ["action", "reveal", "note", "inquiry"]
    assert [each["seat"] for each in last[1].body["actions"]] == [0, 1, 2]
    assert last[3].body["number"] == 2
    assert table.match.turn == 1


def test_an_oracle_session_ends_in_returns() -> None:
    table = played()
    assert types(table.log)[-3:] == ["oracle", "note", "end"]
    assert table.match.outcome == {"termination": "complete", "returns": [80, 90, 99]}
    steps = [step.name for step in table.view(None).steps]
    assert steps == ["sealed", "rated"]
    assert sealed(table).state == table.match.state


def test_restored_at_any_time_it_is_the_same_match() -> None:
    table = played()
    # The first host's batches: the opening, what it began with, each action, and so on.
    for upto in (1, 3, 6, 7, 8, 12, 15):
        once = Match(table.record, table.log[:upto], retry_ms=RETRY_MS)
        again = Match(table.record, table.log[:upto], retry_ms=RETRY_MS)
        assert once.views() == again.views()
        assert once.inquiry == again.inquiry
    restored = table.restored()
    assert restored.state == table.match.state
    assert restored.views() == table.match.views()


# ------------------------------------------------------------------ notes


def test_each_note_is_told_once_where_the_rules_first_have_it() -> None:
    table = played()
    told = [(each.type, each.body.get("kind")) for each in table.log]
    assert [each for each in told if each[0] in ("note", "oracle", "reveal", "end")] == [
        ("note", "harbour"),
        ("oracle", "tide"),
        ("note", "tide"),
        ("reveal", None),
        ("note", "guesses"),
        ("oracle", "next-tide"),
        ("note", "tide"),
        ("end", None),
    ]


def test_a_session_that_ends_early_tells_its_notes_before_its_end() -> None:
    table = begun()
    table.act(2, "61")
    table.act(0, "a hundred")
    last = table.act(0, "a thousand")
    assert types(last) == ["fault", "forfeit", "note", "end"]
    assert last[2].body == {"kind": "silence", "body": {}}
    assert table.view(None).decisions == []
    assert sealed(table).state == table.match.state


def test_one_deadline_may_end_it_for_many() -> None:
    table = begun()
    table.act(2, "61")
    for _ in range(2):
        last = table.wait(30_000)
    assert types(last)[-5:] == ["forfeit", "forfeit", "reveal", "note", "end"]
    assert sealed(table).outcome.termination == "forfeit"


def test_a_new_host_tells_no_note_again() -> None:
    table = begun()
    table.match = table.restored()
    table.match.takeover(table.now)
    assert types(table.collect()) == ["turn"]


def test_a_note_that_cannot_be_kept_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def floating(self: Tides, state: Any) -> tuple[Note, ...]:
        return (*state.notes, Note("float", {"x": 0.5}))

    monkeypatch.setattr(Tides, "notes", floating)
    table = Table(record_of("tides"))
    assert types(table.log) == ["open", "void"]
    assert table.log[-1].body == {"reason": RULES_BROKE}


# ------------------------------------------------------------------ time


def test_an_answer_is_stamped_with_the_time_since_the_seat_was_asked() -> None:
    table = begun()
    table.now += 1_234
    [action] = table.act(1, "50")
    assert action.body["elapsed_ms"] == 1_234
    assert action.body["action"] == {"kind": "guess", "height": 50, "elapsed_ms": 1_234}
    assert table.match.state.guesses[1] == Guess(50, 1_234)


def test_a_retry_costs_the_time_that_it_takes() -> None:
    table = begun()
    table.now += 1_000
    table.act(0, "a hundred")
    table.now += 2_000
    [action] = table.act(0, "40")
    assert action.body["elapsed_ms"] == 3_000


def test_an_outage_of_ours_is_never_counted_and_hands_no_time_back() -> None:
    table = begun()
    table.now += 20_000
    table.act(1, "50")
    table.match = table.restored()
    table.now += 3_600_000
    table.match.takeover(table.now)
    table.collect()
    table.now += 700
    table.match = table.restored()
    table.now += 5_000
    table.match.takeover(table.now)
    table.collect()
    table.now += 300
    [action] = table.act(0, "40")
    assert action.body["elapsed_ms"] == 20_300, (
        "what is surely its own: up to the last event before"
    )
    assert table.match.state.guesses[1].elapsed_ms == 20_000
    table.act(2, "61")
    table.hear(tide(60))
    assert sealed(table).state == table.match.state


def test_a_host_whose_clock_is_behind_stamps_nothing_below_zero() -> None:
    table = begun()
    table.now -= 5_000
    [action] = table.act(1, "50")
    assert action.body["elapsed_ms"] == 0


def test_the_time_of_a_sealed_answer_is_as_secret_as_the_answer() -> None:
    """Two sessions that differ in a sealed answer's time look the same to the others, but for when
    the answer came."""
    seen = []
    for elapsed_ms in (1_234, 9_876):
        table = begun()
        table.now += elapsed_ms
        table.act(1, "50")
        events = [msgspec.structs.replace(e, t=0) for e in table.log]
        seen.append(
            [
                ([visible(e, i, viewer) for i, e in enumerate(events)], table.view(viewer))
                for viewer in (None, 0, 2)
            ]
        )
        assert str(elapsed_ms) in str(table.view(1).state)
    assert seen[0] == seen[1]


# ------------------------------------------------------------------ annotations


def test_annotations_stand_after_the_end_and_in_every_view() -> None:
    table = played()
    table.now += 50
    table.match.annotate([{"kind": "regret", "seats": [1, 2, 3]}], table.now)
    [event] = table.collect()
    assert (event.type, event.by) == ("annotation", "host")
    assert table.view(None).annotations == [event.body]
    assert table.restored().views() == table.match.views()
    read = transcript.read(document(table.record, table.log))
    assert [entry.type for entry in read.entries[-2:]] == ["end", "annotation"]
    assert read.sealed_ms == T0 + event.t
    assert transcript.replay(read).state == table.match.state


def test_annotations_that_leave_no_room_are_left_out_of_the_transcript() -> None:
    table = played()
    bare = document(table.record, table.log)
    room = (1 << 20) - len(bare)
    filler = LogEvent(0, "host", "note", {"kind": "filler", "body": {"x": "x" * (room - 5_000)}})
    log = [*table.log[:1], filler, *table.log[1:]]
    full = document(table.record, log)
    log.append(LogEvent(table.log[-1].t, "host", "annotation", {"kind": "k", "x": "x" * 9_000}))
    assert document(table.record, log) == full
