"""Storms over the rewards: honest and hostile roots, and a watchman who claims for all before a hostile one counts."""

from __future__ import annotations

import boa
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from chain.payout_tree import PayoutTree
from tests.chain.contracts import deploy
from tests.chain.roles import give_role
from tests.chain.storm import REFUSED, Storm, run
from tests.chain.wallets import now, wallet

ADMIN, PUBLISHER, GUARDIAN, TREASURY, EVE, *EARNERS = (wallet(n).address for n in range(1, 10))
DAY = 86_400
PICK = st.integers(0, 10**6)


class Posted:
    def __init__(self, cumulative: dict[str, int], total: int, honest: bool) -> None:
        self.tree, self.total, self.honest = PayoutTree(cumulative), total, honest
        self.cumulative = cumulative
        self.counts_at = now() + DAY


class Rewards(Storm):
    @initialize()
    def begin(self) -> None:
        self.frac = deploy("frac", TREASURY)
        self.rewards = deploy("rewards", str(self.frac.address), sender=ADMIN)
        give_role(self.rewards, "publisher", PUBLISHER, ADMIN)
        give_role(self.rewards, "guardian", GUARDIAN, ADMIN)
        self.frac.approve(str(self.rewards.address), 2**255, sender=TREASURY)
        self.funded = 0
        self.earned: dict[str, int] = dict.fromkeys(EARNERS, 0)
        self.claimed: dict[str, int] = dict.fromkeys((*EARNERS, EVE), 0)
        self.epochs: list[Posted] = []
        self.robbed = False

    @rule(amount=st.one_of(st.just(0), st.integers(10**5, 10**6)))
    def fund(self, amount: int) -> None:
        if self.call(self.rewards, "fund", amount, sender=TREASURY) is not REFUSED:
            self.funded += amount

    def post(self, posted: Posted) -> bool:
        done = self.call(
            self.rewards,
            "post",
            len(self.epochs) + 1,
            posted.tree.root,
            posted.total,
            sender=PUBLISHER,
        )
        before = self.epochs[-1] if self.epochs else None
        allowed = posted.total <= self.funded and (
            before is None or (posted.total >= before.total and now() >= before.counts_at)
        )
        assert (done is not REFUSED) == allowed
        if allowed:
            self.epochs.append(posted)
        return allowed

    @rule(earner=st.sampled_from(EARNERS), amount=st.integers(0, 10**4))
    def post_what_was_earned(self, earner: str, amount: int) -> None:
        earned = self.earned | {earner: self.earned[earner] + amount}
        base = max([self.epochs[-1].total if self.epochs else 0, sum(earned.values())])
        if self.post(Posted(earned, base, honest=True)):
            self.earned = earned

    @rule(share=st.sampled_from([50, 100, 100, 101]), kept=st.sampled_from(EARNERS))
    def post_a_theft(self, share: int, kept: str) -> None:
        self.post(Posted({EVE: 10**9, kept: 1}, self.funded * share // 100, honest=False))

    @rule(earner=st.sampled_from(EARNERS), amount=st.integers(1, 10**4), claims=st.booleans())
    def an_epoch_as_it_should_be(self, earner: str, amount: int, claims: bool) -> None:
        self.fund(10**5)
        self.post_what_was_earned(earner, amount)
        self.wait(DAY)
        if claims:
            self.claim_by(len(self.epochs) - 1, earner)

    @precondition(lambda self: self.epochs)
    @rule(awake=st.sampled_from([True, False, False]))
    def veto(self, awake: bool) -> None:
        if not awake:
            return
        waiting = now() < self.epochs[-1].counts_at
        done = self.call(self.rewards, "veto", len(self.epochs), sender=GUARDIAN)
        assert (done is not REFUSED) == waiting
        if waiting:
            vetoed = self.epochs.pop()
            if vetoed.honest:  # what it said was earned is posted again with the next one
                self.earned = self.earned_before()

    def earned_before(self) -> dict[str, int]:
        for posted in reversed(self.epochs):
            if posted.honest:
                return dict(posted.cumulative)
        return dict.fromkeys(EARNERS, 0)

    @precondition(lambda self: self.epochs)
    @rule(pick=PICK, account=st.sampled_from([EVE, *EARNERS]))
    def claim(self, pick: int, account: str) -> None:
        self.claim_by(pick % len(self.epochs), account)

    def claim_by(self, place: int, account: str) -> None:
        if place < 0:
            return
        posted = self.epochs[place]
        if account not in posted.cumulative:
            return
        cumulative = posted.cumulative[account]
        left = self.counting_total() - sum(self.claimed.values())
        expected = max(0, min(cumulative - self.claimed[account], left))
        paid = self.call(
            self.rewards,
            "claim",
            place + 1,
            account,
            cumulative,
            posted.tree.proof(account),
            sender=EVE,
        )
        if now() < posted.counts_at:
            assert paid is REFUSED
            return
        assert paid == expected
        self.claimed[account] += paid
        self.robbed = self.robbed or (account == EVE and paid > 0)

    def counting_total(self) -> int:
        return max([posted.total for posted in self.epochs if now() >= posted.counts_at], default=0)

    @rule(seconds=st.sampled_from([60, DAY, DAY]))
    def wait(self, seconds: int) -> None:
        self.watch()
        boa.env.time_travel(seconds=seconds)

    def watch(self) -> None:
        """Before a root counts, everybody is brought what the honest roots before it say."""
        if not self.epochs or self.epochs[-1].honest or now() >= self.epochs[-1].counts_at:
            return
        honest = [p for p, posted in enumerate(self.epochs) if posted.honest]
        for account in EARNERS:
            if honest:
                self.claim_by(honest[-1], account)
                # Where no theft has counted before, the watchman gets everybody all that was earned.
                if not self.robbed:
                    assert self.claimed[account] >= self.epochs[honest[-1]].cumulative[account]

    @invariant()
    def no_more_than_was_funded(self) -> None:
        if not hasattr(self, "rewards"):
            return
        claimed = sum(self.claimed.values())
        assert claimed <= self.counting_total() <= self.funded
        assert self.frac.balanceOf(str(self.rewards.address)) == self.funded - claimed

    def at_the_end(self) -> None:
        if not hasattr(self, "rewards"):
            return
        for account, claimed in self.claimed.items():
            assert self.frac.balanceOf(account) == self.rewards.claimed(account) == claimed


def test_a_small_storm() -> None:
    seen = run(Rewards, examples=8, steps=25, always_the_same=True)
    assert seen["post"]


@pytest.mark.slow
def test_a_storm() -> None:
    seen = run(Rewards, examples=120, steps=50)
    assert seen.total() >= 4_000
    assert min(seen[name] for name in ("fund", "post", "claim")) > 200
    assert seen["veto"] > 20
