"""`agon transcript`: what was played, as anybody may check it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from server.commands.running import DEFAULT_URL, ApiUrl, CommandError

Session = Annotated[str, typer.Argument(metavar="SESSION", help="The id of a session.")]


def transcript(session: Session, url: ApiUrl = DEFAULT_URL) -> None:
    """Print the transcript of a session.

    Bytes as they were sealed: `agon replay` checks them, so save them as they are.
    """
    from urllib.parse import quote

    import httpx

    from bots.api import arena_url, no_answer
    from server.commands.arena_word import problem_of

    arena = arena_url(url)
    path = f"{arena}/v1/sessions/{quote(session, safe='')}/transcript"
    try:
        answer = httpx.get(path, timeout=10, trust_env=False)
    except httpx.HTTPError as error:
        raise CommandError(no_answer(arena, error)) from None
    if not answer.is_success:
        raise CommandError(problem_of(answer))
    sys.stdout.buffer.write(answer.content)
