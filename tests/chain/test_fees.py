"""What is offered, and what a replacement must offer: nodes differ in what they take, so the rule is held here."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chain.client.fees import GWEI, FeePolicy, Fees, offer, outbid
from tests.chain.fake_chain import outbids

wei = st.integers(0, 10**15)


@given(wei, wei, wei, wei, st.integers(1, 10**15))
def test_a_replacement_pays_a_tenth_more_on_both_fees_or_is_none(
    most: int, tip: int, base: int, now_tip: int, cap: int
) -> None:
    policy = FeePolicy(cap=cap)
    last = Fees(min(most, cap), min(tip, most, cap))
    replacement = outbid(last, offer(base, now_tip, policy), policy)
    if replacement is None:
        assert last.most * 9 / 8 >= cap * 0.999 or cap - last.most <= 1
        return
    assert outbids(replacement, last)
    assert 0 <= replacement.tip <= replacement.most <= cap


@given(wei, wei)
def test_an_offer_covers_the_base_fee_twice_and_never_breaks_the_cap(base: int, tip: int) -> None:
    policy = FeePolicy(cap=100 * GWEI)
    fees = offer(base, tip, policy)
    assert 0 <= fees.tip <= fees.most <= policy.cap
    assert fees.most == policy.cap or fees.most >= 2 * base + fees.tip


def test_a_replacement_follows_the_market_when_that_has_risen_by_more() -> None:
    policy = FeePolicy()
    assert outbid(Fees(10 * GWEI, GWEI), Fees(50 * GWEI, 5 * GWEI), policy) == Fees(
        50 * GWEI, 5 * GWEI
    )
    assert outbid(Fees(80, 8), Fees(1, 1), policy) == Fees(90, 9)
