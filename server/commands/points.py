"""`agon points`: what one's agents have earned, line by line, and share links. Speaks to the public API alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.asking import AsJson, Url, ask, tell

if TYPE_CHECKING:
    from bots.owner import OwnerApi

app = typer.Typer(
    name="points",
    help="See what your agents have earned, and why.",
    epilog="Example: agon points explain Ember",
    no_args_is_help=True,
    rich_markup_mode=None,
)

PAGE = 100
Season = Annotated[
    int | None, typer.Option(min=1, help="A season's number; default: the one that runs.")
]


@app.command(epilog="Example: agon points explain Ember --season 2")
def explain(
    agent: Annotated[
        str | None, typer.Argument(help="The name or id of an agent of yours.")
    ] = None,
    account: Annotated[bool, typer.Option("--account", help="All that your account has.")] = False,
    season: Season = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Print every line of points and where it comes from.

    Each line names the formula's term, and says how it came to that many.
    """
    if account == (agent is not None):
        raise typer.BadParameter("name an agent, or give --account")
    tell(ask(url, lambda api: _explained(api, agent, season)), as_json, explained)


@app.command(epilog="Example: agon points formula")
def formula(url: Url = None, as_json: AsJson = False) -> None:
    """Print how points are earned.

    What bounds them and what they do not prove, too.
    """
    tell(ask(url, lambda api: api.get("/v1/points/formula"), nobody=True), as_json, in_words)


@app.command(epilog="Example: agon points board --season 1")
def board(season: Season = None, url: Url = None, as_json: AsJson = False) -> None:
    """Print a season's agents, most points first."""
    answer = ask(url, lambda api: api.get("/v1/points/board", season=season), nobody=True)
    tell(answer, as_json, ranked)


@app.command(epilog="Example: agon points share --agent Ember")
def share(
    session: Annotated[str | None, typer.Option(help="The id of any session.")] = None,
    agent: Annotated[str | None, typer.Option(help="An agent of yours, or anybody's id.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Print your link to a session or an agent. Verified views of it earn points."""
    if (session is None) == (agent is None):
        raise typer.BadParameter("name either --session or --agent")
    answer = ask(url, lambda api: _shared(api, session, agent))
    tell(answer, as_json, lambda link: [str(link["url"])])


async def _explained(api: OwnerApi, agent: str | None, season: int | None) -> Any:
    """The API's answer with the lines of all its pages."""
    from bots.owner import own_agent

    path = "/v1/me/points"
    if agent is not None:
        path = f"/v1/agents/{await own_agent(api, agent)}/points"
    answer = await api.get(path, season=season, limit=PAGE)
    while answer["next"] is not None:
        more = await api.get(path, season=answer["season"], limit=PAGE, before=answer["next"])
        answer = more | {"lines": answer["lines"] + more["lines"]}
    return answer


async def _shared(api: OwnerApi, session: str | None, agent: str | None) -> Any:
    from bots.owner import own_agent

    if agent is None:
        return await api.post("/v1/shares", {"session": session})
    return await api.post("/v1/shares", {"agent": await own_agent(api, agent)})


def explained(answer: Any) -> list[str]:
    """For people: every line, then the sums by term, then those of all seasons."""
    lines, season = answer["lines"], answer["season"]
    told = [_line(each) for each in lines] or [f"nothing in season {season}"]
    for total in answer["totals"]:
        terms = ", ".join(f"{code} {number}" for code, number in total["by_code"].items())
        told.append(f"season {total['season']}: {total['points']} points ({terms})")
    listed = sum(each["points"] for each in lines)
    told.append(f"the {len(lines)} lines of season {season} make {listed}")
    return told


def _line(line: Any) -> str:
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(line["made_ms"] / 1_000, UTC).strftime("%Y-%m-%d %H:%M")
    what, _, name = line["id"].partition(":")
    about = name.partition(":")[0] if what == "session" else ""
    return f"{at}  {line['points']:>4}  {line['code']:<10}  {line['words']}  {about}".rstrip()


def in_words(answer: Any) -> list[str]:
    """The formula for people."""
    terms = [
        f"{term['code']:<10}  {term['points']:>3}  {term['what']}. At most: {term['bound']}."
        for term in answer["terms"]
    ]
    cap = f"An account earns at most {answer['day_points']} points a day."
    return [
        answer["version"],
        *terms,
        cap,
        *answer["rules"],
        "Points do not prove:",
        *(f"- {words}" for words in answer["proves_not"]),
    ]


def ranked(answer: Any) -> list[str]:
    """The board for people."""
    rows = [f"#{row['place']:<4}  {row['points']:>7}  {row['name']}" for row in answer["rows"]]
    return [f"season {answer['season']}", *(rows or ["nobody has earned any yet"])]
