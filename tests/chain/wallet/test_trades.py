"""Tokens of agents: launched, quoted, bought and sold within bounds; test money."""

from __future__ import annotations

import msgspec
import pytest

from chain.client.agents import AgentToken
from chain.client.token import Token
from chain.devchain.accounts import ADDRESSES
from chain.ethereum import Account
from chain.wallet import faucet, launches, trades
from chain.wallet.contracts import Contracts
from chain.wallet.refusals import FlowRefused
from tests.chain.wallet.stage import DOLLAR, ETHER, Stage

CARD = "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"


async def launched(stage: Stage) -> tuple[int, AgentToken]:
    registered = await launches.register(stage.hands("register"), CARD)
    stage.journal.clear()
    made = await launches.launch(
        stage.hands("launch"), registered.agent, "Ember", "EMBR", 5_000 * DOLLAR
    )
    stage.journal.clear()
    return made.agent, await stage.contracts.agent_token(made.agent)


async def test_a_token_is_launched_bought_and_sold(stage: Stage) -> None:
    agent, token = await launched(stage)
    usdc = await stage.contracts.usdc()
    await stage.pass_time(700)
    standing = await token.standing()
    assert (standing.name, standing.symbol, standing.agent) == ("Ember", "EMBR", agent)
    assert standing.price == 5 * 10**12, "5,000 dollars over a thousand million"
    quote = await trades.buying(token, 100 * DOLLAR, 100)
    assert quote.at_least == -(-quote.quote.tokens * 99 // 100)
    before = await stage.nonce()
    bought = await trades.buy(
        stage.hands("buy"), token, 100 * DOLLAR, slippage_bps=100, deadline_s=600
    )
    assert (bought.tokens, bought.usdc) == (quote.quote.tokens, 900 * DOLLAR)
    assert await stage.nonce() == before + 1, "by a permit"
    stage.journal.clear()
    with pytest.raises(FlowRefused, match="fewer tokens than that"):
        await trades.sell(
            stage.hands("sell"), token, bought.tokens + 1, slippage_bps=100, deadline_s=600
        )
    sold = await trades.sell(
        stage.hands("sell all"), token, None, slippage_bps=100, deadline_s=600, to=ADDRESSES[6]
    )
    assert sold.tokens == 0
    paid = await usdc.balance(ADDRESSES[6])
    assert 97 * DOLLAR < paid < 100 * DOLLAR
    stage.journal.clear()
    fees = (await token.standing()).fees
    fetched = await launches.fetch_fees(stage.hands("fees"), agent, ADDRESSES[7])
    assert fetched.micros == fees == await usdc.balance(ADDRESSES[7])
    stage.journal.clear()
    with pytest.raises(FlowRefused, match="no fees wait for this wallet"):
        await launches.fetch_fees(stage.hands("fees"), agent, ADDRESSES[7])


async def test_the_start_of_a_launch_is_said_and_refused(stage: Stage) -> None:
    _, token = await launched(stage)
    quote = await trades.buying(token, 10 * DOLLAR, 100)
    assert quote.quote.stays > 8 * DOLLAR
    words = trades.start_in_words(quote, await token.standing(), await stage.hands("").now_s())
    assert "stays on the curve, is nobody's, and buys nothing; that falls to nothing in" in words
    with pytest.raises(FlowRefused, match=r"88\.\d+ %|89 %.*--accept-start buys all the same"):
        await trades.buy(stage.hands("buy"), token, 10 * DOLLAR, slippage_bps=100, deadline_s=60)
    done = await trades.buy(
        stage.hands("buy"), token, 10 * DOLLAR, slippage_bps=100, deadline_s=60, accept_start=True
    )
    assert done.tokens >= quote.at_least
    over = msgspec.structs.replace(quote, quote=msgspec.structs.replace(quote.quote, stays=0))
    assert trades.start_in_words(over, await token.standing(), 0) == ""


async def test_a_purchase_beyond_the_slippage_or_the_deadline_is_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = await launched(stage)
    await stage.pass_time(700)
    usdc = await stage.contracts.usdc()
    await stage.hands("approve").sender.send("it", usdc.approve(token.address, 10**12))
    stage.journal.clear()
    real = AgentToken.quote_buy

    async def dearer(self: AgentToken, amount: int) -> object:
        """Somebody buys between the quote and the trade."""
        quote = await real(self, amount)
        await stage.give(ADDRESSES[3], usdc=500 * DOLLAR)
        await stage.chain.send(3, *usdc.approve(token.address, 500 * DOLLAR))
        await stage.chain.send(3, *token.buy(500 * DOLLAR, 0, 2**40))
        return quote

    monkeypatch.setattr(AgentToken, "quote_buy", dearer)
    with pytest.raises(FlowRefused, match="the price rose while the trade was on its way"):
        await trades.buy(stage.hands("buy"), token, DOLLAR, slippage_bps=100, deadline_s=60)
    monkeypatch.undo()
    with pytest.raises(FlowRefused, match="too late: nothing was traded"):
        await trades.buy(stage.hands("buy"), token, DOLLAR, slippage_bps=100, deadline_s=-600)


async def test_launches_that_cannot_be_are_refused_in_words(stage: Stage) -> None:
    hands = stage.hands("launch")
    with pytest.raises(FlowRefused, match="there is no agent 99 on the chain"):
        await launches.launch(hands, 99, "Ember", "EMBR", DOLLAR)
    agent, _ = await launched(stage)
    with pytest.raises(FlowRefused, match="has a token already"):
        await launches.launch(stage.hands("launch again"), agent, "Ember", "EMBR", DOLLAR)
    for name, symbol, virtual, why in (
        ("", "EMBR", DOLLAR, "--name"),
        ("é" * 13, "EMBR", DOLLAR, "--name"),
        ("Ember", "EMBERS", DOLLAR, "--symbol"),
        ("Em\nber", "EMBR", DOLLAR, "--name"),
        ("Ember", "EMBR", DOLLAR - 1, "1 USDC at least"),
    ):
        with pytest.raises(FlowRefused, match=why):
            await launches.launch(stage.hands("launch"), agent, name, symbol, virtual)
    other = Account.from_key(b"\x33" * 32)
    await stage.give(other.address, wei=ETHER // 10)
    with pytest.raises(FlowRefused, match="belongs to 0x"):
        await launches.launch(stage.hands("launch", key=other), agent, "Ember", "EMBR", DOLLAR)
    with pytest.raises(FlowRefused, match="a card is named by ipfs://"):
        await launches.register(stage.hands("register"), "https://example.org/card")
    with pytest.raises(FlowRefused, match="agent 98 has no token"):
        await stage.contracts.agent_token(98)


async def test_an_identity_is_made_once_though_nobody_was_told(stage: Stage) -> None:
    first = await launches.register(stage.hands("register"), CARD)
    again = await launches.register(stage.hands("register"), CARD)
    assert again.agent == first.agent
    assert again.tx.earlier


async def test_test_money_is_given_on_chains_for_development_alone(stage: Stage) -> None:
    poor = Account.from_key(b"\x22" * 32).address
    given = await faucet.give(stage.contracts, poor, 5 * DOLLAR, ETHER // 2, stage.told.append)
    assert (given.usdc, given.wei, len(given.txs)) == (5 * DOLLAR, ETHER // 2, 2)
    only = await faucet.give(stage.contracts, poor, DOLLAR, 0, stage.told.append)
    assert (only.usdc, only.wei) == (6 * DOLLAR, ETHER // 2)
    staked = await faucet.give(stage.contracts, poor, 0, 0, stage.told.append, frac=ETHER)
    assert (staked.frac, staked.usdc, len(staked.txs)) == (ETHER, 6 * DOLLAR, 1)
    with pytest.raises(FlowRefused, match="none of the accounts whose keys everybody knows has"):
        await faucet.give(stage.contracts, poor, 0, 0, stage.told.append, frac=10**9 * ETHER)
    real = msgspec.structs.replace(stage.manifest, chain_id=8_453)
    with pytest.raises(FlowRefused, match="on chain 31337 alone"):
        await faucet.give(Contracts(stage.chain.rpc, real), poor, DOLLAR, 0, stage.told.append)
    usdc = await stage.contracts.usdc()
    assert isinstance(usdc, Token)
