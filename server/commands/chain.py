"""`agon chain`: a chain for development, and what is deployed on one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.commands.running import CommandError

app = typer.Typer(
    name="chain",
    help="Run a chain for development.",
    epilog="Example: agon chain dev --file chain.sqlite",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def chain() -> None:
    """Run a chain for development."""


@app.command(epilog="Example: agon chain dev --port 8545 --file chain.sqlite")
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
        for address, key in zip(ADDRESSES, KEYS, strict=True):
            print(f"  {address}  {key}", flush=True)

    try:
        asyncio.run(run(file, port=port, chain_id=chain_id, interval_s=interval, ready=ready))
    except (OSError, ValueError) as error:
        raise CommandError(str(error)) from None
