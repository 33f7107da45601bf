"""`agon chain`: a chain for development, and the deployment of our contracts on any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.chain_court import fund_court
from server.commands.chain_roles import key, roles, take
from server.commands.running import CommandError

if TYPE_CHECKING:
    from chain.client.deployment import Manifest
    from chain.ethereum import LocalAccount

app = typer.Typer(
    name="chain",
    help="Run a chain for development, deploy contracts, give roles.",
    epilog="Example: agon chain dev --file chain.sqlite",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def chain() -> None:
    """Run a chain for development, deploy contracts, give roles."""


@app.command(
    short_help="Run an EVM chain on this machine, for development.",
    epilog="Example: agon chain dev --port 8545 --file chain.sqlite",
)
def dev(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="On 127.0.0.1; 0 takes any free one.")
    ] = 8545,
    file: Annotated[
        Path | None,
        typer.Option(help="Where the chain is kept; without one it ends with the command."),
    ] = None,
    chain_id: Annotated[int, typer.Option(min=1, help="The chain's id.")] = 31_337,
    interval: Annotated[
        float,
        typer.Option(
            min=0, max=3_600, help="Seconds between blocks; 0 makes one of each transaction."
        ),
    ] = 1.0,
) -> None:
    """Run an EVM chain on this machine, with money on ten accounts whose keys everybody knows.

    Nothing on it is worth anything: it is for trying things out. Ctrl-C ends it.
    """
    import asyncio

    from chain.devchain.accounts import ADDRESSES, KEYS
    from chain.devchain.running import run

    def ready(url: str) -> None:
        print(f"chain {chain_id} at {url}", flush=True)
        for address, secret in zip(ADDRESSES, KEYS, strict=True):
            print(f"  {address}  {secret}", flush=True)

    try:
        asyncio.run(run(file, port=port, chain_id=chain_id, interval_s=interval, ready=ready))
    except (OSError, ValueError) as error:
        raise CommandError(str(error)) from None


@app.command(
    epilog="Example: agon chain deploy --rpc http://127.0.0.1:8545 --wallet deployer.json --manifest chain.json"
)
def deploy(
    rpc: Annotated[
        str, typer.Option(envvar="AGON_RPC_URL", help="A JSON-RPC node of the chain.")
    ] = "http://127.0.0.1:8545",
    chain_id: Annotated[int, typer.Option(min=1, help="The chain that it must be of.")] = 31_337,
    manifest: Annotated[
        Path, typer.Option(help="What stands where; written as it goes, read to go on.")
    ] = Path("chain.json"),
    wallet: Annotated[
        Path | None,
        typer.Option(
            help="Keystore of the deployer, who is the contracts' first admin. Default: ~/.config/agon/wallet.json; on chain 31337 the first of the known accounts."
        ),
    ] = None,
    treasury: Annotated[
        str, typer.Option(help="Who gets the FRAC, and fees of tokens. Default: the deployer.")
    ] = "",
    usdc: Annotated[
        str, typer.Option(help="The chain's USDC. None said: one for development is deployed.")
    ] = "",
) -> None:
    """Deploy the arena's contracts, once each.

    Whenever it is stopped, the same command goes on where it was. What stands is in the manifest, which an arena and a
    verifier read; keep it.
    """
    from server.commands.running import run_async

    account = deployer(wallet, chain_id)
    for name, address in (("--treasury", treasury), ("--usdc", usdc)):
        check_address(name, address)
    made = run_async(
        lambda: _deploy(rpc, chain_id, manifest, account, treasury or account.address, usdc or None)
    )
    for name, deployed in made.contracts.items():
        print(f"{name:14} {deployed.address}")


app.command(
    short_help="Make a key that a process uses.", epilog="Example: agon chain key settler.key"
)(key)
app.command(
    epilog="Example: agon chain roles --manifest chain.json --settler 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
)(roles)
app.command(epilog="Example: agon chain take --manifest chain.json --key-file settler.key")(take)
app.command("fund-court", epilog="Example: agon chain fund-court --manifest chain.json --pay 100")(
    fund_court
)


def deployer(wallet: Path | None, chain_id: int) -> LocalAccount:
    from bots.private_file import config_folder
    from server.commands.keystore import Keystore
    from server.commands.login import ask_passphrase

    if wallet is None and chain_id == 31_337:
        from chain.devchain.accounts import KEYS
        from chain.ethereum import Account

        known: LocalAccount = Account.from_key(KEYS[0])
        return known
    return Keystore(wallet or config_folder() / "wallet.json").open(ask_passphrase)


def check_address(option: str, address: str) -> None:
    from eth_utils.address import is_checksum_address

    if address and not is_checksum_address(address):
        raise CommandError(f"{option}: {address!r} is no address as EIP-55 writes them")


async def _deploy(
    url: str, chain_id: int, path: Path, account: LocalAccount, treasury: str, usdc: str | None
) -> Manifest:
    from chain.client import deployment
    from chain.client.node import Reverted
    from chain.client.plans import Fixed, plans
    from chain.client.rpc import Rpc
    from chain.client.signer import KeySigner

    node = Rpc(url, chain_id)
    try:
        wanted = plans(Fixed(treasury, usdc))
        signer = KeySigner(account, chain_id)
        return await deployment.deploy(
            node, signer, wanted, path, told=lambda line: print(line, flush=True)
        )
    except (deployment.DeploymentFailed, OSError, Reverted) as error:
        raise CommandError(str(error)) from None
    finally:
        await node.close()
