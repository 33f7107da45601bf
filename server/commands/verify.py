"""`agon verify`: is what the arena says of a session true?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chain.verify.finding import Finding, Standing, merged
from server.commands.running import DEFAULT_URL, ApiUrl, CommandError, ConfigFile, load_arena

if TYPE_CHECKING:  # it knows all rules
    from chain.verify.session import Documents

What = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SESSION|FILE]...",
        help="Ids of sessions, or saved transcripts: X.result.json beside X.transcript.json is taken, too.",
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
    what: What = None,
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
    from chain.verify.report import report
    from server.commands import fetching

    files = {"transcript": transcript, "result": result, "epoch": epoch}
    named: list[str | None] = list(what or [])
    if len(named) > 1 and any((transcript, result, cid)):
        raise CommandError("--transcript, --result and --cid are of one session: name one, or none")
    if not named and not any(files.values()):
        raise CommandError("name a session, or files to check (--transcript, --result, --epoch)")
    load_arena(config, offering=() if bridge is None else (bridge,))
    good = True
    for each in named or [None]:
        session, taken = fetching.named(each, files)
        found = fetching.documents(session, url, taken, ipfs, cid)
        findings = _findings(found, session, cid)
        if rpc is not None or chain is not None or escrow is not None:
            findings = merged(findings, fetching.of_chain(found, rpc, chain, escrow))
        if len(named) > 1:
            typer.echo(f"── {each}")
        typer.echo(report(findings))
        standings = {each.standing for each in findings}
        good = good and Standing.FALSE not in standings and Standing.TRUE in standings
    raise typer.Exit(0 if good else 1)


def _findings(found: Documents, session: str | None, cid: str | None) -> list[Finding]:
    from chain.content import cid as cids
    from chain.verify.session import Asked, check
    from server.ledger.tiers import entry_micros

    asked = Asked(session=session, cid=cid, entry_micros=entry_micros)
    return check(found, asked, lambda block: str(cids.of(block)))
