from __future__ import annotations

import pytest

from server.gateway.pending import GIVE_UP_S, MAX_OF_SEAT, RETRY_S, Pending, TooMany
from server.live.records import Inbound


def inbound(act: str = "a", seat: int = 0, session: str = "s") -> Inbound:
    return Inbound(session, seat, act, 1, "text", "g")


def test_the_same_action_is_submitted_once_and_answers_all_who_asked() -> None:
    pending: Pending[str] = Pending()
    assert pending.add(inbound(), "alice", 0.0)
    assert not pending.add(inbound(), "alice", 0.1)
    assert not pending.add(inbound(), "alice on another line", 0.2)
    waiting = pending.answered("s", 0, "a")
    assert waiting is not None
    assert waiting.askers == ["alice", "alice on another line"]
    assert pending.answered("s", 0, "a") is None
    assert len(pending) == 0


def test_equal_ids_of_two_seats_are_two_actions() -> None:
    pending: Pending[str] = Pending()
    assert pending.add(inbound(seat=0), "alice", 0.0)
    assert pending.add(inbound(seat=1), "bob", 0.0)
    answered = pending.answered("s", 1, "a")
    assert answered is not None
    assert answered.askers == ["bob"]
    assert [waiting.inbound.seat for waiting in pending.of("s")] == [0]


def test_what_stays_unanswered_is_due_again_and_again_until_given_up() -> None:
    pending: Pending[str] = Pending()
    pending.add(inbound(), "alice", 0.0)
    assert pending.due(RETRY_S - 0.01) == []
    assert pending.due(RETRY_S) == [inbound()]
    assert pending.due(RETRY_S + 0.01) == []
    assert pending.due(2 * RETRY_S) == [inbound()]
    assert pending.expired(GIVE_UP_S - 0.01) == []
    [gone] = pending.expired(GIVE_UP_S)
    assert gone.askers == ["alice"]
    assert len(pending) == 0
    assert pending.due(GIVE_UP_S + 1) == []


def test_a_seat_that_does_not_wait_for_answers_is_stopped() -> None:
    pending: Pending[str] = Pending()
    for i in range(MAX_OF_SEAT):
        pending.add(inbound(f"a{i}"), "alice", 0.0)
    with pytest.raises(TooMany):
        pending.add(inbound("one more"), "alice", 0.0)
    assert not pending.add(inbound("a0"), "alice", 0.0)
    assert pending.add(inbound(seat=1), "bob", 0.0)
