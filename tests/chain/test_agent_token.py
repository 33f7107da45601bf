"""The bonding curve: what is quoted is what is traded, what is sold can always be sold back, and nobody can close it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import boa
import pytest
from boa.contracts.abi.abi_contract import ABIContractFactory

from chain.artifacts import load
from tests.chain.contracts import deploy, reverts
from tests.chain.wallets import now, sign, wallet

ISSUER, CREATOR, TREASURY, ANN, BOB, EVE = (wallet(n).address for n in range(1, 7))
NOBODY = "0x" + "0" * 40
USD = 10**6
SUPPLY = 10**27
VIRTUAL = 5_000 * USD
CARD = "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"


class Stage(NamedTuple):
    usdc: Any
    token: Any

    def buy(self, buyer: str, usdc: int) -> int:
        tokens: int = self.token.buy(usdc, 0, now(), sender=buyer)
        return tokens

    def sell(self, seller: str, tokens: int) -> int:
        usdc: int = self.token.sell(tokens, 0, now(), sender=seller)
        return usdc

    def product(self) -> int:
        unsold: int = self.token.unsold()
        return (VIRTUAL + int(self.token.reserve())) * unsold

    def held(self) -> int:
        micros: int = self.usdc.balanceOf(str(self.token.address))
        return micros


def launch(usdc: Any, creator: str = CREATOR, treasury: str = TREASURY) -> Any:
    return deploy(
        "agent_token", str(usdc.address), 7, "Gambler", "GMBL", creator, treasury, VIRTUAL
    )


@pytest.fixture
def start() -> Iterator[Stage]:
    """A token in its first second."""
    with boa.env.anchor():
        usdc = deploy("usdc_dev", sender=ISSUER)
        token = launch(usdc)
        for account in (ANN, BOB, EVE):
            usdc.mint(account, 10**6 * USD, sender=ISSUER)
            usdc.approve(str(token.address), 2**255, sender=account)
        yield Stage(usdc, token)


@pytest.fixture
def stage(start: Stage) -> Stage:
    """A token when the start is over."""
    boa.env.time_travel(seconds=600)
    return start


def test_it_sells_at_the_constant_product_less_one_percent(stage: Stage) -> None:
    tokens = stage.buy(ANN, 100 * USD)
    assert tokens == SUPPLY * 99 * USD // (VIRTUAL + 99 * USD)
    assert stage.token.balanceOf(ANN) == stage.token.totalSupply() == tokens
    assert stage.token.reserve() == 99 * USD
    assert stage.token.creator_fees() + stage.token.treasury_fees() == 1 * USD
    assert stage.held() == 100 * USD


def test_who_buys_and_sells_at_once_loses_the_fees_alone(stage: Stage) -> None:
    tokens = stage.buy(ANN, 1_000 * USD)
    back = stage.sell(ANN, tokens)
    assert 0 <= 1_000 * USD * 99 * 99 // 10_000 - back <= 2
    assert stage.token.unsold() == SUPPLY
    assert stage.token.reserve() in (0, 1, 2)  # what rounding left


def test_quotes_are_what_trades_do(start: Stage) -> None:
    for seconds in (0, 60, 299, 301, 700):
        boa.env.time_travel(seconds=seconds)
        tokens, fee, left = start.token.quote_buy(12_345_678)
        before = start.token.reserve()
        assert start.buy(ANN, 12_345_678) == tokens
        assert start.token.reserve() - before == 12_345_678 - fee
        assert left <= 12_345_678 - fee
        quoted, fee = start.token.quote_sell(tokens // 3)
        before = start.token.reserve()
        assert start.sell(ANN, tokens // 3) == quoted
        assert before - start.token.reserve() == quoted + fee


def test_the_first_buyers_leave_most_of_it_on_the_curve_and_nobody_gets_that(start: Stage) -> None:
    assert start.token.sniper_bps() == 8_900
    product = start.product()
    tokens = start.buy(EVE, 1_000 * USD)
    assert tokens == SUPPLY * 100 * USD // (VIRTUAL + 100 * USD)  # 1 % fee, 89 % left there
    assert start.product() > product
    assert start.token.creator_fees() + start.token.treasury_fees() == 10 * USD
    assert start.sell(EVE, tokens) < 120 * USD
    boa.env.time_travel(seconds=300)
    assert start.token.sniper_bps() == 4_450
    boa.env.time_travel(seconds=300)
    assert start.token.sniper_bps() == 0


def test_a_trade_is_refused_below_the_least_and_after_its_deadline(stage: Stage) -> None:
    tokens, _, _ = stage.token.quote_buy(USD)
    with reverts("agent_token: fewer tokens than the least that was asked for"):
        stage.token.buy(USD, tokens + 1, now(), sender=ANN)
    with reverts("agent_token: the deadline is over"):
        stage.token.buy(USD, 0, now() - 1, sender=ANN)
    assert stage.token.buy(USD, tokens, now(), sender=ANN) == tokens
    usdc, _ = stage.token.quote_sell(tokens)
    with reverts("agent_token: fewer micros than the least that was asked for"):
        stage.token.sell(tokens, usdc + 1, now(), sender=ANN)
    with reverts("agent_token: the deadline is over"):
        stage.token.sell(tokens, 0, now() - 1, sender=ANN)
    assert stage.token.sell(tokens, usdc, now(), sender=ANN) == usdc


def test_a_sandwich_fails_by_the_least_that_the_buyer_asked_for(stage: Stage) -> None:
    quoted, _, _ = stage.token.quote_buy(100 * USD)
    stage.buy(EVE, 5_000 * USD)
    with reverts("agent_token: fewer tokens than the least that was asked for"):
        stage.token.buy(100 * USD, quoted * 99 // 100, now(), sender=ANN)


def test_trades_of_next_to_nothing_are_refused_and_not_rounded_to_a_gift(stage: Stage) -> None:
    for micros in (0, 1):
        with reverts("agent_token: too little to trade"):
            stage.buy(ANN, micros)
    tokens = stage.buy(ANN, 2)
    assert tokens > 0
    for amount in (0, 1, tokens):
        with reverts("agent_token: too little to trade"):
            stage.sell(ANN, amount)
    with reverts("agent_token: more than 2 ** 96 micros in one trade"):
        stage.token.quote_buy(2**96 + 1)
    with reverts("agent_token: more tokens than there are"):
        stage.token.quote_sell(tokens + 1)


def test_nobody_sells_what_he_does_not_have(stage: Stage) -> None:
    tokens = stage.buy(ANN, 10 * USD)
    with reverts("erc20: burn amount exceeds balance"):
        stage.sell(EVE, tokens)


def test_nothing_can_close_the_selling(stage: Stage) -> None:
    """Nobody has a role: and the receivers of fees, blocked by USDC, are in nobody's way."""
    names = {entry.get("name") for entry in load("agent_token").abi}
    assert not names & {"owner", "pause", "mint", "set_minter", "transfer_ownership", "burn"}
    tokens = stage.buy(ANN, 100 * USD)
    for account in (CREATOR, TREASURY, ANN):
        stage.usdc.blacklist(account, sender=ISSUER)
    with reverts("usdc_dev: account is blacklisted"):
        stage.sell(ANN, tokens // 2)
    usdc = stage.token.sell(tokens, 0, now(), BOB, sender=ANN)
    assert stage.usdc.balanceOf(BOB) == 10**6 * USD + usdc


def test_fees_are_fetched_by_their_receivers(stage: Stage) -> None:
    stage.buy(ANN, 333)  # a fee of 4 micros
    stage.buy(ANN, 1_000 * USD)
    with reverts("agent_token: no fees wait for the caller"):
        stage.token.fetch_fees(EVE, sender=EVE)
    assert stage.token.fetch_fees(BOB, sender=CREATOR) == 5 * USD + 2
    assert stage.usdc.balanceOf(BOB) == 10**6 * USD + 5 * USD + 2
    with reverts("agent_token: no fees wait for the caller"):
        stage.token.fetch_fees(CREATOR, sender=CREATOR)
    assert stage.token.fetch_fees(TREASURY, sender=TREASURY) == 5 * USD + 2
    assert stage.held() == stage.token.reserve()


def test_a_place_that_receives_fees_is_handed_over_in_two_steps(stage: Stage) -> None:
    stage.buy(ANN, 100 * USD)
    with reverts("agent_token: caller receives no fees"):
        stage.token.offer_fees(EVE, sender=EVE)
    stage.token.offer_fees(BOB, sender=CREATOR)
    with reverts("agent_token: nothing is offered to the caller"):
        stage.token.take_fees(sender=EVE)
    stage.token.take_fees(sender=BOB)
    assert (stage.token.creator(), stage.token.treasury()) == (BOB, TREASURY)
    assert stage.token.fetch_fees(BOB, sender=BOB) == USD // 2
    with reverts("agent_token: nothing is offered to the caller"):
        stage.token.take_fees(sender=BOB)


def test_one_account_may_be_creator_and_treasury(stage: Stage) -> None:
    token = launch(stage.usdc, ANN, ANN)
    boa.env.time_travel(seconds=600)
    stage.usdc.approve(str(token.address), 2**255, sender=BOB)
    token.buy(100 * USD, 0, now(), sender=BOB)
    assert token.fetch_fees(ANN, sender=ANN) == USD


def test_a_permit_buys_in_one_transaction_also_where_somebody_brought_it_first(
    stage: Stage,
) -> None:
    signer = wallet(99)
    stage.usdc.mint(signer.address, 10 * USD, sender=ISSUER)
    curve, until = str(stage.token.address), now() + 60
    for nonce in (0, 1):
        permit = sign(signer, stage.usdc, "Permit", signer.address, curve, USD, nonce, until)
        if nonce:  # a front-runner's
            stage.usdc.permit(signer.address, curve, USD, until, *permit, sender=EVE)
        bought = stage.token.buy_with_permit(USD, 1, until, until, *permit, sender=signer.address)
        assert bought > 0
    assert stage.usdc.balanceOf(signer.address) == 8 * USD


def test_usdc_that_is_merely_sent_moves_no_price(stage: Stage) -> None:
    quoted = stage.token.quote_buy(USD)
    stage.usdc.transfer(str(stage.token.address), 1_000 * USD, sender=ANN)
    assert stage.token.quote_buy(USD) == quoted


def test_an_agents_owner_launches_its_one_token() -> None:
    with boa.env.anchor():
        usdc, agents = deploy("usdc_dev"), deploy("agents")
        agents.register(CARD, sender=ANN)
        code = bytes.fromhex(load("agent_token").bytecode[2:])
        # ERC-5202: the code behind a preamble, deployed by 13 bytes that return what follows them.
        stored = b"\xfe\x71\x00" + code
        creation = bytes.fromhex(f"61{len(stored):04x}3d81600a3d39f3") + stored
        blueprint, _ = boa.env.deploy_code(bytecode=creation)
        tokens = deploy(
            "agent_tokens", str(usdc.address), str(agents.address), str(blueprint), TREASURY
        )
        with reverts("agent_tokens: caller does not own the agent"):
            tokens.launch(1, "Gambler", "GMBL", VIRTUAL, sender=EVE)
        token = tokens.launch(1, "Gambler", "GMBL", VIRTUAL, sender=ANN)
        assert (tokens.token_of(1), tokens.agent_of(token)) == (token, 1)
        with reverts("agent_tokens: the agent has a token"):
            tokens.launch(1, "Gambler", "GMBL", VIRTUAL, sender=ANN)
        curve = ABIContractFactory("agent_token", load("agent_token").abi).at(token)
        assert (curve.creator(), curve.treasury(), curve.AGENT_ID()) == (ANN, TREASURY, 1)
        assert (curve.name(), curve.symbol(), curve.VIRTUAL()) == ("Gambler", "GMBL", VIRTUAL)
