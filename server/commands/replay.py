"""`agon replay`: transcripts checked and played again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.commands.running import ConfigFile, load_arena


def replay(
    files: Annotated[list[Path], typer.Argument(help="Transcripts; `-` reads standard input.")],
    bridge: Annotated[
        str | None,
        typer.Option(help="A game of another project to replay, too, e.g. openspiel:kuhn_poker."),
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Check transcripts and play them again. Exit status 1 if any of them failed."""
    from server import replay as replaying

    load_arena(config, offering=() if bridge is None else (bridge,))
    raise typer.Exit(1 if replaying.tell(files) else 0)
