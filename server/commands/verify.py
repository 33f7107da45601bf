"""`agon verify`: is what the arena says of a session true?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chain.verify.finding import Finding, Standing, merged
from server.commands.running import (
    DEFAULT_URL,
    ApiUrl,
    CommandError,
    ConfigFile,
    DataDir,
    load_arena,
)

if TYPE_CHECKING:  # it knows all rules
    from chain.verify.session import Documents

What = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SESSION|CID|FILE]...",
        help="Ids of sessions, content ids (with --ipfs), or saved transcripts: X.result.json beside X.transcript.json is taken, too.",
    ),
]
TranscriptFile = Annotated[
    Path | None, typer.Option("--transcript", help="The transcript, instead of asking the arena.")
]
ResultFile = Annotated[
    Path | None, typer.Option("--result", help="The result document, instead of asking the arena.")
]
EpochFile = Annotated[Path | None, typer.Option("--epoch", help="The epoch's document.")]
PayoutsFile = Annotated[Path | None, typer.Option("--payouts", help="The newest epoch's pay-outs.")]
WantedCid = Annotated[
    str | None,
    typer.Option("--cid", help="The transcript's content id, from wherever you have it."),
]
ResultCid = Annotated[str | None, typer.Option("--result-cid", help="The result's.")]
EpochCid = Annotated[str | None, typer.Option("--epoch-cid", help="The epoch's.")]
PayoutsCid = Annotated[str | None, typer.Option("--payouts-cid", help="That of the pay-outs.")]
CaseFile = Annotated[
    Path | None, typer.Option("--case", help="The court's file, where judges decided.")
]
CourtEpochFile = Annotated[
    Path | None, typer.Option("--court-epoch", help="The court's epoch that has anchored it.")
]
CaseCid = Annotated[
    str | None, typer.Option("--case-cid", help="The court's file's; default: the result's word.")
]
CourtEpochCid = Annotated[
    str | None, typer.Option("--court-epoch-cid", help="That of the court's epoch.")
]
IpfsUrl = Annotated[
    str | None,
    typer.Option(
        "--ipfs",
        help="Fetch the documents by their content ids from this Kubo RPC, and say what it lacks.",
    ),
]
RpcUrl = Annotated[
    str | None,
    typer.Option(
        "--rpc",
        help="A node of the chain. Default: AGON_RPC_URL, or the chain of an arena on this machine.",
    ),
]
ManifestFile = Annotated[
    Path | None,
    typer.Option("--manifest", help="Where the contracts are, as `agon chain deploy` wrote it."),
]
ChainId = Annotated[int | None, typer.Option("--chain", help="The chain's id, e.g. 8453 for Base.")]
EscrowAddress = Annotated[str | None, typer.Option("--escrow", help="The escrow's address there.")]
CourtAddress = Annotated[str | None, typer.Option("--court", help="The court's address there.")]

Training = Annotated[
    str | None,
    typer.Option(
        "--training",
        metavar="CID|FILE",
        help="An adapter's card, by its content id or as a file, beside which lies what it names.",
    ),
]
Steps = Annotated[
    str,
    typer.Option(
        "--steps",
        help="Steps of the training to make again: 1,25,30-34 or all. Default: the first ones and one drawn.",
    ),
]
SystemFile = Annotated[
    Path | None,
    typer.Option(
        "--system-file",
        help="The system prompt that it was trained with, where that is an owner's secret.",
    ),
]


def verify(
    what: What = None,
    url: ApiUrl = DEFAULT_URL,
    transcript: TranscriptFile = None,
    result: ResultFile = None,
    epoch: EpochFile = None,
    payouts: PayoutsFile = None,
    case: CaseFile = None,
    court_epoch: CourtEpochFile = None,
    cid: WantedCid = None,
    result_cid: ResultCid = None,
    epoch_cid: EpochCid = None,
    payouts_cid: PayoutsCid = None,
    case_cid: CaseCid = None,
    court_epoch_cid: CourtEpochCid = None,
    ipfs: IpfsUrl = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    chain: ChainId = None,
    escrow: EscrowAddress = None,
    court: CourtAddress = None,
    training: Training = None,
    steps: Steps = "",
    system_file: SystemFile = None,
    bridge: Annotated[
        str | None,
        typer.Option(help="A game of another project that was played, e.g. openspiel:kuhn_poker."),
    ] = None,
    config: ConfigFile = None,
    data_dir: DataDir = None,
) -> None:
    """Check what an arena says of a session or a training.

    Content id, replay by the rules, seats, ranks, pay-outs, the epoch's root, what the escrow holds and has paid; where judges
    decided, everything that the court did: each fact is a line. With files alone nobody is asked; with content ids, a content store and a node, no arena is. Exit status 1 if
    anything is a lie, or nothing could be checked.

    With --training: that an adapter came of the sessions that its card names. They are replayed, the examples built again, and chosen steps of the
    training made again, to the bit where the device is of the same class (docs/proofs.md). That takes what trains: pip install
    'agon-arena[training]'. Exit status 1 also if no step could be made again.
    """
    if training is not None:
        from server.commands.verify_training import verify_training

        if what or any((transcript, result, epoch, payouts, case, court_epoch)):
            raise CommandError(
                "--training checks an adapter alone: sessions are checked without it"
            )
        offering = () if bridge is None else (bridge,)
        settings = load_arena(config, offering=offering, data_dir=data_dir)
        raise typer.Exit(verify_training(training, settings, ipfs, steps, system_file))
    if steps or system_file:
        raise CommandError(
            "--steps and --system-file are of a training: name its adapter by --training"
        )
    from chain.verify.report import report
    from server.commands import chain_at, fetching
    from server.commands.fetching import Wanted

    files = {
        "transcript": transcript,
        "result": result,
        "epoch": epoch,
        "payouts": payouts,
        "case": case,
        "court_epoch": court_epoch,
    }
    cids = {
        "transcript": cid,
        "result": result_cid,
        "epoch": epoch_cid,
        "payouts": payouts_cid,
        "case": case_cid,
        "court_epoch": court_epoch_cid,
    }
    named: list[str | None] = list(what or [])
    if len(named) > 1 and any((transcript, result, cid, result_cid)):
        raise CommandError("--transcript, --result and --cid are of one session: name one, or none")
    if any(cids.values()) and ipfs is None and (named == [] and not any(files.values())):
        raise CommandError("content ids are fetched from a content store: name it by --ipfs")
    if not named and not any(files.values()) and not any(cids.values()):
        raise CommandError("name a session, or files to check (--transcript, --result, --epoch)")
    settings = load_arena(config, offering=() if bridge is None else (bridge,), data_dir=data_dir)
    chosen = chain_at.Named(rpc, chain, escrow, manifest, court)
    good = True
    for each in named or [None]:
        if fetching.is_cid(each):
            assert each is not None, "an id is a text"
            found = fetching.by_cid(each, Wanted(url=url, files=files, ipfs=ipfs, cids=cids))
            session = None
        else:
            session, taken = fetching.named(each, files)
            found = fetching.documents(Wanted(session, url, taken, ipfs, cids))
        findings = _findings(found, session, cid)
        at = chain_at.find(chosen, settings, url if session is not None else None)
        if at is not None:
            findings = merged(findings, fetching.of_chain(found, at))
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

    def cid_of(block: bytes) -> str:
        return str(cids.of(block))

    asked = Asked(session=session, cid=cid, entry_micros=entry_micros)
    return merged(check(found, asked, cid_of), of_court(found, cid_of))


def of_court(found: Documents, cid_of: Callable[[bytes], str]) -> list[Finding]:
    """Nothing where no court has sat; what judges know is imported only where one has."""
    from chain.verify.court.sat import is_judged

    if not is_judged(found):
        return []
    from chain.verify.court.findings import findings
    from server.court.recount import Recount

    return list(findings(found, Recount(), cid_of))
