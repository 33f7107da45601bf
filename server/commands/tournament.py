"""`agon tournament`: brains against brains, in an arena of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from server.commands.running import ConfigFile, load_arena


def tournament(
    space: Annotated[str, typer.Option(help="The Space to play.")],
    entrants: Annotated[
        str,
        typer.Option(
            help="Who plays, comma-separated: BRAIN, BRAIN*3 for three, or NAME=BRAIN:SETTING=VALUE."
        ),
    ],
    form: Annotated[
        str, typer.Option("--format", help="round-robin or knockout (best of three).")
    ] = "round-robin",
    sessions: Annotated[
        int,
        typer.Option(
            min=0,
            help="How many a round-robin has in all; 0: each pairing once, of two seats once each way.",
        ),
    ] = 0,
    parallel: Annotated[int, typer.Option(min=1, help="Sessions at once, at most.")] = 64,
    params: Annotated[
        str, typer.Option(help="The Space's parameters, e.g. `chips=100,payment=all-pay`.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Write each session's transcript to this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    tui: Annotated[
        bool | None,
        typer.Option(
            "--watch/--no-watch", help="Watch on screen; default: where this is a terminal."
        ),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Have brains play a tournament in an arena of its own."""
    from server.tournament import command

    settings = load_arena(config, offering=(space,))
    options = command.read_options(
        space=space,
        entrants=entrants,
        format=form,
        sessions=sessions,
        parallel=parallel,
        params=params,
        out=out,
    )
    on_screen = sys.stdout.isatty() if tui is None else tui
    command.tell(command.run(settings, options, on_screen=on_screen and not as_json), as_json)
