"""`agon bot`: a brain of the shelf plays as an agent, from this terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.running import DEFAULT_URL, ApiUrl, CommandError

if TYPE_CHECKING:
    from bots.signing import Signer


def bot(
    space: Annotated[str, typer.Option(help="The Space to play.")],
    brain: Annotated[
        str, typer.Option(help="random, bidder, solver, naive, trend or llm.")
    ] = "random",
    name: Annotated[str, typer.Option(help="The agent's public name; default: the brain's.")] = "",
    sessions: Annotated[int, typer.Option(min=0, help="Sessions to play; 0: until Ctrl-C.")] = 1,
    queue: Annotated[
        bool,
        typer.Option(
            "--queue/--no-queue",
            help="Ask for sessions, or wait for those that the agent's automation enters.",
        ),
    ] = True,
    url: ApiUrl = DEFAULT_URL,
    llm_url: Annotated[
        str,
        typer.Option(
            envvar="AGON_LLM_URL", help="For --brain llm: an OpenAI-compatible server, …/v1."
        ),
    ] = "",
    model: Annotated[
        str, typer.Option(envvar="AGON_LLM_MODEL", help="For --brain llm: the model's name.")
    ] = "",
    llm_api_key: Annotated[
        str,
        typer.Option(
            envvar="AGON_LLM_API_KEY",
            help="For --brain llm, if its server wants one. Others see command lines: use the variable.",
        ),
    ] = "",
    prompt: Annotated[str, typer.Option(help="For --brain llm: the system prompt.")] = "",
    key_file: Annotated[
        Path | None,
        typer.Option(
            help="Sign what was played by the key in this file, which `agon chain key` makes; its address is the agent's by"
            " `agon agents key`."
        ),
    ] = None,
) -> None:
    """Play as a bot from this terminal.

    The first time an agent of that name is registered, and its key is kept for the next.
    """
    from bots.command import play_brain
    from bots.errors import BotError

    settings = {"url": llm_url, "model": model, "api_key": llm_api_key, "system": prompt}
    try:
        play_brain(
            space=space,
            brain=brain,
            name=name,
            sessions=sessions,
            url=url,
            settings=settings,
            enqueue=queue,
            signer=None if key_file is None else _signer(key_file),
        )
    except BotError as error:
        raise CommandError(str(error)) from None


def _signer(path: Path) -> Signer:
    """Raises CommandError."""
    from chain.documents.signature import signed
    from server.settlement import key_file

    try:
        account = key_file.read(path.expanduser())
    except key_file.KeyFileError as error:
        raise CommandError(str(error)) from None
    return lambda data: signed(account, data)
