"""One's agents over the public API, as the commands of `agon agents` ask for them: by name or id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from server.commands.agent_spec import OPTIONS
from server.commands.asking import ask

if TYPE_CHECKING:
    from bots.owner import OwnerApi


async def own(api: OwnerApi, named: str) -> Any:
    return await api.get(f"/v1/me/agents/{await id_of(api, named)}")


async def post(api: OwnerApi, named: str, act: str) -> Any:
    return await api.post(f"{path_of(await id_of(api, named))}/{act}", {})


async def id_of(api: OwnerApi, named: str) -> str:
    from bots.owner import own_agent

    return await own_agent(api, named)


def path_of(agent: str) -> str:
    return f"/v1/agents/{agent}"


def make(url: str | None, work: Callable[[OwnerApi], Awaitable[Any]], as_json: bool) -> None:
    """Make an agent and keep its key where `agon bot` looks for it."""
    from bots.api import Credentials, arena_url
    from bots.keys import Keys
    from server.commands import agents_told, telling

    made = ask(url, work, options=OPTIONS | {"name": "NAME"})
    keys = Keys()
    keys.keep(arena_url(url), made["name"], Credentials(made["agent"], made["key"]))
    if as_json:
        telling.as_json(made)
    else:
        agents_told.lines([f"made {made['name']} ({made['agent']}); its key is in {keys.path}"])


def tell(agent: Any, as_json: bool) -> None:
    from server.commands import agents_told, telling

    if as_json:
        telling.as_json(agent)
    else:
        agents_told.lines(agents_told.described(agent))
