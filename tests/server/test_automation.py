"""The rules of automation, and a machine that tries to break a limit in every order of events."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from server import automation as rules
from server.automation import REASON_MAX, Entry, InvalidLimits, Limits, Run
from server.ledger.tiers import FEE_TIERS
from server.weekly import Schedule, Window

NOW_MS = 1_800_000_000_000
DOLLAR = 1_000_000

LIMITS = Limits(
    tier_micros=DOLLAR,
    spaces=("bid-tac-toe", "logic"),
    max_sessions=20,
    max_parallel=2,
    stop_loss_micros=5 * DOLLAR,
    take_profit_micros=10 * DOLLAR,
)
RUN = Run(1, "usdc")
ENTRY = Entry("logic", DOLLAR, "usdc", DOLLAR, NOW_MS)


def limits(**changes: object) -> Limits:
    return msgspec.structs.replace(LIMITS, **changes)


def run(**changes: object) -> Run:
    return msgspec.structs.replace(RUN, **changes)


def entry(**changes: object) -> Entry:
    return msgspec.structs.replace(ENTRY, **changes)


def test_a_fresh_run_admits_an_entry_of_its_tier_and_below() -> None:
    assert rules.admit(LIMITS, RUN, ENTRY) is None
    assert rules.admit(LIMITS, RUN, entry(tier_micros=100_000, micros=100_000)) is None


@pytest.mark.parametrize(
    ("run", "entry", "reason"),
    [
        (
            RUN,
            entry(tier_micros=5 * DOLLAR, micros=5 * DOLLAR),
            "tier above the ceiling: 5.00 USDC, at most 1.00 USDC",
        ),
        (
            RUN,
            entry(tier_micros=0, asset="play"),
            "another asset: the automation counts in USDC, the entry is paid in play dollars",
        ),
        (
            RUN,
            entry(space="rap-battle"),
            "another Space: rap-battle is not one of the 2 that the automation plays",
        ),
        (run(begun=20), ENTRY, "session limit reached: 20 begun of at most 20"),
        (
            run(begun=2, open=2, at_risk_micros=2 * DOLLAR),
            ENTRY,
            "parallel limit reached: 2 open of at most 2",
        ),
        (
            run(profit_micros=-5 * DOLLAR),
            ENTRY,
            "stop-loss reached: lost 5.00 of at most 5.00 USDC",
        ),
        (
            run(profit_micros=-4_500_000),
            ENTRY,
            "stop-loss reached: lost 4.50 of at most 5.00 USDC, and an entry costs 1.00",
        ),
        (
            run(begun=5, open=1, at_risk_micros=DOLLAR, profit_micros=-4 * DOLLAR),
            ENTRY,
            "stop-loss within reach: lost 4.00 and 1.00 at risk of at most 5.00 USDC",
        ),
        (
            run(profit_micros=10_250_000),
            ENTRY,
            "take-profit reached: won 10.25 of 10.00 USDC",
        ),
    ],
)
def test_a_refusal_names_fact_number_and_limit(run: Run, entry: Entry, reason: str) -> None:
    assert rules.admit(LIMITS, run, entry) == reason


def test_the_free_tier_refuses_what_costs_money() -> None:
    free = limits(tier_micros=0)
    assert rules.admit(free, run(asset="play"), ENTRY) == (
        "tier above the ceiling: 1.00 USDC, at most the free tier"
    )


def test_a_closed_schedule_refuses_and_says_until_when() -> None:
    # NOW_MS is a Friday, 08:00 UTC
    weekend = limits(schedule=Schedule((Window(("sat",), "10:00", "12:00"),)))
    assert rules.admit(weekend, RUN, ENTRY) == "closed by the schedule until Sat 10:00 UTC"
    assert rules.finished(weekend, RUN) is None


def test_winnings_are_money_to_lose() -> None:
    assert rules.admit(LIMITS, run(begun=9, profit_micros=3 * DOLLAR), ENTRY) is None
    tight = limits(stop_loss_micros=DOLLAR, max_parallel=9)
    two = run(begun=2, open=2, at_risk_micros=2 * DOLLAR)
    assert rules.admit(tight, two, ENTRY) is not None
    assert rules.admit(tight, msgspec.structs.replace(two, profit_micros=2 * DOLLAR), ENTRY) is None


def test_a_run_ends_when_nothing_can_follow() -> None:
    assert rules.finished(LIMITS, RUN) is None
    assert rules.finished(LIMITS, run(begun=20)) == "session limit reached: 20 begun of at most 20"
    assert rules.finished(LIMITS, run(profit_micros=-4_500_000)) == (
        "stop-loss reached: lost 4.50 of at most 5.00 USDC, and an entry costs 1.00"
    )
    assert rules.finished(LIMITS, run(profit_micros=10 * DOLLAR)) == (
        "take-profit reached: won 10.00 of 10.00 USDC"
    )


def test_what_is_open_keeps_a_run_on_unless_it_has_won_enough() -> None:
    last_open = run(begun=20, open=1, at_risk_micros=DOLLAR, profit_micros=-4 * DOLLAR)
    assert rules.finished(LIMITS, last_open) is None
    won = msgspec.structs.replace(last_open, profit_micros=10 * DOLLAR)
    assert rules.finished(LIMITS, won) is not None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tier_micros": 200_000}, "is no fee tier"),
        ({"spaces": ("logic", "logic")}, "logic is named twice"),
        ({"stop_loss_micros": 999_999}, "does not cover one entry"),
    ],
)
def test_limits_that_cannot_be_meant_are_refused(changes: dict[str, object], words: str) -> None:
    rules.check(LIMITS)
    with pytest.raises(InvalidLimits, match=words):
        rules.check(limits(**changes))


class Open(msgspec.Struct):
    """An entry that is open, as the model has it."""

    micros: int
    counted: bool
    """Against the run that is on, or was last."""
    carried: bool = False


class Attempts(RuleBasedStateMachine):
    """Entries are admitted, released and settled in any order, with any winnings; limits may change in between, and the owner turns
    the automation off and on as he likes, and enters by hand while it is off.

    Held against a model of its own: the list of open entries, whoever entered them, and what came of the others since it was turned on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.limits = LIMITS
        self.run = RUN
        self.on = True
        self.stopped: str | None = None
        self.open: list[Open] = []
        self.begun = 0
        self.profits: list[int] = []
        self.bounds_are(LIMITS)

    def bounds_are(self, limits: Limits) -> None:
        """Limits bind what is admitted from now on: what is open and lost already counts as the measure where it is more."""
        self.begun_most = max(limits.max_sessions, self.begun)
        self.parallel_most = max(limits.max_parallel, len(self.open))
        self.loss_most = max(limits.stop_loss_micros, self.at_risk() - sum(self.profits))

    def at_risk(self) -> int:
        """By all that is open, whichever run or hand entered it."""
        return sum(each.micros for each in self.open)

    @rule(tier=st.sampled_from(FEE_TIERS[1:5]), times=st.integers(1, 5))
    def enter(self, tier: int, times: int) -> None:
        for _ in range(times):
            if not self.on and not self.stopped:
                self.open.append(Open(tier, counted=False))
                continue
            reason = rules.admit(self.limits, self.run, entry(tier_micros=tier, micros=tier))
            if self.stopped or reason:
                assert reason is None or 0 < len(reason) <= REASON_MAX
                continue
            assert tier <= self.limits.tier_micros
            assert sum(self.profits) < (self.limits.take_profit_micros or 10**18)
            self.open.append(Open(tier, counted=True))
            self.begun += 1
            self.run = rules.entered(self.run, tier)
            assert len(self.open) <= self.limits.max_parallel
            assert self.begun <= self.limits.max_sessions

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        gone = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        if gone.counted:
            self.begun -= not gone.carried
            self.run = rules.released(self.run, gone.micros, carried=gone.carried)
            self.see_whether_it_ends()

    @precondition(lambda self: self.open)
    @rule(data=st.data(), times=st.sampled_from((0.0, 0.0, 0.5, 1.0, 1.9, 2.5)))
    def settle(self, data: st.DataObject, times: float) -> None:
        done = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        if done.counted:
            won = int(done.micros * times)
            self.profits.append(won - done.micros)
            self.run = rules.settled(self.run, done.micros, won)
            self.see_whether_it_ends()

    @precondition(lambda self: self.on or self.stopped)
    @rule()
    def turn_off(self) -> None:
        self.on, self.stopped = False, None

    @precondition(lambda self: not self.on)
    @rule()
    def turn_on(self) -> None:
        micros = [each.micros for each in self.open]
        self.run = rules.begin(self.run.number + 1, self.run.asset, micros)
        self.on, self.stopped = True, None
        self.begun, self.profits = 0, []
        for each in self.open:
            each.counted = each.carried = True
        self.bounds_are(self.limits)

    @rule(
        max_sessions=st.integers(1, 30),
        max_parallel=st.integers(1, 5),
        stop_loss=st.integers(1, 12),
        take_profit=st.none() | st.integers(1, 12),
    )
    def set_limits(
        self, max_sessions: int, max_parallel: int, stop_loss: int, take_profit: int | None
    ) -> None:
        self.limits = limits(
            max_sessions=max_sessions,
            max_parallel=max_parallel,
            stop_loss_micros=stop_loss * DOLLAR,
            take_profit_micros=take_profit and take_profit * DOLLAR,
        )
        rules.check(self.limits)
        self.bounds_are(self.limits)
        self.see_whether_it_ends()

    def see_whether_it_ends(self) -> None:
        if not self.on:
            return
        self.stopped = rules.finished(self.limits, self.run)
        if self.stopped:
            self.on = False
            assert len(self.stopped) <= REASON_MAX

    @invariant()
    def the_run_counts_what_happened(self) -> None:
        counted = [each for each in self.open if each.counted]
        assert self.run.begun == self.begun
        assert self.run.open == len(counted)
        assert self.run.at_risk_micros == sum(each.micros for each in counted)
        assert self.run.profit_micros == sum(self.profits)
        assert len(counted) == len(self.open) or not self.on, "while it is on, all is counted"

    @invariant()
    def no_limit_can_be_broken_by_what_is_open(self) -> None:
        if not self.on:
            return
        assert self.begun <= self.begun_most
        assert len(self.open) <= self.parallel_most
        assert self.at_risk() - sum(self.profits) <= self.loss_most

    @invariant()
    def a_run_that_is_on_can_go_on(self) -> None:
        """With nothing open, either an entry is admitted or the run has ended: it never hangs."""
        if not self.open and self.on:
            assert rules.admit(self.limits, self.run, ENTRY) is None


TestAttempts = Attempts.TestCase
