"""The wire without I/O: resuming, repeating, waiting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.drafts import DRAFT_CHARS, PACE_MS, PIECE_CHARS, Drafts
from bots.link import SILENCE_PINGS, Link, Moved, Welcomed
from bots.requests import ACK_TIMEOUT_MS
from server.protocol import (
    Accepted,
    Act,
    AgentView,
    Confirm,
    Enqueue,
    Error,
    Event,
    Hello,
    LobbyView,
    Partial,
    Ping,
    Position,
    Rejected,
    Snapshot,
    Subscribe,
    Unsubscribe,
    Update,
    Welcome,
)

KEY = "agon_0123456789abcdef"
OWN = "agent:A"
CHANNEL = "session:S"
EMPTY = LobbyView(live=[], recent=[], queues=[])
ACT = Act(id="S:1:0:1", session="S", turn=1, text="bid: 1")


def welcome() -> Welcome:
    return Welcome(connection="c", agent="A", server_ms=5_000_000, ping_interval_s=20)


def welcomed(link: Link, now: int = 0) -> None:
    link.opened(now)
    assert link.to_send(now) == [Hello(key=KEY, client="agon-bots")]
    assert link.receive(welcome(), now) == [Welcomed("A")]


def linked(now: int = 0) -> Link:
    link = Link(KEY)
    welcomed(link, now)
    link.to_send(now)
    return link


def following(offset: int = 3) -> Link:
    link = linked()
    link.follow(CHANNEL)
    assert link.to_send(0) == [Subscribe(channel=CHANNEL)]
    link.receive(Snapshot(CHANNEL, "e1", offset, EMPTY), 0)
    return link


def update(first: int, last: int, epoch: str = "e1") -> Update:
    events = [Event(offset, 0, "turn") for offset in range(first, last + 1)]
    return Update(CHANNEL, epoch, last, events, EMPTY)


def test_nothing_but_hello_goes_out_before_the_welcome() -> None:
    link = Link(KEY)
    link.follow(CHANNEL)
    link.request(ACT)
    link.opened(0)
    assert link.to_send(0) == [Hello(key=KEY, client="agon-bots")]
    assert link.to_send(1) == []
    link.receive(welcome(), 2)
    assert set(link.to_send(2)) == {Subscribe(channel=CHANNEL), ACT}


def test_arena_clock_follows_the_welcome() -> None:
    link = linked(now=700)
    assert link.arena_ms(700) == 5_000_000
    assert link.arena_ms(1_700) == 5_001_000


def test_reconnect_resumes_at_the_last_position_and_repeats_the_act_with_its_id() -> None:
    link = following(offset=3)
    link.receive(update(4, 6), 0)
    link.request(ACT)
    assert link.to_send(0) == [ACT]
    link.closed()
    welcomed(link, 9_000)
    sent = link.to_send(9_000)
    assert sent == [ACT, Subscribe(channel=CHANNEL, since=Position("e1", 6))]


def test_queue_requests_do_not_outlive_a_connection() -> None:
    link = linked()
    link.request(Enqueue(space="bid-tac-toe"))
    link.request(Confirm(offer="o1"))
    link.closed()
    link.request(Enqueue(space="bid-tac-toe"))
    welcomed(link)
    assert link.to_send(0) == []


def test_a_channel_that_was_never_born_is_not_resumed() -> None:
    link = linked()
    link.follow(CHANNEL)
    link.receive(Snapshot(CHANNEL, "none", -1, EMPTY), 0)
    link.closed()
    welcomed(link)
    assert link.to_send(0) == [Subscribe(channel=CHANNEL)]


@pytest.mark.parametrize(
    "answer", [Accepted("S:1:0:1", "S", 7), Rejected("S:1:0:1", "S", "late", "")]
)
def test_an_answered_act_is_not_sent_again(answer: Accepted | Rejected) -> None:
    link = linked()
    link.request(ACT)
    link.to_send(0)
    assert link.receive(answer, 1) == [answer]
    assert link.receive(answer, 2) == []  # the copy of an answer is no news
    assert ACT not in link.to_send(ACK_TIMEOUT_MS * 3)


def test_an_unanswered_act_is_repeated_on_a_live_connection() -> None:
    link = linked()
    link.request(ACT)
    assert link.to_send(0) == [ACT]
    assert link.next_wakeup() == ACK_TIMEOUT_MS
    assert link.to_send(ACK_TIMEOUT_MS - 1) == []
    assert link.to_send(ACK_TIMEOUT_MS) == [ACT]


def test_a_gap_is_asked_for_and_not_passed_on() -> None:
    link = following(offset=3)
    assert link.receive(update(5, 5), 0) == []
    assert link.to_send(0) == [Subscribe(channel=CHANNEL, since=Position("e1", 3))]
    assert link.receive(update(6, 6), 0) == []
    assert link.to_send(0) == []  # asked once
    (moved,) = link.receive(update(4, 6), 0)
    assert isinstance(moved, Moved)
    assert [event.offset for event in moved.events] == [4, 5, 6]


def test_another_epoch_starts_over() -> None:
    link = following(offset=3)
    assert link.receive(update(4, 4, epoch="e2"), 0) == []
    assert link.to_send(0) == [Subscribe(channel=CHANNEL)]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), max_size=40))
def test_events_arrive_in_order_and_once_whatever_comes(batches: list[tuple[int, int]]) -> None:
    link = following(offset=0)
    seen = [0]
    for first, more in batches:
        for news in link.receive(update(first, first + more), 0):
            assert isinstance(news, Moved)
            seen += [event.offset for event in news.events]
    assert seen == list(range(len(seen)))


def test_rate_limit_holds_everything_and_repeats_the_refused() -> None:
    link = linked()
    link.request(ACT)
    link.to_send(0)
    error = Error("rate-limited", "slow down", retry_after_ms=2_000, ref=ACT.id)
    assert link.receive(error, 100) == []
    link.follow(CHANNEL)
    assert link.to_send(2_099) == []
    assert link.next_wakeup() == 2_100
    assert link.to_send(2_100) == [Subscribe(channel=CHANNEL), ACT]


def test_busy_repeats_only_the_refused() -> None:
    link = linked()
    link.request(ACT)
    link.to_send(0)
    link.receive(Error("busy", "", retry_after_ms=300, ref=ACT.id), 0)
    link.follow(CHANNEL)
    assert link.to_send(10) == [Subscribe(channel=CHANNEL)]
    assert link.to_send(300) == [ACT]


def test_a_final_error_forgets_the_request() -> None:
    link = linked()
    link.request(Enqueue(space="nope"))
    link.to_send(0)
    error = Error("unknown-space", "no space", ref="nope")
    assert link.receive(error, 0) == [error]
    link.request(Enqueue(space="nope"))
    assert link.to_send(0) == [Enqueue(space="nope")]  # may be asked anew


def test_leaving_a_session_gives_up_its_acts() -> None:
    link = following()
    link.request(ACT)
    link.to_send(0)
    link.unfollow(CHANNEL)
    assert link.to_send(0) == [Unsubscribe(channel=CHANNEL)]
    assert ACT not in link.to_send(ACK_TIMEOUT_MS)
    assert link.receive(update(4, 4), 0) == []


def test_pings_and_silence() -> None:
    link = linked()
    assert link.to_send(20_000) == [Ping()]
    assert not link.dead(SILENCE_PINGS * 20_000 - 1)
    assert link.dead(SILENCE_PINGS * 20_000)


def test_own_channel_is_not_subscribed_by_hand() -> None:
    link = linked()
    view = AgentView(agent="A", seated=[], offers=[], tickets=[])
    assert link.receive(Snapshot(OWN, "e", 4, view), 0) == [Moved(OWN, (), view)]
    link.closed()
    welcomed(link)
    assert link.to_send(0) == []


def test_an_act_larger_than_a_frame_is_refused_here() -> None:
    link = linked()
    with pytest.raises(ValueError, match="at most 65536"):
        link.request(Act(id="x", session="S", turn=1, text="\x01" * 16_000))


def test_drafts_are_joined_and_paced() -> None:
    drafts = Drafts()
    drafts.write("S", 1, "ab")
    drafts.write("S", 1, "cd")
    assert drafts.due(0) == [Partial(session="S", turn=1, at=0, text="abcd")]
    drafts.write("S", 1, "ef")
    assert drafts.due(PACE_MS - 1) == []
    assert drafts.next_due() == PACE_MS
    assert drafts.due(PACE_MS) == [Partial(session="S", turn=1, at=4, text="ef")]
    assert drafts.next_due() is None


def test_a_restarted_draft_begins_at_zero() -> None:
    drafts = Drafts()
    drafts.write("S", 1, "first try")
    drafts.due(0)
    drafts.restart("S", 1)
    drafts.write("S", 1, "second")
    assert drafts.due(PACE_MS) == [Partial(session="S", turn=1, at=0, text="second")]


def test_a_draft_is_bounded_and_sent_in_protocol_sized_pieces() -> None:
    drafts = Drafts()
    drafts.write("S", 1, "x" * (DRAFT_CHARS + 5_000))
    sent, now = "", 0
    while drafts.next_due() is not None:
        (piece,) = drafts.due(now)
        assert piece.at == len(sent)
        assert len(piece.text) <= PIECE_CHARS
        sent += piece.text
        now += PACE_MS
    assert len(sent) == DRAFT_CHARS


def test_after_a_lost_connection_a_draft_is_shown_from_its_start() -> None:
    link = linked()
    link.write("S", 1, "hello")
    assert link.to_send(0) == [Partial(session="S", turn=1, at=0, text="hello")]
    link.closed()
    welcomed(link, 1_000)
    assert link.to_send(1_000) == [Partial(session="S", turn=1, at=0, text="hello")]
    link.request(ACT)  # the answer itself ends the draft
    assert link.to_send(2_000) == [ACT]
