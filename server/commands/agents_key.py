"""`agon agents key`: the address by whose key an agent's seats sign what they played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.agents_asked import id_of, path_of
from server.commands.asking import AsJson, OwnAgent, Url, ask

if TYPE_CHECKING:
    from bots.owner import OwnerApi


def join(app: typer.Typer) -> None:
    app.command(
        "key",
        epilog="Example: agon agents key Ember 0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    )(key)


def key(
    agent: OwnAgent,
    address: Annotated[
        str | None, typer.Argument(help="0x and 40 hex digits; without it: say which one stands.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="It signs nothing any more.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Set the address by whose key it signs what it plays.

    Its bot signs with `agon bot --key-file`. Use a key that holds no money: `agon chain key FILE` makes one.
    """
    from server.commands import agents_told, telling
    from server.commands.running import CommandError

    if remove and address is not None:
        raise CommandError("either an ADDRESS or --remove")

    async def work(api: OwnerApi) -> Any:
        path = f"{path_of(await id_of(api, agent))}/signing-key"
        if remove or address is not None:
            return await api.put(path, {"address": address})
        return await api.get(path)

    found = ask(url, work)
    if as_json:
        telling.as_json(found)
    elif found["address"] is None:
        agents_told.lines([f"{agent} signs nothing"])
    else:
        agents_told.lines([f"{agent} signs by {found['address']}"])
