"""The stories of a match, told with a clock of the test's own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from server.live.records import Inbound, LogEvent
from server.match import Match, document, initial_views, open_event, visible
from server.match.engine import LATE, RULES_BROKE
from server.protocol import SessionView, Step
from spaces import transcript
from spaces.bid_tac_toe import BidTacToe
from spaces.space import InvalidAction
from tests.server.match_table import RETRY_MS, T0, Table, record_of, types

BID_MS = 30_000


@pytest.fixture
def table() -> Table:
    return Table()


def test_event_0_says_what_is_played_and_not_by_whom() -> None:
    record = record_of()
    event = open_event(record)
    assert event.body["rules"] == "bid-tac-toe/1"
    assert [seat["seat"] for seat in event.body["seats"]] == [0, 1]
    assert "agent-0" not in str(event.body)
    assert record.seed.hex() not in str(event.body)
    views = initial_views(record)
    assert views.offset == 0
    assert isinstance(views.public, SessionView)
    assert views.public.turn == 0
    assert [card.agent for card in views.public.seats] == ["agent-0", "agent-1"]


def test_the_first_takeover_begins_the_first_turn(table: Table) -> None:
    turn = table.log[-1]
    assert turn.type == "turn"
    assert turn.body["turn"] == 1
    assert [d["deadline_ms"] for d in turn.body["decisions"]] == [T0 + BID_MS] * 2
    assert table.match.next_deadline() == T0 + BID_MS


def test_a_sealed_bid_is_seen_by_its_seat_alone(table: Table) -> None:
    [event] = table.act(0, "bid: 37", act="mine")
    assert event.secret_to == 0
    assert event.act == "mine"
    for viewer in (1, None):
        seen = visible(event, 2, viewer)
        assert seen.type == "sealed"
        assert seen.body == {"turn": 1, "seat": 0}
        assert "37" not in str(table.view(viewer))
    assert visible(event, 2, 0).body["action"] == {"kind": "bid", "bid": 37}
    assert table.view(0).state["your_bid"] == 37
    assert [d.done for d in table.view(None).decisions] == [True, False]


def test_the_second_bid_reveals_both_and_begins_the_next_turn(table: Table) -> None:
    table.act(0, "bid: 37")
    action, reveal, turn = table.act(1, "bid: 12")
    assert action.secret_to == 1
    assert reveal.type == "reveal"
    assert reveal.body["actions"] == [
        {"seat": 0, "action": {"kind": "bid", "bid": 37}},
        {"seat": 1, "action": {"kind": "bid", "bid": 12}},
    ]
    assert turn.body["turn"] == 2
    assert [(d["seat"], d["kind"]) for d in turn.body["decisions"]] == [(0, "mark")]


def test_only_the_seat_that_must_decide_is_prompted(table: Table) -> None:
    table.act(0, "bid: 37")
    assert table.view(0).prompt is None
    assert "Place your bid" in (table.view(1).prompt or "")
    assert table.view(None).prompt is None
    assert table.view(1).you == 1


@pytest.mark.parametrize(
    ("seat", "turn", "code"),
    [(5, 1, "no-seat"), (-1, 1, "no-seat"), (1, 0, "stale-turn"), (1, 9, "stale-turn")],
)
def test_what_answers_no_open_decision_is_refused(
    table: Table, seat: int, turn: int, code: str
) -> None:
    assert table.act(seat, "bid: 1", turn=turn) == []
    assert table.refusal().code == code


def test_out_of_turn_is_refused(table: Table) -> None:
    table.act(0, "bid: 37")
    table.act(1, "bid: 12")
    assert table.act(1, "cell: 4", act="early") == []
    refusal = table.refusal()
    assert (refusal.code, refusal.act, refusal.gateway) == ("not-your-turn", "early", "gateway-1")


def test_a_sealed_bid_cannot_be_changed(table: Table) -> None:
    table.act(0, "bid: 37")
    assert table.act(0, "bid: 99") == []
    assert table.refusal().code == "not-your-turn"
    table.act(1, "bid: 38")
    assert table.view(None).state["bid_winner"] == 1


def test_the_same_act_again_is_harmless(table: Table) -> None:
    table.act(0, "bid: 37", act="a")
    assert table.act(0, "bid: 37", act="a") == []
    assert table.act(0, "bid: 5", act="a") == [], "the id counts, not the words"
    assert table.match.take_replies() == []
    # Also across a takeover: the id is in the log.
    table.match = table.restored()
    assert table.act(0, "bid: 37", act="a", turn=1) == []
    assert table.match.take_replies() == []


def test_the_same_id_of_another_seat_is_another_act(table: Table) -> None:
    table.act(0, "bid: 37", act="a")
    assert types(table.act(1, "bid: 12", act="a")) == ["action", "reveal", "turn"]


def test_a_fault_is_retried_with_the_reason(table: Table) -> None:
    [fault] = table.act(0, "I would rather not", act="bad")
    assert (fault.type, fault.by, fault.act) == ("fault", "seat:0", "bad")
    assert fault.body["code"] == "unparsable"
    assert fault.body["attempt"] == 1
    own = table.view(0).decisions[0]
    assert own.attempt == 2
    assert own.fault == fault.body["reason"]
    assert own.deadline_ms == T0 + BID_MS, "there is more time left than a retry needs"
    assert types(table.act(0, "bid: 5")) == ["action"]


def test_a_late_retry_still_has_its_time(table: Table) -> None:
    table.wait(BID_MS - 100)
    table.act(0, "no idea")
    assert table.view(0).decisions[0].deadline_ms == table.now + RETRY_MS


def test_what_is_wrong_with_a_sealed_bid_is_told_to_its_seat_alone(table: Table) -> None:
    [fault] = table.act(0, "bid: 140")
    assert "140" in fault.body["reason"]
    assert visible(fault, 2, 0).body["code"] == "illegal"
    for viewer in (1, None):
        assert visible(fault, 2, viewer).type == "sealed"
        decision = table.view(viewer).decisions[0]
        assert (decision.attempt, decision.fault) == (1, None)


def test_the_deadline_tells_nobody_else_of_a_refused_sealed_bid(table: Table) -> None:
    table.wait(BID_MS - 100)
    table.act(0, "bid: 140")
    assert table.view(0).decisions[0].deadline_ms == table.now + RETRY_MS
    for viewer in (1, None):
        assert table.view(viewer).decisions[0].deadline_ms == T0 + BID_MS
    table.act(0, "bid: 4")
    assert table.view(None).decisions[0].deadline_ms == T0 + BID_MS
    table.act(1, "bid: 3")
    assert table.view(0).decisions == table.view(None).decisions, "a new turn"


def test_fresh_time_tells_nobody_else_of_a_refused_sealed_bid() -> None:
    """Also where a retry is given more time than a first attempt."""
    table = Table()
    table.act(0, "bid: 140")
    patient = Match(table.record, table.log, retry_ms=10 * BID_MS)
    patient.takeover(table.now)
    table.match = patient
    [turn] = table.collect()
    assert [each["deadline_ms"] for each in turn.body["decisions"]] == [table.now + BID_MS] * 2
    assert table.view(0).decisions[0].deadline_ms == table.now + BID_MS


def test_two_faults_forfeit(table: Table) -> None:
    table.act(0, "bid: 140")
    events = table.act(0, "bid: 150")
    assert types(events) == ["fault", "forfeit", "end"]
    assert events[-1].body == {"termination": "forfeit", "returns": [-1, 1]}
    assert table.match.finished
    assert table.act(1, "bid: 1") == []
    assert table.refusal().code == "over"


def test_a_deadline_strikes_only_by_the_tick(table: Table) -> None:
    table.now += BID_MS + 50
    assert types(table.act(0, "bid: 5")) == ["action"], "it had arrived before the tick"
    events = table.wait(0)
    assert types(events) == ["deadline", "fault"]
    assert events[1].body == {"turn": 1, "code": "late", "reason": LATE, "attempt": 1}
    assert events[1].secret_to is None
    assert table.match.next_deadline() == table.now + RETRY_MS


def test_late_twice_forfeits(table: Table) -> None:
    table.act(0, "bid: 5")
    table.wait(BID_MS)
    assert table.wait(RETRY_MS - 1) == []
    events = table.wait(1)
    assert types(events) == ["deadline", "fault", "forfeit", "reveal", "end"]
    assert events[-1].body["returns"] == [1, -1]


def test_both_late_in_one_tick_is_a_draw(table: Table) -> None:
    assert types(table.wait(BID_MS)) == ["deadline", "fault"] * 2
    events = table.wait(RETRY_MS)
    assert types(events) == ["deadline", "fault"] * 2 + ["forfeit"] * 2 + ["end"]
    assert events[-1].body == {"termination": "forfeit", "returns": [0, 0]}


def test_a_takeover_gives_fresh_time_and_keeps_the_rest(table: Table) -> None:
    table.act(0, "bid: 37")
    table.act(1, "nonsense")
    table.now += 3_600_000
    other = table.restored()
    other.takeover(table.now)
    table.match = other
    [turn] = table.collect()
    assert turn.body["turn"] == 1
    assert [(d["seat"], d["deadline_ms"]) for d in turn.body["decisions"]] == [
        (1, table.now + BID_MS)
    ]
    assert turn.body["decisions"][0]["attempt"] == 1, "that seat 1 was refused is its secret"
    assert table.view(1).decisions[1].attempt == 2
    assert table.wait(0) == []
    assert types(table.act(1, "bid: 12")) == ["action", "reveal", "turn"]


def test_void_is_our_fault_and_scores_nothing(table: Table) -> None:
    table.act(0, "bid: 37")
    table.match.void("the host lost its mind", table.now)
    [void] = table.collect()
    assert void.body == {"reason": "the host lost its mind"}
    assert table.match.status == "void"
    view = table.view(None)
    assert view.outcome == {"reason": "the host lost its mind"}
    assert "37" not in str(view)
    assert [step.name for step in view.steps] == ["sealed"]
    sealed = transcript.read(document(table.record, table.log))
    assert [entry.type for entry in sealed.entries] == ["open", "action", "void"]
    assert transcript.replay(sealed).outcome.termination == "void"


def abandon(seat: int, turn: int, act: str = "gone") -> Inbound:
    return Inbound("S1", seat, act, turn, "its model did not answer", "gateway-1", abandon=True)


def test_a_seat_whose_host_failed_voids_the_session_once(table: Table) -> None:
    table.act(1, "bid: 37")
    for _ in range(2):
        table.match.receive(table.now, abandon(0, 1))
    [void] = table.collect()
    reason = {"reason": "seat 0 could not be played: its model did not answer"}
    assert (void.by, void.type, void.body) == ("host", "void", reason)
    assert table.view(None).status == "void"
    assert table.view(None).outcome == reason
    assert table.refusal().code == "over", "the second copy"
    sealed = transcript.read(document(table.record, table.log))
    assert transcript.replay(sealed).outcome.returns is None


@pytest.mark.parametrize(
    ("seat", "turn", "code"), [(0, 2, "stale-turn"), (1, 1, "not-your-turn"), (7, 1, "no-seat")]
)
def test_only_a_seat_that_owes_an_answer_is_abandoned(
    table: Table, seat: int, turn: int, code: str
) -> None:
    table.act(1, "bid: 37")
    table.match.receive(table.now, abandon(seat, turn))
    assert table.collect() == []
    assert table.match.status == "live"
    assert table.refusal().code == code


def test_rules_that_break_void_the_session(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a bug of ours")

    table.act(0, "bid: 37")
    monkeypatch.setattr(BidTacToe, "decisions", broken)
    events = table.act(1, "bid: 12", act="unlucky")
    assert types(events) == ["void"], "what the broken step had done is taken back"
    assert events[0].body == {"reason": RULES_BROKE}
    assert "bug" not in str(events)
    assert isinstance(table.match.failure, ZeroDivisionError)
    assert table.refusal().act == "unlucky"
    assert table.view(None).status == "void"


def test_a_state_that_cannot_be_shown_voids_the_session(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr(BidTacToe, "observe", broken)
    assert types(table.act(0, "bid: 37")) == ["action", "void"]
    assert table.view(None).state == {}


@pytest.mark.parametrize("change", [{"rules": "bid-tac-toe/0"}, {"space": "chess"}])
def test_rules_we_do_not_have_void_the_session(change: dict[str, str]) -> None:
    record = msgspec.structs.replace(record_of(), **change)
    match = Match(record, [open_event(record)], retry_ms=RETRY_MS)
    match.takeover(T0)
    assert isinstance(match.views().public, SessionView)
    assert types(match.take_events()) == ["void"]
    assert match.finished


def test_raw_words_are_kept_where_judges_decide() -> None:
    table = Table(record_of("rap-battle", rounds=1))
    [action, _] = table.act(0, "I spit hot fire\nhigher and higher")
    assert action.secret_to is None
    assert action.body["raw"] == "I spit hot fire\nhigher and higher"
    table.act(1, "I am the night\nready to fight")
    assert table.match.status == "ended"
    assert table.match.outcome["returns"] is None
    assert [s.name for s in table.view(None).steps] == ["sealed", "judged", "rated"]


def test_a_public_fault_is_public() -> None:
    table = Table(record_of("rap-battle"))
    [fault] = table.act(0, "")
    assert visible(fault, 2, None).body["code"] == "unparsable"
    decision = table.view(1).decisions[0]
    assert decision.attempt == 2
    assert decision.fault is None, "the words are for the seat that must try again"


def test_a_forfeited_verse_is_not_the_end() -> None:
    table = Table(record_of("rap-battle"))
    table.act(0, "")
    assert types(table.act(0, "")) == ["fault", "forfeit", "turn"]
    assert table.view(None).state["verses"][0]["text"] is None
    assert table.restored().views() == table.match.views()


def test_time_in_the_log_never_goes_back(table: Table) -> None:
    table.wait(5_000)
    table.act(0, "bid: 3")
    table.match = table.restored()
    table.now -= 3_000  # the next host's clock is behind
    table.match.takeover(table.now)
    table.collect()
    assert [event.t for event in table.log] == sorted(event.t for event in table.log)


def test_a_long_reason_is_cut(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    def wordy(*_: Any) -> Any:
        raise InvalidAction("x" * 10_000)

    monkeypatch.setattr(BidTacToe, "parse", wordy)
    [fault] = table.act(0, "bid: 3")
    assert len(fault.body["reason"]) == 500


def test_the_digest_is_the_last_word(table: Table) -> None:
    table.act(0, "bid: 140")
    table.act(0, "bid: 140")
    table.match.seal("d1" * 32, table.now)
    [event] = table.collect()
    assert event == LogEvent(0, "host", "digest", {"digest": "d1" * 32})
    assert table.view(None).digest == "d1" * 32
    assert table.view(None).steps[0].state == "done"


def test_where_the_escrow_has_taken_the_entries_every_view_says_so_from_the_start() -> None:
    record = msgspec.structs.replace(record_of(), opening="0x" + "ab" * 32)
    table = Table(record)
    opened = Step("opened", "done", "0x" + "ab" * 32)
    assert table.view(None).steps == [opened]
    assert table.view(1).steps == [opened]
    table.match.void("the host lost its mind", table.now)
    table.collect()
    assert [step.name for step in table.view(None).steps] == ["opened", "sealed", "anchored"]
    assert table.view(None).steps[-1].state == "waiting"
