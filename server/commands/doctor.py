"""`agon doctor`: what is wrong, and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from server import knobs
from server.commands.running import ConfigFile, run_async


def doctor(
    config: ConfigFile = None,
    data_dir: Annotated[
        str | None, typer.Option(help="Where embedded services keep their files.")
    ] = None,
) -> None:
    """Check each service and say what to mend.

    Services that no URL is set for are started as `agon serve` would, and the embedded model writes for a moment, to
    see whether this machine is fast enough for it. Exit status 1 where something is wrong.
    """
    from server import doctor as examination

    settings = knobs.load(config, data_dir=data_dir)
    healthy = run_async(lambda: examination.examine(settings))
    raise typer.Exit(0 if healthy else 1)
