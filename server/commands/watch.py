"""`agon watch`: the spectator's screen."""

from __future__ import annotations

from typing import Annotated

import typer

from server.commands.running import DEFAULT_URL, ApiUrl, CommandError


def watch(
    session: Annotated[str | None, typer.Argument(help="Open this session at once.")] = None,
    tournament: Annotated[str | None, typer.Option(help="Open this tournament at once.")] = None,
    url: ApiUrl = DEFAULT_URL,
    follow: Annotated[
        bool, typer.Option(help="Go from one live session to the next by itself.")
    ] = False,
) -> None:
    """Watch an arena in the terminal.

    Without a session the lobby opens, with all that is live; `?` explains the keys, `a` opens your desk.
    """
    from tui_client.app import WatchError, run_watch

    try:
        run_watch(url, session=session, tournament=tournament, follow=follow)
    except WatchError as error:
        raise CommandError(str(error)) from None
