"""`agon wallet`: the wallet in a file that signs in, and what its owner does with it on the chain."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands import wallet_flows, wallet_looks
from server.commands.asking import AsJson

if TYPE_CHECKING:
    from server.commands.keystore import Keystore

app = typer.Typer(
    name="wallet",
    help="Make a wallet, deposit, set limits, withdraw, claim.",
    epilog="Example: agon wallet deposit 20",
    no_args_is_help=True,
    rich_markup_mode=None,
)

File = Annotated[
    Path | None,
    typer.Option("--file", help="Keystore file. Default: ~/.config/agon/wallet.json."),
]


@app.callback()
def wallet() -> None:
    """Make a wallet, deposit, set limits, withdraw, claim."""


@app.command(epilog="Example: agon wallet create --file treasury.json")
def create(file: File = None) -> None:
    """Make a new wallet in an encrypted file.

    It is encrypted with a passphrase (scrypt), and of mode 600. AGON_PASSPHRASE saves being asked. No file is ever overwritten.
    """
    keystore = _keystore(file)
    account = keystore.make(_ask)
    _made(keystore, account.address)


@app.command(
    "import", epilog="Example: agon wallet import UTC--2026-11-01--f39f… --file wallet.json"
)
def import_(
    source: Annotated[
        Path,
        typer.Argument(help="A keystore of geth or a wallet, or a file of a key's 64 hex digits."),
    ],
    file: File = None,
) -> None:
    """Take over a wallet of another program.

    A keystore keeps its passphrase, which is asked for once, to see that it opens. A bare key is encrypted with a new one;
    delete that file afterwards.
    """
    keystore = _keystore(file)
    account = keystore.take(source, _ask)
    _made(keystore, account.address)


@app.command(epilog="Example: agon wallet show --json")
def show(file: File = None, as_json: AsJson = False) -> None:
    """Say which wallet a file holds.

    And whether the file is yours alone. Needs no passphrase.
    """
    import msgspec

    keystore = _keystore(file)
    address = keystore.address()
    mode = stat.S_IMODE(keystore.path.stat().st_mode)
    private = not mode & 0o077
    if as_json:
        told = {"address": address, "file": str(keystore.path), "private": private}
        print(msgspec.json.encode(told).decode())
        return
    print(f"address  {address}")
    print(f"file     {keystore.path}")
    if not private:
        print(f"others may read it (mode {mode:03o}): chmod 600 {keystore.path}", file=sys.stderr)


@app.command(epilog="Example: cast balance $(agon wallet address)")
def address(file: File = None) -> None:
    """Print the address and nothing else."""
    print(_keystore(file).address())


for _flow, _example in (
    (wallet_looks.balance, "agon wallet balance"),
    (wallet_flows.deposit, "agon wallet deposit 20"),
    (wallet_flows.limits, "agon wallet limits --max-entry 5 --daily-cap 50 --expires 30d"),
    (wallet_flows.bring, "agon wallet bring limits.json"),
    (wallet_flows.withdraw, "agon wallet withdraw 12.50"),
    (wallet_looks.claim, "agon wallet claim --from payouts.json"),
    (wallet_flows.pending, "agon wallet pending --speed-up"),
    (wallet_looks.faucet, "agon wallet faucet --usdc 100"),
):
    app.command(epilog=f"Example: {_example}")(_flow)


def _keystore(file: Path | None) -> Keystore:
    from bots.private_file import config_folder
    from server.commands.keystore import Keystore

    return Keystore(file or config_folder() / "wallet.json")


def _made(keystore: Keystore, address: str) -> None:
    print(f"wallet {address} in {keystore.path}")
    print("keep a copy of that file and its passphrase: nobody else can open it")


def _ask(question: str, twice: bool) -> str:
    from server.commands.login import ask_passphrase

    return ask_passphrase(question, twice)
