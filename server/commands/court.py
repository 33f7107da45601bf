"""`agon court`: what is before the court, for contestants and for whoever looks on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.asking import AsJson, Url, ask, tell
from server.commands.running import CommandError

if TYPE_CHECKING:
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
    from server.judging import words

    query = f"state={'all' if all_ else 'open'}" + (f"&judge={judge}" if judge else "")
    answer: dict[str, Any] = ask(url, lambda api: api.get(f"/v1/court/cases?{query}"), nobody=True)
    if as_json:
        telling.as_json(answer)
        return
    rows = [words.row(_view(each)) for each in answer["cases"]]
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
