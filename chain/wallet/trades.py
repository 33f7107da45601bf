"""Tokens of agents: what a trade would bring, and the trade within the bounds that the quote and a slippage set."""

from __future__ import annotations

import msgspec

from chain.client.agents import AgentToken, Bought, Sold, Standing
from chain.client.node import Reverted
from chain.wallet import paying
from chain.wallet.amounts import less, shown_percent, shown_usdc
from chain.wallet.hands import Hands
from chain.wallet.refusals import FlowRefused, in_words
from chain.wallet.sent import Done
from chain.wallet.words import span

START_S = 600
"""How long a launch is young (`SNIPER_S`)."""


class Buying(msgspec.Struct, frozen=True):
    """A quote, and what is made of it."""

    usdc: int
    quote: Bought
    at_least: int
    """Tokens; with fewer nothing is bought."""
    start_bps: int


class Selling(msgspec.Struct, frozen=True):
    tokens: int
    quote: Sold
    at_least: int
    """Micro-USDC; with less nothing is sold."""


class Traded(msgspec.Struct, frozen=True):
    tokens: int
    """What the wallet has of them now."""
    usdc: int
    """What the wallet has now, micros."""
    tx: Done


async def buying(token: AgentToken, usdc: int, slippage_bps: int) -> Buying:
    """Raises FlowRefused, NoContract, OSError."""
    try:
        quote = await token.quote_buy(usdc)
    except Reverted as reverted:
        raise FlowRefused(in_words(reverted)) from None
    start_bps = int(await token.read("sniper_bps"))
    return Buying(usdc, quote, less(quote.tokens, slippage_bps), start_bps)


async def selling(token: AgentToken, tokens: int, slippage_bps: int) -> Selling:
    """Raises FlowRefused, NoContract, OSError."""
    try:
        quote = await token.quote_sell(tokens)
    except Reverted as reverted:
        raise FlowRefused(in_words(reverted)) from None
    return Selling(tokens, quote, less(quote.usdc, slippage_bps))


async def buy(
    hands: Hands,
    token: AgentToken,
    usdc: int,
    *,
    slippage_bps: int,
    deadline_s: int,
    accept_start: bool = False,
) -> Traded:
    """`accept_start`: though a greater part of the price buys nothing than the slippage allows. Raises FlowRefused, NoContract, OSError."""
    done = await hands.sender.earlier()
    if done is None:
        money = await hands.contracts.usdc()
        await paying.check_pays(hands, money, usdc)
        trade = await buying(token, usdc, slippage_bps)
        if trade.start_bps > slippage_bps and not accept_start:
            raise FlowRefused(
                f"{start_in_words(trade, await token.standing(), await hands.now_s())}; --accept-start buys all the same"
            )
        deadline = await hands.now_s() + deadline_s
        done = await _bought(hands, token, trade, deadline)
    return await _after(hands, token, done)


async def sell(
    hands: Hands,
    token: AgentToken,
    tokens: int | None,
    *,
    slippage_bps: int,
    deadline_s: int,
    to: str | None = None,
) -> Traded:
    """None: all that the wallet has. `to`: who is paid, if not the wallet. Raises FlowRefused, NoContract, OSError."""
    done = await hands.sender.earlier()
    if done is None:
        has = await token.balance(hands.address)
        amount = has if tokens is None else tokens
        if amount == 0 or amount > has:
            raise FlowRefused("the wallet has fewer tokens than that")
        trade = await selling(token, amount, slippage_bps)
        deadline = await hands.now_s() + deadline_s
        invocation = token.sell(amount, trade.at_least, deadline, to)
        done = await hands.sender.send("sale", invocation)
    return await _after(hands, token, done)


def start_in_words(trade: Buying, standing: Standing, now_s: int) -> str:
    """What the first minutes of a launch cost a buyer; empty when they are over."""
    if not trade.quote.stays:
        return ""
    age_s = max(0, now_s - standing.launched_at)
    return (
        f"the token was launched {span(age_s)} ago: {shown_percent(trade.start_bps)} of what is paid now"
        f" ({shown_usdc(trade.quote.stays)}) stays on the curve, is nobody's, and buys nothing; that falls to nothing in"
        f" {span(max(0, START_S - age_s))}"
    )


async def _bought(hands: Hands, token: AgentToken, trade: Buying, deadline: int) -> Done:
    """By a permit in the same transaction, where the token knows them; else after an approval."""
    usdc = await hands.contracts.usdc()
    plain = token.buy(trade.usdc, trade.at_least, deadline)
    if await usdc.allowance(hands.address, token.address) < trade.usdc:
        permit = await paying.permit(hands, usdc, token.address, trade.usdc)
        if permit is not None:
            signed = token.buy_with_permit(trade.usdc, trade.at_least, deadline, permit)
            if await hands.sender.would(signed):
                return await hands.sender.send("purchase", signed)
        approval = usdc.approve(token.address, trade.usdc)
        await hands.sender.send(f"approval of {shown_usdc(trade.usdc)}", approval, last=False)
    return await hands.sender.send("purchase", plain)


async def _after(hands: Hands, token: AgentToken, done: Done) -> Traded:
    usdc = await hands.contracts.usdc()
    return Traded(await token.balance(hands.address), await usdc.balance(hands.address), done)
