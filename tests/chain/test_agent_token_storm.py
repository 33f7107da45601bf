"""Storms over the bonding curve: k never falls, every token can be sold back, and all amounts are the model's."""

from __future__ import annotations

import boa
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.chain.contracts import deploy
from tests.chain.storm import REFUSED, Storm, run
from tests.chain.wallets import now, wallet

ISSUER, CREATOR, TREASURY, *TRADERS = (wallet(n).address for n in range(1, 7))
SUPPLY = 10**27
TRADER = st.sampled_from(TRADERS)
AMOUNT = st.one_of(
    st.integers(0, 300), st.integers(0, 10**7), st.integers(0, 10**13), st.integers(0, 2**97)
)


class Curve(Storm):
    @initialize(virtual=st.sampled_from([10**6, 5 * 10**9, 2**96, 1_234_567]))
    def launch(self, virtual: int) -> None:
        self.usdc = deploy("usdc_dev", sender=ISSUER)
        self.token = deploy(
            "agent_token", str(self.usdc.address), 1, "A", "A", CREATOR, TREASURY, virtual
        )
        self.launched = now()
        for trader in TRADERS:
            self.usdc.mint(trader, 2**130, sender=ISSUER)
            self.usdc.approve(str(self.token.address), 2**255, sender=trader)
        self.x, self.y = virtual, SUPPLY
        self.virtual = virtual
        self.product = self.x * self.y
        self.fees = self.given = 0
        self.tokens: dict[str, int] = dict.fromkeys(TRADERS, 0)

    @rule(buyer=TRADER, micros=AMOUNT)
    def buy(self, buyer: str, micros: int) -> None:
        age = min(now() - self.launched, 600)
        fee = -(-micros // 100)
        left = micros * (8_900 * (600 - age) // 600) // 10_000
        paid = micros - fee - left
        bought = self.call(self.token, "buy", micros, 0, now(), sender=buyer)
        tokens = self.y * paid // (self.x + paid) if paid > 0 else 0
        if micros > 2**96 or tokens == 0:
            assert bought is REFUSED
            return
        assert bought == tokens
        self.x, self.y = self.x + micros - fee, self.y - tokens
        self.fees += fee
        self.tokens[buyer] += tokens

    @rule(seller=TRADER, share=st.integers(0, 110), dust=st.integers(0, 3))
    def sell(self, seller: str, share: int, dust: int) -> None:
        tokens = self.tokens[seller] * share // 100 + dust
        gross = self.x * tokens // (self.y + tokens)
        fee = -(-gross // 100)
        sold = self.call(self.token, "sell", tokens, 0, now(), sender=seller)
        if tokens > self.tokens[seller] or gross <= fee:
            assert sold is REFUSED
            return
        assert sold == gross - fee
        self.x, self.y = self.x - gross, self.y + tokens
        self.fees += fee
        self.tokens[seller] -= tokens

    @rule(giver=TRADER, receiver=TRADER, share=st.integers(0, 100))
    def transfer(self, giver: str, receiver: str, share: int) -> None:
        tokens = self.tokens[giver] * share // 100
        assert self.call(self.token, "transfer", receiver, tokens, sender=giver) is True
        self.tokens[giver] -= tokens
        self.tokens[receiver] += tokens

    @rule(giver=TRADER, micros=st.integers(0, 10**12))
    def give(self, giver: str, micros: int) -> None:
        self.call(self.usdc, "transfer", str(self.token.address), micros, sender=giver)
        self.given += micros

    @rule(receiver=st.sampled_from([CREATOR, TREASURY, *TRADERS[:1]]))
    def fetch_fees(self, receiver: str) -> None:
        fetched = self.call(self.token, "fetch_fees", receiver, sender=receiver)
        if fetched is not REFUSED:
            assert receiver in (CREATOR, TREASURY)
            self.fees -= fetched

    @rule(seconds=st.integers(0, 250))
    def wait(self, seconds: int) -> None:
        boa.env.time_travel(seconds=seconds)

    @rule(micros=AMOUNT, share=st.integers(1, 100))
    def quotes_are_what_trades_do(self, micros: int, share: int) -> None:
        quote = self.call(self.token, "quote_buy", micros, sender=TRADERS[0])
        with boa.env.anchor():
            bought = self.call(self.token, "buy", micros, 0, now(), sender=TRADERS[0])
        assert (bought is REFUSED) == (quote is REFUSED)
        assert quote is REFUSED or bought == quote[0]
        tokens = self.tokens[TRADERS[0]] * share // 100
        quote = self.call(self.token, "quote_sell", tokens, sender=TRADERS[0])
        with boa.env.anchor():
            sold = self.call(self.token, "sell", tokens, 0, now(), sender=TRADERS[0])
        assert (sold is REFUSED) == (quote is REFUSED)
        assert quote is REFUSED or sold == quote[0]

    @invariant()
    def k_never_falls_and_the_money_is_there(self) -> None:
        if not hasattr(self, "token"):
            return
        assert self.x * self.y >= self.product
        self.product = self.x * self.y
        reserve = self.token.reserve()
        assert reserve == self.x - self.virtual >= 0
        assert self.token.unsold() == self.y
        held = self.usdc.balanceOf(str(self.token.address))
        assert held == reserve + self.fees + self.given
        assert sum(self.tokens.values()) == SUPPLY - self.y
        assert self.x * (SUPPLY - self.y) // SUPPLY <= reserve

    def at_the_end(self) -> None:
        """Everybody sells everything, in whatever order, and the fees are fetched: nobody is left with more than dust."""
        if not hasattr(self, "token"):
            return
        for seller in TRADERS:
            tokens = self.tokens[seller]
            gross = self.x * tokens // (self.y + tokens)
            sold = self.call(self.token, "sell", tokens, 0, now(), sender=seller)
            if sold is REFUSED:
                assert gross <= 1
                continue
            self.x, self.y = self.x - gross, self.y + tokens
            self.fees += gross - sold
        for receiver in (CREATOR, TREASURY):
            self.call(self.token, "fetch_fees", receiver, sender=receiver)
        reserve = self.token.reserve()
        assert self.usdc.balanceOf(str(self.token.address)) == reserve + self.given


def test_a_small_storm() -> None:
    seen = run(Curve, examples=12, steps=25, always_the_same=True)
    assert min(seen[name] for name in ("buy", "buy!", "sell", "sell!")) > 0


@pytest.mark.slow
def test_a_storm() -> None:
    seen = run(Curve, examples=160, steps=50)
    assert seen.total() >= 8_000
    assert min(seen["buy"], seen["sell"], seen["fetch_fees"]) > 100
