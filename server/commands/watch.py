"""`agon watch`: the spectator's screen."""

from __future__ import annotations

import functools
from typing import Annotated

import typer

from server.commands.running import DEFAULT_URL, ApiUrl, CommandError, load_arena
from server.commands.verify import ChainId, EscrowAddress, IpfsUrl, RpcUrl


def watch(
    session: Annotated[str | None, typer.Argument(help="Open this session at once.")] = None,
    tournament: Annotated[str | None, typer.Option(help="Open this tournament at once.")] = None,
    url: ApiUrl = DEFAULT_URL,
    follow: Annotated[
        bool, typer.Option(help="Go from one live session to the next by itself.")
    ] = False,
    ipfs: IpfsUrl = None,
    rpc: RpcUrl = None,
    chain: ChainId = None,
    escrow: EscrowAddress = None,
) -> None:
    """Watch an arena in the terminal.

    Without a session the lobby opens, with all that is live; `?` explains the keys, `a` opens your desk, `v` checks
    a session as `agon verify` does: against this arena, the chain that it settles by where that is on this machine, and whom --ipfs and --rpc name.
    """
    from server.commands.proving import ArenaProver
    from tui_client.app import WatchError, run_watch

    prover = ArenaProver(
        url=url,
        ipfs=ipfs,
        rpc=rpc,
        chain=chain,
        escrow=escrow,
        settings=functools.cache(lambda: load_arena(None)),
    )
    try:
        run_watch(url, session=session, tournament=tournament, follow=follow, prover=prover)
    except WatchError as error:
        raise CommandError(str(error)) from None
