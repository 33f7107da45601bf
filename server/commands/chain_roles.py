"""Who may do what at the contracts: `agon chain key`, `roles` and `take`.

The admin offers a role, and whoever it is offered to takes it: a mistyped address holds nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.running import CommandError

if TYPE_CHECKING:
    from chain.client.deployment import Manifest
    from chain.client.roles import Roles
    from chain.client.rpc import Rpc
    from chain.ethereum import LocalAccount

ROLES = {
    "settler": (("escrow", "settler"),),
    "guardian": (
        ("escrow", "guardian"),
        ("operators", "guardian"),
        ("rewards", "guardian"),
        ("court", "guardian"),
    ),
    "challenger": (("operators", "challenger"),),
    "publisher": (("rewards", "publisher"), ("fractals", "publisher")),
    "clerk": (("court", "clerk"),),
}
"""Option -> (contract, its role); contracts that the manifest has not are left out."""

Node = Annotated[str, typer.Option("--rpc", envvar="AGON_RPC_URL", help="A JSON-RPC node of the chain.")]  # fmt: skip
ChainId = Annotated[int, typer.Option(min=1, help="The chain that it must be of.")]
ManifestFile = Annotated[
    Path, typer.Option("--manifest", help="What `agon chain deploy` has written.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LOCAL = "http://127.0.0.1:8545"


def key(
    file: Annotated[Path, typer.Argument(help="Where it is written.")] = Path("settler.key"),
) -> None:
    """Make a private key that a process uses without being asked, in a file of mode 600, and print its address.

    It is not encrypted: whoever reads the file has the key. Give it a role and a little ether for gas, and nothing else.
    """
    from server.settlement import key_file

    try:
        print(key_file.make(file).address)
    except key_file.KeyFileError as error:
        raise CommandError(str(error)) from None


def roles(
    settler: Annotated[
        str, typer.Option(help="Offer it: opens sessions and closes epochs (escrow).")
    ] = "",
    guardian: Annotated[
        str, typer.Option(help="Offer it: pauses and vetoes (escrow, operators, rewards, court).")
    ] = "",
    challenger: Annotated[
        str, typer.Option(help="Offer it: challenges without a bond (operators).")
    ] = "",
    publisher: Annotated[str, typer.Option(help="Offer it: posts roots (rewards, fractals).")] = "",
    clerk: Annotated[
        str, typer.Option(help="Offer it: files hearings and anchors what they found (court).")
    ] = "",
    rpc: Node = LOCAL,
    chain_id: ChainId = 31_337,
    manifest: ManifestFile = Path("chain.json"),
    wallet: Annotated[
        Path | None,
        typer.Option(
            help="Keystore of the contracts' admin. Default: ~/.config/agon/wallet.json; on chain 31337 the first of the known accounts."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show who holds which role, and offer roles to others.

    Without an offer nothing is sent and no key is needed. Whoever is offered a role takes it by `agon chain take`; until then
    the former holder has it.
    """
    from server.commands.chain import check_address, deployer
    from server.commands.running import run_async

    given = {"settler": settler, "guardian": guardian}
    given |= {"challenger": challenger, "publisher": publisher, "clerk": clerk}
    offers = {name: address for name, address in given.items() if address}
    for name, address in offers.items():
        check_address(f"--{name}", address)
    admin = deployer(wallet, chain_id) if offers else None

    async def work(node: Rpc, contracts: list[tuple[Roles, str, str]]) -> list[dict[str, Any]]:
        for option in offers.keys() - {each for *_, each in contracts}:
            raise CommandError(f"--{option}: the manifest has no contract with that role: `agon chain deploy` deploys it")  # fmt: skip
        for contract, role, option in contracts:
            if option in offers and admin is not None:
                wanted = offers[option]
                if wanted not in (await contract.holder(role), await contract.offered(role)):
                    await _send(node, admin, *contract.offer_role(role, wanted))
        return [
            {
                "contract": contract.name,
                "role": role,
                "holder": await contract.holder(role),
                "offered": await contract.offered(role),
            }
            for contract, role, _ in contracts
        ]

    _tell(run_async(lambda: _with_contracts(rpc, chain_id, manifest, work)), as_json)


def take(
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="A key's file, as `agon chain key` makes it.")
    ] = None,
    wallet: Annotated[
        Path | None, typer.Option(help="Or a keystore. Default: ~/.config/agon/wallet.json.")
    ] = None,
    rpc: Node = LOCAL,
    chain_id: ChainId = 31_337,
    manifest: ManifestFile = Path("chain.json"),
    as_json: AsJson = False,
) -> None:
    """Take every role that is offered to a key. It pays the gas."""
    from server.commands.running import run_async

    account = _holder(key_file, wallet)

    async def work(node: Rpc, contracts: list[tuple[Roles, str, str]]) -> list[dict[str, Any]]:
        taken = []
        for contract, role, _ in contracts:
            if await contract.offered(role) == account.address:
                await _send(node, account, *contract.take_role(role))
                taken.append({"contract": contract.name, "role": role, "holder": account.address})
        return taken

    taken = run_async(lambda: _with_contracts(rpc, chain_id, manifest, work))
    if not taken and not as_json:
        raise CommandError(f"no role is offered to {account.address}: `agon chain roles` shows who is offered what")  # fmt: skip
    _tell(taken, as_json)


def _holder(file: Path | None, wallet: Path | None) -> LocalAccount:
    from bots.private_file import config_folder
    from server.commands.keystore import Keystore
    from server.commands.login import ask_passphrase
    from server.settlement.key_file import KeyFileError, read

    if file is None:
        return Keystore(wallet or config_folder() / "wallet.json").open(ask_passphrase)
    try:
        return read(file)
    except KeyFileError as error:
        raise CommandError(str(error)) from None


async def _with_contracts(
    url: str,
    chain_id: int,
    path: Path,
    work: Callable[[Rpc, list[tuple[Roles, str, str]]], Awaitable[list[dict[str, Any]]]],
) -> list[dict[str, Any]]:
    """`work` is given (contract, its role, the option that names it)."""
    from chain.client import deployment
    from chain.client.node import Reverted, SendRefused
    from chain.client.roles import Roles
    from chain.client.rpc import Rpc

    node = Rpc(url, chain_id)
    try:
        manifest: Manifest | None = deployment.read(path)
        if manifest is None:
            raise CommandError(f"there is no {path}: `agon chain deploy` writes it")
        await deployment.verify(node, manifest)
        contracts = [
            (Roles(node, name, manifest.address(name)), role, option)
            for option, pairs in ROLES.items()
            for name, role in pairs
            if name in manifest.contracts
        ]
        return await work(node, contracts)
    except (deployment.DeploymentFailed, OSError, Reverted, SendRefused) as error:
        raise CommandError(str(error)) from None
    finally:
        await node.close()


async def _send(node: Rpc, account: LocalAccount, to: str, data: bytes) -> None:
    from chain.client.sending import send
    from chain.client.signer import KeySigner

    await send(node, KeySigner(account, node.chain_id), to, data)


def _tell(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        import msgspec

        print(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        offered = f"  offered to {row['offered']}" if row.get("offered") else ""
        print(f"{row['contract']:10} {row['role']:11} {row['holder'] or 'nobody'}{offered}")
