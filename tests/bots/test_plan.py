"""Getting into sessions and out of the queue, without I/O."""

from __future__ import annotations

import msgspec
import pytest

from bots.plan import (
    ASK_AGAIN_MS,
    CLAIM_AGAIN_MS,
    EXPLAIN_EVERY_MS,
    FIRST_VIEW_MS,
    OFFER_GRACE_MS,
    OPENING_MAX_MS,
    Plan,
)
from server.protocol import (
    AgentView,
    Confirm,
    Dequeue,
    Enqueue,
    Error,
    Explain,
    Opening,
    Ticket,
)
from tests.bots.arena import agent_view

SPACE = "bid-tac-toe"
ENQUEUE = Enqueue(space=SPACE)


def waiting(ticket: str = "t1", state: str = "waiting") -> Ticket:
    return Ticket(ticket, SPACE, 0, state)  # type: ignore[arg-type]


def connected(sessions: int | None = 1, max_parallel: int = 1) -> Plan:
    plan = Plan(SPACE, sessions=sessions, max_parallel=max_parallel)
    assert plan.wishes(0) == []  # not before we know our seats
    plan.welcomed(0)
    assert plan.agent_view(agent_view(), 0) == []
    return plan


def queued(sessions: int | None = 1, max_parallel: int = 1) -> Plan:
    plan = connected(sessions, max_parallel)
    assert plan.wishes(0) == [ENQUEUE]
    assert plan.wishes(0) == []  # asked once
    plan.ticket(waiting(), 0)
    return plan


def test_queue_offer_seat_end() -> None:
    plan = queued()
    assert plan.agent_view(agent_view(offers=("o1",), tickets=("t1",)), 1) == []
    assert plan.wishes(1) == [Confirm(offer="o1")]
    assert plan.wishes(2) == []
    assert plan.agent_view(agent_view("s1"), 3) == ["s1"]
    assert plan.agent_view(agent_view("s1"), 4) == []
    assert plan.wishes(4) == []
    assert not plan.done
    plan.session_over("s1", counts=True)
    assert plan.done


def test_a_void_session_is_played_again() -> None:
    plan = queued()
    plan.agent_view(agent_view("s1"), 1)
    plan.session_over("s1", counts=False)
    assert not plan.done
    assert plan.wishes(2) == [ENQUEUE]
    assert plan.agent_view(agent_view("s1"), 3) == []  # a late view does not seat us again


def opening_view(session: str, since_ms: int = 0) -> AgentView:
    waits = Opening(session=session, space=SPACE, seat=0, tier_micros=0, since_ms=since_ms)
    return msgspec.structs.replace(agent_view(), opening=[waits])


def test_a_match_that_waits_for_the_chain_is_waited_for() -> None:
    plan = queued()
    assert plan.agent_view(opening_view("s1"), 1) == []
    assert plan.opening == {"s1"}
    assert plan.wishes(2) == [], "it does not queue again"
    plan.stop()
    assert plan.wishes(3) == [], "there is no ticket to give back"
    assert not plan.done, "its entry is spent, so it is played"
    assert plan.agent_view(agent_view("s1"), 4) == ["s1"]
    assert plan.opening == frozenset()
    plan.session_over("s1", counts=True)
    assert plan.done


def test_one_that_a_wallet_did_not_pay_is_not_counted() -> None:
    plan = queued()
    plan.agent_view(opening_view("s1"), 1)
    plan.agent_view(agent_view(), 2)
    assert plan.wishes(3) == [ENQUEUE]


def test_one_that_a_view_has_for_ever_is_forgotten() -> None:
    plan = queued()
    plan.agent_view(opening_view("s1", since_ms=1), 1)
    assert plan.wishes(OPENING_MAX_MS) == []
    assert plan.wishes(OPENING_MAX_MS + 1) == [ENQUEUE]


def test_what_was_won_is_waited_for() -> None:
    plan = connected()
    assert plan.wishes(0) == [ENQUEUE]
    plan.error(Error("awaiting-claim", "paid with the next epoch", ref=SPACE), 0)
    assert plan.fatal is None
    assert plan.wishes(CLAIM_AGAIN_MS - 1) == []
    assert plan.wishes(CLAIM_AGAIN_MS) == [ENQUEUE]


@pytest.mark.parametrize("code", ["no-wallet", "not-deposited", "limits-missing", "limit-day"])
def test_what_an_owner_has_to_mend_ends_it(code: str) -> None:
    plan = connected()
    assert plan.wishes(0) == [ENQUEUE]
    plan.error(Error(code, "by the owner", ref=SPACE), 0)
    assert plan.fatal is not None


def test_an_agent_without_a_view_queues_after_a_moment() -> None:
    plan = Plan(SPACE)
    plan.welcomed(0)
    assert plan.wishes(FIRST_VIEW_MS - 1) == []
    assert plan.next_wakeup(0) == FIRST_VIEW_MS
    assert plan.wishes(FIRST_VIEW_MS) == [ENQUEUE]


def test_a_restarted_bot_takes_its_seat_and_its_ticket_up_again() -> None:
    plan = Plan(SPACE, sessions=2, max_parallel=2)
    plan.welcomed(0)
    assert plan.agent_view(agent_view("s1", tickets=("t9",)), 0) == ["s1"]
    assert plan.wishes(0) == [Explain(ticket="t9")]
    plan.ticket(waiting("t9"), 1)
    assert plan.wishes(1) == []


def test_a_strangers_ticket_of_the_same_agent_is_left_alone() -> None:
    plan = Plan(SPACE)
    plan.welcomed(0)
    plan.agent_view(agent_view(tickets=("t9",)), 0)
    plan.wishes(0)
    assert not plan.ticket(Ticket("t9", "rap-battle", 0, "waiting"), 1)
    assert plan.wishes(1) == [ENQUEUE]


def test_a_waiting_ticket_is_asked_about_and_replaced_when_gone() -> None:
    plan = queued()
    assert plan.wishes(EXPLAIN_EVERY_MS - 1) == []
    assert plan.wishes(EXPLAIN_EVERY_MS) == [Explain(ticket="t1")]
    plan.error(Error("unknown-ticket", "", ref="t1"), EXPLAIN_EVERY_MS)
    assert plan.wishes(EXPLAIN_EVERY_MS) == [ENQUEUE]


def test_an_offer_that_fell_through_keeps_the_ticket() -> None:
    plan = queued()
    plan.agent_view(agent_view(offers=("o1",), tickets=("t1",)), 1)
    plan.wishes(1)
    plan.agent_view(agent_view(tickets=("t1",)), 2)
    assert plan.wishes(2) == []


def test_parallel_sessions_never_exceed_what_is_missing() -> None:
    plan = queued(sessions=3, max_parallel=2)
    plan.agent_view(agent_view("s1"), 1)
    assert plan.wishes(1) == [ENQUEUE]
    plan.ticket(waiting("t2"), 1)
    plan.agent_view(agent_view("s1", "s2"), 2)
    assert plan.wishes(2) == []
    plan.session_over("s1", counts=True)
    assert plan.wishes(3) == [ENQUEUE]
    plan.ticket(waiting("t3"), 3)
    plan.agent_view(agent_view("s2", "s3"), 4)
    plan.session_over("s2", counts=True)
    assert plan.wishes(5) == []  # one has ended, one is live, and s3 is the third
    plan.session_over("s3", counts=True)
    assert plan.done


def test_without_end_queues_for_ever() -> None:
    plan = queued(sessions=None)
    for number in range(5):
        plan.agent_view(agent_view(f"s{number}"), number)
        plan.session_over(f"s{number}", counts=True)
        assert not plan.done
        assert plan.wishes(number) == [ENQUEUE]
        plan.ticket(waiting(f"t{number}"), number)


def test_already_queued_waits_before_it_asks_again() -> None:
    plan = connected()
    plan.wishes(0)
    plan.error(Error("already-queued", "", ref=SPACE), 0)
    assert plan.wishes(ASK_AGAIN_MS - 1) == []
    assert plan.wishes(ASK_AGAIN_MS) == [ENQUEUE]


def test_a_hopeless_refusal_is_fatal_but_one_of_a_channel_is_not() -> None:
    plan = connected()
    plan.wishes(0)
    plan.error(Error("forbidden", "", ref="session:x"), 0)
    assert plan.fatal is None
    plan.error(Error("tier-closed", "closed", ref=f"{SPACE}/0"), 0)
    assert plan.fatal is not None


def test_stopping_leaves_the_queue_and_finishes_live_sessions() -> None:
    plan = queued(sessions=None, max_parallel=2)
    plan.agent_view(agent_view("s1"), 1)
    plan.wishes(1)
    plan.ticket(waiting("t2"), 1)
    plan.stop()
    assert plan.wishes(2) == [Dequeue(ticket="t2")]
    assert plan.wishes(2) == []
    plan.ticket(waiting("t2", "gone"), 3)
    assert not plan.done
    plan.session_over("s1", counts=True)
    assert plan.done


def test_stopping_with_an_enqueue_under_way_waits_for_the_ticket() -> None:
    plan = connected()
    plan.wishes(0)
    plan.stop()
    assert not plan.done
    plan.ticket(waiting("t1"), 1)
    assert plan.wishes(1) == [Dequeue(ticket="t1")]
    plan.error(Error("unknown-ticket", "", ref="t1"), 2)
    assert plan.done


def test_a_view_that_stays_behind_keeps_nobody_from_queueing() -> None:
    """Its offer is over and its ticket gone, and the arena never says so."""
    stale = agent_view(offers=("o1",), tickets=("t1",))
    plan = Plan(SPACE)
    plan.welcomed(0)
    plan.agent_view(stale, 0)
    assert plan.wishes(0) == [Confirm(offer="o1"), Explain(ticket="t1")]
    plan.error(Error("unknown-offer", "", ref="o1"), 1)
    plan.agent_view(stale, 1)
    assert plan.wishes(1) == []  # the ticket may still be ours
    plan.error(Error("unknown-ticket", "", ref="t1"), 2)
    plan.agent_view(stale, 2)
    assert plan.wishes(2) == [ENQUEUE]
    plan.error(Error("already-queued", "", ref="t2"), 3)
    plan.welcomed(4)
    plan.agent_view(stale, 4)
    assert plan.wishes(4) == [ENQUEUE]
    plan.ticket(waiting("t2"), 5)
    assert plan.wishes(5) == []


def test_an_offer_is_forgotten_after_its_deadline_on_the_arenas_clock() -> None:
    stale = agent_view(offers=("o1",))
    ahead_ms = stale.offers[0].expires_ms - 10_000  # so it expires at 10_000 on ours
    over = 10_000 + OFFER_GRACE_MS
    plan = Plan(SPACE)
    plan.welcomed(0)
    plan.agent_view(stale, 0, ahead_ms)
    assert plan.wishes(0) == [Confirm(offer="o1")]
    assert plan.wishes(over - 1) == []
    assert plan.next_wakeup(over - 1) == over
    assert plan.wishes(over) == [ENQUEUE]
    plan.ticket(waiting("t2"), over)
    plan.agent_view(stale, over, ahead_ms)
    assert plan.wishes(over) == []


def test_an_offer_over_before_it_was_seen_is_not_confirmed() -> None:
    stale = agent_view(offers=("o1",))
    plan = Plan(SPACE)
    plan.welcomed(0)
    plan.agent_view(stale, 0, stale.offers[0].expires_ms + OFFER_GRACE_MS)
    assert plan.wishes(0) == [ENQUEUE]


def test_a_stopping_plan_does_not_wake_for_an_offer_that_is_over() -> None:
    plan = queued()
    plan.agent_view(agent_view(offers=("o1",), tickets=("t1",)), 0, 2_000_000)
    plan.stop()
    plan.wishes(OFFER_GRACE_MS)
    assert plan.next_wakeup(OFFER_GRACE_MS) > OFFER_GRACE_MS


def test_a_ticket_of_another_queue_is_asked_about_once() -> None:
    plan = Plan(SPACE)
    plan.welcomed(0)
    plan.agent_view(agent_view(tickets=("t9",)), 0)
    plan.wishes(0)
    plan.ticket(Ticket("t9", "rap-battle", 0, "waiting"), 1)
    plan.agent_view(agent_view(tickets=("t9",)), 2)
    assert plan.wishes(EXPLAIN_EVERY_MS) == [ENQUEUE]
