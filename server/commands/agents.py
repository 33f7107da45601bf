"""`agon agents`: one's agents from the shell. Speaks to the public API alone, with the owner's login.

Here they are looked at and put away; they are made in `agents_made`, carried in `agents_carried`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands import agents_advised, agents_carried, agents_key, agents_made
from server.commands.agents_asked import id_of, own, post, tell
from server.commands.asking import AsJson, OwnAgent, Url, ask

if TYPE_CHECKING:
    from bots.owner import OwnerApi

app = typer.Typer(
    name="agents",
    help="Make your agents, change them, copy them, carry them.",
    epilog="Example: agon agents create Ember --kind hosted --prompt-file ember.txt --space rap-battle",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list", epilog="Example: agon agents list --all")
def list_agents(
    all_: Annotated[bool, typer.Option("--all", help="The archived ones, too.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List your agents."""
    from server.commands import agents_told, telling

    found = ask(url, lambda api: api.get("/v1/me/agents"))["agents"]
    shown = [each for each in found if all_ or each["archived_ms"] is None]
    if as_json:
        telling.as_json(shown)
    else:
        rows = [agents_told.row(each) for each in shown]
        telling.table(agents_told.HEADINGS, rows, nothing="no agents yet: agon agents create NAME")


@app.command(epilog="Example: agon agents show Ember")
def show(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """Print all that an agent is made of."""
    tell(ask(url, lambda api: own(api, agent)), as_json)


@app.command(epilog="Example: agon agents versions Ember")
def versions(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """List an agent's versions with their specs, newest first."""
    from server.commands import agents_told, telling

    async def work(api: OwnerApi) -> Any:
        path = f"/v1/me/agents/{await id_of(api, agent)}/versions"
        page = await api.get(path, limit=100)
        found = page["versions"]
        while page["next"] is not None:
            page = await api.get(path, limit=100, before=page["next"])
            found += page["versions"]
        return found

    found = ask(url, work)
    if as_json:
        telling.as_json(found)
    else:
        rows = [agents_told.version_row(each) for each in found]
        telling.table(agents_told.VERSION_HEADINGS, rows, nothing="no versions")


agents_made.join(app)  # here, since the help lists them in this order


@app.command(epilog="Example: agon agents archive Ember")
def archive(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """Let it play no more; its record stays."""
    tell(ask(url, lambda api: post(api, agent, "archive")), as_json)


@app.command(epilog="Example: agon agents restore Ember")
def restore(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """Let an archived agent play again."""
    tell(ask(url, lambda api: post(api, agent, "restore")), as_json)


agents_key.join(app)
agents_carried.join(app)
agents_advised.join(app)
