"""What the owner's commands are made of: they ask the public API, and tell its answer or its refusal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from server.commands.running import CommandError

if TYPE_CHECKING:
    from bots.owner import OwnerApi

T = TypeVar("T")

LINE_CHARS = 1_000

Url = Annotated[
    str | None,
    typer.Option("--url", envvar="AGON_URL", help="The arena's HTTP API; default: this machine's."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the API's answer.")]
OwnAgent = Annotated[
    str, typer.Argument(metavar="AGENT", help="The name or id of an agent of yours.")
]


def ask(
    url: str | None,
    work: Callable[[OwnerApi], Awaitable[T]],
    *,
    nobody: bool = False,
    options: Mapping[str, str] | None = None,
    help_: Mapping[str, str] | None = None,
) -> T:
    """What `work` gets of the arena at `url`. `nobody`: it needs no login. `options` and `help_` as
    `refusals.in_words` takes them. Raises CommandError for what is refused, and BotError."""
    import asyncio

    from bots.api import arena_url
    from bots.logins import owner_api
    from bots.owner import OwnerApi, Refused

    api = OwnerApi(arena_url(url)) if nobody else owner_api(url)

    async def done() -> T:
        return await work(api)

    try:
        return asyncio.run(done())
    except Refused as refused:
        from server.commands.refusals import in_words

        raise CommandError(in_words(refused, options or {}, help_ or {})) from None


def tell(answer: Any, as_json: bool, lines: Callable[[Any], list[str]]) -> None:
    """On standard output: as JSON, or the lines that `lines` makes of it, each made plain behind its indentation."""
    if as_json:
        from server.commands import telling

        telling.as_json(answer)
    else:
        from bots.journal import plain

        for line in lines(answer):
            words = line.lstrip(" ")
            print(" " * (len(line) - len(words)) + plain(words, LINE_CHARS))
