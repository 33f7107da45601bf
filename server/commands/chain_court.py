"""What the court needs from whoever runs an arena: `agon chain fund-court`, the clerk's bond and USDC for judges' pay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.chain_roles import LOCAL, AsJson, ChainId, ManifestFile, Node
from server.commands.running import CommandError

if TYPE_CHECKING:
    from chain.client.signer import KeySigner

FRAC = 10**18


def fund_court(
    bond: Annotated[
        int, typer.Option(min=0, help="Whole FRAC to add to what answers for the clerk.")
    ] = 0,
    pay: Annotated[int, typer.Option(min=0, help="Whole USDC to add to judges' pay.")] = 0,
    rpc: Node = LOCAL,
    chain_id: ChainId = 31_337,
    manifest: ManifestFile = Path("chain.json"),
    wallet: Annotated[
        Path | None,
        typer.Option(
            help="Keystore of whoever pays. Default: ~/.config/agon/wallet.json; on chain 31337 the first of the known accounts."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what the court has, and add to it.

    USDC comes out again as judges' pay alone. The clerk's bond comes back to whom the court's admin says when nothing that was filed
    can be contradicted any more, and burns where the clerk is proven to have lied. Without an amount nothing is sent.
    """
    from server.commands.chain import deployer
    from server.commands.running import run_async

    payer = deployer(wallet, chain_id) if bond or pay else None
    found = run_async(lambda: _funded(rpc, chain_id, manifest, payer, bond * FRAC, pay * 1_000_000))
    if as_json:
        import msgspec

        print(msgspec.json.encode(found).decode())
        return
    print(f"court        {found['court']}")
    print(f"clerk        {found['clerk'] or 'nobody'}")
    print(f"bond         {found['bond'] / FRAC:g} FRAC, {found['wanted_bond'] / FRAC:g} wanted")
    print(f"for pay      {found['free_micros'] / 1_000_000:.2f} USDC that nobody has earned yet")
    print(f"judges       {found['judges']} have a place")


async def _funded(
    url: str, chain_id: int, path: Path, payer: Any, bond: int, pay: int
) -> dict[str, Any]:
    import msgspec

    from chain.client import deployment
    from chain.client.court import CourtContract
    from chain.client.judge_registry import JudgeRegistry
    from chain.client.node import Reverted, SendRefused
    from chain.client.rpc import Rpc
    from chain.client.signer import KeySigner
    from chain.client.token import Token
    from server.court.onchain.health import look

    node = Rpc(url, chain_id)
    try:
        made = deployment.read(path)
        if made is None:
            raise CommandError(f"there is no {path}: `agon chain deploy` writes it")
        await deployment.verify(node, made)
        court = CourtContract(node, made.address("court"))
        if payer is not None:
            signer = KeySigner(payer, chain_id)
            if bond:
                frac = Token(node, made.address("frac"), "frac")
                await _pay(node, signer, frac, court.address, bond, court.bond_clerk(bond))
            if pay:
                usdc = Token(node, str(await court.read("USDC")))
                await _pay(node, signer, usdc, court.address, pay, court.fund(pay))
        health = await look(court, JudgeRegistry(node, made.address("judge_registry")))
        told: dict[str, Any] = msgspec.to_builtins(health)
        return {"court": court.address, **told}
    except (deployment.DeploymentFailed, OSError, Reverted, SendRefused) as error:
        raise CommandError(str(error)) from None
    finally:
        await node.close()


async def _pay(
    node: Any, signer: KeySigner, token: Any, court: str, amount: int, call: tuple[str, bytes]
) -> None:
    from chain.client.sending import send

    if await token.balance(signer.address) < amount:
        raise CommandError(f"{signer.address} has too little {token.name} for that")
    if await token.allowance(signer.address, court) < amount:
        await send(node, signer, *token.approve(court, amount))
    await send(node, signer, *call)
