"""`agon court`: what is before the court, and what anybody may do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.asking import AsJson, Url, ask, tell
from server.commands.at_chain import AsJson as ChainJson
from server.commands.at_chain import At, act, sent
from server.commands.chain_options import sends
from server.commands.running import CommandError

if TYPE_CHECKING:
    from chain.wallet.hands import Hands
    from chain.wallet.hearings import Bonded, Filed, Stepped
    from server.protocol import CaseView

Session = Annotated[str, typer.Argument(metavar="SESSION", help="The session's id.")]

app = typer.Typer(
    name="court",
    help="See what the court judges and how; appeal.",
    epilog="Example: agon court case 01J8QZ5T0G3YV7W9XKCM4N2R6A",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def court() -> None:
    """See what the court judges and how; appeal (docs/court.md)."""


@app.command("list", epilog="Example: agon court list --all")
def list_(
    all_: Annotated[bool, typer.Option("--all", help="Those that are decided, too.")] = False,
    judge: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Only those with this judge.")
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List what is before the court."""
    from server.commands import telling
    from server.commands.at_chain import checked
    from server.judging import words

    if judge:
        judge = checked("--judge", judge)
    query = f"state={'all' if all_ else 'open'}" + (f"&judge={judge}" if judge else "")
    answer: dict[str, Any] = ask(url, lambda api: api.get(f"/v1/court/cases?{query}"), nobody=True)
    if as_json:
        telling.as_json(answer)
        return
    found = answer.get("cases")
    if not isinstance(found, list):
        raise CommandError("the arena's answer is no list of cases")
    rows = [words.row(_view(each)) for each in found]
    telling.table(
        ("session", "space", "hearing", "state", "panel"),
        rows,
        nothing="nothing is before the court",
    )


@app.command(epilog="Example: agon court case 01J8QZ5T0G3YV7W9XKCM4N2R6A")
def case(session: Session, url: Url = None, as_json: AsJson = False) -> None:
    """Say how a session stands before the court: panel, scores with reasons, margin, what each judge earned or lost."""
    from server.judging import words

    answer = ask(url, lambda api: api.get(f"/v1/court/cases/{_id(session)}"), nobody=True)
    tell(answer, as_json, lambda told: words.case(_view(told)))


@app.command(epilog="Example: agon court force 01J8QZ5T0G3YV7W9XKCM4N2R6A")
@sends
def force(session: Session, url: Url = None, *, at: At, as_json: ChainJson = False) -> None:
    """Put a hearing on the chain, with a bond in FRAC: for whoever gets no answer, or doubts what the arena does.

    What comes of it there is what counts. The bond goes back if the arena has anchored something else, else it pays the panel's gas.
    """
    from chain.wallet import hearings

    found = _filed(session, url)
    act(
        at,
        f"court force {session} {found.filing.hearing}",
        lambda hands: hearings.force(hands, found),
        as_json=as_json,
        lines=_bonded,
    )


@app.command(epilog="Example: agon court appeal 01J8QZ5T0G3YV7W9XKCM4N2R6A")
@sends
def appeal(
    session: Session,
    bond: Annotated[
        str | None,
        typer.Option(metavar="USDC", help="Default: twice the fee of the bigger panel."),
    ] = None,
    url: Url = None,
    *,
    at: At,
    as_json: ChainJson = False,
) -> None:
    """Have a bigger panel look at a session again, with a bond in USDC.

    The bond comes back if it finds another winner, else it goes to the pay of panels.
    """
    from chain.wallet import hearings
    from server.commands.wallet_flows import usdc

    micros = None if bond is None else usdc("--bond", bond)
    found = _filed(session, url)
    act(
        at,
        f"court appeal {session} {found.filing.hearing}",
        lambda hands: hearings.appeal(hands, found, micros),
        as_json=as_json,
        lines=_bonded,
    )


@app.command(epilog="Example: agon court advance 01J8QZ5T0G3YV7W9XKCM4N2R6A")
@sends
def advance(session: Session, url: Url = None, *, at: At, as_json: ChainJson = False) -> None:
    """Do the step that is due of a hearing on the chain, which anybody may: draw, call reserves, end, settle."""
    from chain.wallet import hearings
    from server.judging.records import ChainRecords

    found = _filed(session, url)

    async def work(hands: Hands) -> Stepped:
        records = ChainRecords(hands.contracts.node, hands.contracts.manifest)
        return await hearings.advance(hands, found, await records.snapshot(found.filing.snapshot))

    act(at, f"court advance {session}", work, as_json=as_json, lines=_stepped)


def _filed(session: str, url: str | None) -> Filed:
    """The filing of its newest hearing, as the arena shows it; the contract checks it against the chain. Raises CommandError."""
    from chain.wallet.hearings import Filed
    from server.judging.seating import Misfiled, check_told, shown_of
    from server.judging.told import Misshapen, told

    view = _view(ask(url, lambda api: api.get(f"/v1/court/cases/{_id(session)}"), nobody=True))
    try:
        shown = shown_of(view.filing)
        filing = shown.filing.filing()
        check_told(told(view, ""), filing)
    except (Misfiled, Misshapen) as error:
        raise CommandError(f"{session}: {error}") from None
    return Filed(filing, shown.filed.batch, [bytes.fromhex(each) for each in shown.filed.proof])


def _bonded(found: Bonded) -> list[str]:
    from chain.wallet.amounts import shown_tokens, shown_usdc

    bond = shown_tokens(found.frac, "FRAC") if found.frac else shown_usdc(found.micros)
    return [
        f"hearing {found.hearing} is on the chain, with a bond of {bond}; its panel is drawn once its batch has a seed",
        "`agon court advance` does the steps that anybody may do; judges who run bring what they have found by themselves",
        sent(found.tx),
    ]


def _stepped(found: Stepped) -> list[str]:
    return [f"hearing {found.hearing}: {found.did}", sent(found.tx)]


def _view(document: Any) -> CaseView:
    import msgspec

    from server.protocol import CaseView

    try:
        return msgspec.convert(document, CaseView)
    except msgspec.ValidationError as error:
        raise CommandError(f"the arena's answer is no case: {error}") from None


def _id(session: str) -> str:
    from urllib.parse import quote

    return quote(session, safe="")
