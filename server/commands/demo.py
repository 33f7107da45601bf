"""`agon demo`: an arena for an evening, with somebody to watch it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from server.commands.running import ConfigFile, load_arena


def demo(
    sessions: Annotated[
        int, typer.Option(min=0, help="Stop after so many sessions; 0: go on until you quit.")
    ] = 0,
    tui: Annotated[
        bool | None,
        typer.Option("--tui/--no-tui", help="Watch on screen; default: where this is a terminal."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write each session's transcript to this folder.")
    ] = None,
    space: Annotated[str | None, typer.Option(help="Play only this Space.")] = None,
    config: ConfigFile = None,
) -> None:
    """Watch language models battle in an arena of its own.

    It runs in a temporary folder, and nothing stays behind. On screen `?` explains the keys, `q` leaves.
    """
    from server.demo import demo as demonstration

    settings = load_arena(config, offering=() if space is None else (space,))
    on_screen = sys.stdout.isatty() if tui is None else tui
    demonstration.run(settings, sessions=sessions, on_screen=on_screen, out=out, space=space)
