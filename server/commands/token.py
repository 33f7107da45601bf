"""`agon token`: tokens of agents on their curves. Asks a node of the chain, and no arena."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.asking import tell
from server.commands.at_chain import (
    AsJson,
    At,
    ManifestFile,
    MaxFee,
    RpcUrl,
    WalletFile,
    act,
    checked,
    keystore_at,
    look,
    sent,
)
from server.commands.running import CommandError, DataDir
from server.commands.wallet_flows import span_s, usdc

if TYPE_CHECKING:
    from chain.client.agents import AgentToken, Standing
    from chain.wallet.contracts import Contracts
    from chain.wallet.hands import Hands
    from chain.wallet.launches import Fetched, Launched, Registered
    from chain.wallet.trades import Buying, Selling, Traded

app = typer.Typer(
    name="token",
    help="Buy, sell and launch the tokens of agents.",
    epilog="Example: agon token buy 7 10 --slippage 1",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Agent = Annotated[
    str,
    typer.Argument(
        metavar="AGENT", help="The agent's number on the chain, or its token's address."
    ),
]
Slippage = Annotated[
    str,
    typer.Option(
        metavar="PERCENT", help="How much less than quoted is taken; with still less, no trade."
    ),
]
Deadline = Annotated[
    str, typer.Option(metavar="SPAN", help="Not in a block by then: no trade. As in 90s or 10m.")
]


@app.callback()
def token() -> None:
    """Buy, sell and launch the tokens of agents."""


@app.command(epilog="Example: agon token show 7")
def show(
    agent: Agent,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say where an agent's token stands."""

    async def work(contracts: Contracts) -> tuple[str, Standing, int]:
        found = await _token(contracts, agent)
        now_s = (await contracts.node.head()).timestamp
        return found.address, await found.standing(), now_s

    address, standing, now_s = look(At(rpc, manifest, data_dir), work)
    if as_json:
        tell({"token": address, "standing": standing}, True, lambda _: [])
    else:
        tell(standing, False, lambda told: _standing(address, told, now_s))


@app.command(epilog="Example: agon token quote 7 --buy 10")
def quote(
    agent: Agent,
    buy: Annotated[
        str | None, typer.Option("--buy", metavar="USDC", help="For so much USDC.")
    ] = None,
    sell: Annotated[
        str | None, typer.Option("--sell", metavar="TOKENS", help="Of so many tokens.")
    ] = None,
    slippage: Slippage = "1",
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say what a trade would bring now. Sends nothing."""
    from chain.wallet import trades

    if (buy is None) == (sell is None):
        raise CommandError("--buy USDC or --sell TOKENS: one of them")
    bps = _slippage(slippage)
    pays = None if buy is None else usdc("--buy", buy)
    sold = None if sell is None else _tokens("--sell", sell)

    async def work(contracts: Contracts) -> tuple[Buying | Selling, Standing, int]:
        found = await _token(contracts, agent)
        standing = await found.standing()
        now_s = (await contracts.node.head()).timestamp
        if pays is not None:
            return await trades.buying(found, pays, bps), standing, now_s
        return await trades.selling(found, sold or 0, bps), standing, now_s

    trade, standing, now_s = look(At(rpc, manifest, data_dir), work)
    tell(trade, as_json, lambda told: _quote(told, standing, now_s))


@app.command(epilog="Example: agon token buy 7 10 --slippage 1 --deadline 10m")
def buy(
    agent: Agent,
    amount: Annotated[str, typer.Argument(metavar="USDC", help="To pay, as in 5 or 0.50.")],
    slippage: Slippage = "1",
    deadline: Deadline = "10m",
    accept_start: Annotated[
        bool,
        typer.Option(
            "--accept-start",
            help="Buy though the launch is young, and a part of the price buys nothing.",
        ),
    ] = False,
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    max_fee: MaxFee = 500,
    as_json: AsJson = False,
) -> None:
    """Buy an agent's tokens for USDC of the wallet.

    In one transaction, at the price of that moment: with fewer tokens than quoted less the slippage, or after the deadline,
    nothing is bought.
    """
    from chain.wallet import trades

    micros, bps, lasts_s = (
        usdc("USDC", amount),
        _slippage(slippage),
        span_s("--deadline", deadline),
    )

    async def work(hands: Hands) -> Traded:
        return await trades.buy(
            hands,
            await _token(hands.contracts, agent),
            micros,
            slippage_bps=bps,
            deadline_s=lasts_s,
            accept_start=accept_start,
        )

    act(
        At(rpc, manifest, data_dir, file, max_fee),
        f"token buy {agent} for {micros} micros",
        work,
        as_json=as_json,
        lines=_traded,
    )


@app.command(epilog="Example: agon token sell 7 all")
def sell(
    agent: Agent,
    amount: Annotated[str, typer.Argument(metavar="TOKENS", help="How many, or all.")],
    slippage: Slippage = "1",
    deadline: Deadline = "10m",
    to: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Who gets the USDC. Default: the wallet itself."),
    ] = None,
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    max_fee: MaxFee = 500,
    as_json: AsJson = False,
) -> None:
    """Sell an agent's tokens for USDC. Nobody can close this."""
    from chain.wallet import trades

    tokens = None if amount == "all" else _tokens("TOKENS", amount)
    bps, lasts_s = _slippage(slippage), span_s("--deadline", deadline)
    receiver = checked("--to", to) if to else None

    async def work(hands: Hands) -> Traded:
        return await trades.sell(
            hands,
            await _token(hands.contracts, agent),
            tokens,
            slippage_bps=bps,
            deadline_s=lasts_s,
            to=receiver,
        )

    act(
        At(rpc, manifest, data_dir, file, max_fee),
        f"token sell {amount} of {agent}" + (f" for {receiver}" if receiver else ""),
        work,
        as_json=as_json,
        lines=_traded,
    )


@app.command(epilog="Example: agon token register ipfs://bafkrei…")
def register(
    card: Annotated[str, typer.Argument(metavar="CARD", help="The agent's card: ipfs:// and CID.")],
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    max_fee: MaxFee = 500,
    as_json: AsJson = False,
) -> None:
    """Give an agent an identity on the chain, which a token needs.

    The wallet owns it. It is a number, told when it is made.
    """
    from chain.wallet.launches import register as flow

    act(
        At(rpc, manifest, data_dir, file, max_fee),
        f"token register {card}",
        lambda hands: flow(hands, card),
        as_json=as_json,
        lines=_registered,
    )


@app.command(
    epilog="Example: agon token launch 7 --name Ember --symbol EMBR --virtual-reserve 5000"
)
def launch(
    agent: Annotated[int, typer.Argument(metavar="AGENT", min=1, help="Its number on the chain.")],
    name: Annotated[str, typer.Option(help="Of the token, 25 bytes at most.")],
    symbol: Annotated[str, typer.Option(help="Of the token, 5 bytes at most.")],
    virtual_reserve: Annotated[
        str,
        typer.Option(
            metavar="USDC",
            help="Sets the first price (divided by 1,000 million tokens) and how flat the curve is; it is not paid.",
        ),
    ] = "5000",
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    max_fee: MaxFee = 500,
    as_json: AsJson = False,
) -> None:
    """Launch the one token of an agent that the wallet owns.

    The wallet gets half of its fees from then on. Nothing of it can be changed afterwards. In the first 600 s buyers leave a
    part of the price on the curve, 89 % at the start.
    """
    from chain.wallet.launches import launch as flow

    virtual = usdc("--virtual-reserve", virtual_reserve)
    act(
        At(rpc, manifest, data_dir, file, max_fee),
        f"token launch {agent}",
        lambda hands: flow(hands, agent, name, symbol, virtual),
        as_json=as_json,
        lines=_launched,
    )


@app.command(epilog="Example: agon token fees 7")
def fees(
    agent: Annotated[int, typer.Argument(metavar="AGENT", min=1, help="Its number on the chain.")],
    to: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Who gets them. Default: the wallet itself."),
    ] = None,
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    max_fee: MaxFee = 500,
    as_json: AsJson = False,
) -> None:
    """Fetch the fees that wait for a token's creator."""
    from chain.wallet.launches import fetch_fees

    receiver = checked("--to", to) if to else keystore_at(file).address()
    act(
        At(rpc, manifest, data_dir, file, max_fee),
        f"token fees {agent} to {receiver}",
        lambda hands: fetch_fees(hands, agent, receiver),
        as_json=as_json,
        lines=_fetched,
    )


async def _token(contracts: Contracts, agent: str) -> AgentToken:
    """Raises CommandError for an address that is no token of an agent: anybody can give one the same name."""
    from chain.client.agents import AgentToken

    if agent.isascii() and agent.isdecimal() and len(agent) <= 18:
        return await contracts.agent_token(int(agent))
    address = checked("AGENT", agent)
    if await contracts.agent_tokens.agent(address) is None:
        raise CommandError(f"{address} is no token that was launched here: beware of imitations")
    return AgentToken(contracts.node, address)


def _tokens(option: str, text: str) -> int:
    from chain.wallet import amounts

    try:
        return amounts.tokens(text, "tokens")
    except amounts.BadAmount as error:
        raise CommandError(f"{option}: {error}") from None


def _slippage(text: str) -> int:
    from chain.wallet import amounts

    try:
        return amounts.slippage_bps(text)
    except amounts.BadAmount as error:
        raise CommandError(f"--slippage: {error}") from None


def _standing(address: str, told: Standing, now_s: int) -> list[str]:
    from chain.wallet.amounts import decimal, shown_percent, shown_tokens, shown_usdc
    from chain.wallet.words import instant, span

    start = ""
    if told.start_bps:
        start = f"; {shown_percent(told.start_bps)} of what is paid now buys nothing (falls to nothing 600 s after the launch)"
    rows = (
        ("token", f"{told.name} ({told.symbol}) of agent {told.agent} at {address}"),
        ("price", f"{decimal(told.price, 18)} USDC at the margin{start}"),
        ("bought", f"{shown_tokens(told.supply, told.symbol)} of 1,000,000,000"),
        ("reserve", f"{shown_usdc(told.reserve)} lie there for those who sell"),
        ("creator", f"{told.creator}, for whom {shown_usdc(told.fees)} of fees wait"),
        (
            "launched",
            f"{instant(told.launched_at)}, {span(max(0, now_s - told.launched_at))} ago",
        ),
    )
    return [f"{name:<9}{words}" for name, words in rows]


def _quote(trade: Buying | Selling, standing: Standing, now_s: int) -> list[str]:
    from chain.wallet.amounts import shown_tokens, shown_usdc
    from chain.wallet.trades import Selling, start_in_words

    if isinstance(trade, Selling):
        return [
            f"{shown_tokens(trade.tokens, standing.symbol)} sell for {shown_usdc(trade.quote.usdc)} (fee"
            f" {shown_usdc(trade.quote.fee)} taken off)",
            f"at least {shown_usdc(trade.at_least)}, or nothing is sold",
        ]
    words = start_in_words(trade, standing, now_s)
    return [
        f"{shown_usdc(trade.usdc)} buy {shown_tokens(trade.quote.tokens, standing.symbol)} (fee"
        f" {shown_usdc(trade.quote.fee)} included)",
        f"at least {shown_tokens(trade.at_least, standing.symbol)}, or nothing is bought",
        *([words] if words else []),
    ]


def _traded(done: Traded) -> list[str]:
    from chain.wallet.amounts import shown_tokens, shown_usdc

    has = f"{shown_tokens(done.tokens, 'tokens')} and {shown_usdc(done.usdc)}"
    return [f"the wallet has {has} now", sent(done.tx)]


def _registered(done: Registered) -> list[str]:
    return [f"agent {done.agent} on the chain is this wallet's", sent(done.tx)]


def _launched(done: Launched) -> list[str]:
    return [f"agent {done.agent} has its token at {done.token}", sent(done.tx)]


def _fetched(done: Fetched) -> list[str]:
    from chain.wallet.amounts import shown_usdc

    return [f"fetched {shown_usdc(done.micros)} of fees", sent(done.tx)]
