"""`agon wallet balance`, `claim`, `faucet`: what a wallet has, and what comes into it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.asking import tell
from server.commands.at_chain import (
    AccountOption,
    AsJson,
    At,
    ManifestFile,
    MaxFee,
    RpcUrl,
    WalletFile,
    act,
    address_of,
    look,
    sent,
    told,
)
from server.commands.running import CommandError, DataDir

if TYPE_CHECKING:
    from chain.wallet.contracts import Contracts
    from chain.wallet.earnings import Earned
    from chain.wallet.faucet import Given
    from chain.wallet.hands import Hands
    from chain.wallet.holdings import Holdings
    from chain.wallet.payouts import Claimed

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FILE|CID|URL",
        help="The published list: a file, its content id, or an arena. Default: the arena of AGON_URL, or of this machine.",
    ),
]
IpfsUrl = Annotated[
    str | None,
    typer.Option("--ipfs", help="With a content id: fetch it from this Kubo RPC."),
]


class Kind(StrEnum):
    USDC = "usdc"
    FRAC = "frac"
    POINTS = "points"


def balance(
    account: AccountOption = None,
    source: From = None,
    ipfs: IpfsUrl = None,
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Print what a wallet has on the chain.

    USDC and gas, escrow, limits, withdrawal, FRAC, points. What can be claimed is known by a list of winnings alone, which is checked against the chain.
    """
    from chain.wallet.holdings import in_words as lines
    from chain.wallet.holdings import look as flow
    from server.commands import claiming

    at = At(rpc, manifest, data_dir, file)
    address = address_of(at, account)

    async def work(contracts: Contracts) -> Holdings:
        try:
            found = await claiming.payouts(source, address, ipfs, data_dir)
        except claiming.NotThere as error:
            return await flow(contracts, address, f"{error} (--from names a list of winnings)")
        return await flow(contracts, address, found)

    tell(look(at, work), as_json, lines)


def claim(
    kind: Annotated[
        Kind, typer.Argument(metavar="[usdc|frac|points]", help="What; default: usdc, winnings.")
    ] = Kind.USDC,
    source: From = None,
    account: AccountOption = None,
    ipfs: IpfsUrl = None,
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    max_fee: MaxFee = 500,
    as_json: AsJson = False,
) -> None:
    """Claim winnings, rewards in FRAC, or points.

    Winnings go into the escrow's balance. Points take the list of a season by --from. The list is checked against the root that the chain has: a wrong one costs nothing. Anybody may claim for anybody, to the
    account that has won.
    """
    at = At(rpc, manifest, data_dir, file, max_fee)
    owner = address_of(at, account)
    command = f"claim {kind.value} for {owner}"
    if kind is Kind.USDC:

        async def winnings(hands: Hands) -> Claimed:
            from chain.wallet.payouts import claim as flow
            from server.commands import claiming

            return await flow(hands, owner, await claiming.payouts(source, owner, ipfs, data_dir))

        act(at, command, winnings, as_json=as_json, lines=_claimed)
        return
    if source is None and kind is Kind.POINTS:
        raise CommandError(
            "claim points: name the published list by --from FILE, CID or URL; a season's is at ARENA/v1/seasons/N/points"
        )

    async def earned(hands: Hands) -> Earned:
        from chain.documents import earnings as documents
        from chain.wallet import earnings
        from server.commands import claiming

        if kind is Kind.FRAC:
            named = claiming.rewards_at(source)
            rewards = await claiming.document(named, documents.read_rewards, ipfs, data_dir)
            return await earnings.claim_rewards(hands, owner, rewards)
        points = await claiming.document(source or "", documents.read_points, ipfs, data_dir)
        return await earnings.claim_points(hands, owner, points)

    act(at, command, earned, as_json=as_json, lines=lambda done: _earned(kind, done))


def faucet(
    usdc: Annotated[str, typer.Option(metavar="USDC", help="Test USDC; 0 for none.")] = "1000",
    eth: Annotated[str, typer.Option(metavar="ETH", help="Ether for gas; 0 for none.")] = "1",
    frac: Annotated[
        str, typer.Option(metavar="FRAC", help="FRAC, as a node operator stakes it; 0 for none.")
    ] = "0",
    account: AccountOption = None,
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Give a wallet test money, for development.

    On chain 31337 alone, where nothing is worth anything.
    """
    from chain.wallet import amounts
    from chain.wallet.faucet import give

    at = At(rpc, manifest, data_dir, file)
    address = address_of(at, account)
    try:
        micros = amounts.usdc(usdc, zero=True)
        wei = 0 if eth.strip() == "0" else amounts.tokens(eth, "ETH")
        stake = 0 if frac.strip() == "0" else amounts.tokens(frac, "FRAC")
    except amounts.BadAmount as error:
        raise CommandError(str(error)) from None
    given = look(at, lambda contracts: give(contracts, address, micros, wei, told, stake))
    tell(given, as_json, _given)


def _claimed(done: Claimed) -> list[str]:
    from chain.wallet.amounts import shown_usdc

    what = shown_usdc(done.micros) if done.micros else "all that was won and published"
    return [
        f"claimed {what} for {done.account}: the escrow's balance is {shown_usdc(done.escrow_micros)}",
        sent(done.tx),
    ]


def _earned(kind: Kind, done: Earned) -> list[str]:
    from chain.wallet.amounts import shown_tokens

    def shown(amount: int) -> str:
        return shown_tokens(amount, "FRAC") if kind is Kind.FRAC else f"{amount:,} points"

    what = shown(done.amount) if done.amount else "all that was earned and posted"
    return [f"claimed {what}: {done.account} has {shown(done.balance)}", sent(done.tx)]


def _given(done: Given) -> list[str]:
    from chain.wallet.amounts import shown_tokens, shown_usdc
    from chain.wallet.sent import eth

    stake = f", {shown_tokens(done.frac, 'FRAC')}" if done.frac else ""
    has = f"{shown_usdc(done.usdc)}{stake} and {eth(done.wei)}, which are worth nothing"
    return [f"{done.to} has {has}", *map(sent, done.txs)]
