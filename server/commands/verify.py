"""`agon verify`: is what the arena says of a session true?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.commands.running import DEFAULT_URL, ApiUrl, CommandError, ConfigFile, load_arena

Session = Annotated[
    str | None,
    typer.Argument(
        metavar="[SESSION]", help="The id of a session; left out where files are given."
    ),
]
TranscriptFile = Annotated[
    Path | None, typer.Option("--transcript", help="The transcript, instead of asking the arena.")
]
ResultFile = Annotated[
    Path | None, typer.Option("--result", help="The result document, instead of asking the arena.")
]
EpochFile = Annotated[Path | None, typer.Option("--epoch", help="The epoch's document.")]
WantedCid = Annotated[
    str | None,
    typer.Option("--cid", help="The transcript's content id, from wherever you have it."),
]


IpfsUrl = Annotated[
    str | None,
    typer.Option("--ipfs", help="Fetch the transcript by its content id from this Kubo RPC."),
]
RpcUrl = Annotated[
    str | None,
    typer.Option(
        "--rpc", help="A node of the chain: check signatures and roots. With --chain and --escrow."
    ),
]
ChainId = Annotated[int | None, typer.Option("--chain", help="The chain's id, e.g. 8453 for Base.")]
EscrowAddress = Annotated[str | None, typer.Option("--escrow", help="The escrow's address there.")]


def verify(
    session: Session = None,
    url: ApiUrl = DEFAULT_URL,
    transcript: TranscriptFile = None,
    result: ResultFile = None,
    epoch: EpochFile = None,
    cid: WantedCid = None,
    ipfs: IpfsUrl = None,
    rpc: RpcUrl = None,
    chain: ChainId = None,
    escrow: EscrowAddress = None,
    bridge: Annotated[
        str | None,
        typer.Option(help="A game of another project that was played, e.g. openspiel:kuhn_poker."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Check what an arena says of a session.

    Content id, replay by the rules, seats, ranks, pay-outs, the epoch's root: each fact is a line.
    With files alone nobody is asked. Exit status 1 if anything is a lie, or nothing could be checked.
    """
    from chain.content import cid as cids
    from chain.verify.finding import Standing, merged
    from chain.verify.report import report
    from chain.verify.session import Asked, check
    from server.commands import fetching
    from server.ledger.tiers import entry_micros

    files = {"transcript": transcript, "result": result, "epoch": epoch}
    if session is None and not any(files.values()):
        raise CommandError("name a session, or files to check (--transcript, --result, --epoch)")
    load_arena(config, offering=() if bridge is None else (bridge,))
    found = fetching.documents(session, url, files, ipfs, cid)
    asked = Asked(session=session, cid=cid, entry_micros=entry_micros)
    findings = check(found, asked, lambda block: str(cids.of(block)))
    if rpc is not None or chain is not None or escrow is not None:
        findings = merged(findings, fetching.of_chain(found, rpc, chain, escrow))
    typer.echo(report(findings))
    standings = {each.standing for each in findings}
    raise typer.Exit(1 if Standing.FALSE in standings or Standing.TRUE not in standings else 0)
