"""What commands on a chain are made of: which node, which deployment, whose key, and how they say what has come of it.

Without options they are about the arena in the data directory: its deployment, its chain, which is started if need be.
"""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar

import typer

from server.commands.asking import LINE_CHARS
from server.commands.running import CommandError, run_async

if TYPE_CHECKING:
    from chain.client.deployment import Manifest
    from chain.wallet.contracts import Contracts
    from chain.wallet.hands import Hands
    from chain.wallet.sent import Done
    from server.commands.keystore import Keystore
    from server.config import Config

T = TypeVar("T")

DEVELOPMENT_NODE = "http://127.0.0.1:8545"
"""Where `agon chain dev` and anvil are."""
DEVELOPMENT_CHAIN = 31_337
HERE = Path("chain.json")
"""Where `agon chain deploy` writes."""
GWEI = 10**9
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)

WalletFile = Annotated[
    Path | None,
    typer.Option("--file", help="Keystore file. Default: ~/.config/agon/wallet.json."),
]
RpcUrl = Annotated[
    str | None,
    typer.Option(
        "--rpc",
        help="A JSON-RPC node of the chain; AGON_RPC_URL. Default: the data directory's own chain.",
    ),
]
ManifestFile = Annotated[
    Path | None,
    typer.Option(
        "--manifest",
        help="The deployment, as `agon chain deploy` writes it; AGON_CHAIN_MANIFEST. Default: the data directory's, else ./chain.json.",
    ),
]
MaxFee = Annotated[
    int,
    typer.Option("--max-fee", min=1, max=100_000, help="Gwei a unit of gas at the most."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; amounts in smallest parts.")]
AccountOption = Annotated[
    str | None,
    typer.Option("--account", metavar="ADDRESS", help="Whose. Default: the wallet's own."),
]


class At(NamedTuple):
    """Where, and with which wallet, as the options say."""

    rpc: str | None
    manifest: Path | None
    data_dir: str | None
    file: Path | None = None
    max_fee: int = 500


def look(at: At, work: Callable[[Contracts], Awaitable[T]]) -> T:
    """What `work` finds on the chain; no key is needed. Raises CommandError."""

    async def done() -> T:
        async with opened(at) as contracts:
            return await work(contracts)

    with in_words():
        return run_async(done)


def act(
    at: At,
    command: str,
    work: Callable[[Hands], Awaitable[T]],
    *,
    as_json: bool,
    lines: Callable[[T], list[str]],
) -> None:
    """Have something done with the wallet's key, and tell it. `command` says what: the same again, before it was told, goes on
    with what is under way. Raises CommandError, BotError."""
    from server.commands.asking import tell

    async def done() -> None:
        async with handed(at, command) as hands:
            tell(await work(hands), as_json, lines)
            sys.stdout.flush()
            hands.sender.finish()

    with in_words():
        run_async(done)


@contextlib.asynccontextmanager
async def handed(at: At, command: str) -> AsyncIterator[Hands]:
    """The wallet is opened after the node has answered, so that nobody types a passphrase for nothing."""
    from chain.client.fees import FeePolicy
    from chain.client.signer import KeySigner
    from chain.wallet.hands import Hands
    from chain.wallet.sending import Sender
    from server.commands.login import ask_passphrase
    from server.commands.sent_file import SentFile

    async with opened(at) as contracts:
        keystore = keystore_at(at.file)
        journal = SentFile(keystore.path, contracts.chain_id)
        account = keystore.open(ask_passphrase)
        with journal.alone():
            sender = Sender(
                contracts.node,
                KeySigner(account, contracts.chain_id),
                journal,
                command=command,
                genesis=contracts.manifest.genesis,
                clock=time.time,
                policy=FeePolicy(cap=at.max_fee * GWEI),
                told=told,
            )
            yield Hands(contracts, account, sender)


@contextlib.asynccontextmanager
async def opened(at: At) -> AsyncIterator[Contracts]:
    """The contracts of the deployment, at a node of its chain. Raises CommandError, DeploymentFailed, OSError."""
    from chain.client.deployment import check_chain
    from chain.client.rpc import Rpc
    from chain.wallet.contracts import Contracts
    from server import knobs

    settings = knobs.load(None, data_dir=at.data_dir)
    manifest, own = manifest_at(at, settings)
    async with _node_url(at, settings, manifest, own) as url:
        node = Rpc(url, manifest.chain_id)
        try:
            await check_chain(node, manifest)
            yield Contracts(node, manifest)
        finally:
            await node.close()


def manifest_at(at: At, settings: Config) -> tuple[Manifest, bool]:
    """The deployment, and whether it is the data directory's own. Raises CommandError, DeploymentFailed."""
    from chain.client import deployment

    own = Path(settings.data_dir).expanduser() / "chain" / "deployment.json"
    named = at.manifest or settings.chain_manifest
    path = Path(named) if named else own if own.exists() else HERE
    found = deployment.read(path)
    if found is None:
        raise CommandError(
            f"there is no {path}: name the deployment by --manifest, as `agon chain deploy` or the arena gives it, or an"
            " arena's folder by --data-dir"
        )
    return found, path == own


def keystore_at(file: Path | None) -> Keystore:
    from bots.private_file import config_folder
    from server.commands.keystore import Keystore

    return Keystore(file or config_folder() / "wallet.json")


def address_of(at: At, account: str | None) -> str:
    """The address that is named, or the wallet's. Raises CommandError, WalletError."""
    return keystore_at(at.file).address() if account is None else checked("--account", account)


def checked(option: str, address: str) -> str:
    """As EIP-55 writes it. Mixed case must be right, one case is taken as it is. Raises CommandError."""
    from eth_utils.address import to_checksum_address

    digits = address.removeprefix("0x")
    one_case = digits in (digits.lower(), digits.upper())
    if not _ADDRESS.fullmatch(address) or not (one_case or to_checksum_address(address) == address):
        raise CommandError(
            f"{option}: {address[:60]!r} is no address: 0x and 40 hex digits, and if capitals and small letters are mixed, as"
            " EIP-55 mixes them (is it copied whole?)"
        )
    return to_checksum_address(address)


def told(line: str) -> None:
    """What is going on, beside the result. A node's words may be in it."""
    from bots.journal import plain

    print(plain(line, LINE_CHARS), file=sys.stderr, flush=True)


def sent(tx: Done) -> str:
    """The last line of whatever was sent."""
    from chain.wallet.sent import eth

    earlier = "  (sent by an earlier run of this command)" if tx.earlier else ""
    return f"transaction {tx.hash}, block {tx.block:,}, gas {eth(tx.cost_wei)}{earlier}"


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """Whatever a chain and its flows refuse is a CommandError."""
    from chain.client.contract import NoContract
    from chain.client.deployment import DeploymentFailed
    from chain.client.node import Reverted, RpcUnavailable, SendRefused, WrongChain
    from chain.wallet import refusals

    try:
        yield
    except Reverted as reverted:
        raise CommandError(refusals.in_words(reverted)) from None
    except WrongChain as wrong:
        raise CommandError(
            f"{wrong}: name the right node by --rpc, or the right deployment by --manifest"
        ) from None
    except RpcUnavailable as error:
        raise CommandError(f"{error}; is --rpc (AGON_RPC_URL) right, and is the node up?") from None
    except (refusals.FlowRefused, DeploymentFailed, NoContract, SendRefused) as error:
        raise CommandError(str(error)) from None


@contextlib.asynccontextmanager
async def _node_url(at: At, settings: Config, manifest: Manifest, own: bool) -> AsyncIterator[str]:
    from server.embedded import chain
    from server.embedded.data_dir import DataDir

    url = at.rpc or settings.rpc_url
    if url:
        if not url.startswith(("http://", "https://")):
            raise CommandError("--rpc: a node's URL begins with http:// or https://")
        yield url
    elif own:
        with DataDir(settings.data_dir) as data:
            yield await chain.start(data, manifest.chain_id)
    elif manifest.chain_id == DEVELOPMENT_CHAIN:
        yield DEVELOPMENT_NODE
    else:
        raise CommandError(f"name a node of chain {manifest.chain_id} by --rpc or AGON_RPC_URL")
