"""The pure core: who meets whom, who waits, and what the waiting are told."""

from __future__ import annotations

import random
import re
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from server.live.records import TicketRecord
from server.matchmaking import MATCHABLE, Pool, Window, explain
from server.matchmaking.window import Waiting

RULE = Window()
NOW = 100_000


def ticket(
    name: str, *, mu: int = 25_000, sigma: int = 1_000, joined: int = NOW, owner: str = ""
) -> TicketRecord:
    return TicketRecord(
        ticket=f"t-{name}",
        agent=name,
        name=name.title(),
        version=f"{name}@1",
        owner=owner or f"owner-of-{name}",
        space="bid-tac-toe",
        tier_micros=0,
        mu_milli=mu,
        sigma_milli=sigma,
        joined_ms=joined,
    )


def pool_of(*tickets: TicketRecord, seats: int = 2, paid: bool = False) -> Pool:
    pool = Pool(seats, paid=paid)
    for each in tickets:
        assert pool.add(each)
    return pool


def names(pool: Pool, now_ms: int = NOW) -> list[tuple[str, ...]]:
    return [tuple(t.agent for t in proposal.tickets) for proposal in pool.form(now_ms)]


def reason(pool: Pool, agent: str, now_ms: int = NOW) -> str:
    standing = explain(pool, f"t-{agent}", now_ms)
    assert standing is not None
    return standing.reason


class TestWhoMeetsWhom:
    def test_two_of_equal_rating_meet_at_once_and_leave_the_pool(self) -> None:
        pool = pool_of(ticket("ann"), ticket("bob"))
        assert names(pool) == [("ann", "bob")]
        assert len(pool) == 0
        assert names(pool) == []

    def test_the_longest_waiting_chooses_first_and_takes_the_nearest(self) -> None:
        pool = pool_of(
            ticket("late", joined=NOW - 1, mu=25_400),
            ticket("first", joined=NOW - 900, mu=25_000),
            ticket("far", joined=NOW - 500, mu=26_900),
        )
        assert names(pool) == [("first", "late")]

    def test_the_tighter_window_decides_until_both_are_wide_enough(self) -> None:
        old = ticket("old", joined=NOW - 8_000, mu=25_000)
        new = ticket("new", joined=NOW, mu=30_000)
        pool = pool_of(old, new)
        assert names(pool) == [], "the newcomer's window is 2.0, the gap 5.0"
        assert names(pool, NOW + 2_999) == []
        assert names(pool, NOW + 3_000) == [("old", "new")]

    def test_an_uncertain_rating_reaches_as_far_as_its_sigma(self) -> None:
        pool = pool_of(ticket("ann", mu=25_000, sigma=8_333), ticket("bob", mu=33_000, sigma=8_333))
        assert names(pool) == [("ann", "bob")]

    def test_patience_takes_the_nearest_however_far(self) -> None:
        lonely = ticket("lonely", mu=80_000, joined=NOW - RULE.patience_ms)
        pool = pool_of(lonely, ticket("newcomer", mu=10_000))
        assert names(pool) == [("lonely", "newcomer")]

    def test_owners_never_meet_themselves_for_money_but_may_for_free(self) -> None:
        pair = (ticket("ann", owner="o"), ticket("bob", owner="o"))
        assert names(pool_of(*pair, paid=True), NOW + 10**9) == []
        assert names(pool_of(*pair, paid=False)) == [("ann", "bob")]

    def test_five_seats_fill_with_the_five_that_accept_each_other(self) -> None:
        near = [ticket(f"n{i}", mu=25_000 + 400 * i, joined=NOW - 10 + i) for i in range(5)]
        pool = pool_of(*near, ticket("far", mu=40_000, joined=NOW - 20), seats=5)
        assert names(pool) == [("n0", "n1", "n2", "n3", "n4")]
        assert len(pool) == 1

    def test_an_agent_waits_once(self) -> None:
        pool = pool_of(ticket("ann"))
        again = ticket("ann", joined=NOW + 5)
        assert not pool.add(again)
        assert pool.remove("t-ann") == ticket("ann")
        assert pool.remove("t-ann") is None
        assert pool.add(again)

    def test_a_limit_leaves_the_rest_for_the_next_call(self) -> None:
        pool = pool_of(*(ticket(f"a{i:02d}", joined=NOW + i) for i in range(20)))
        first = pool.form(NOW + 100, limit=3)
        second = pool.form(NOW + 100, limit=100)
        assert [len(first), len(second)] == [3, 7]
        assert len(pool) == 0

    def test_a_crowd_in_which_nobody_fits_does_not_hide_those_behind_it(self) -> None:
        crowd = [
            ticket(f"c{i:04d}", owner="crowd", mu=60_000, joined=NOW - 500) for i in range(1_200)
        ]
        pool = pool_of(*crowd, ticket("ann"), ticket("bob"), paid=True)
        rounds = [names(pool) for _ in range(4)]
        assert [("ann", "bob")] in rounds


class TestWhyNotMatched:
    def test_alone(self) -> None:
        pool = pool_of(ticket("ann"))
        assert reason(pool, "ann") == "waiting for another agent"
        assert reason(pool_of(ticket("ann"), seats=5), "ann") == "waiting for 4 more agents"
        assert explain(pool, "t-nobody", NOW) is None

    def test_position_and_window(self) -> None:
        pool = pool_of(ticket("ann", joined=NOW - 1_000), ticket("bob", mu=60_000))
        standing = explain(pool, "t-bob", NOW + 2_000)
        assert standing is not None
        assert (standing.position, standing.waiting, standing.window_milli) == (2, 2, 4_000)

    def test_only_ones_own(self) -> None:
        pool = pool_of(ticket("ann", owner="o"), ticket("bob", owner="o"), paid=True)
        assert "the only others here belong to your owner" in reason(pool, "ann")

    def test_too_few_owners_for_five_seats(self) -> None:
        six = [ticket(f"a{i}", owner=f"o{i % 3}") for i in range(6)]
        assert reason(pool_of(*six, seats=5, paid=True), "a0") == (
            "waiting for agents of 2 more owners"
        )

    def test_own_window_too_tight(self) -> None:
        pool = pool_of(ticket("ann"), ticket("bob", mu=29_120))
        assert reason(pool, "ann") == (
            "the nearest rating is 4.2 away, your window is 2.0 and grows to it within 3 s"
        )
        assert names(pool, NOW + 3_000) == [("ann", "bob")]

    def test_the_others_window_too_tight(self) -> None:
        pool = pool_of(ticket("ann", joined=NOW - 6_000), ticket("bob", mu=30_000))
        assert reason(pool, "ann") == (
            "the nearest rating is 5.0 away, its agent accepts 2.0 yet and will accept you within 3 s"
        )

    def test_a_group_that_is_not_near_enough(self) -> None:
        pool = pool_of(*(ticket(f"a{i}", mu=25_000 + 1_500 * i) for i in range(5)), seats=5)
        assert reason(pool, "a0") == (
            "1 of 4 others are within your window of 2.0; any rating will do in 15 s"
        )


OWNERS = st.sampled_from(["o1", "o2", "o3", "o4", "o5", "o6", "o7"])


@st.composite
def crowds(draw: st.DrawFn) -> list[TicketRecord]:
    count = draw(st.integers(0, 24))
    return [
        ticket(
            f"a{i:02d}",
            mu=draw(st.integers(-5_000, 60_000)),
            sigma=draw(st.integers(500, 8_333)),
            joined=NOW - draw(st.integers(0, 20_000)),
            owner=draw(OWNERS),
        )
        for i in range(count)
    ]


def waiting(record: TicketRecord) -> Waiting:
    return Waiting(record, 0, RULE)


@given(crowds(), st.sampled_from([2, 5]), st.booleans())
def test_a_proposal_keeps_every_rule(crowd: list[TicketRecord], seats: int, paid: bool) -> None:
    pool = pool_of(*crowd, seats=seats, paid=paid)
    proposals = pool.form(NOW)
    seated = [t.ticket for proposal in proposals for t in proposal.tickets]
    assert len(seated) == len(set(seated)), "no ticket twice"
    assert {t.ticket for t in crowd} == set(seated) | {t.ticket for t in crowd if t.ticket in pool}
    for proposal in proposals:
        assert len(proposal.tickets) == seats
        assert list(proposal.tickets) == sorted(
            proposal.tickets, key=lambda t: (t.joined_ms, t.ticket)
        )
        if paid:
            assert len({t.owner for t in proposal.tickets}) == seats
        members = [waiting(t) for t in proposal.tickets]
        if not any(m.hurried(NOW) for m in members):
            assert all(a.accepts(b, NOW) for a, b in combinations(members, 2))


@given(crowds(), st.booleans())
def test_no_two_that_accept_each_other_are_left_waiting(
    crowd: list[TicketRecord], paid: bool
) -> None:
    pool = pool_of(*crowd, paid=paid)
    pool.form(NOW)
    left = [waiting(t) for t in crowd if t.ticket in pool]
    for a, b in combinations(left, 2):
        if paid and a.owner == b.owner:
            continue
        assert not a.accepts(b, NOW)
        assert not a.hurried(NOW)
        assert not b.hurried(NOW)


@given(crowds(), st.sampled_from([2, 5]), st.booleans())
def test_nobody_starves(crowd: list[TicketRecord], seats: int, paid: bool) -> None:
    pool = pool_of(*crowd, seats=seats, paid=paid)
    pool.form(NOW + RULE.patience_ms)
    left = [t for t in crowd if t.ticket in pool]
    assert len({t.owner for t in left} if paid else left) < seats


@given(crowds(), st.sampled_from([2, 5]), st.booleans())
def test_nobody_is_told_of_a_match_that_is_not_made(
    crowd: list[TicketRecord], seats: int, paid: bool
) -> None:
    pool = pool_of(*crowd, seats=seats, paid=paid)

    def told() -> list[str]:
        here = [t.ticket for t in crowd if t.ticket in pool]
        return [s.reason for t in here if (s := explain(pool, t, NOW)) is not None]

    hopeful = MATCHABLE in told()
    assert bool(pool.form(NOW)) == hopeful
    assert MATCHABLE not in told()


@given(crowds())
def test_the_promised_time_is_kept(crowd: list[TicketRecord]) -> None:
    """Two alone are matched no later than either is told, and not all at once."""
    pool = pool_of(*crowd[:2])
    if len(pool) < 2 or pool.form(NOW):
        return
    for each in crowd[:2]:
        told = re.search(r"within (\d+) s", reason(pool, each.agent))
        assert told is not None
        soon = NOW + int(told[1]) * 1_000
        assert pool_of(*crowd[:2]).form(soon)
        assert not pool_of(*crowd[:2]).form(soon - 1_001)


@given(crowds(), st.sampled_from([2, 5]), st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_at_the_pool_changes_nothing(
    crowd: list[TicketRecord], seats: int, paid: bool, rng: random.Random
) -> None:
    shuffled = list(crowd)
    rng.shuffle(shuffled)
    left = pool_of(*crowd, seats=seats, paid=paid)
    right = pool_of(*shuffled, seats=seats, paid=paid)
    assert left.form(NOW) == right.form(NOW)


@given(crowds(), st.data())
def test_leaving_and_coming_back_leaves_no_trace(
    crowd: list[TicketRecord], data: st.DataObject
) -> None:
    churned = pool_of(*crowd, paid=True)
    for each in crowd:
        if data.draw(st.booleans()):
            assert churned.remove(each.ticket) == each
            assert each.ticket not in churned
            assert churned.add(each)
    assert len(churned) == len(crowd)
    assert churned.form(NOW) == pool_of(*crowd, paid=True).form(NOW)
